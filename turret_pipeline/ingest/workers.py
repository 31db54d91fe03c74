"""Parallel work on the blocks of a file.

The calling process takes blocks too, so that a small file starts no other process.
"""

import atexit
import functools
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

from turret_pipeline.errors import TurretError

if TYPE_CHECKING:
    from loky.process_executor import ProcessPoolExecutor

T = TypeVar("T")
IDLE_SECONDS = 60
"""Time without work after which a worker exits."""

_QUEUED_PER_WORKER = 2
"""Jobs that wait for each worker, so that none is idle."""


def run_in_parallel(jobs: Iterable[Callable[[], T]]) -> Iterator[T]:
    """Results of the jobs, in no particular order.

    Jobs must be picklable. Only a few are taken from ``jobs`` ahead of time. Raises TurretError if a worker is killed.
    """
    workers = (os.cpu_count() or 1) - 1
    pending = deque[Future[T]]()
    for number, job in enumerate(jobs):
        if number > 0 and len(pending) < _QUEUED_PER_WORKER * workers:
            pending.append(_submit(job, workers))
        else:
            yield job()
        while pending and pending[0].done():
            yield _result(pending.popleft())
    while pending:
        yield _result(pending.popleft())


def _submit(job: Callable[[], T], workers: int) -> "Future[T]":
    from loky import get_reusable_executor  # starts clean processes from any program, unlike the standard library

    executor = get_reusable_executor(max_workers=workers, timeout=IDLE_SECONDS, env={"POLARS_MAX_THREADS": "1"})
    _stop_at_exit(executor)
    future: Future[T] = executor.submit(job)
    return future


@functools.cache
def _stop_at_exit(executor: "ProcessPoolExecutor") -> None:
    """Stop idle workers when the program ends: multiprocessing would wait until their idle time is over."""
    atexit.register(executor.shutdown, wait=True, kill_workers=True)


def _result(future: "Future[T]") -> T:
    from loky.process_executor import TerminatedWorkerError

    try:
        return future.result()
    except TerminatedWorkerError:
        raise TurretError(
            "A worker process that reads the input was killed, probably because memory ran out: free some memory and "
            "run again. Files that were read to their end are kept."
        ) from None
