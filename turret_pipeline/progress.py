"""Progress of long work, as a person sees it."""

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol


class Progress(Protocol):
    """Shows how far long work is."""

    def track(self, title: str, total: int | None, steps: Iterable[int]) -> int:
        """Exhaust ``steps``, each a number of items done out of ``total`` (None: unknown), and return their sum."""
        ...

    def during(self, title: str) -> AbstractContextManager[None]:
        """Show that work of unknown length is running, and for how long."""
        ...

    def say(self, sentence: str) -> None:
        """Print a sentence that a person must read before the work starts."""
        ...


class SilentProgress:
    """Progress that shows nothing."""

    def track(self, title: str, total: int | None, steps: Iterable[int]) -> int:  # noqa: ARG002
        """Exhaust ``steps`` and return their sum."""
        return sum(steps)

    def during(self, title: str) -> AbstractContextManager[None]:  # noqa: ARG002
        """Show nothing."""
        return nullcontext()

    def say(self, sentence: str) -> None:
        """Print nothing."""
