"""Progress of a command: bars at a terminal, elsewhere a line every few seconds."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from turret_pipeline.cli.console import TimeLeftColumn, new_console
from turret_pipeline.escaping import escape_line

SECONDS_BETWEEN_LINES = 5


def new_progress() -> "ProgressBars | ProgressLines":
    """Progress for standard error, as a context."""
    return ProgressBars() if new_console().is_terminal else ProgressLines()


class ProgressBars:
    """Progress bars at a terminal."""

    def __init__(self) -> None:
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeLeftColumn(),
        )
        self._console = new_console()
        self._progress = Progress(*columns, console=self._console, transient=False)

    def __enter__(self) -> "ProgressBars":
        return self

    def __exit__(self, *_: object) -> None:
        if self._progress.tasks:
            self._progress.stop()

    @contextmanager
    def during(self, title: str) -> Iterator[None]:
        """Show a moving bar while the work is running."""
        self._progress.start()
        task = self._progress.add_task(escape_line(title), total=None)
        yield
        self._progress.update(task, total=1, completed=1)

    def track(self, title: str, total: int | None, steps: Iterable[int]) -> int:
        """Exhaust ``steps`` and return their sum."""
        self._progress.start()
        task = self._progress.add_task(escape_line(title), total=total)
        done = 0
        for step in steps:
            done += step
            self._progress.update(task, completed=done)
        self._progress.update(task, total=done, completed=done)
        return done

    def say(self, sentence: str) -> None:
        """Print a line above the bars."""
        self._console.print_lines(sentence)


class ProgressLines:
    """A line when a step begins and ends, and every few seconds in between, for logs and pipes."""

    def __init__(self, seconds_between_lines: float = SECONDS_BETWEEN_LINES) -> None:
        self._console = new_console()
        self._seconds = seconds_between_lines

    def __enter__(self) -> "ProgressLines":
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to stop."""

    def during(self, title: str) -> AbstractContextManager[None]:
        """Report that the work is running, and for how long."""
        return self._reporting(title, lambda: "")

    def track(self, title: str, total: int | None, steps: Iterable[int]) -> int:
        """Exhaust ``steps`` and return their sum."""
        done, of_total, started = 0, "" if total is None else f" of {total:,}", time.monotonic()

        def state() -> str:
            left = None if not total or not done else (time.monotonic() - started) * (total - done) / done
            return f" {done:,}{of_total}{f', about {left:.0f} s left' if left and left >= 1 else ''}"

        with self._reporting(title, state):
            for step in steps:
                done += step
        return done

    def say(self, sentence: str) -> None:
        """Print a line."""
        self._console.print_lines(sentence)

    @contextmanager
    def _reporting(self, title: str, state: Callable[[], str]) -> Iterator[None]:
        started, is_done = time.monotonic(), threading.Event()

        def report(ending: str = "") -> None:
            self.say(f"{title}:{state()} {ending}({time.monotonic() - started:.0f} s)")

        def report_until_done() -> None:
            while not is_done.wait(self._seconds):
                report()

        self.say(f"{title} ...")
        reporter = threading.Thread(target=report_until_done, daemon=True)
        reporter.start()
        try:
            yield
        finally:
            is_done.set()
            reporter.join()
        report("done ")
