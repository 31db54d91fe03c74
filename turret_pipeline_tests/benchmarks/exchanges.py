"""Exchanges compared with plain loops, and the time and memory of building them beside a copy by DuckDB.

    python -m turret_pipeline_tests.benchmarks.exchanges [--events 1000000 ...] [--sessions 400] [--quick]

The rules of ``exchange_rules`` are applied to random sessions of ../shared/data (skipped where it is absent), with
random topics, and to random sessions with every kind of event. Each speed is measured in a process of its own, after
DuckDB has copied the values of the same events. Memory is that of the process tree, in another run, because sampling
slows it down. Exits with 1 if a table differs, or if a measure for 10,000,000 events is above its limit. ``--quick``
takes less than half a minute, without limits.
"""

import argparse
import datetime as dt
import math
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from turret_pipeline.events.parsing import ParseOptions
from turret_pipeline.exchanges.build import ExchangeOptions, write_exchanges
from turret_pipeline.fields.describe import describe_fields
from turret_pipeline.ingest.canonical import CanonicalOptions, write_canonical
from turret_pipeline.ingest.parts import Ingestion, PartStore
from turret_pipeline.ingest.values import extract_part_values, write_values
from turret_pipeline.storage.lake import Lake
from turret_pipeline.tables import EXCHANGE_VALUES, EXCHANGES, LAKE_TABLES
from turret_pipeline.topics.embedding.texts import collect_texts
from turret_pipeline_tests.benchmarks import exchange_lake
from turret_pipeline_tests.benchmarks.exchange_rules import build_by_rules
from turret_pipeline_tests.benchmarks.ingest import peak_memory_of
from turret_pipeline_tests.commands import PROJECT
from turret_pipeline_tests.exchanges.rows import NOON, Event, write_lake

DATA = PROJECT.parent / "shared" / "data" / "events"
RANDOM, SETS = "random", ("star_dev", "sgd_dev")
GAP = dt.timedelta(minutes=30)
LIMIT_EVENTS, LIMIT_SECONDS, LIMIT_GIGABYTES = 10_000_000, 60.0, 4.0


def read_sessions(source: Path, folder: Path, count: int) -> Lake:
    """A lake of random sessions of a file, with a random topic for four of five texts, and random continuations."""
    rng = random.Random(1)
    parts, lake = PartStore(folder / "parts"), Lake(folder / "lake")
    lake.root.mkdir(parents=True)
    sum(parts.add(source, ParseOptions(NOON), Ingestion(NOON)))
    write_canonical(parts, lake, CanonicalOptions())
    list(extract_part_values(parts))
    write_values(parts, lake, 2000)
    types = describe_fields(lake.read("event_values"), lake.read("events"), {}, {})
    lake.write("fields", types)
    events, values = lake.read("events"), lake.read("event_values")
    sessions = rng.sample(events["session_id"].unique().sort().to_list(), min(count, events["session_id"].n_unique()))
    kept = lake.write("events", events.filter(pl.col("session_id").is_in(sessions)))
    values = lake.write("event_values", values.filter(pl.col("event_id").is_in(kept["event_id"].implode())))
    texts, distinct = collect_texts(values.lazy(), types.filter(type="text")["field"].to_list())
    lake.write("event_texts", texts)
    topics = [f"topic-{rng.randrange(9)}" if rng.random() < 0.8 else None for _ in range(distinct.height)]
    _write(
        lake, "text_topics", distinct.select("field", "text_id").with_columns(pl.Series("topic_id", topics, pl.String))
    )
    continued = texts.select("event_id", "field").filter(pl.Series([rng.random() < 0.2 for _ in range(texts.height)]))
    named = [f"topic-{rng.randrange(9)}" for _ in range(continued.height)]
    _write(lake, "continuations", continued.with_columns(pl.Series("continues_topic_id", named, pl.String)))
    return lake


def draw_sessions(folder: Path, count: int) -> Lake:
    """A lake of random sessions with every kind of event: prompts, answers and feedback, with ids, in any order."""
    rng = random.Random(2)
    events = [event for number in range(count) for event in _draw_session(rng, number)]
    topics = {f"text {number}": f"prompt-{number % 4}" for number in range(9)}
    continued = {event.event_id: f"prompt-{rng.randrange(4)}" for event in events if rng.random() < 0.1}
    return write_lake(folder, events, topics=topics, continued=continued)


def _draw_session(rng: random.Random, session: int) -> Iterator[Event]:
    for number in range(rng.randrange(1, 15)):
        kind = rng.choice("prompt_sent answer_given feedback page_opened message".split())
        call = f"call{session}.{rng.randrange(4)}"
        event_id = (
            f"{call}-{rng.choice(('prompt', 'generation'))}-{number}" if rng.random() < 0.5 else f"e{session}.{number}"
        )
        values: dict[str, Any] = {}
        if kind in {"prompt_sent", "message"}:
            fields = rng.choice((["prompt"], ["question"], ["prompt", "question"]))
            values |= {name: rng.choice((f"text {rng.randrange(12)}", " ")) for name in fields}
        if kind in {"answer_given", "message"} and rng.random() < 0.8:
            values["generation"] = "hi"
        optional: dict[str, Any] = {
            "model": rng.choice("ab"),
            "cost_usd": rng.choice((-0.5, 0, 0.125, 0.5, 1, math.inf)),
            "input_tokens": rng.randrange(-3, 9),
            "output_tokens": rng.randrange(-3, 9),
            "latency_seconds": rng.randrange(-3, 9) / 4,
            "is_error": rng.random() < 0.5,
            "rating": rng.randrange(5),
            "thumbs": rng.choice(("up", "Down", "other", " ")),
            "plan": rng.choice(("free", "team", "")),
            "words": rng.randrange(99),
            "request_id": f"r{rng.randrange(5)}",
            "trace_id": rng.choice((call, event_id, f"e{session}.{rng.randrange(14)}")),
        }
        values |= {name: value for name, value in optional.items() if rng.random() < 0.3}
        user_id = f"u{session % 7}" if session % 7 else None
        yield Event(event_id, kind, session * 97 + rng.randrange(900), values, f"s{session}", user_id)


