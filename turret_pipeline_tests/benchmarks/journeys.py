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
from typing import ParamSpec, TypeAlias, TypeVar

import polars as pl

from turret_pipeline.tables import END, START
from turret_pipeline_tests.benchmarks.journey_lake import events, write_lake

P = ParamSpec("P")
T = TypeVar("T")
Counts: TypeAlias = dict[tuple[str, str], int]
SECONDS, GIGABYTES, GROWTH, FASTER = 240, 6, 12, 5
REPEATS = 5
"""What is over in a second is measured so many times, and the median told."""


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


def median(runs: Sequence[tuple[Measured, Counts]]) -> tuple[Measured, Counts]:
    """The run of the median time."""
    return sorted(runs, key=lambda run: run[0].seconds)[len(runs) // 2]


def simulate(folder: Path, event_count: int) -> None:
    """Write a lake."""
    from turret_pipeline.storage.lake import Lake

    write_lake(Lake(folder), event_count)


def read(folder: Path) -> tuple[Measured, dict[str, int]]:
    """All journey tables of a lake, as the pipeline reads them; rows of each."""
    from turret_pipeline.orchestration.assets.journeys import write_steps_and_build_tables
    from turret_pipeline.storage.lake import Lake

    started = time.perf_counter()
    step_count, frames = write_steps_and_build_tables(Lake(folder), 1)
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


def log(event_count: int) -> pl.DataFrame:
    """A log of case, activity and timestamp in no order; no two events of a case have one time."""
    made = events(event_count).select("session_id", "event_name", "event_at").sample(fraction=1, shuffle=True, seed=3)
    return made.rename({"session_id": "case:concept:name", "event_name": "concept:name", "event_at": "time:timestamp"})


def ours(path: Path) -> tuple[Measured, Counts]:
    """Our counts of a log in a Parquet file, which is read before the clock starts."""
    from turret_pipeline.journeys.edges import count_edges
    from turret_pipeline.journeys.transitions import find_transitions

    table = pl.read_parquet(path)
    started = time.perf_counter()
    found = count_edges(find_transitions(visits_of(table)))
    measured = Measured(time.perf_counter() - started, peak())
    return measured, {(source, target): count for source, target, count in found.iter_rows()}


def ours_in_full(path: Path) -> tuple[Measured, Counts]:
    """The same with all else that is told of an edge."""
    from turret_pipeline.journeys.edges import journey_edges

    table = pl.read_parquet(path)
    started = time.perf_counter()
    found = journey_edges(visits_of(table))
    measured = Measured(time.perf_counter() - started, peak())
    columns = found.select("from_node_id", "to_node_id", "transition_count")
    return measured, {(source, target): count for source, target, count in columns.iter_rows()}


def visits_of(table: pl.DataFrame) -> pl.DataFrame:
    """The visits of a log by session, as the pipeline makes them of events in the order of time."""
    from turret_pipeline.journeys.visits import NAME, collect_visits

    named = table.select(
        pl.col("case:concept:name").cast(NAME).alias("session_id"),
        pl.col("concept:name").cast(NAME).alias("event_name"),
        pl.col("time:timestamp").alias("event_at"),
    ).sort("event_at")
    given = named.with_columns(pl.lit(None, pl.String).alias("event_id"), pl.lit(None, NAME).alias("user_id"))
    nothing = pl.DataFrame(schema={"event_id": pl.String, "field": pl.String, "text_id": pl.String})
    return next(collect_visits(given, nothing, nothing, nothing, []))


def theirs(path: Path) -> tuple[Measured, Counts]:
    """pm4py's counts of the same log."""
    import pandas as pd
    import pm4py

    table = pd.read_parquet(path)
    started = time.perf_counter()
    formatted = pm4py.format_dataframe(
        table, case_id="case:concept:name", activity_key="concept:name", timestamp_key="time:timestamp"
    )
    edges, starts, ends = pm4py.discover_directly_follows_graph(formatted)
    measured = Measured(time.perf_counter() - started, peak())
    pseudo = {(START, node): count for node, count in starts.items()} | {(node, END): n for node, n in ends.items()}
    return measured, {**edges, **pseudo}


def beside_pm4py(event_count: int) -> None:
    """Print the seconds and the memory of counting the same edges; raises where they are not the same."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.parquet"
        apart(write_log, path, event_count)
        names = {"pm4py": theirs, "ours": ours, "ours, with users, times and intervals": ours_in_full}
        found = {name: median([apart(work, path) for _ in range(REPEATS)]) for name, work in names.items()}
    measured, wanted = found["pm4py"]
    print(f"\n| edges of {event_count:,} events | seconds | peak memory | times as fast | held to |")
    print("|---|---|---|---|---|")
    for name, (one, counts) in found.items():
        if counts != wanted:
            raise SystemExit(f"The counts of {name} are not those of pm4py.")
        speed = measured.seconds / one.seconds
        limit = f"{FASTER}x, equal counts" if name == "ours" else ""
        print(f"| {name} ({len(counts)}) | {one.seconds:.2f} | {one.gigabytes:.2f} GB | {speed:.1f}x | {limit} |")


def write_log(path: Path, event_count: int) -> None:
    """Write a log as a Parquet file."""
    log(event_count).write_parquet(path)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, nargs="*", default=[1_000_000, 10_000_000], metavar="COUNT")
    parser.add_argument(
        "--log", type=int, default=1_000_000, metavar="COUNT", help="events of the log for pm4py; 0: none"
    )
    options = parser.parse_args(arguments)
    all_tables(options.events)
    if options.log:
        beside_pm4py(options.log)


if __name__ == "__main__":
    main()
