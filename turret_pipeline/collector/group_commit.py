"""Group commit: one fsync stores all requests that wait for it.

The event loop counts limits, which is quick; a thread does the work that waits for the disk. A group is complete before
the next begins, so neither needs a lock.
"""

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from turret_pipeline.collector.event_store import Storage, Submission, storage_unavailable
from turret_pipeline.collector.ledger import LedgerBusyError
from turret_pipeline.collector.metrics import COMMIT_EVENTS, COMMIT_SECONDS
from turret_pipeline.config.collector import CollectorSettings
from turret_pipeline.errors import TurretError

logger = logging.getLogger(__name__)

_IDLE_SECONDS = 0.25
_LEDGER_RETRY_SECONDS, _LEDGER_TIMEOUT_SECONDS = 0.002, 5
T = TypeVar("T")
Waiting = tuple[Submission, "asyncio.Future[None]"]


class Committer:
    """Collects submissions and commits them in groups."""

    _storage: Storage
    _commits: "asyncio.Task[None]"

    def __init__(self, settings: CollectorSettings) -> None:
        self._settings = settings
        self._wait_seconds = settings.commit_wait_ms / 1000
        self._waiting: list[Waiting] = []
        self._arrived = asyncio.Event()
        self._is_closing = False
        self._disk = ThreadPoolExecutor(1, "disk")

    async def start(self) -> None:
        """Open the storage and recover files after a crash. Raises TurretError if the storage cannot be written."""
        try:
            self._storage = await asyncio.to_thread(Storage, self._settings)
        except (OSError, sqlite3.Error) as error:
            raise TurretError(f"The data folder {self._settings.data_dir} cannot be written: {error}.") from None
        self._commits = asyncio.create_task(self._run())

    async def probe(self) -> str | None:
        """Try to write. Return a message if that fails, else None."""
        if self._commits.done():
            return "This worker has stopped storing events: restart the collector."
        return await asyncio.to_thread(self._storage.probe)

    async def store(self, submission: Submission) -> None:
        """Wait until the submission is on disk. Raises ApiError if it cannot be stored."""
        if self._commits.done():
            raise storage_unavailable()
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((submission, future))
        self._arrived.set()
        await future
        if submission.error is not None:
            raise submission.error

    async def close(self) -> None:
        """Commit all waiting submissions and finish all files."""
        self._is_closing = True
        self._arrived.set()
        await self._commits
        await asyncio.get_running_loop().run_in_executor(self._disk, self._storage.close)
        self._disk.shutdown()

    async def _run(self) -> None:
        while self._waiting or not self._is_closing:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._arrived.wait(), _IDLE_SECONDS)
            if self._waiting:
                await asyncio.sleep(self._wait_seconds)
            self._arrived.clear()
            group, self._waiting = self._waiting, []
            await self._commit(group)

    async def _commit(self, group: list[Waiting]) -> None:
        """Commit a group and wake its requests, whatever happens, so that no request waits forever."""
        started = time.perf_counter()
        submissions = [submission for submission, _ in group]
        try:
            admitted = await self._retry_while_busy(lambda: self._storage.admit(submissions))
            await asyncio.get_running_loop().run_in_executor(self._disk, self._storage.write, admitted)
            await self._retry_while_busy(lambda: self._storage.record_results(submissions, admitted))
            if group:
                COMMIT_SECONDS.observe(time.perf_counter() - started)
                COMMIT_EVENTS.observe(sum(submission.event_count for submission in submissions))
        except Exception:
            logger.exception("A group of %d requests could not be stored", len(group))
            for submission in submissions:
                submission.error = storage_unavailable()
        finally:
            for _, future in group:
                if not future.done():
                    future.set_result(None)

    async def _retry_while_busy(self, use_ledger: Callable[[], T]) -> T:
        """Call a function until no other worker holds the ledger; other requests are served in between."""
        deadline = time.monotonic() + _LEDGER_TIMEOUT_SECONDS
        while True:
            try:
                return use_ledger()
            except LedgerBusyError:
                if time.monotonic() > deadline:
                    raise
            await asyncio.sleep(_LEDGER_RETRY_SECONDS)
