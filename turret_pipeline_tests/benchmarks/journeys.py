"""Time and memory of building all journey tables, and of counting edges compared with pm4py.

    python -m turret_pipeline_tests.benchmarks.journeys [--events 1000000 10000000] [--log 1000000]

Needs the extra `bench`. Each line is usage in a fresh process, including reading the lake, but not generating the
data. The limits are for two cores.
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
from turret_pipeline_tests.benchmarks.journey_lake import generate_events, write_lake

P = ParamSpec("P")
T = TypeVar("T")
Counts: TypeAlias = dict[tuple[str, str], int]
MAX_SECONDS, MAX_GIGABYTES, MAX_GROWTH, MIN_SPEEDUP = 240, 6, 12, 5
REPEATS = 5
"""Runs per short measurement, of which the median is reported."""


@dataclass(frozen=True)
class Usage:
    """Seconds of the work, and peak memory of its process in GB."""

    seconds: float
    gigabytes: float


def run_in_new_process(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The result of the function, run in a new process so that its peak memory is its own."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(work, *args, **kwargs).result()


def peak_gigabytes() -> float:
    """Peak memory of this process in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def median_run(runs: Sequence[tuple[Usage, Counts]]) -> tuple[Usage, Counts]:
    """The run with the median time."""
    return sorted(runs, key=lambda run: run[0].seconds)[len(runs) // 2]


def generate_lake(folder: Path, event_count: int) -> None:
    """Write a lake of generated events."""
    from turret_pipeline.storage.lake import Lake

    write_lake(Lake(folder), event_count)


def build_tables(folder: Path) -> tuple[Usage, dict[str, int]]:
    """Build all journey tables of a lake, as the pipeline does; the usage, and the rows of each table."""
    from turret_pipeline.orchestration.assets.journeys import write_steps_and_build_tables
    from turret_pipeline.storage.lake import Lake

    started = time.perf_counter()
    step_count, frames = write_steps_and_build_tables(Lake(folder), 1)
    rows = {"journey_steps": step_count} | {table: frame.height for table, frame in frames.items()}
    return Usage(time.perf_counter() - started, peak_gigabytes()), rows


def print_table_builds(counts: Sequence[int]) -> None:
    """Print one line per number of events."""
    print("| events | seconds | peak memory | growth | rows | limit |\n|---|---|---|---|---|---|")
    before: float | None = None
    for event_count in counts:
        with tempfile.TemporaryDirectory() as folder:
            run_in_new_process(generate_lake, Path(folder), event_count)
            usage, rows = run_in_new_process(build_tables, Path(folder))
        growth = f"{usage.seconds / before:.1f}x" if before else ""
        limit = f"{MAX_SECONDS} s, {MAX_GIGABYTES} GB at 10,000,000; {MAX_GROWTH}x from a tenth"
        sizes = ", ".join(f"{name} {height:,}" for name, height in rows.items())
        print(f"| {event_count:,} | {usage.seconds:.1f} | {usage.gigabytes:.2f} GB | {growth} | {sizes} | {limit} |")
        before = usage.seconds


def generate_log(event_count: int) -> pl.DataFrame:
    """A shuffled event log of case, activity and timestamp; the times of a case are distinct."""
    log = (
        generate_events(event_count)
        .select("session_id", "event_name", "event_at")
        .sample(fraction=1, shuffle=True, seed=3)
    )
    return log.rename({"session_id": "case:concept:name", "event_name": "concept:name", "event_at": "time:timestamp"})


def count_ours(path: Path) -> tuple[Usage, Counts]:
    """Count the edges of a log in a Parquet file, which is read before the measurement."""
    from turret_pipeline.journeys.edges import count_edges
    from turret_pipeline.journeys.transitions import find_transitions

    table = pl.read_parquet(path)
    started = time.perf_counter()
    counts = count_edges(find_transitions(log_visits(table)))
    usage = Usage(time.perf_counter() - started, peak_gigabytes())
    return usage, {(source, target): count for source, target, count in counts.iter_rows()}


def measure_ours(path: Path) -> tuple[Usage, Counts]:
    """Build all columns of ``journey_edges`` for the same log."""
    from turret_pipeline.journeys.edges import journey_edges

    table = pl.read_parquet(path)
    started = time.perf_counter()
    edges = journey_edges(log_visits(table))
    usage = Usage(time.perf_counter() - started, peak_gigabytes())
    counts = edges.select("from_node_id", "to_node_id", "transition_count")
    return usage, {(source, target): count for source, target, count in counts.iter_rows()}


def log_visits(table: pl.DataFrame) -> pl.DataFrame:
    """The visits of a log by session, as the pipeline builds them from events in order of time."""
    from turret_pipeline.journeys.visits import NAME, collect_visits

    named = table.select(
        pl.col("case:concept:name").cast(NAME).alias("session_id"),
        pl.col("concept:name").cast(NAME).alias("event_name"),
        pl.col("time:timestamp").alias("event_at"),
    ).sort("event_at")
    log_events = named.with_columns(pl.lit(None, pl.String).alias("event_id"), pl.lit(None, NAME).alias("user_id"))
    no_texts = pl.DataFrame(schema={"event_id": pl.String, "field": pl.String, "text_id": pl.String})
    return next(collect_visits(log_events, no_texts, no_texts, no_texts, []))


def count_pm4py(path: Path) -> tuple[Usage, Counts]:
    """Count the edges of the same log with pm4py."""
    import pandas as pd
    import pm4py

    table = pd.read_parquet(path)
    started = time.perf_counter()
    formatted = pm4py.format_dataframe(
        table, case_id="case:concept:name", activity_key="concept:name", timestamp_key="time:timestamp"
    )
    edges, starts, ends = pm4py.discover_directly_follows_graph(formatted)
    usage = Usage(time.perf_counter() - started, peak_gigabytes())
    pseudo = {(START, node): count for node, count in starts.items()} | {(node, END): n for node, n in ends.items()}
    return usage, {**edges, **pseudo}


def compare_with_pm4py(event_count: int) -> None:
    """Print time and memory of counting the same edges; exit with an error if the counts differ."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.parquet"
        run_in_new_process(write_log, path, event_count)
        methods = {
            "pm4py": count_pm4py,
            "ours": count_ours,
            "ours, with users, times and intervals": measure_ours,
        }
        runs = {
            name: median_run([run_in_new_process(work, path) for _ in range(REPEATS)]) for name, work in methods.items()
        }
    pm4py_usage, expected = runs["pm4py"]
    print(f"\n| edges of {event_count:,} events | seconds | peak memory | times as fast | limit |")
    print("|---|---|---|---|---|")
    for name, (usage, counts) in runs.items():
        if counts != expected:
            raise SystemExit(f"The edge counts of {name} differ from those of pm4py.")
        speedup = pm4py_usage.seconds / usage.seconds
        limit = f"{MIN_SPEEDUP}x, equal counts" if name == "ours" else ""
        print(f"| {name} ({len(counts)}) | {usage.seconds:.2f} | {usage.gigabytes:.2f} GB | {speedup:.1f}x | {limit} |")


def write_log(path: Path, event_count: int) -> None:
    """Write a generated log as a Parquet file."""
    generate_log(event_count).write_parquet(path)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, nargs="*", default=[1_000_000, 10_000_000], metavar="COUNT")
    parser.add_argument(
        "--log", type=int, default=1_000_000, metavar="COUNT", help="events of the log for pm4py; 0 skips it"
    )
    options = parser.parse_args(arguments)
    print_table_builds(options.events)
    if options.log:
        compare_with_pm4py(options.log)


if __name__ == "__main__":
    main()
