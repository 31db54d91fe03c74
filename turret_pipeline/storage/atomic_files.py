"""Files and folders that are written whole or not at all.

Belongs here: atomic replacement, locks of small files, leftovers of killed processes. Not here: what is in a file.
"""

import os
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from turret_pipeline.errors import TurretError

LOCK_SECONDS = 10
_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{32}\.tmp")


@contextmanager
def atomic_replace(path: Path) -> Iterator[Path]:
    """A path beside ``path`` to write a file or folder to, moved over it at the end, dropped on an error.

    A file replaces what is there. A folder that is already there stays as it is: folders are named by their content.
    """
    aside = temp_path(path)
    try:
        yield aside
        commit(aside, path)
    except BaseException:
        remove(aside)
        raise


def temp_path(path: Path) -> Path:
    """A path in the same folder, which is there, to write what becomes ``path`` by ``keep``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")


def commit(aside: Path, path: Path) -> None:
    """Move what was written aside to its path, once it is on disk."""
    for written in (aside, *(aside.rglob("*") if aside.is_dir() else ())):
        sync(written)
    if aside.is_dir() and path.exists():
        shutil.rmtree(aside)
    else:
        aside.replace(path)
        sync(path.parent)


@contextmanager
def lock_file(path: Path) -> Iterator[None]:
    """While no other process changes a small file; readers need not wait, for such a file is replaced whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(path.with_name(f".{path.name}.lock"), timeout=LOCK_SECONDS):
            yield
    except Timeout:
        raise TurretError(
            f"Another command has been changing {path} for {LOCK_SECONDS} seconds: wait for it, and try again."
        ) from None


def list_leftovers(folder: Path) -> list[Path]:
    """What ``atomic_replace`` had begun under a folder when its process was killed."""
    return [path for path in folder.rglob(".*.tmp") if _TEMPORARY.fullmatch(path.name)]


def remove(path: Path) -> None:
    """Delete a file or folder, if it is there."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Have the system write a file, or the names in a folder, to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
