"""Landing files of one project: written under a hidden name, finished by one rename, mended after a crash.

``landing/<date>/.<name>.jsonl.open`` is being written by a process that holds a lock on it; nobody reads hidden files.
``landing/<date>/<name>.jsonl`` is finished and never changes again. The system frees the lock of a process that was
killed, so whoever can lock an open file may finish it.
"""

import contextlib
import datetime as dt
import fcntl
import logging
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

logger = logging.getLogger(__name__)

_OPEN = ".jsonl.open"
_BLOCK = 1 << 16


class LandingFile:
    """One open landing file. What ``append`` wrote is safe once ``sync`` came back; both raise OSError."""

    def __init__(self, landing: Path) -> None:
        now = dt.datetime.now(dt.UTC)
        self._folder = landing / f"{now:%Y-%m-%d}"
        _make_folders(self._folder)
        self._name = f"{now:%H%M%S}-{os.getpid()}-{secrets.token_hex(4)}"
        self._descriptor = _create_locked(self._open_path)
        _sync_folder(self._folder)
        self.opened_at = time.monotonic()
        self.size = 0
        self._safe_size = 0

    @property
    def _open_path(self) -> Path:
        return self._folder / f".{self._name}{_OPEN}"

    def append(self, data: bytes) -> None:
        """Write whole lines."""
        view = memoryview(data)
        while view:
            written = os.write(self._descriptor, view)
            self.size += written
            view = view[written:]

    def sync(self) -> None:
        """Wait until all that was written is on disk."""
        os.fsync(self._descriptor)
        self._safe_size = self.size

    def finish(self) -> None:
        """Give the file its visible name; one without lines is removed."""
        try:
            if self._safe_size:
                self._open_path.rename(self._folder / f"{self._name}.jsonl")
            else:
                self._open_path.unlink()
            _sync_folder(self._folder)
        finally:
            os.close(self._descriptor)

    def abandon(self) -> None:
        """Cut what may not be on disk and finish, after an error; where even that fails, a later start mends it."""
        with contextlib.suppress(OSError):
            os.ftruncate(self._descriptor, self._safe_size)
            os.fsync(self._descriptor)
        with contextlib.suppress(OSError):
            self.finish()


def recover(projects: Path) -> list[Path]:
    """Finish the open files of processes that are gone, in the landing folders of all projects. Raises OSError."""
    finished = []
    for path in sorted(projects.glob(f"*/landing/*/.*{_OPEN}")):
        with _taken_over(path) as descriptor:
            if descriptor is not None and (done := _mend(path, descriptor)):
                finished.append(done)
    return finished


@contextlib.contextmanager
def _taken_over(path: Path) -> Iterator[int | None]:
    """The file, locked, or None where another process has it or finished it meanwhile."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    except FileNotFoundError:
        yield None
        return
    try:
        yield descriptor if _is_mine(path, descriptor) else None
    finally:
        os.close(descriptor)


def _mend(path: Path, descriptor: int) -> Path | None:
    """Cut a torn last line, say so, and give the file its visible name; None where no line is left."""
    size = os.fstat(descriptor).st_size
    whole = _end_of_lines(descriptor, size)
    if whole < size:
        os.ftruncate(descriptor, whole)
        logger.warning("%s: cut a torn last line of %d bytes, which was never acknowledged", path, size - whole)
    os.fsync(descriptor)
    visible = path.with_name(path.name.removeprefix(".").removesuffix(".open"))
    if whole:
        path.rename(visible)
        logger.info("%s: finished what a stopped process left", visible)
    else:
        path.unlink()
    _sync_folder(path.parent)
    return visible if whole else None


def _end_of_lines(descriptor: int, size: int) -> int:
    """Where the last whole line ends."""
    end = size
    while end:
        start = max(0, end - _BLOCK)
        at = os.pread(descriptor, end - start, start).rfind(b"\n")
        if at >= 0:
            return start + at + 1
        end = start
    return 0


def _create_locked(path: Path) -> int:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_NOFOLLOW, 0o600)
    if not _is_mine(path, descriptor):
        os.close(descriptor)
        raise FileNotFoundError(f"{path} was taken away while it was made")
    return descriptor


def _is_mine(path: Path, descriptor: int) -> bool:
    """Whether this process has the lock of the file that is still under this name."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except (BlockingIOError, FileNotFoundError):
        return False


def _make_folders(folder: Path) -> None:
    """The folder and those above it, each known on disk to the one above."""
    if folder.is_dir():
        return
    _make_folders(folder.parent)
    with contextlib.suppress(FileExistsError):
        folder.mkdir()
    _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
