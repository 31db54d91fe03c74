"""Seconds and peak memory of `turret export iceberg` on a published file with many events.

    python -m turret_pipeline_tests.benchmarks.iceberg [--events 1000000 10000000] [--folder DIR]

Only the table of events has rows, with texts that hardly compress. Each size is exported twice, in a process each: the
second export finds that nothing changed. Peak memory includes what DuckDB keeps of the published file.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

from turret_pipeline.reports.iceberg import export_tables, open_catalog
from turret_pipeline.reports.published_tables import PublishedTables
from turret_pipeline.storage.data_dir import DataDir
from turret_pipeline.tables import DUCKDB_TYPES, MART_TABLES

EXPRESSIONS = {
    "text": "md5('{name}' || i)",
    "integer": "i % 1000",
    "boolean": "i % 7 = 0",
    "timestamp": "timestamptz '2026-01-01 00:00:00+00' + interval (i) second",
}
"""Values of a column of events by its kind, in row i."""


def write_published(data: DataDir, events: int) -> None:
    """Write a published file in which all tables but that of the events are empty."""
    data.warehouse.folder.mkdir(parents=True)
    with duckdb.connect(str(data.warehouse.published)) as connection:
        connection.execute("set timezone = 'UTC'; create schema marts")
        for table in MART_TABLES.values():
            columns = ", ".join(f"{one.name} {DUCKDB_TYPES[one.kind]}" for one in table.columns)
            connection.execute(f"create table marts.{table.name} ({columns})")
        values = ", ".join(EXPRESSIONS[one.kind].format(name=one.name) for one in MART_TABLES["events"].columns)
        connection.execute(f"insert into marts.events select {values} from range({events}) as t(i)")


def export(folder: Path) -> None:
    """Export the published file of a folder, and print a row of the result."""
    started, used = time.perf_counter(), time.process_time()
    published = PublishedTables(DataDir(folder / "data"), min_users=1)
    with open_catalog(str(folder / "exported"), None) as catalog:
        rows = sum(count for _, count, is_changed in export_tables(published, catalog, "turret") if is_changed)
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    seconds, processor = time.perf_counter() - started, time.process_time() - used
    print(f"| {rows:,} | {seconds:.1f} | {processor:.1f} | {megabytes:,.0f} |", flush=True)


def main() -> None:
    """Measure the sizes, each in processes of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--folder", type=Path, help="place for the files, by default the temporary folder")
    parser.add_argument("--export", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.export:
        export(options.export)
        return
    print("| rows written | s | processor s | MB at most |\n" + "|---" * 4 + "|", flush=True)
    for events in options.events:
        with tempfile.TemporaryDirectory(dir=options.folder) as name:
            write_published(DataDir(Path(name) / "data"), events)
            for _ in range(2):
                command = [sys.executable, "-m", "turret_pipeline_tests.benchmarks.iceberg", "--export", name]
                subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
