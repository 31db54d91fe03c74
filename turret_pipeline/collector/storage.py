"""Groups of requests to disk: limits first, then the lines of each project, one fsync a project, then the verdicts."""

import contextlib
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from turret_pipeline.collector.api_errors import RATE_LIMIT_EXCEEDED, STORAGE_UNAVAILABLE, ApiError
from turret_pipeline.collector.landing_files import LandingFile, recover
from turret_pipeline.collector.ledger import Ledger, Limit
from turret_pipeline.collector.projects import landing_folder
from turret_pipeline.config.collector import MEGABYTE, CollectorSettings

logger = logging.getLogger(__name__)

_PROBE_BYTES = 1 << 16
_RETRY_SECONDS = 5
_SPACE_SECONDS = 0.25


@dataclass(slots=True)
class Submission:
    """What one request wants stored.

    ``lines`` makes the lines from the time at which this batch first came; a batch has a ``fingerprint`` by which it is
    known when it is sent again.
    """

    project: str
    limits: tuple[Limit, ...]
    count: int
    lines: Callable[[float], bytes]
    fingerprint: bytes | None = None
    first_at: float = 0.0
    is_duplicate: bool = False
    error: ApiError | None = None
    same_as: "Submission | None" = field(default=None, repr=False)


class Storage:
    """The landing files and the ledger of one worker.

    A group is admitted, written, settled, one group after the other; writing waits for the disk, the others do not.
    ``probe`` may be called at any time.
    """

    def __init__(self, settings: CollectorSettings) -> None:
        self._settings = settings
        self._projects = settings.data_dir / "projects"
        self._files: dict[str, LandingFile] = {}
        self._failing: set[str] = set()
        self._space_checked_at = -_SPACE_SECONDS
        self._projects.mkdir(parents=True, exist_ok=True)
        self._ledger = Ledger(settings.folder, settings.duplicate_window_seconds)
        recover(self._projects)

    def admit(self, group: Sequence[Submission]) -> list[Submission]:
        """Those of a group that are to be written; the others have a ``error``, or are stored since before.

        Raises LedgerBusyError.
        """
        if not group:
            return []
        now = time.time()
        try:
            self._check_space()
            with self._ledger.transaction():
                self._ledger.purge(now)
                return list(self._admitted(group, now))
        except (OSError, sqlite3.Error) as error:
            self._refuse(group, error)
            return []

    def write(self, admitted: Sequence[Submission]) -> None:
        """Put them on disk, or give them a ``error``; and finish the files that are old enough."""
        by_project: dict[str, list[Submission]] = {}
        for submission in admitted:
            by_project.setdefault(submission.project, []).append(submission)
        for project, submissions in by_project.items():
            self._write(project, submissions)
        oldest = time.monotonic() - self._settings.file_max_seconds
        for project, file in list(self._files.items()):
            if file.opened_at < oldest:
                self._finish(project)

    def settle(self, group: Sequence[Submission], admitted: Sequence[Submission]) -> None:
        """Tell the ledger what is on disk now, and those that are the same as another what became of that one."""
        self._note(admitted)
        for submission in group:
            if submission.same_as is not None:
                submission.error = submission.same_as.error

    def close(self) -> None:
        """Finish all files."""
        for project in list(self._files):
            self._finish(project)
        self._ledger.close()

    def probe(self) -> str | None:
        """Try to write where events go. A sentence where that does not work."""
        try:
            self._check_space()
            _try_to_write(self._settings.folder)
            for project in list(self._failing):
                _try_to_write(landing_folder(self._settings.data_dir, project))
                self._failing.discard(project)
        except OSError as error:
            return f"Events cannot be stored: {error.strerror or error}."
        return None

    def _check_space(self) -> None:
        """Raise OSError where the disk is nearly full; looked at a few times a second."""
        if time.monotonic() - self._space_checked_at < _SPACE_SECONDS:
            return
        status = os.statvfs(self._projects)
        free = status.f_bavail * status.f_frsize / MEGABYTE
        if free < self._settings.min_free_mb:
            raise OSError(f"{free:.0f} MB are free, and min_free_mb is {self._settings.min_free_mb:g}")
        self._space_checked_at = time.monotonic()

    def _admitted(self, group: Sequence[Submission], now: float) -> Iterator[Submission]:
        """Those to be written: neither stored before, nor twice in this group, nor over a limit."""
        here: dict[bytes, Submission] = {}
        for submission in group:
            mark = submission.fingerprint
            submission.first_at = now
            if mark is not None:
                submission.first_at, submission.is_duplicate = self._ledger.delivery(mark, now)
                if submission.is_duplicate:
                    continue
                if mark in here:
                    submission.same_as, submission.is_duplicate = here[mark], True
                    continue
            if limit := self._ledger.reserve(submission.limits, submission.count):
                submission.error = over(limit)
                continue
            if mark is not None:
                here[mark] = submission
            yield submission

    def _write(self, project: str, submissions: Sequence[Submission]) -> None:
        try:
            file = self._files.get(project) or self._open(project)
            file.append(b"".join([submission.lines(submission.first_at) for submission in submissions]))
            file.sync()
        except OSError as error:
            if broken := self._files.pop(project, None):
                broken.abandon()
            self._failing.add(project)
            self._refuse(submissions, error)
            return
        if self._failing:
            self._heal(project)
        if file.size >= self._settings.file_max_mb * MEGABYTE:
            self._finish(project)

    def _open(self, project: str) -> LandingFile:
        self._files[project] = LandingFile(landing_folder(self._settings.data_dir, project))
        return self._files[project]

    def _finish(self, project: str) -> None:
        try:
            self._files.pop(project).finish()
        except OSError as error:
            self._failing.add(project)
            logger.error("A landing file of %s cannot be finished, the next start does it: %s", project, error)

    def _heal(self, project: str) -> None:
        """After a failure: what could not be finished then is finished now."""
        self._failing.discard(project)
        with contextlib.suppress(OSError):
            recover(self._projects)

    def _note(self, admitted: Sequence[Submission]) -> None:
        failed = [submission for submission in admitted if submission.error]
        stored = [item.fingerprint for item in admitted if item.fingerprint is not None and not item.error]
        if not failed and not stored:
            return
        try:
            with self._ledger.transaction():
                for submission in failed:
                    self._ledger.give_back(submission.limits, submission.count)
                self._ledger.mark_stored(stored)
        except sqlite3.Error as error:
            # the events are on disk all the same; sent again they get the same ids, and a run counts them once
            logger.error("The ledger cannot be written: %s", error)

    def _refuse(self, submissions: Sequence[Submission], error: Exception) -> None:
        logger.error("%d requests could not be stored: %s", len(submissions), error)
        response = unavailable()
        for submission in submissions:
            submission.error = response


def unavailable() -> ApiError:
    """The answer to a request that cannot be stored."""
    sentence = "Events cannot be stored at the moment: send them again."
    return ApiError(STORAGE_UNAVAILABLE, sentence, retry_after=_RETRY_SECONDS)


def over(limit: Limit) -> ApiError:
    """The answer to a request that a limit refuses."""
    what = "this second" if limit.may_overfill else "the plan"
    sentence = f"The limit of {limit.most} events for {what} is reached; try again in {limit.retry_after} seconds."
    return ApiError(RATE_LIMIT_EXCEEDED, sentence, retry_after=limit.retry_after)


def _try_to_write(folder: Path) -> None:
    """Write, sync and remove a file. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f".probe-{os.getpid()}"
    try:
        with path.open("wb", buffering=0) as file:
            file.write(bytes(_PROBE_BYTES))
            os.fsync(file.fileno())
    finally:
        path.unlink(missing_ok=True)
