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
from turret_pipeline.private_files import follow_umask, make_private, make_private_folder

LOCK_SECONDS = 10
_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{32}\.tmp")


@contextmanager
def atomic_replace(path: Path, *, is_export: bool = False) -> Iterator[Path]:
    """A temporary path next to ``path``; after the block it replaces ``path``, and after an error it is removed.

    Only its owner can read it, but an export, which a person asked for, follows the umask. An existing folder is not
    replaced: folders are named by their content, so that it holds the same.
    """
    temp = temp_path(path)
    try:
        yield temp
        if is_export:
            follow_umask(temp)
        else:
            make_private(temp)
        commit(temp, path)
    except BaseException:
        remove(temp)
        raise


def temp_path(path: Path) -> Path:
    """A temporary path in the folder of ``path``, which is created if needed. ``commit`` moves it to ``path``."""
    make_private_folder(path.parent)
    return path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")


def commit(temp: Path, path: Path) -> None:
    """Move a temporary file or folder to its path, after syncing it to disk."""
    for written in (temp, *(temp.rglob("*") if temp.is_dir() else ())):
        sync(written)
    if temp.is_dir() and path.exists():
        shutil.rmtree(temp)
    else:
        temp.replace(path)
        sync(path.parent)


@contextmanager
def lock_file(path: Path) -> Iterator[None]:
    """Hold the lock of a small file during a change. Readers need no lock: such files are replaced atomically.

    Raises TurretError if another process holds the lock for LOCK_SECONDS.
    """
    try:
        make_private_folder(path.parent)
        lock = FileLock(path.with_name(f".{path.name}.lock"), mode=0o600)
        lock.acquire(timeout=LOCK_SECONDS)
    except Timeout:
        raise TurretError(
            f"Another command has been changing {path} for {LOCK_SECONDS} seconds: wait for it and try again."
        ) from None
    except OSError as error:
        raise TurretError(f"Cannot change {path}: {error.strerror}. Make its folder writable.") from None
    try:
        yield
    finally:
        lock.release()


def list_leftovers(folder: Path) -> list[Path]:
    """Temporary files and folders that killed processes left below a folder."""
    return [path for path in folder.rglob(".*.tmp") if _TEMPORARY.fullmatch(path.name)]


def remove(path: Path) -> None:
    """Delete a file or folder if it exists."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Flush a file, or the names in a folder, to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