def _write(lake: Lake, table: str, frame: pl.DataFrame) -> None:
    empty = LAKE_TABLES[table].empty()
    lake.write(table, pl.concat([empty, frame], how="diagonal"))


def count_differences(lake: Lake) -> tuple[int, dict[str, int]]:
    """Number of exchanges, and of rows that differ from the rules by column; exchange_values count as one column."""
    write_exchanges(lake, ExchangeOptions(session_gap_minutes=GAP / dt.timedelta(minutes=1), events_per_shard=1500))
    rows, values = build_by_rules(lake, GAP)
    expected = pl.DataFrame(rows, EXCHANGES.schema)
    found = lake.read("exchanges")
    assert sorted(found["exchange_id"]) == sorted(expected["exchange_id"])
    pairs = found.join(expected, on="exchange_id", suffix="_expected", validate="1:1")
    differing: dict[str, int] = {}
    for name, kind in EXCHANGES.schema.items():
        if name != "exchange_id":
            left, right = pl.col(name), pl.col(f"{name}_expected")
            same = left.eq_missing(right)
            if kind == pl.Float64():
                same |= (left - right).abs().fill_null(1) < 1e-9
            differing[name] = pairs.filter(~same).height
    rows_of_values = set(lake.read("exchange_values").select(EXCHANGE_VALUES.schema.names()).iter_rows())
    differing["exchange_values"] = len(rows_of_values ^ set(values))
    return found.height, differing


def compare_set(name: str, sessions: int) -> tuple[int, dict[str, int]]:
    """``count_differences`` of random sessions of a data set, or of generated ones for the name random."""
    with tempfile.TemporaryDirectory() as folder:
        if name == RANDOM:
            return count_differences(draw_sessions(Path(folder), sessions))
        return count_differences(read_sessions(DATA / f"{name}.jsonl.gz", Path(folder), sessions))


def check_rules(sessions: int) -> bool:
    """Print how many exchanges of each data set agree with the rules, and return True if all do."""
    is_right = True
    for name in (RANDOM, *SETS):
        if name in SETS and not DATA.exists():
            print(f"{name}: skipped, ../shared/data is not beside the checkout")
            continue
        count, differing = compare_set(name, sessions)
        wrong = {column: number for column, number in differing.items() if number}
        print(f"{name}: {count:,} exchanges of {sessions} sessions; differing: {wrong or 'none'}")
        is_right &= not wrong
    return is_right


def measure(events: int, folder: Path) -> bool:
    """Print seconds and memory for a lake of this many events, and return True if they are within the limits."""
    lake = Lake(folder)
    exchange_lake.write_lake(lake, events)
    copied, built = (_time(kind, folder) for kind in ("duckdb", "turret"))
    peak = peak_memory_of(_command("turret", folder))
    load = os.getloadavg()[0]
    print(
        f"| {events:,} | {copied:.1f} s | {built:.1f} s | {built / copied:.1f} | {peak:.2f} GB | {load:.1f} |",
        flush=True,
    )
    return events < LIMIT_EVENTS or (built <= LIMIT_SECONDS and peak <= LIMIT_GIGABYTES)


def _time(kind: str, folder: Path) -> float:
    done = subprocess.run(_command(kind, folder), stdout=subprocess.PIPE, text=True, check=True)
    return float(done.stdout)


def _command(kind: str, folder: Path) -> list[str]:
    return [sys.executable, "-m", __spec__.name, "--child", kind, str(folder)]


def _run_child(kind: str, folder: Path) -> None:
    started = time.perf_counter()
    if kind == "turret":
        write_exchanges(Lake(folder), ExchangeOptions())
    else:
        with duckdb.connect(config={"memory_limit": "2GB", "temp_directory": str(folder / "spill")}) as connection:
            source, target = folder / "event_values.parquet", folder / "copy.parquet"
            connection.execute(f"copy (from '{source}') to '{target}' (format parquet, compression lz4_raw)")
            target.unlink()
    print(time.perf_counter() - started)


def main() -> None:
    """Compare, measure, and exit with 1 if something differs or is above its limit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, nargs="*", default=[1_000_000])
    parser.add_argument("--sessions", type=int, default=400)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options: Any = parser.parse_args()
    if options.child:
        _run_child(options.child[0], Path(options.child[1]))
        return
    is_right = check_rules(40 if options.quick else options.sessions)
    print(
        f"{os.cpu_count()} cores; limits for {LIMIT_EVENTS:,} events: {LIMIT_SECONDS:.0f} s, {LIMIT_GIGABYTES:.0f} GB"
    )
    print("| events | DuckDB copies the values | exchanges | ratio | peak | load |\n|---|---|---|---|---|---|")
    for events in [50_000] if options.quick else options.events:
        with tempfile.TemporaryDirectory() as folder:
            is_right &= measure(events, Path(folder))
    sys.exit(0 if is_right else 1)


if __name__ == "__main__":
    main()
