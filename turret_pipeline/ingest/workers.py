"""Work on many blocks at once: this process takes blocks too, so that few of them cost no other process."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from typing import TypeVar

from turret_pipeline.errors import TurretError

T = TypeVar("T")
IDLE_SECONDS = 60
_WAITING = 2
"""Blocks that wait for each worker, so that none is idle."""


def in_parallel(jobs: Iterable[Callable[[], T]]) -> Iterator[T]:
    """The results of jobs, which can be pickled, in no certain order; only a few jobs are taken ahead.

    TurretError where a worker is killed.
    """
    workers = (os.cpu_count() or 1) - 1
    waiting = deque[Future[T]]()
    for number, job in enumerate(jobs):
        if number > 0 and len(waiting) < _WAITING * workers:
            waiting.append(_submit(job, workers))
        else:
            yield job()
        while waiting and waiting[0].done():
            yield _result(waiting.popleft())
    while waiting:
        yield _result(waiting.popleft())


def _submit(job: Callable[[], T], workers: int) -> "Future[T]":
    from loky import get_reusable_executor  # unlike the standard library's it starts clean processes from any program

    future: Future[T] = get_reusable_executor(
        max_workers=workers, timeout=IDLE_SECONDS, env={"POLARS_MAX_THREADS": "1"}
    ).submit(job)
    return future


def _result(future: "Future[T]") -> T:
    from loky.process_executor import TerminatedWorkerError

    try:
        return future.result()
    except TerminatedWorkerError:
        raise TurretError(
            "A process that reads blocks of the input was killed, most likely for want of memory: free some, and run "
            "again; what was read whole is kept."
        ) from None
