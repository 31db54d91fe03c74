"""Shares of what requests in progress may take, memory or places, so that no project takes it from the others."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from turret_pipeline.collector.api_errors import OVERLOADED, ApiError


class SharedBudget:
    """Units that all requests of a worker share; messages name the unit and the setting of its size.

    A project may take no more than it leaves free, so that others can send too.
    """

    def __init__(self, size: int, unit: str, setting: str) -> None:
        self._free = size
        self._unit, self._setting = unit, setting
        self._taken: Counter[str] = Counter()

    def take(self, project: str, size: int) -> None:
        """Take units for a project. Raises ApiError if too few are left."""
        if self._taken[project] + size > self._free:
            left = max(0, self._free - self._taken[project])
            message = (
                f"Requests in progress of this project hold {self._taken[project]} {self._unit}, and it may take "
                f"{left} more (setting {self._setting}); this one needs {size}. Send it again, and fewer at once."
            )
            raise ApiError(OVERLOADED, message, retry_after=1)
        self._free -= size
        self._taken[project] += size

    def give_back(self, project: str, size: int) -> None:
        """Give units of a project back."""
        self._free += size
        self._taken[project] -= size

    @contextmanager
    def holding(self, project: str, size: int) -> Iterator[None]:
        """Take units for the duration of the block. Raises ApiError if too few are left."""
        self.take(project, size)
        try:
            yield
        finally:
            self.give_back(project, size)
