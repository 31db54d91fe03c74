"""Seconds and peak memory of Great Expectations over built tables, beside the same suites on whole tables in pandas.

    python -m turret_pipeline_tests.benchmarks.quality [--rows 1000000 3000000] [--whole 1000000] [--folder DIR]
    python -m turret_pipeline_tests.benchmarks.quality --rows 20000 --whole 20000       # takes less than 30 s, for CI

All built tables have random values as their contracts promise them. Tables that grow with the events (GROWING) have
ROWS rows, the others SMALL. Each measurement runs in its own process. Memory is the peak of that process, and what it
had before it read any table.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import duckdb

from turret_pipeline.quality.contracts import BUILT_TABLES
from turret_pipeline.quality.expectations import Validator, check_values
from turret_pipeline.quality.extremes import checked_columns
from turret_pipeline.quality.rules import build_rules
from turret_pipeline.storage.warehouse import open_read_only
from turret_pipeline.tables import DUCKDB_TYPES, Column, Table

GROWING = {"events": 1.0, "event_topics": 1.0, "journey_steps": 3.0, "sessions": 0.2, "journey_paths": 0.3}
"""Rows per event of the tables that grow with the events, about as in runs over a million events."""

SMALL = 1000
EXPRESSIONS = {
    "text": "'{name}-' || i",
    "integer": "(i % 1000 + 1)::bigint",
    "number": "(i % 997) / 1000.0",
    "boolean": "i % 2 = 0",
    "timestamp": "timestamptz '2026-01-01 00:00:00+00' + interval (i % 1000000) second",
    "date": "date '2026-01-01' + (i % 300)::integer",
    "texts": "['{name}']",
}
"""Values of a column by its kind, in row i. They are the same in all columns of a kind, so pairs are in order."""


def write_tables(file: Path, rows: int) -> None:
    """Write a built file with all tables."""
    with duckdb.connect(str(file)) as connection:
        connection.execute("set timezone = 'UTC'; create schema marts")
        for table in BUILT_TABLES:
            columns = ", ".join(map(_expression, table.columns))
            count = int(rows * GROWING[table.name]) if table.name in GROWING else SMALL
            connection.execute(f"create table marts.{table.name} as select {columns} from range({count}) as t(i)")


def _expression(column: Column) -> str:
    return f"({EXPRESSIONS[column.kind].format(name=column.name)})::{DUCKDB_TYPES[column.kind]} as {column.name}"


def check_deciding_rows(connection: duckdb.DuckDBPyConnection) -> int:
    """Number of rules that hold, as a run checks them."""
    return sum(verdict.is_passed for _, found in check_values(connection, BUILT_TABLES) for verdict in found)


def check_whole_tables(connection: duckdb.DuckDBPyConnection) -> int:
    """Number of rules that hold, with the numbers and keys of all tables in memory, as up to version 0.1.0."""
    validator = Validator()
    frames = {table.name: connection.sql(_select(table)).pl() for table in BUILT_TABLES}
    cases = [(rule, frames[table.name]) for table in BUILT_TABLES for rule in build_rules(table)]
    return sum(validator.validate(cases))


def _select(table: Table) -> str:
    checked = {*checked_columns(table, build_rules(table)), *table.key}
    numbers = {column.name for column in table.columns if column.kind in {"integer", "number"}}
    return f"select {', '.join(sorted(checked | numbers))} from marts.{table.name}"


def _run_child(kind: str, file: Path) -> None:
    if kind.isdigit():
        write_tables(file, int(kind))
        return
    Validator()  # imports Great Expectations
    before, started = _peak_gigabytes(), time.perf_counter()
    with open_read_only(file) as connection:
        passed = check_deciding_rows(connection) if kind == "deciding" else check_whole_tables(connection)
    print(json.dumps([time.perf_counter() - started, before, _peak_gigabytes(), passed]))


def _peak_gigabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def start_child(kind: str, file: Path) -> str:
    """Standard output of a process that writes the tables (KIND is their number of rows) or measures a way of checking.

    The system counts the peak of a process from that of its parent, so the parent itself does nothing.
    """
    command = [sys.executable, "-m", __spec__.name, "--child", kind, str(file)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def measure(kind: str, file: Path, rows: int) -> None:
    """Print a row: rules that hold, seconds, and memory before and at the peak."""
    seconds, before, peak, passed = json.loads(start_child(kind, file).splitlines()[-1])
    print(f"| {kind} rows | {rows:,} | {passed} | {seconds:.1f} s | {before:.2f} GB | {peak:.2f} GB |", flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table with a row per measurement."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="*", default=[1_000_000, 3_000_000], help="deciding rows only")
    parser.add_argument("--whole", type=int, nargs="*", default=[1_000_000], help="whole tables in pandas")
    parser.add_argument("--folder", type=Path, help="for the built files, instead of the system's temporary folder")
    parser.add_argument("--child", nargs=2, metavar=("KIND", "FILE"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.child:
        _run_child(options.child[0], Path(options.child[1]))
        return
    print("| checked | events | rules that hold | time | before | peak |\n|---|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        for rows in sorted({*options.rows, *options.whole}):
            file = Path(folder) / f"{rows}.duckdb"
            start_child(str(rows), file)
            for kind, wanted in (("deciding", options.rows), ("whole", options.whole)):
                if rows in wanted:
                    measure(kind, file, rows)
            file.unlink()


if __name__ == "__main__":
    main()
