"""Files that only their owner can read: all of the data folder, and those of keys and passwords above all.

The published file and files that a person asked for are exceptions: these follow the umask.
"""

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock

Version = tuple[int, int]
_PRIVATE_UMASK = 0o077
_umask_of_person: list[int] = []
"""The umask that this process was started with, once it was replaced."""


def keep_files_private() -> None:
    """Let this process and those that it starts create files and folders that only their owner can read."""
    before = os.umask(_PRIVATE_UMASK)
    if not _umask_of_person:
        _umask_of_person.append(before)


@contextlib.contextmanager
def keeping_files_private() -> Iterator[None]:
    """Create private files and folders inside the context."""
    before = os.umask(_PRIVATE_UMASK)
    if not _umask_of_person:
        _umask_of_person.append(before)
    try:
        yield
    finally:
        os.umask(before)


@contextlib.contextmanager
def following_umask() -> Iterator[None]:
    """Create files and folders inside the context as the umask of the person who started this process allows."""
    before = os.umask(_PRIVATE_UMASK)
    os.umask(_umask_of_person[0] if _umask_of_person else before)
    try:
        yield
    finally:
        os.umask(before)


def follow_umask(path: Path) -> None:
    """Give a file the mode that the umask of the person who started this process allows."""
    if not _umask_of_person:
        before = os.umask(_PRIVATE_UMASK)
        os.umask(before)
    path.chmod(0o666 & ~(_umask_of_person[0] if _umask_of_person else before))


def open_private(path: str, flags: int) -> int:
    """A descriptor, for ``open``, of a file that only its owner can read if it is created."""
    return os.open(path, flags, 0o600)


def make_private_folder(folder: Path) -> Path:
    """The folder; it and its parents are created with mode 0700 if they are missing."""
    if not folder.is_dir():
        make_private_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def make_private(path: Path) -> None:
    """Take the permissions of other people away from a file, or from a folder and everything in it."""
    for one in (path, *(path.rglob("*") if path.is_dir() else ())):
        if not one.is_symlink() and (mode := stat.S_IMODE(one.stat().st_mode)) & 0o077:
            one.chmod(mode & 0o700)


@contextlib.contextmanager
def lock_private_file(path: Path) -> Iterator[None]:
    """Keep other processes from changing the file, in a folder with mode 0700 that is created if it is missing.

    Raises OSError if the folder cannot be written.
    """
    make_private_folder(path.parent).chmod(0o700)
    with FileLock(path.with_suffix(".lock"), mode=0o600):
        yield


def replace_private_file(path: Path, content: bytes) -> None:
    """Write the file with mode 0600, by one rename: readers see the old or the new content, whole."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-")  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def read_version(path: Path) -> Version | None:
    """A value that changes when the file is replaced; None if there is no file."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino


def hide_from_others(path: Path) -> bool:
    """Take the permissions of other people away. True if they had any."""
    if not stat.S_IMODE(path.stat().st_mode) & 0o077:
        return False
    path.chmod(0o600)
    return True
