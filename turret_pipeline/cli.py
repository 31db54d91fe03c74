"""`turret`: the command line.

Belongs here: arguments, messages, exit codes. Not here: any work.
"""

import atexit
import logging
import os
import sys
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from turret_pipeline.errors import TurretError
from turret_pipeline.settings import Settings, load_settings

app = typer.Typer(
    name="turret",
    help="Topics and journeys from the raw events of an AI product.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
WIDTH = 120


@app.callback()
def turret() -> None:
    """Topics and journeys from the raw events of an AI product."""


@app.command(
    epilog="Examples: turret run --input data/sample; turret run --input 'dumps/*.jsonl.gz' --data-dir /srv/turret"
)
def run(
    inputs: Annotated[
        list[str] | None,
        typer.Option("--input", "-i", help="File, folder or glob with events; may be given again.", show_default=False),
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option("--data-dir", help="Folder of everything that is written.  [default: data]")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Make every table anew even if nothing is new.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Show the log of every step.")] = False,
) -> None:
    """Put event files through the whole graph, publish the tables, and print what was found.

    Exit code: 0 published (or nothing new), 1 not published, 2 wrong arguments or settings.
    """
    console = _console(stderr=False)
    settings = load_settings(inputs=_existing(inputs), data_dir=data_dir)
    from turret_pipeline.run import run_whole_graph

    with Bars() as bars:
        outcome = run_whole_graph(settings, bars, again=again, log_level="INFO" if verbose else "CRITICAL")
    for warning in outcome.warnings:
        _console().print(f"Warning: {warning}", style="yellow", markup=False)
    if not outcome.is_success:
        for problem in outcome.problems:
            _console().print(problem, style="red", markup=False)
        verdict = "The tables were published all the same." if outcome.is_published else "Nothing was published."
        _console().print(verdict, markup=False)
        raise typer.Exit(1)
    _report(console, settings, is_nothing_new=not outcome.is_published)


@app.command(epilog="Examples: turret ui; turret ui --port 3001 --data-dir /srv/turret")
def ui(
    data_dir: Annotated[Path | None, typer.Option("--data-dir", help="The data folder.  [default: data]")] = None,
    port: Annotated[int, typer.Option("--port", help="Where the UI listens, on this machine only.")] = 3000,
) -> None:
    """Open the Dagster UI with the graph, its checks, and all runs of the data folder."""
    settings = load_settings(data_dir=data_dir)
    from turret_pipeline.run import dagster_home

    os.environ["DAGSTER_HOME"] = str(dagster_home(settings))
    os.environ["TURRET_DATA_DIR"] = str(settings.data_dir)
    dagster = str(Path(sys.executable).with_name("dagster"))
    os.execv(dagster, [dagster, "dev", "-m", "turret_pipeline.definitions", "-p", str(port)])


def _existing(inputs: list[str] | None) -> list[str] | None:
    """The inputs, if each finds a file."""
    from turret_pipeline.events.reading import discover

    if inputs:
        discover(inputs)
    return inputs


def _report(console: Console, settings: Settings, *, is_nothing_new: bool) -> None:
    from turret_pipeline.pipeline.resources import Workspace
    from turret_pipeline.summary import print_summary

    space = Workspace(settings)
    print_summary(console, space.published)
    verdict = "Nothing new since the last run; published tables:" if is_nothing_new else "Published tables:"
    file = _near(space.published)
    query = "select label, event_count from marts.topics order by event_count desc limit 10"
    code = f"import duckdb; duckdb.connect('{file}', read_only=True).sql('{query}').show()"
    lines = [
        f"{verdict} {file} (DuckDB, schema marts)",
        f"Pictures: {_near(space.figures_dir)}",
        f"Quality report: {_near(space.quality_dir / 'index.html')}",
        f"What next: {_ui(settings)}  (the graph, its checks and its runs in the browser), or query:",
        f'  {_near(Path(sys.executable))} -c "{code}"',
    ]
    console.print("\n" + "\n".join(lines), markup=False, soft_wrap=True)


def _ui(settings: Settings) -> str:
    is_default = settings.data_dir == Path.cwd() / "data" and Path("Makefile").exists()
    return "make ui" if is_default else f"turret ui --data-dir {_near(settings.data_dir)}"


def _near(path: Path) -> str:
    """The path as a person at this place would type it."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


class Bars:
    """Progress bars at a terminal; elsewhere a line at the end of each piece of long work."""

    def __init__(self) -> None:
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        self._progress = Progress(*columns, console=_console(), transient=False)

    def __enter__(self) -> "Bars":
        return self

    def __exit__(self, *_: object) -> None:
        if self._progress.tasks:
            self._progress.stop()

    @contextmanager
    def during(self, title: str) -> Iterator[None]:
        """A bar that moves for as long as the work goes on."""
        self._progress.start()
        task = self._progress.add_task(title, total=None)
        yield
        self._progress.update(task, total=1, completed=1)

    def track(self, title: str, total: int | None, steps: Iterable[int]) -> int:
        """Exhaust ``steps`` and return their sum."""
        self._progress.start()
        task = self._progress.add_task(title, total=total)
        done = 0
        for step in steps:
            done += step
            self._progress.update(task, completed=done)
        self._progress.update(task, total=done, completed=done)
        return done

    def say(self, sentence: str) -> None:
        """A line of its own above the bars."""
        self._progress.console.print(sentence, markup=False, soft_wrap=True)


def _console(*, stderr: bool = True) -> Console:
    console = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = WIDTH
    return console


def main() -> None:
    """Run the command; what a person can mend is told in a sentence, with exit code 2."""
    code = 0
    try:
        app()
    except TurretError as error:
        print(error, file=sys.stderr)  # noqa: T201
        code = 2
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 1
    except Exception:
        traceback.print_exc()
        code = 1
    _leave(code)


def _leave(code: int) -> NoReturn:
    """End without taking the interpreter apart: torch and duckdb together make it print a page of leak warnings."""
    logging.shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
