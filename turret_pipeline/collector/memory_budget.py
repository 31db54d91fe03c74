"""Memory for request bodies, from their first byte until they are stored."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from turret_pipeline.collector.api_errors import OVERLOADED, ApiError


class MemoryBudget:
    """Memory for bodies, which all requests of a worker share.

    A project may take no more than it leaves free, so that others can send too.
    """

    def __init__(self, size: int) -> None:
        self._free = size
        self._taken: Counter[str] = Counter()

    def take(self, project: str, size: int) -> None:
        """Take memory for a project. Raises ApiError if too little is left."""
        if self._taken[project] + size > self._free:
            left = max(0, self._free - self._taken[project])
            message = (
                f"Requests in progress leave {left} bytes for this project (setting max_pending_mb), and this one "
                f"needs {size}: send it again, and fewer at once."
            )
            raise ApiError(OVERLOADED, message, retry_after=1)
        self._free -= size
        self._taken[project] += size

    def give_back(self, project: str, size: int) -> None:
        """Give memory of a project back."""
        self._free += size
        self._taken[project] -= size

    @contextmanager
    def holding(self, project: str, size: int) -> Iterator[None]:
        """Take memory for the duration of the block. Raises ApiError if too little is left."""
        self.take(project, size)
        try:
            yield
        finally:
            self.give_back(project, size)
