"""Rate and memory of reading events, compared with DuckDB copying the same file in the same run.

    python -m turret_pipeline_tests.benchmarks.ingest [--events 1000000] [--more 3000000] [--runs 5]

Each measurement runs in its own process, and the kinds alternate. DuckDB runs
``COPY (SELECT * FROM read_json(...)) TO parquet``. Turret reads the file into parts, which includes starting its
workers, and writes the canonical tables. Peak memory is that of a process with its workers, measured in a separate run
because sampling slows it down.
"""

import argparse
import datetime as dt
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import duckdb
import orjson

from turret_pipeline.events.parsing import ParseOptions
from turret_pipeline.events.privacy import Privacy
from turret_pipeline.ingest.canonical import CanonicalOptions, write_canonical
from turret_pipeline.ingest.parts import Ingestion, PartStore
from turret_pipeline.scrubbing import KINDS
from turret_pipeline.storage.lake import Lake

BEGIN = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
PLACES = ("my order", "the invoice", "our team page", "the export", "a refund", "the shipping date", "the login")
ASKS = ("How do I change", "Where can I see", "Please explain", "Something is wrong with", "I cannot open", "Cancel")
ENDS = ("", " since yesterday", ", it fails every time", " for a customer in Porto", " before Friday", " again please")
LIMITS = {"duckdb": None, "plain": 2.0, "scrubbed": 3.0}
SAMPLE_SECONDS = 0.02


@dataclass(frozen=True)
class Timing:
    """Seconds until the parts are written, and in total."""

    parts_seconds: float
    seconds: float


def write_events(file: IO[bytes], count: int, seed: int = 1) -> None:
    """Write events with eight metadata fields: 60 % have a text, and 5 % of the texts an e-mail address."""
    rng = random.Random(seed)
    for number in range(count):
        moment = BEGIN + dt.timedelta(seconds=3 * number + rng.random())
        metadata: dict[str, object] = {
            "plan": rng.choice(("free", "pro", "team", "business")),
            "country": rng.choice(("CH", "DE", "FR", "US", "IN", "BR")),
            "latency": round(rng.expovariate(1), 3),
            "tokens": rng.randrange(2000),
            "is_beta": rng.random() < 0.1,
            "version": f"1.{rng.randrange(20)}.{rng.randrange(9)}",
            "device": rng.choice(("ios", "android", "web")),
        }
        if rng.random() < 0.6:
            text = ". ".join(_sentence(rng) for _ in range(rng.randrange(1, 4)))
            metadata["prompt"] = f"{text}, write to kim{number}@example.com" if rng.random() < 0.05 else text
        else:
            metadata["channel"] = rng.choice(("mail", "chat"))
        event = {
            "event_id": f"e{number}",
            "name": rng.choice(("prompt_sent", "page_opened", "export_done", "vote_given")),
            "session_id": f"s{number // 6}",
            "user_id": f"u{number // 6 * 7919 % (count // 20 + 1)}",  # one user per session
            "timestamp": moment.isoformat(),
            "metadata": metadata,
        }
        file.write(orjson.dumps(event) + b"\n")


def _sentence(rng: random.Random) -> str:
    return f"{rng.choice(ASKS)} {rng.choice(PLACES)}{rng.choice(ENDS)} {rng.randrange(1000)}"


def copy_by_duckdb(source: Path, folder: Path) -> float:
    """Seconds that DuckDB needs to copy the file."""
    started = time.perf_counter()
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (select * from read_json('{source}')) to '{folder / 'copy.parquet'}' (format parquet)"
        )
    return time.perf_counter() - started


def ingest_file(source: Path, folder: Path, *, scrubbed: bool) -> tuple[float, float]:
    """Seconds until the parts of the file are written, and until the canonical tables are."""
    parts, lake = PartStore(folder / "parts"), Lake(folder)
    started = time.perf_counter()
    privacy = Privacy(frozenset(KINDS) if scrubbed else frozenset())
    sum(parts.add(source, ParseOptions(BEGIN, None, privacy), Ingestion(BEGIN)))
    parts_written = time.perf_counter()
    write_canonical(parts, lake, CanonicalOptions())
    return parts_written - started, time.perf_counter() - started


