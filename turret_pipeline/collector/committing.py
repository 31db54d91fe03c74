"""The thread that commits: one fsync serves all requests that wait for it."""

import asyncio
import logging
import queue
import sqlite3
import threading
import time

from turret_pipeline.collector.metrics import COMMIT_EVENTS, COMMIT_SECONDS
from turret_pipeline.collector.problems import STORAGE_UNAVAILABLE, Problem
from turret_pipeline.collector.settings import CollectorSettings
from turret_pipeline.collector.storage import Storage, Submission
from turret_pipeline.errors import TurretError

logger = logging.getLogger(__name__)

_IDLE_SECONDS = 0.25
Waiting = tuple[Submission, "asyncio.Future[None]"]


class Committer:
    """Takes submissions from the event loop and commits them in groups."""

    _storage: Storage
    _loop: asyncio.AbstractEventLoop

    def __init__(self, settings: CollectorSettings) -> None:
        self._settings = settings
        self._wait = settings.commit_wait_ms / 1000
        self._queue: queue.SimpleQueue[Waiting | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="committer", daemon=True)

    async def start(self) -> None:
        """Open the storage and finish what a crash left. Raises TurretError where it cannot be written."""
        try:
            self._storage = await asyncio.to_thread(Storage, self._settings)
        except (OSError, sqlite3.Error) as error:
            raise TurretError(f"The data folder {self._settings.data_dir} cannot be written: {error}.") from None
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    async def probe(self) -> str | None:
        """Try to write. A sentence where that does not work."""
        return await asyncio.to_thread(self._storage.probe)

    async def store(self, submission: Submission) -> None:
        """Wait until it is on disk. Raises Problem where it is not."""
        future = self._loop.create_future()
        self._queue.put((submission, future))
        await future
        if submission.problem is not None:
            raise submission.problem

    async def close(self) -> None:
        """Commit what waits and finish all files."""
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        is_open = True
        while is_open:
            group, is_open = self._next_group()
            if group:
                self._commit(group)
            self._storage.finish_old()
        self._storage.close()

    def _next_group(self) -> tuple[list[Waiting], bool]:
        """All that waits now, a moment after the first came; and whether more will come."""
        try:
            first = self._queue.get(timeout=_IDLE_SECONDS)
        except queue.Empty:
            return [], True
        if first is not None and self._wait:
            time.sleep(self._wait)
        group: list[Waiting] = []
        item = first
        while item is not None:
            group.append(item)
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                return group, True
        return group, False

    def _commit(self, group: list[Waiting]) -> None:
        started = time.perf_counter()
        submissions = [submission for submission, _ in group]
        try:
            self._storage.commit(submissions)
        except Exception:
            # a fault of ours must not leave requests waiting for ever, nor end the thread
            logger.exception("A group of %d requests could not be stored", len(group))
            for submission in submissions:
                submission.problem = Problem(STORAGE_UNAVAILABLE, "Events cannot be stored.", retry_after=5)
        COMMIT_SECONDS.observe(time.perf_counter() - started)
        COMMIT_EVENTS.observe(sum(submission.count for submission in submissions))
        self._loop.call_soon_threadsafe(_tell, [future for _, future in group])


def _tell(futures: "list[asyncio.Future[None]]") -> None:
    for future in futures:
        if not future.done():
            future.set_result(None)
