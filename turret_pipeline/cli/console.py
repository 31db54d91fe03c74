"""What the commands have in common: consoles and progress."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

WIDTH = 120


class Bars:
    """Progress bars at a terminal; elsewhere a line at the end of each piece of long work."""

    def __init__(self) -> None:
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        self._progress = Progress(*columns, console=new_console(), transient=False)

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


def new_console(*, stderr: bool = True) -> Console:
    """A console that is wide enough where it is no terminal."""
    console = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = WIDTH
    return console
