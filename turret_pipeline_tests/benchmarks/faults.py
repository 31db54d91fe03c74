"""Faults of the disk at every write, sync, rename and unlink: the next run equals an undisturbed one.

    python -m turret_pipeline_tests.benchmarks.faults [--points 0] [--runs 0] [--errors ENOSPC,EIO]

Three sweeps, each with its number of points (``--points`` limits those of the first two, evenly; 0: all of them):

- faults: each operation of a small job over lake, state, warehouse, publication and collector fails once, in this
  process, also those of DuckDB, Polars and SQLite. The job must end with an error that becomes one sentence, or go on.
- power: the machine stops at each sync, rename and unlink of that job. Data that was not synced is lost; and in a
  second state, so are the names whose folder was not synced.
- runs: ``--runs`` sampled operations of whole `turret run` commands fail.

After each, the same job runs undisturbed and must store the same. A shim in C, compiled here, counts and fails the
operations: it needs a C compiler and a system that has LD_PRELOAD.
"""

import argparse
import ctypes
import errno
import logging
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from turret_pipeline.errors import TurretError
from turret_pipeline.faults import describe_exception
from turret_pipeline_tests.benchmarks.fault_job import ROWS, read_results, run_small_job
from turret_pipeline_tests.benchmarks.power_loss import lose_power
from turret_pipeline_tests.commands import conversations, published_tables, write_events

SOURCE = Path(__file__).parent / "fault_shim" / "shim.c"


