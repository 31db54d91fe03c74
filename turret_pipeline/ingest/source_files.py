"""Input files: their bytes, and what tells whether they have changed."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from upath import UPath

from turret_pipeline.errors import TurretError
from turret_pipeline.ingest.hashing import HashedFile


def hash_content(path: Path | UPath, byte_limit: int | None = None) -> str | None:
    """Hash of the content of a file, or of its first bytes; None if it cannot be read."""
    try:
        with open_binary(path) as raw:
            return HashedFile(raw, byte_limit).sha256()
    except (TurretError, OSError):
        return None


def file_signature(path: Path | UPath) -> str:
    """Path, size and modification time of a file: if they are the same, so is the content."""
    try:
        stat = path.stat()
    except OSError as error:
        raise _unreadable_error(path, error) from None
    changed = getattr(stat, "st_mtime_ns", None) or stat.st_mtime
    return f"{path} {stat.st_size} {changed}"


def modification_time(path: Path | UPath) -> dt.datetime:
    """Modification time of a file in UTC. Raises TurretError if it is not accessible."""
    try:
        stat = path.stat()
    except OSError as error:
        raise _unreadable_error(path, error) from None
    return dt.datetime.fromtimestamp(stat.st_mtime, dt.UTC)


@contextmanager
def open_binary(path: Path | UPath) -> Iterator[IO[bytes]]:
    """The open file. Raises TurretError if it cannot be read."""
    try:
        file = path.open("rb", buffering=0) if isinstance(path, Path) else path.open("rb")
    except OSError as error:
        raise _unreadable_error(path, error) from None
    with file:
        yield file


def _unreadable_error(path: Path | UPath, error: OSError) -> TurretError:
    if isinstance(error, FileNotFoundError):
        return TurretError(f"The input {path} does not exist: check the path.")
    return TurretError(f"The input {path} cannot be read: {error.strerror or error}. Check its permissions.")
