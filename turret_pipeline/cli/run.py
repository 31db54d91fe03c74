"""A run from the command line: progress, problems, and what was found."""

import sys
from pathlib import Path

import typer
from rich.console import Console

from turret_pipeline.cli.console import Bars, new_console
from turret_pipeline.config.pipeline import Settings
from turret_pipeline.errors import display_path


def run_and_report(settings: Settings, *, again: bool = False, refit: bool = False, verbose: bool = False) -> None:
    """Put everything through the graph and print what was found. Exit with code 1 where nothing was published."""
    from turret_pipeline.orchestration.run import run_whole_graph

    with Bars() as bars:
        outcome = run_whole_graph(
            settings, bars, again=again or refit, refit=refit, log_level="INFO" if verbose else "CRITICAL"
        )
    for warning in outcome.warnings:
        new_console().print(f"Warning: {warning}", style="yellow", markup=False)
    if not outcome.is_success:
        for problem in outcome.problems:
            new_console().print(problem, style="red", markup=False)
        verdict = "The tables were published all the same." if outcome.is_published else "Nothing was published."
        new_console().print(verdict, markup=False)
        raise typer.Exit(1)
    _report(new_console(stderr=False), settings, is_nothing_new=not outcome.is_published)


def _report(console: Console, settings: Settings, *, is_nothing_new: bool) -> None:
    from turret_pipeline.orchestration.resources import Workspace
    from turret_pipeline.reports.summary import print_summary

    space = Workspace(settings)
    print_summary(console, space.published)
    verdict = "Nothing new since the last run; published tables:" if is_nothing_new else "Published tables:"
    file = display_path(space.published)
    query = "select label, event_count from marts.topics order by event_count desc limit 10"
    code = f"import duckdb; duckdb.connect('{file}', read_only=True).sql('{query}').show()"
    lines = [
        f"{verdict} {file} (DuckDB, schema marts)",
        f"Pictures: {display_path(space.figures_dir)}",
        f"Quality report: {display_path(space.quality_dir / 'index.html')}",
        f"What next: {_ui(settings)}  (the graph, its checks and its runs in the browser), or query:",
        f'  {display_path(Path(sys.executable))} -c "{code}"',
    ]
    console.print("\n" + "\n".join(lines), markup=False, soft_wrap=True)


def _ui(settings: Settings) -> str:
    is_default = settings.data_dir == Path.cwd() / "data" and Path("Makefile").exists()
    return "make ui" if is_default else f"turret ui --data-dir {display_path(settings.data_dir)}"
