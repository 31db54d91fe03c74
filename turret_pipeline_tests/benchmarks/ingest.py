"""Rate and memory of reading events, beside DuckDB's bare reading and writing of the same file in the same run.

    python -m turret_pipeline_tests.benchmarks.ingest [--events 1000000] [--more 3000000] [--runs 5]

Every measurement is a process of its own, and the kinds take turns. DuckDB's does
``COPY (SELECT * FROM read_json(...)) TO parquet``. Ours reads the file into parts, which includes starting its workers,
and puts all events in order, each once, with sessions and accounts. Peak memory is that of a process with its workers,
in a further run: to look at it slows a process down.
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
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import duckdb
import orjson

from turret_pipeline.events.parsing import ParseOptions
from turret_pipeline.events.privacy import Privacy
from turret_pipeline.ingest.canonical import Rules, write_canonical
from turret_pipeline.ingest.parts import Arrival, Sources
from turret_pipeline.scrubbing import KINDS
from turret_pipeline.storage.lake import Lake

BEGIN = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
PLACES = ("my order", "the invoice", "our team page", "the export", "a refund", "the shipping date", "the login")
ASKS = ("How do I change", "Where can I see", "Please explain", "Something is wrong with", "I cannot open", "Cancel")
ENDS = ("", " since yesterday", ", it fails every time", " for a customer in Porto", " before Friday", " again please")
LIMITS = {"duckdb": None, "plain": 2.0, "scrubbed": 3.0}
SAMPLE_SECONDS = 0.02


@dataclass(frozen=True)
class Measured:
    """A run: seconds until the parts are written, and in all."""

    parts_seconds: float
    seconds: float


def write_events(file: IO[bytes], count: int, seed: int = 1) -> None:
    """Events with eight fields of metadata, of which six in ten have a text, and of those one in twenty an address."""
    chance = random.Random(seed)
    for number in range(count):
        moment = BEGIN + dt.timedelta(seconds=3 * number + chance.random())
        metadata: dict[str, object] = {
            "plan": chance.choice(("free", "pro", "team", "business")),
            "country": chance.choice(("CH", "DE", "FR", "US", "IN", "BR")),
            "latency": round(chance.expovariate(1), 3),
            "tokens": chance.randrange(2000),
            "is_beta": chance.random() < 0.1,
            "version": f"1.{chance.randrange(20)}.{chance.randrange(9)}",
            "device": chance.choice(("ios", "android", "web")),
        }
        if chance.random() < 0.6:
            text = ". ".join(_sentence(chance) for _ in range(chance.randrange(1, 4)))
            metadata["prompt"] = f"{text}, write to kim{number}@example.com" if chance.random() < 0.05 else text
        else:
            metadata["channel"] = chance.choice(("mail", "chat"))
        event = {
            "event_id": f"e{number}",
            "name": chance.choice(("prompt_sent", "page_opened", "export_done", "vote_given")),
            "session_id": f"s{number // 6}",
            "user_id": f"u{chance.randrange(count // 20 + 1)}",
            "timestamp": moment.isoformat(),
            "metadata": metadata,
        }
        file.write(orjson.dumps(event) + b"\n")


def _sentence(chance: random.Random) -> str:
    return f"{chance.choice(ASKS)} {chance.choice(PLACES)}{chance.choice(ENDS)} {chance.randrange(1000)}"


def copy_by_duckdb(source: Path, folder: Path) -> float:
    """Seconds of DuckDB's bare copy."""
    started = time.perf_counter()
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (select * from read_json('{source}')) to '{folder / 'copy.parquet'}' (format parquet)"
        )
    return time.perf_counter() - started


def ingest(source: Path, folder: Path, *, scrubbed: bool) -> tuple[float, float]:
    """Seconds until the parts of the file are written, and until its events are in order."""
    sources, lake = Sources(folder / "parts"), Lake(folder)
    started = time.perf_counter()
    privacy = Privacy(frozenset(KINDS) if scrubbed else frozenset())
    sum(sources.add(source, ParseOptions(BEGIN, None, privacy), Arrival(BEGIN)))
    read = time.perf_counter()
    write_canonical(sources, lake, Rules())
    return read - started, time.perf_counter() - started


def _child(kind: str, source: Path) -> None:
    with tempfile.TemporaryDirectory(dir=source.parent) as name:
        if kind == "duckdb":
            seconds = copy_by_duckdb(source, Path(name))
            print(json.dumps([seconds, seconds]))
        else:
            print(json.dumps(ingest(source, Path(name), scrubbed=kind == "scrubbed")))


def measure(kind: str, source: Path) -> Measured:
    """One kind of run in a process of its own."""
    done = subprocess.run(_command(kind, source), stdout=subprocess.PIPE, text=True, check=True)
    return Measured(*json.loads(done.stdout))


def peak_memory(kind: str, source: Path) -> float:
    """Gigabytes of a process and its workers at most."""
    peak = 0.0
    with subprocess.Popen(_command(kind, source), stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            peak = max(peak, sum(_gigabytes(pid) for pid in _family(process.pid)))
            time.sleep(SAMPLE_SECONDS)
    return peak


def _command(kind: str, source: Path) -> list[str]:
    return [sys.executable, "-m", __spec__.name, "--child", kind, str(source)]


def _family(pid: int) -> Iterator[int]:
    """A process and all that it started."""
    yield pid
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from _family(int(child))
    except OSError:
        return


def _gigabytes(pid: int) -> float:
    """Memory of a process, shared pages in parts."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1e6
    except (OSError, StopIteration):
        return 0.0


def median(found: list[Measured], figure: Callable[[Measured], float]) -> float:
    """The median of a figure."""
    return statistics.median(figure(one) for one in found)


def compare(source: Path, count: int, runs: int) -> dict[str, float]:
    """Print the rates for a file of so many events, and return the peaks."""
    found: dict[str, list[Measured]] = {kind: [] for kind in LIMITS}
    for _ in range(runs):
        for kind, measured in found.items():
            measured.append(measure(kind, source))
    bare = median(found["duckdb"], lambda one: one.seconds)
    peaks = {kind: peak_memory(kind, source) for kind in found}
    for kind, measured in found.items():
        parts, seconds = median(measured, lambda one: one.parts_seconds), median(measured, lambda one: one.seconds)
        limit = f"1/{LIMITS[kind]:.0f}" if LIMITS[kind] else ""
        print(
            f"| {count:,} | {kind} | {parts:.2f} s | {seconds:.2f} s | {count / seconds:,.0f} | {bare / parts:.2f} | "
            f"{bare / seconds:.2f} | {limit} | {peaks[kind]:.2f} GB |"
        )
    return peaks


def main() -> None:
    """Make the files, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--more", type=int, default=3_000_000, help="events of the second file; 0: none")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        _child(options.child[0], Path(options.child[1]))
        return
    print(f"{os.cpu_count()} cores; medians of {options.runs} runs that take turns")
    print("| events | kind | parts written | in order | events/s | parts / DuckDB | all / DuckDB | at least | peak |")
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
