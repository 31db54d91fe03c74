"""Shards in processes of this machine.

The calling process takes shards too, so that a small file starts no other process.
"""

import atexit
import functools
import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from turret_pipeline.errors import TurretError
from turret_pipeline.shards.shard import Shard

if TYPE_CHECKING:
    from loky.process_executor import ProcessPoolExecutor

T = TypeVar("T")
IDLE_SECONDS = 60
"""Time without work after which a worker exits."""

_QUEUED_PER_WORKER = 2
"""Shards that wait for each worker, so that none is idle."""


class LocalEngine:
    """Runs shards in this process and, but for a model, in as many others as the machine has further cores."""

    def run(self, shards: Iterable[Shard[T]], folder: Path) -> Iterator[T]:
        """The values of all shards (``Engine.run``). Raises TurretError if a worker is killed."""
        workers = (os.cpu_count() or 1) - 1
        pending = deque[Future[T]]()
        for number, shard in enumerate(shards):
            if number > 0 and not shard.needs_model and len(pending) < _QUEUED_PER_WORKER * workers:
                pending.append(_submit(shard, folder, workers))
            else:
                yield shard.run(folder)
            while pending and pending[0].done():
                yield _result(pending.popleft())
        while pending:
            yield _result(pending.popleft())

    def close(self) -> None:
        """Leave the workers to the next shards. They exit after IDLE_SECONDS."""


LOCAL = LocalEngine()


def _submit(shard: Shard[T], folder: Path, workers: int) -> "Future[T]":
    from loky import get_reusable_executor  # starts clean processes from any program, unlike the standard library

    executor = get_reusable_executor(max_workers=workers, timeout=IDLE_SECONDS, env={"POLARS_MAX_THREADS": "1"})
    _stop_at_exit(executor)
    future: Future[T] = executor.submit(shard.run, folder)
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
            "A worker process was killed, probably because memory ran out: free some memory and run again. Files that "
            "were read to their end are kept."
        ) from None
