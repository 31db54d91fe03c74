"""Files of keys and passwords, which only their owner can read."""

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock

Version = tuple[int, int]


@contextlib.contextmanager
def lock_private_file(path: Path) -> Iterator[None]:
    """Keep other processes from changing the file, in a folder with mode 0700 that is created if it is missing.

    Raises OSError if the folder cannot be written.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.parent.chmod(0o700)
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
