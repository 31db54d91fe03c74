"""Landing files of one project: written under a hidden name, finished by one rename, recovered after a crash.

``landing/<date>/.<name>.jsonl.open`` is open: a process writes it and holds a lock on it. Runs ignore hidden files.
``landing/<date>/<name>.jsonl`` is finished and never changes again. The system releases the lock of a killed process,
so any process that can lock an open file may finish it.
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

_OPEN_SUFFIX = ".jsonl.open"
_BLOCK_BYTES = 1 << 16


class LandingFile:
    """One open landing file. Data passed to ``append`` is durable once ``sync`` returns; both raise OSError."""

    def __init__(self, landing: Path) -> None:
        now = dt.datetime.now(dt.UTC)
        self._folder = landing / f"{now:%Y-%m-%d}"
        _create_folders(self._folder)
        self._name = f"{now:%H%M%S}-{os.getpid()}-{secrets.token_hex(4)}"
        self._descriptor = _create_locked(self._open_path)
        _sync_folder(self._folder)
        self.opened_at = time.monotonic()
        self.size = 0
        self._synced_size = 0

    @property
    def _open_path(self) -> Path:
        return self._folder / f".{self._name}{_OPEN_SUFFIX}"

    def append(self, data: bytes) -> None:
        """Write complete lines."""
        view = memoryview(data)
        while view:
            written = os.write(self._descriptor, view)
            self.size += written
            view = view[written:]

    def sync(self) -> None:
        """Wait until all written data is on disk."""
        os.fsync(self._descriptor)
        self._synced_size = self.size

    def finish(self) -> None:
        """Rename the file to its visible name, or remove it if it has no lines."""
        try:
            if self._synced_size:
                self._open_path.rename(self._folder / f"{self._name}.jsonl")
            else:
                self._open_path.unlink()
            _sync_folder(self._folder)
        finally:
            os.close(self._descriptor)

    def truncate_and_finish(self) -> None:
        """Cut off all unsynced data and finish, after an error. If that fails too, a later start recovers the file."""
        with contextlib.suppress(OSError):
            os.ftruncate(self._descriptor, self._synced_size)
            os.fsync(self._descriptor)
        with contextlib.suppress(OSError):
            self.finish()


def recover_open_files(projects: Path) -> list[Path]:
    """Finish the open files of ended processes, in the landing folders of all projects, and return them.

    Raises OSError if a file cannot be read or written.
    """
    finished = []
    for path in sorted(projects.glob(f"*/landing/*/.*{_OPEN_SUFFIX}")):
        with _open_locked(path) as descriptor:
            if descriptor is not None and (recovered := _recover(path, descriptor)):
                finished.append(recovered)
    return finished


@contextlib.contextmanager
def _open_locked(path: Path) -> Iterator[int | None]:
    """Descriptor of the locked file; None if another process holds the lock or has finished the file."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    except FileNotFoundError:
        yield None
        return
    try:
        yield descriptor if _lock(path, descriptor) else None
    finally:
        os.close(descriptor)


def _recover(path: Path, descriptor: int) -> Path | None:
    """Cut off and log an incomplete last line, and rename the file. Return its visible path, None if it was empty."""
    size = os.fstat(descriptor).st_size
    complete = _complete_lines_size(descriptor, size)
    if complete < size:
        os.ftruncate(descriptor, complete)
        logger.warning(
            "%s: removed an incomplete last line of %d bytes; it was never acknowledged", path, size - complete
        )
    os.fsync(descriptor)
    visible = path.with_name(path.name.removeprefix(".").removesuffix(".open"))
    if complete:
        path.rename(visible)
        logger.info("%s: finished the file of a process that ended without finishing it", visible)
    else:
        path.unlink()
    _sync_folder(path.parent)
    return visible if complete else None


def _complete_lines_size(descriptor: int, size: int) -> int:
    """Size of the file in bytes up to the end of its last complete line."""
    end = size
    while end:
        start = max(0, end - _BLOCK_BYTES)
        newline = os.pread(descriptor, end - start, start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0


def _create_locked(path: Path) -> int:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_NOFOLLOW, 0o600)
    if not _lock(path, descriptor):
        os.close(descriptor)
        raise FileNotFoundError(f"{path} was removed while it was created")
    return descriptor


def _lock(path: Path, descriptor: int) -> bool:
    """Lock the file. Return True if this worked and the file still has this path."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except (BlockingIOError, FileNotFoundError):
        return False


def _create_folders(folder: Path) -> None:
    """Create a folder and its missing parents, and sync the parent of each."""
    if folder.is_dir():
        return
    _create_folders(folder.parent)
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
