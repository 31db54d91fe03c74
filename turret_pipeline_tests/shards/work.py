"""Work of shards in tests, in a module that workers on a cluster import."""

import os
import signal
import sys
import time
from pathlib import Path


def double(folder: Path, number: int) -> int:
    """Twice the number, also in a file."""
    (folder / f"{number}.txt").write_text(str(2 * number), encoding="utf-8")
    return 2 * number


def double_slowly(folder: Path, seconds: float, number: int) -> int:
    """Twice the number, after a time."""
    time.sleep(seconds)
    return double(folder, number)


def nothing(folder: Path, number: int) -> int:  # noqa: ARG001
    """The number."""
    return number


def count_bytes(folder: Path, text: Path) -> int:  # noqa: ARG001
    """Size of a file."""
    return len(text.read_bytes())


def fail(folder: Path, number: int) -> int:  # noqa: ARG001
    """An error."""
    raise ValueError(f"{number} is bad")


def die(folder: Path) -> int:  # noqa: ARG001
    """The end of the process."""
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def die_on_ray(folder: Path, number: int) -> int:
    """Twice the number in a process of this machine, and the end of a worker of Ray."""
    return die(folder) if "ray" in sys.modules else double(folder, number)


def hang_once(folder: Path, mark: str, number: int) -> int:
    """Twice the number, but the first call does not return."""
    try:
        Path(mark).touch(exist_ok=False)
    except FileExistsError:
        return double(folder, number)
    time.sleep(3600)
    return 0


def wait_for(folder: Path, mark: str, started: str, number: int) -> int:
    """Twice the number once the file ``mark`` exists; before, the process says its id in a file of its own."""
    Path(started, str(os.getpid())).touch()
    while not Path(mark).exists():
        time.sleep(0.05)
    return double(folder, number)
