"""Kills of an erasure at every step that changes the disk, each followed by an erasure that must end the same.

python -m turret_pipeline_tests.benchmarks.erasure_kills
"""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

from turret_pipeline.erasure.erase import add_tombstones, erase
from turret_pipeline.storage.data_dir import DataDir
from turret_pipeline_tests.erasure.byte_search import find_values
from turret_pipeline_tests.erasure.folders import event, list_events, read, settings_of, sums, write_lines

STEPS = ((os, "fsync"), (Path, "replace"), (Path, "unlink"), (Path, "rename"), (shutil, "rmtree"))
"""Functions by which everything is written and removed."""


class Killed(BaseException):
    """Stands for SIGKILL."""


@contextlib.contextmanager
def kill_at(number: int) -> Iterator[Callable[[], int]]:
    """Let the step of this number and all later ones fail; yields a function that returns the number of steps."""
    steps = 0

    def count(function: Callable[..., object]) -> Callable[..., object]:
        def call(*args: object, **options: object) -> object:
            nonlocal steps
            steps += 1
            if steps >= number:
                raise Killed
            return function(*args, **options)

        return call

    with contextlib.ExitStack() as patches:
        for owner, name in STEPS:
            patches.enter_context(mock.patch.object(owner, name, count(getattr(owner, name))))
        yield lambda: steps


def make_folder(folder: Path) -> None:
    """Two landing files with rows of a user, and the tombstone of that user."""
    rows = [event("e1", "ana", "s1"), event("e2", None, "s1"), event("e3", "bob", "s2"), event("e4", "bob")]
    write_lines(folder / "landing" / "a.jsonl", [*rows, '{"user_id": "ana", "oops'])
    table = ["event_id,name,user_id,timestamp", "t1,seen,ana,2026-03-01", "t2,seen,bob,2026-03-01"]
    write_lines(folder / "landing" / "t.csv", table)
    read(settings_of(folder))
    add_tombstones(DataDir(folder).tombstones, settings_of(folder), {"user": ["ana"]}, None)


def end_erasure(folder: Path) -> tuple[list[str], tuple[int, ...], dict[str, bytes]]:
    """Events, counts and landing files after an erasure; fails if the user is still in the folder."""
    erase(DataDir(folder), settings_of(folder), "run")
    landing = {path.name: path.read_bytes() for path in (folder / "landing").iterdir()}
    assert find_values(folder / "lake" / "parts", ["ana"]) == find_values(folder / "landing", ["ana"]) == []
    return list_events(settings_of(folder)), sums(settings_of(folder)), landing


def kill_erasures(folder: Path, step: int) -> int:
    """Kill an erasure at every step-th step, and return the number of its steps. Fails if one loses anything."""
    make_folder(folder / "made")
    undisturbed = end_erasure(shutil.copytree(folder / "made", folder / "undisturbed"))
    assert undisturbed[:2] == (["e3", "e4", "t2"], (7, 3, 0, 0, 4))
    number = 1
    while True:
        killed = shutil.copytree(folder / "made", folder / "killed")
        with kill_at(number) as count, contextlib.suppress(Killed):
            erase(DataDir(killed), settings_of(killed), "run")
        if (steps := count()) < number:
            return steps
        assert end_erasure(killed) == undisturbed, f"killed at step {number}"
        shutil.rmtree(killed)
        number += step


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        print(f"Killed an erasure at each of its {kill_erasures(Path(folder), 1)} steps: nothing was lost.")
