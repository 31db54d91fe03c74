"""Consoles and progress bars of the commands."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from turret_pipeline.reports.published_tables import PublishedTables

WIDTH = 120


class ProgressBars:
    """Progress bars at a terminal; elsewhere one line at the end of each long step."""

    def __init__(self) -> None:
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        self._progress = Progress(*columns, console=new_console(), transient=False)

    def __enter__(self) -> "ProgressBars":
        return self

    def __exit__(self, *_: object) -> None:
        if self._progress.tasks:
            self._progress.stop()

    @contextmanager
    def during(self, title: str) -> Iterator[None]:
        """Show a moving bar while the work is running."""
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
        """Print a line above the bars."""
        self._progress.console.print(sentence, markup=False, soft_wrap=True)


def print_pending(published: "PublishedTables", sentence: str) -> None:
    """Print a sentence, followed by the command of the run that applies the change."""
    new_console(stderr=False).print(f"{sentence}: {published.command('run')}", soft_wrap=True)


def new_console(*, stderr: bool = True) -> Console:
    """Console for standard output or error; outside a terminal it is WIDTH characters wide."""
    console = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = WIDTH
    return console