class Shim:
    """The shim, loaded into this process."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(os.environ["LD_PRELOAD"])
        self._library.fault_log.restype = ctypes.c_char_p

    def arm(
        self, folder: Path, at: int = 0, error: int = 0, *, is_sticky: bool = False, stash: Path | None = None
    ) -> None:
        """Count operations below the folder, and let one of them fail."""
        self._library.fault_stash(str(stash or "").encode())
        self._library.fault_arm(str(folder).encode(), ctypes.c_long(at), error, int(is_sticky))

    def disarm(self) -> int:
        """Stop, and return the number of operations."""
        self._library.fault_disarm()
        return int(self._library.fault_count())

    def log(self) -> list[tuple[str, str, str, int]]:
        """Kind, path, new path and size of the file of each operation."""
        lines = self._library.fault_log().decode(errors="surrogateescape").splitlines()
        return [(kind, path, to, int(size)) for kind, path, to, size in (line.split("\t") for line in lines)]


def compile_shim(folder: Path) -> Path:
    """Path of the shim, compiled into the folder."""
    library = folder / "shim.so"
    compiler = shutil.which("cc") or shutil.which("gcc") or "cc"
    subprocess.run([compiler, "-O1", "-shared", "-fPIC", "-o", library, SOURCE, "-ldl", "-lpthread"], check=True)
    return library


class Sweep:
    """The points of one sweep, and the problems that were found."""

    def __init__(self, shim: Shim, folder: Path) -> None:
        self.shim, self._folder = shim, folder
        self.source = folder / "input.jsonl"
        self.source.write_text("\n".join(ROWS) + "\n")
        self.problems: list[str] = []
        self._number = 0
        root = self.new_root()
        run_small_job(root, self.source)
        run_small_job(root, self.source)  # imports and caches of libraries
        self.expected = read_results(root)

    def new_root(self) -> Path:
        """A folder that does not exist yet. DuckDB knows databases by path, so none is used again."""
        self._number += 1
        return self._folder / f"data-{self._number}"

    def count(self) -> int:
        """Operations of the job in an empty folder."""
        root = self.new_root()
        self.shim.arm(root)
        run_small_job(root, self.source)
        return self.shim.disarm()

    def run_disturbed(self, root: Path, arm: Callable[[], None]) -> str:
        """The outcome of the job: done, said, or the error that is no sentence."""
        arm()
        try:
            run_small_job(root, self.source)
        except BaseException as error:  # noqa: BLE001 - the outcome is the error
            self.shim.disarm()
            is_said = isinstance(error, TurretError) or describe_exception(error) is not None
            return "said" if is_said else f"{type(error).__name__}: {str(error)[:200]}"
        self.shim.disarm()
        return "done"

    def check_next_run(self, root: Path, place: str) -> None:
        """Run the job undisturbed, and note what differs from the expected results."""
        try:
            run_small_job(root, self.source)
            found = read_results(root)
        except BaseException as error:  # noqa: BLE001 - any error is a problem
            self.problems.append(f"{place}: the next run fails: {type(error).__name__}: {str(error)[:300]}")
            return
        if different := [name for name in self.expected if found[name] != self.expected[name]]:
            self.problems.append(f"{place}: the next run differs in {', '.join(different)}")

    def try_fault(self, at: int, error: int) -> str:
        """Let one operation fail, and run again."""
        root, place = self.new_root(), f"operation {at}, {errno.errorcode[error]}"
        outcome = self.run_disturbed(root, lambda: self.shim.arm(root, at, error))
        if outcome not in {"done", "said"}:
            self.problems.append(f"{place}: {outcome}")
        self.check_next_run(root, place)
        shutil.rmtree(root, ignore_errors=True)
        return outcome

    def try_power_loss(self, at: int, *, loses_names: bool) -> None:
        """Stop everything at an operation, lose what was not synced, and run again."""
        root = self.new_root()
        stash = root.with_name(f"{root.name}-stash")
        stash.mkdir()
        self.run_disturbed(root, lambda: self.shim.arm(root, at, errno.EIO, is_sticky=True, stash=stash))
        lose_power(self.shim.log(), stash, loses_names=loses_names)
        self.check_next_run(root, f"power loss at {at}{' with names' if loses_names else ''}")
        shutil.rmtree(root, ignore_errors=True)
        shutil.rmtree(stash, ignore_errors=True)


def choose(numbers: Sequence[int], limit: int) -> list[int]:
    """At most this many of the numbers, evenly; all with the limit 0."""
    if not limit or limit >= len(numbers):
        return list(numbers)
    return [numbers[index * len(numbers) // limit] for index in range(limit)]


def sweep_faults(sweep: Sweep, errors: Sequence[int], limit: int) -> str:
    """Sweep single faults, and describe the points."""
    count = sweep.count()
    points = [(at, errors[at % len(errors)]) for at in choose(range(1, count + 1), limit)]
    outcomes = [sweep.try_fault(at, error) for at, error in points]
    return f"faults: {len(points)} points of {count} operations, {outcomes.count('said')} ended in a sentence"


def sweep_power(sweep: Sweep, limit: int) -> str:
    """Sweep losses of power, and describe the points."""
    root = sweep.new_root()
    sweep.shim.arm(root)
    run_small_job(root, sweep.source)
    sweep.shim.disarm()
    stops = [number for number, (kind, *_) in enumerate(sweep.shim.log(), 1) if kind != "W"]
    points = [(at, names) for at in choose(stops, limit) for names in (False, True)]
    for at, loses_names in points:
        sweep.try_power_loss(at, loses_names=loses_names)
    return f"power: {len(points)} states at {len(stops)} syncs, renames and unlinks"


def sweep_runs(folder: Path, count: int, errors: Sequence[int]) -> tuple[str, list[str]]:
    """Let sampled operations of whole runs fail, and describe the points and the problems."""
    inputs, data = folder / "input", folder / "whole"
    write_events(inputs / "a.jsonl", conversations())
    counted = folder / "count"
    assert _run(inputs, data, FAULT_COUNT_FILE=str(counted)).returncode == 0
    operations, expected = int(counted.read_text()), published_tables(data)
    sample = random.Random(1).sample(range(1, operations + 1), min(count, operations))
    problems: list[str] = []
    for number, at in enumerate(sorted(sample)):
        copy, error = folder / f"whole-{at}", errors[number % len(errors)]
        place = f"run, operation {at}, {errno.errorcode[error]}"
        known = len(problems)
        problems += _judge_run(_run(inputs, copy, FAULT_AT=str(at), FAULT_ERRNO=str(error)), place)
        again = _run(inputs, copy)
        if again.returncode:
            problems.append(f"{place}: the next run fails: {again.stderr[-300:]}")
        elif different := _list_different(copy, expected):
            problems.append(f"{place}: the next run differs in {', '.join(different)}")
        shutil.rmtree(copy, ignore_errors=True)
        print(f"{place}: {len(problems)} problems so far", *problems[known:], sep="\n  ", flush=True)
    return f"runs: {len(sample)} points of {operations} operations of a whole run", problems


def _judge_run(done: "subprocess.CompletedProcess[str]", place: str) -> Iterator[str]:
    output = done.stdout + done.stderr
    if done.returncode not in {0, 1}:
        yield f"{place}: exit code {done.returncode}: {output[-300:]}"
    if "Traceback" in output or '.py", line' in output:
        yield f"{place}: a traceback: {output[-600:]}"


def _list_different(data: Path, expected: Mapping[str, Any]) -> list[str]:
    found = published_tables(data)
    return [name for name in expected if not found[name].equals(expected[name])]


def _run(inputs: Path, data: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    prefix = {"FAULT_PREFIX": str(data)} if variables else {}
    command = [sys.executable, "-m", "turret_pipeline.cli", "run", "--input", str(inputs), "--data-dir", str(data)]
    return subprocess.run(
        command, env={**os.environ, **prefix, **variables}, capture_output=True, text=True, check=False
    )


def main() -> None:
    """Sweep, and print points and problems. Exits with code 1 if there are problems."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=0, help="points of each sweep; 0: all")
    parser.add_argument("--runs", type=int, default=0, help="points of whole runs")
    parser.add_argument("--errors", default="ENOSPC,EIO,EROFS,EMFILE,EDQUOT", help="errors, in turn")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="turret-faults-") as name:
        folder = Path(name).resolve()
        if "shim.so" not in os.environ.get("LD_PRELOAD", ""):
            environment = {**os.environ, "LD_PRELOAD": str(compile_shim(folder))}
            command = [sys.executable, "-m", "turret_pipeline_tests.benchmarks.faults", *sys.argv[1:]]
            raise SystemExit(subprocess.run(command, env=environment, check=False).returncode)
        started, errors = time.monotonic(), [getattr(errno, name) for name in arguments.errors.split(",")]
        logging.disable()  # the collector logs each failure
        sweep = Sweep(Shim(), folder)
        print(sweep_faults(sweep, errors, arguments.points), flush=True)
        print(sweep_power(sweep, arguments.points), flush=True)
        problems = sweep.problems
        if arguments.runs:
            sentence, found = sweep_runs(folder, arguments.runs, errors)
            problems += found
            print(sentence, flush=True)
    print("\n".join(problems) or "Every next run equals an undisturbed one.")
    print(f"{len(problems)} problems, {time.monotonic() - started:.0f} s")
    raise SystemExit(1 if problems else 0)


if __name__ == "__main__":
    main()
