"""Folder in which the workers of one collector share their metrics."""

import fcntl
import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from turret_pipeline.private_files import make_private_folder


@contextmanager
def lock_metrics_folder(root: Path) -> Iterator[Path]:
    """An empty folder in ``root`` that no other running collector uses, emptied again at the end.

    Folders are numbered, and the system releases the lock of a killed collector, so the next start uses its folder
    again. Raises OSError if the folder cannot be written.
    """
    folder, descriptor = _lock_first_free(root)
    try:
        _remove_metrics(folder)
        yield folder
        _remove_metrics(folder)
    finally:
        os.close(descriptor)


def _lock_first_free(root: Path) -> tuple[Path, int]:
    for number in itertools.count():
        folder = root / str(number)
        make_private_folder(folder)
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
        else:
            return folder, descriptor
    raise AssertionError  # the numbers do not end


def _remove_metrics(folder: Path) -> None:
    for file in folder.glob("*.db"):
        file.unlink(missing_ok=True)
