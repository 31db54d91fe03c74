"""Size and seconds of the storage after daily loads of a file that grows, and of whole runs: the first and the last.

    python -m turret_pipeline_tests.benchmarks.growth [--days 365] [--rows 50] [--runs 30]

Each day appends rows to one file; the storage reads them, combines all parts, and keeps no duplicate row. Whole runs
get the rows of a day each. Printed are the first and the last day and run, and the slope of the seconds and bytes over
the days, beside the bytes of the rows themselves.
"""

import argparse
import json
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from turret_pipeline.ingest.canonical import CanonicalOptions, write_canonical
from turret_pipeline.ingest.values import extract_part_values, write_values
from turret_pipeline.storage.lake import Lake
from turret_pipeline_tests.commands import conversations, run_job
from turret_pipeline_tests.ingest.imports import read_files, row

REPORTED_DAYS = 50
"""Days after which a load is printed while the others go on."""


@dataclass(frozen=True)
class Load:
    """One load: processor seconds to read and in all, bytes stored and of the input, duplicates and contents so far."""

    read_seconds: float
    seconds: float
    stored_bytes: int
    input_bytes: int
    duplicate_count: int
    content_count: int


def measure_folder(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def load_days(root: Path, days: int, rows: int) -> list[Load]:
    """Load a file that grows by some rows every day."""
    path, loads = root / "input" / "events.jsonl", list[Load]()
    path.parent.mkdir(parents=True)
    for day in range(days):
        with path.open("a", encoding="utf-8") as file:
            for number in range(rows):
                one = row(
                    f"d{day}-{number}", 1440 * day + number, metadata={"plan": "team", "text": f"Question {number}"}
                )
                file.write(json.dumps(one) + "\n")
        loads.append(_load(root, path))
        if (day + 1) % REPORTED_DAYS == 0:
            print(f"... day {day + 1}: {loads[-1].seconds:.3f} s, {loads[-1].stored_bytes / 1e3:,.0f} KB", flush=True)
    return loads


def _load(root: Path, path: Path) -> Load:
    started = time.process_time()
    parts, _ = read_files(root, [path])
    read = time.process_time() - started
    lake = Lake(root / "lake")
    write_canonical(parts, lake, CanonicalOptions())
    sum(extract_part_values(parts))
    write_values(parts, lake, 2000)
    seconds, files = time.process_time() - started, lake.read("source_files")
    duplicates = int(files["duplicate_count"].sum())
    return Load(read, seconds, measure_folder(root / "lake"), path.stat().st_size, duplicates, files.height)


def find_slope(values: list[float]) -> float:
    """Change per day by least squares."""
    return float(np.polyfit(np.arange(len(values)), values, 1)[0]) if len(values) > 1 else 0.0


def print_loads(loads: list[Load]) -> None:
    """Print the first and last load, and the slopes."""
    print("day        read s   total s      stored KB   input KB  duplicates  contents")
    for name, load in (("first", loads[0]), ("last", loads[-1])):
        print(
            f"{name:8} {load.read_seconds:8.3f} {load.seconds:9.3f} {load.stored_bytes / 1e3:14.0f} "
            f"{load.input_bytes / 1e3:10.0f} {load.duplicate_count:11,} {load.content_count:9,}"
        )
    slopes = [
        find_slope([getattr(load, name) for load in loads]) for name in ("read_seconds", "seconds", "stored_bytes")
    ]
    print(f"slope    {slopes[0]:8.5f} {slopes[1]:9.5f} {slopes[2] / 1e3:14.2f} per day")


def run_days(root: Path, runs: int) -> None:
    """Print bytes and seconds of whole runs over a file that grows."""
    path, seconds, sizes = root / "input" / "events.jsonl", list[float](), list[float]()
    path.parent.mkdir(parents=True)
    data = root / "data"
    (data / "dagster").mkdir(parents=True)
    (data / "dagster" / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    for run in range(runs):
        with path.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(event) + "\n" for event in conversations(12 * run, 12))
        started = time.perf_counter()
        run_job(data, path.parent)
        seconds.append(time.perf_counter() - started)
        sizes.append(measure_folder(data))
        print(f"... run {run + 1}: {seconds[-1]:.1f} s, {sizes[-1] / 1e6:.2f} MB", flush=True)
    print(
        f"runs: first {seconds[0]:.1f} s, {sizes[0] / 1e6:.2f} MB; last {seconds[-1]:.1f} s, {sizes[-1] / 1e6:.2f} MB"
    )
    print(f"slope: {find_slope(seconds):.3f} s and {find_slope(sizes) / 1e6:.3f} MB per run")


def main() -> None:
    """Load and run, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--rows", type=int, default=50, help="rows of a day")
    parser.add_argument("--runs", type=int, default=30, help="whole runs")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if arguments.days:
            print_loads(load_days(Path(folder) / "days", arguments.days, arguments.rows))
        if arguments.runs:
            run_days(Path(folder) / "runs", arguments.runs)


if __name__ == "__main__":
    main()
