"""Slow work on request bodies in one thread, apart from the event loop and from the threads that wait for the disk."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from starlette.requests import Request

from turret_pipeline.collector.api_errors import INVALID_REQUEST, ApiError
from turret_pipeline.collector.shared_budget import SharedBudget

T = TypeVar("T")
Steps = Generator[None, None, T]
"""Work in short steps, with a result."""

_SLICE_SECONDS = 0.01


class BodyWorker:
    """Thread that projects share fairly.

    A project has one body at a time in work, and bodies take turns after each time slice. So bodies that are slow to
    decode delay others of their own project only. What waits or is worked on counts against the memory budget.
    """

    def __init__(self, budget: SharedBudget) -> None:
        self._budget = budget
        self._thread = ThreadPoolExecutor(1, "bodies")
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def run(self, request: Request, project: str, work: Steps[T], size: int) -> T:
        """Result of the work, which needs ``size`` bytes.

        Raises ApiError if so much memory is not left or when the client leaves, and errors of the work.
        """
        with self._budget.holding(project, size):
            return await self._run_in_turn(request, project, work)

    async def _run_in_turn(self, request: Request, project: str, work: Steps[T]) -> T:
        async with self._turns[project]:
            while not await request.is_disconnected():
                is_done, result = await asyncio.get_running_loop().run_in_executor(self._thread, _run_slice, work)
                if is_done:
                    return result
        raise ApiError(INVALID_REQUEST, "The connection ended before the body was decoded.")


def _run_slice(work: Steps[T]) -> tuple[bool, T]:
    """Run steps until the time slice is over. Return if the work is done, and its result."""
    end = time.monotonic() + _SLICE_SECONDS
    try:
        while time.monotonic() < end:
            next(work)
    except StopIteration as stop:
        return True, stop.value
    return False, None  # type: ignore[return-value]
