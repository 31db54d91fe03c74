"""Storage of one worker: checks limits, writes the lines of each project with one fsync, and updates the ledger."""

import contextlib
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from turret_pipeline.collector.api_errors import RATE_LIMIT_EXCEEDED, STORAGE_UNAVAILABLE, ApiError
from turret_pipeline.collector.landing_files import LandingFile, recover_open_files
from turret_pipeline.collector.ledger import Ledger, Limit
from turret_pipeline.collector.projects import landing_folder
from turret_pipeline.config.collector import MEGABYTE, CollectorSettings
from turret_pipeline.private_files import make_private_folder

logger = logging.getLogger(__name__)

_PROBE_BYTES = 1 << 16
_RETRY_AFTER_SECONDS = 5
_SPACE_CHECK_SECONDS = 0.25


@dataclass(slots=True)
class Submission:
    """Events of one request to store, and the result.

    ``build_lines`` makes the lines of the landing file from the time at which this batch first arrived. A batch that
    may be sent again has a ``fingerprint``. ``error`` is None once the events are stored.
    """

    project: str
    limits: tuple[Limit, ...]
    event_count: int
    build_lines: Callable[[float], bytes]
    fingerprint: bytes | None = None
    first_at: float = 0.0
    is_duplicate: bool = False
    error: ApiError | None = None
    duplicate_of: "Submission | None" = field(default=None, repr=False)


class Storage:
    """Landing files and ledger of one worker.

    Call ``admit``, ``write`` and ``record_results`` for one group after the other. Only ``write`` waits for the disk.
    ``probe`` may be called at any time.
    """

    def __init__(self, settings: CollectorSettings) -> None:
        self._settings = settings
        self._projects = settings.data_dir / "projects"
        self._files: dict[str, LandingFile] = {}
        self._failing: set[str] = set()
        self._space_checked_at = -_SPACE_CHECK_SECONDS
        make_private_folder(self._projects)
        self._ledger = Ledger(settings.folder, settings.duplicate_window_seconds)
        recover_open_files(self._projects)

    def admit(self, group: Sequence[Submission]) -> list[Submission]:
        """Submissions of a group to write. The others get an ``error`` or are duplicates.

        Raises LedgerBusyError if another worker holds the ledger.
        """
        if not group:
            return []
        now = time.time()
        try:
            self._check_space()
            with self._ledger.transaction():
                self._ledger.purge(now)
                return list(self._select_admitted(group, now))
        except (OSError, sqlite3.Error) as error:
            self._fail(group, error)
            return []

    def write(self, admitted: Sequence[Submission]) -> None:
        """Write submissions to disk, or give them an ``error``; then finish the files that are old enough."""
        by_project: dict[str, list[Submission]] = {}
        for submission in admitted:
            by_project.setdefault(submission.project, []).append(submission)
        for project, submissions in by_project.items():
            self._write_project(project, submissions)
        oldest = time.monotonic() - self._settings.file_max_seconds
        for project, file in list(self._files.items()):
            if file.opened_at < oldest:
                self._finish(project)

    def record_results(self, group: Sequence[Submission], admitted: Sequence[Submission]) -> None:
        """Update the ledger with the stored submissions, and give duplicates the result of their original.

        Raises LedgerBusyError if another worker holds the ledger.
        """
        self._update_ledger(admitted)
        for submission in group:
            if submission.duplicate_of is not None:
                submission.error = submission.duplicate_of.error

    def close(self) -> None:
        """Finish all files and close the ledger."""
        for project in list(self._files):
            self._finish(project)
        self._ledger.close()

    def probe(self) -> str | None:
        """Try to write where events go. Return a message if that fails, else None."""
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
        """Raise OSError if too little space is free. Ask the system a few times a second at most."""
        if time.monotonic() - self._space_checked_at < _SPACE_CHECK_SECONDS:
            return
        status = os.statvfs(self._projects)
        free = status.f_bavail * status.f_frsize / MEGABYTE
        if free < self._settings.min_free_mb:
            raise OSError(f"only {free:.0f} MB are free, min_free_mb is {self._settings.min_free_mb:g}")
        self._space_checked_at = time.monotonic()

    def _select_admitted(self, group: Sequence[Submission], now: float) -> Iterator[Submission]:
        """Submissions that are not stored yet, not duplicates within the group, and within their limits."""
        originals: dict[bytes, Submission] = {}
        for submission in group:
            fingerprint = submission.fingerprint
            submission.first_at = now
            if fingerprint is not None:
                submission.first_at, submission.is_duplicate = self._ledger.record_delivery(fingerprint, now)
                if submission.is_duplicate:
                    continue
                if fingerprint in originals:
                    submission.duplicate_of, submission.is_duplicate = originals[fingerprint], True
                    continue
            if limit := self._ledger.reserve(submission.limits, submission.event_count):
                submission.error = limit_exceeded(limit)
                continue
            if fingerprint is not None:
                originals[fingerprint] = submission
            yield submission

    def _write_project(self, project: str, submissions: Sequence[Submission]) -> None:
        try:
            file = self._files.get(project) or self._open(project)
            file.append(b"".join([submission.build_lines(submission.first_at) for submission in submissions]))
            file.sync()
        except OSError as error:
            if broken := self._files.pop(project, None):
                broken.truncate_and_finish()
            self._failing.add(project)
            self._fail(submissions, error)
            return
        if self._failing:
            self._recover_after_failure(project)
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
            logger.error(
                "A landing file of project %s cannot be finished: %s. The next start finishes it.", project, error
            )

    def _recover_after_failure(self, project: str) -> None:
        """Finish the files that could not be finished when writing failed."""
        self._failing.discard(project)
        with contextlib.suppress(OSError):
            recover_open_files(self._projects)

    def _update_ledger(self, admitted: Sequence[Submission]) -> None:
        failed = [submission for submission in admitted if submission.error]
        stored = [item.fingerprint for item in admitted if item.fingerprint is not None and not item.error]
        if not failed and not stored:
            return
        try:
            with self._ledger.transaction():
                for submission in failed:
                    self._ledger.release(submission.limits, submission.event_count)
                self._ledger.mark_stored(stored)
        except sqlite3.Error as error:
            # the events are on disk; if they are sent again, they get the same ids and a run counts them once
            logger.error("The ledger cannot be written: %s", error)

    def _fail(self, submissions: Sequence[Submission], error: Exception) -> None:
        """Log the failure and give all submissions the error response for it."""
        logger.error("%d requests could not be stored: %s", len(submissions), error)
        response = storage_unavailable()
        for submission in submissions:
            submission.error = response


def storage_unavailable() -> ApiError:
    """Response to a request that cannot be stored."""
    message = "Events cannot be stored at the moment: send them again."
    return ApiError(STORAGE_UNAVAILABLE, message, retry_after=_RETRY_AFTER_SECONDS)


def limit_exceeded(limit: Limit) -> ApiError:
    """Response to a request that exceeds a limit."""
    scope = "this second" if limit.allows_oversized_request else "the plan"
    message = (
        f"The limit of {limit.max_events} events for {scope} is reached; try again in {limit.retry_after} seconds."
    )
    return ApiError(RATE_LIMIT_EXCEEDED, message, retry_after=limit.retry_after)


def _try_to_write(folder: Path) -> None:
    """Write, sync and remove a file. Raises OSError if that fails."""
    make_private_folder(folder)
    path = folder / f".probe-{os.getpid()}"
    try:
        with path.open("wb", buffering=0) as file:
            file.write(bytes(_PROBE_BYTES))
            os.fsync(file.fileno())
    finally:
        path.unlink(missing_ok=True)
