"""False alarms, power, time and memory of ``topic_signals`` on simulated exchanges.

    python -m turret_pipeline_tests.benchmarks.topic_signals [--runs 200] [--exchanges 10000000] [--quick]

In the first table no signal has to do with a topic, a week or a segment: topics, users, sessions and days are as in
simulated.py, users and sessions differ in how often they struggle, and segment values are random for each user or
session. An alarm is a run with any q-value of at most 0.05. At most 5 % of the runs may have one, although each of the
three families of a run has that level: the tests of small counts are conservative. In the second table exchanges of one
topic have a signal more often. Then the table is built from ``--exchanges`` exchanges of 300 topics with three segment
fields, after DuckDB has copied the same tables. Memory is that of the process tree, in another run. Exits with 1 if
there are more false alarms than chance explains. ``--quick`` takes half a minute.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
from scipy.stats import binom

from turret_pipeline.signals.topic_cells import READ
from turret_pipeline.signals.topic_signals import build_topic_signals
from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.stats.shares import Q_VALUE_THRESHOLD
from turret_pipeline.storage.lake import Lake
from turret_pipeline.tables import DUCKDB_TYPES, LAKE_TABLES
from turret_pipeline.tables.signals import REPEATED_LATER, SIGNALS, STRUGGLE
from turret_pipeline_tests.benchmarks.ingest import peak_memory_of
from turret_pipeline_tests.benchmarks.simulated import FIRST_DAY, World, simulate_occurrences

WORLDS = {
    "60 topics, 800 users, 10,000 exchanges": World(),
    "100 users, 20 topics": World(topics=20, users=100),
    "users with few subjects, sessions that stay on them": World(concentration=1.0, stay=0.8),
    "unknown users": World(known_users=False),
}
SHARES = dict(zip(SIGNALS, (0.05, 0.05, 0.03, 0.12, 0.02, 0.5, 0.04), strict=True))
"""Shares of the exchanges with each signal."""

USER_SPREAD, SESSION_SPREAD = 1.0, 0.7
"""Standard deviations of the log odds of a signal between users and between sessions."""

PLANTED_TOPIC = 4


def simulate_lake(rng: np.random.Generator, world: World, folder: Path, factor: float = 1.0) -> Lake:
    """A lake of exchanges; those of PLANTED_TOPIC are unanswered ``factor`` times as often."""
    made, _ = simulate_occurrences(rng, world)
    user, session = made["user"].to_numpy(), made["session_id"].cast(pl.Int64).to_numpy()
    leaning = rng.normal(0, USER_SPREAD, world.users)[user]
    leaning += rng.normal(0, SESSION_SPREAD, int(session.max()) + 1)[session]
    is_planted = (made["topic_id"] == f"prompt-{PLANTED_TOPIC}").to_numpy()
    flags = {name: _draw(rng, share, leaning) for name, share in SHARES.items()}
    flags["unanswered"] |= is_planted & _draw(rng, (factor - 1) * SHARES["unanswered"], leaning)
    struggle = np.any([flag for name, flag in flags.items() if name != REPEATED_LATER], axis=0)
    lake, ids = Lake(folder), made["event_id"].alias("exchange_id")
    signals = pl.DataFrame({f"is_{name}": flag for name, flag in {**flags, STRUGGLE: struggle}.items()})
    segments = {"session_field": rng.integers(0, 4, int(session.max()) + 1)[session]}
    segments["user_field"] = rng.integers(0, 5, world.users)[user]
    tables = {
        "exchanges": made.select(
            ids,
            "session_id",
            (pl.lit("u") + pl.col("user").cast(pl.String) if world.known_users else pl.lit(None)).alias("user_id"),
            pl.col("event_date").cast(pl.Datetime("us")).dt.replace_time_zone("UTC").alias("prompt_at"),
            "field",
            pl.col("topic_id").alias("subject_topic_id"),
        ),
        "exchange_signals": signals.with_columns(ids),
        "exchange_values": pl.concat(
            pl.DataFrame({"exchange_id": ids, "text_value": values}).with_columns(
                pl.col("text_value").cast(pl.String), pl.lit(name).alias("field"), pl.lit("prompt").alias("side")
            )
            for name, values in segments.items()
        ),
        "data_days": made.select(
            pl.col("event_date").min().alias("first_date"), pl.col("event_date").max().alias("last_date")
        ),
    }
    for name, table in tables.items():
        lake.write(name, pl.concat([LAKE_TABLES[name].empty(), table], how="diagonal"))
    return lake


def _draw(rng: np.random.Generator, share: float, leaning: FloatArray) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    odds = share / (1 - share) * np.exp(leaning - (USER_SPREAD**2 + SESSION_SPREAD**2) / 2)
    return np.asarray(rng.random(len(leaning)) < odds / (1 + odds))


def print_false_alarms(worlds: Mapping[str, World], runs: int) -> bool:
    """Print the share of runs with an alarm. True if each is at most what chance explains of 5 %."""
    limit = int(binom.isf(0.001, runs, Q_VALUE_THRESHOLD))
    print(f"| nothing differs | runs | rows | runs with any q-value <= 0.05 (at most {limit}) |\n|---|---|---|---|")
    is_right = True
    for name, world in worlds.items():
        rng, alarms, rows = np.random.default_rng(1), 0, 0
        for _ in range(runs):
            with tempfile.TemporaryDirectory() as folder:
                found = build_topic_signals(simulate_lake(rng, world, Path(folder)))
            rows += found["q_value"].count()
            alarms += bool((found["q_value"] <= Q_VALUE_THRESHOLD).any())
        print(f"| {name} | {runs} | {rows:,} | {alarms} ({alarms / runs:.1%}) |", flush=True)
        is_right &= alarms <= limit
    return is_right


def print_power(runs: int) -> None:
    """Print how often a topic that fails more often is found."""
    print("\n| one topic of 60 is unanswered more often | found |\n|---|---|")
    for factor in (1.5, 2.0, 3.0):
        rng, hits = np.random.default_rng(2), 0
        for _ in range(runs):
            with tempfile.TemporaryDirectory() as folder:
                found = build_topic_signals(simulate_lake(rng, World(), Path(folder), factor))
            is_it = (pl.col("topic_id") == f"prompt-{PLANTED_TOPIC}") & (pl.col("signal") == "unanswered")
            hits += found.filter(is_it, pl.col("q_value") <= Q_VALUE_THRESHOLD, pl.col("difference") > 0).height > 0
        print(f"| {factor:g} times | {hits / runs:.0%} |", flush=True)


def write_large_lake(folder: Path, count: int) -> Lake:
    """A lake of ``count`` exchanges of 300 topics over 90 days, 5 in a session and 25 of a user."""
    flags = {f"is_{name}": f"hash(i + {count} * {at}) % 8 = 0" for at, name in enumerate((*SIGNALS, STRUGGLE))}
    values = {
        "exchanges": {
            "exchange_id": "md5(i::varchar)",
            "session_id": "md5((i // 5)::varchar)",
            "user_id": f"'u' || (hash(i // 5) % {max(count // 25, 1)})",
            "prompt_at": f"timestamp '{FIRST_DAY}' + to_seconds((hash(i // 5 + 1) % (86400 * 90))::bigint)",
            "field": "'prompt'",
            "subject_topic_id": "'prompt-' || (hash(i + 3) % 300)",
            "model": "'model ' || (hash(i + 4) % 4)",
        },
        "exchange_signals": {"exchange_id": "md5(i::varchar)", **flags},
        "exchange_values": {
            "exchange_id": "md5(i::varchar)",
            "field": "name",
            "side": "'prompt'",
            "text_value": "'value ' || (hash(i + length(name)) % 5)",
        },
        "data_days": {"first_date": f"date '{FIRST_DAY}'", "last_date": f"date '{FIRST_DAY}' + 89"},
    }
    lake = Lake(folder)
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        for name, given in values.items():
            columns = ", ".join(
                f"({given.get(column.name, 'null')})::{DUCKDB_TYPES[column.kind]} as {column.name}"
                for column in LAKE_TABLES[name].columns
            )
            fields = ", (values ('plan'), ('country'), ('app')) fields(name)" if name == "exchange_values" else ""
            rows = 1 if name == "data_days" else count
            lake.copy(connection, name, f"select {columns} from range({rows}) numbers(i){fields}")
    return lake


def print_speed(count: int) -> None:
    """Print time and memory for many exchanges beside DuckDB's copy of the same tables."""
    with tempfile.TemporaryDirectory() as folder:
        lake = write_large_lake(Path(folder), count)
        started = time.perf_counter()
        with duckdb.connect() as connection:
            for name in READ:
                connection.execute(f"copy (from '{lake.path(name)}') to '{folder}/copy.parquet' (format parquet)")
        copied = time.perf_counter() - started
        started, spent = time.perf_counter(), time.process_time()
        rows = build_topic_signals(lake).height
        built, processor = time.perf_counter() - started, time.process_time() - spent
        memory = peak_memory_of([sys.executable, "-m", __spec__.name, "--build", folder])
    print(
        f"\n{count:,} exchanges, {rows:,} rows: {built:.1f} s, {processor:.1f} s of processors, {memory:.2f} GB; "
        f"copied in {copied:.1f} s; load {os.getloadavg()[0]:.1f}"
    )


def main() -> int:
    """Print all tables, and return 1 if there are more false alarms than chance explains."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--exchanges", type=int, default=10_000_000)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--build", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.build:
        build_topic_signals(Lake(options.build))
        return 0
    if options.quick:
        is_right = print_false_alarms({"60 users, 5 topics": replace(World(), topics=5, users=60)}, 10)
        print_speed(20_000)
        return int(not is_right)
    is_right = print_false_alarms(WORLDS, options.runs)
    print_power(max(options.runs // 4, 1))
    print_speed(options.exchanges)
    return int(not is_right)


if __name__ == "__main__":
    sys.exit(main())
