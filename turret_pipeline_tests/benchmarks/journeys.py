"""Seconds and memory of reading all journey tables, and of counting what follows what beside pm4py.

    python -m turret_pipeline_tests.benchmarks.journeys [--events 1000000 10000000] [--log 1000000]

Needs the extra `bench`. Each line is measured in a process of its own, the reading of the lake included, the making of
the data not. The limits are for two cores.
"""

import argparse
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import ParamSpec, TypeVar

from turret_pipeline_tests.benchmarks.journey_lake import write_lake

P = ParamSpec("P")
T = TypeVar("T")
SECONDS, GIGABYTES, GROWTH = 240, 6, 12


@dataclass(frozen=True)
class Measured:
    """Seconds of the work, and the peak memory of the process that did it, in GB."""

    seconds: float
    gigabytes: float


def apart(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What the function returns, in a process of its own that starts with nothing in memory."""
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=fresh) as pool:
        return pool.submit(work, *args, **kwargs).result()


def peak() -> float:
    """Peak memory of this process in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def simulate(folder: Path, event_count: int) -> None:
    """Write a lake."""
    from turret_pipeline.lake import Lake

    write_lake(Lake(folder), event_count)


def read(folder: Path) -> tuple[Measured, dict[str, int]]:
    """All journey tables of a lake, as the pipeline reads them; rows of each."""
    from turret_pipeline.lake import Lake
    from turret_pipeline.pipeline.journeys import read_lake

    started = time.perf_counter()
    step_count, frames = read_lake(Lake(folder), 1)
    rows = {"journey_steps": step_count} | {table: frame.height for table, frame in frames.items()}
    return Measured(time.perf_counter() - started, peak()), rows


def all_tables(counts: Sequence[int]) -> None:
    """Print one line for each number of events."""
    print("| events | seconds | peak memory | growth | rows | held to |\n|---|---|---|---|---|---|")
    before: float | None = None
    for event_count in counts:
        with tempfile.TemporaryDirectory() as folder:
            apart(simulate, Path(folder), event_count)
            found, rows = apart(read, Path(folder))
        growth = f"{found.seconds / before:.1f}x" if before else ""
        limit = f"{SECONDS} s, {GIGABYTES} GB at 10,000,000; {GROWTH}x from a tenth"
        sizes = ", ".join(f"{name} {height:,}" for name, height in rows.items())
        print(f"| {event_count:,} | {found.seconds:.1f} | {found.gigabytes:.2f} GB | {growth} | {sizes} | {limit} |")
        before = found.seconds


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, nargs="*", default=[1_000_000, 10_000_000], metavar="COUNT")
    parser.add_argument("--log", type=int, default=1_000_000, metavar="COUNT", help="events of the log for pm4py")
    options = parser.parse_args(arguments)
    all_tables(options.events)


if __name__ == "__main__":
    main()
