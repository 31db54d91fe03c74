"""Kills of an erasure at every step that changes the disk, each followed by an erasure that must end the same.

    python -m turret_pipeline_tests.benchmarks.erasure_kills [--commands 0]

``--commands`` kills so many commands `turret forget` by SIGKILL, spread over their duration. The same command follows,
and must publish what an undisturbed one publishes, without a trace of the user.
"""

import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

from turret_pipeline.erasure.erase import add_tombstones, erase
from turret_pipeline.storage.data_dir import DataDir
from turret_pipeline_tests.commands import BIN, conversations, environment, published_tables, run_job, write_events
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


ERASED_USER, TRACES = "quentin-zq7", ("quentin-zq7", "zarquon")
RUN_TABLES = ("pipeline_runs", "topic_runs")
"""Tables with a row for each run: a command that is killed once it has published is a run too."""


def make_job(folder: Path) -> Path:
    """The data folder of a run on landing files with events of the user."""
    data = folder / "data"
    (data / "dagster").mkdir(parents=True)
    (data / "dagster" / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")  # keeps the history on disk
    rows = conversations()
    own = [
        {**row, "event_id": f"zq7-{number}", "user_id": ERASED_USER, "session_id": "zq7", "metadata": {"prompt": text}}
        for number, row in enumerate(rows[:4])
        for text in [f"I want my heirloom number {number} from aunt zarquon back"]
    ]
    write_events(data / "landing" / "a.jsonl", [*rows, *own])
    run_job(data)
    return data


def start_forget(data: Path) -> "subprocess.Popen[bytes]":
    """The command that erases the user, in a session of its own."""
    command = [str(BIN / "turret"), "forget", "--user", ERASED_USER, "--yes", "--data-dir", str(data)]
    return subprocess.Popen(
        command, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )


def end_forget(data: Path) -> dict[str, bytes]:
    """Erase the user undisturbed, and return the published tables. Fails if a trace is left."""
    assert start_forget(data).wait() == 0, data
    assert find_values(data, TRACES) == [], data
    return {
        name: frame.write_json().encode() for name, frame in published_tables(data).items() if name not in RUN_TABLES
    }


def kill_commands(folder: Path, count: int) -> tuple[int, float]:
    """Kill commands, and return how many were still running, and the seconds of an undisturbed one.

    Fails if a command that follows does not end as an undisturbed one.
    """
    data, made = make_job(folder), folder / "made"
    shutil.copytree(data, made)  # tables have the paths of files, so that all commands work on the same one
    started = time.monotonic()
    expected = end_forget(data)
    seconds, killed = time.monotonic() - started, 0
    for number in range(count):
        shutil.rmtree(data)
        shutil.copytree(made, data)
        process = start_forget(data)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds * (number + 0.5) / count)
        killed += process.poll() is None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        found = end_forget(data)
        different = [name for name in expected if found[name] != expected[name]]
        assert not different, f"killed after {(number + 0.5) / count:.0%} of its time: {different}"
        print(
            f"killed after {(number + 0.5) / count:.0%} of {seconds:.0f} s: the next command ends the same", flush=True
        )
    return killed, seconds


def main() -> None:
    """Kill erasures and commands, and print their number."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--commands", type=int, default=0, help="commands that are killed")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if arguments.commands:
            killed, seconds = kill_commands(folder, arguments.commands)
            print(
                f"Killed {killed} commands turret forget within their {seconds:.0f} s: the next ended as undisturbed."
            )
        else:
            print(f"Killed an erasure at each of its {kill_erasures(folder, 1)} steps: nothing was lost.")


if __name__ == "__main__":
    main()