def _run_child(kind: str, source: Path) -> None:
    with tempfile.TemporaryDirectory(dir=source.parent) as name:
        if kind == "duckdb":
            seconds = copy_by_duckdb(source, Path(name))
            print(json.dumps([seconds, seconds]))
        else:
            print(json.dumps(ingest_file(source, Path(name), scrubbed=kind == "scrubbed")))


def measure(kind: str, source: Path) -> Timing:
    """Time one kind of run in its own process."""
    done = subprocess.run(_command(kind, source), stdout=subprocess.PIPE, text=True, check=True)
    return Timing(*json.loads(done.stdout))


def peak_memory(kind: str, source: Path) -> float:
    """Peak gigabytes of a process and its workers."""
    return peak_memory_of(_command(kind, source))


def peak_memory_of(command: Sequence[str]) -> float:
    """Peak gigabytes of a command and its child processes."""
    peak = 0.0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            peak = max(peak, sum(_gigabytes(pid) for pid in _process_tree(process.pid)))
            time.sleep(SAMPLE_SECONDS)
    return peak


def _command(kind: str, source: Path) -> list[str]:
    return [sys.executable, "-m", __spec__.name, "--child", kind, str(source)]


def _process_tree(pid: int) -> Iterator[int]:
    """Ids of a process and of all its descendants."""
    yield pid
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from _process_tree(int(child))
    except OSError:
        return


def _gigabytes(pid: int) -> float:
    """Memory of a process, with its share of shared pages."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1e6
    except (OSError, StopIteration):
        return 0.0


def median_of(timings: list[Timing], figure: Callable[[Timing], float]) -> float:
    """Median of a figure over all runs."""
    return statistics.median(figure(timing) for timing in timings)


def compare(source: Path, count: int, runs: int) -> dict[str, float]:
    """Print the rates for a file of ``count`` events, and return the peak memory by kind."""
    timings: dict[str, list[Timing]] = {kind: [] for kind in LIMITS}
    for _ in range(runs):
        for kind, measured in timings.items():
            measured.append(measure(kind, source))
    bare = median_of(timings["duckdb"], lambda one: one.seconds)
    peaks = {kind: peak_memory(kind, source) for kind in timings}
    for kind, measured in timings.items():
        parts, seconds = (
            median_of(measured, lambda one: one.parts_seconds),
            median_of(measured, lambda one: one.seconds),
        )
        limit = f"1/{LIMITS[kind]:.0f}" if LIMITS[kind] else ""
        print(
            f"| {count:,} | {kind} | {parts:.2f} s | {seconds:.2f} s | {count / seconds:,.0f} | {bare / parts:.2f} | "
            f"{bare / seconds:.2f} | {limit} | {peaks[kind]:.2f} GB |"
        )
    return peaks


def main() -> None:
    """Write the files, measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--more", type=int, default=3_000_000, help="events of the second file; 0 for no second file")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        _run_child(options.child[0], Path(options.child[1]))
        return
    print(f"{os.cpu_count()} cores; medians of {options.runs} alternating runs")
    print("| events | kind | parts | parts and tables | events/s | parts / DuckDB | all / DuckDB | at least | peak |")
    print("|---|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        peaks = []
        for count in filter(None, (options.events, options.more)):
            source = Path(name) / f"{count}.jsonl"
            with source.open("wb") as file:
                write_events(file, count)
            peaks.append(compare(source, count, options.runs if count == options.events else 1))
            source.unlink()
    if len(peaks) > 1:
        for kind in ("plain", "scrubbed"):
            print(f"peak {kind}: {peaks[1][kind] / peaks[0][kind] - 1:+.0%} with {options.more:,} events (within 30 %)")


if __name__ == "__main__":
    main()
