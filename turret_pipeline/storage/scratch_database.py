"""DuckDB for tables that are larger than memory."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from turret_pipeline.storage.atomic_files import remove, temp_path
from turret_pipeline.storage.lake import Lake, escape_sql_path

MEMORY_LIMIT = "384MB"
FILE_MEMORY_LIMIT = 3 * 2**30
"""Bytes that DuckDB may use for the file that a run builds, and for the published one. Its own limit is 80 % of the
memory: it would keep what it reads of a large file, beside what the rest of the run needs."""

JOIN_AS_WRITTEN = "set disabled_optimizers = 'join_order,build_side_probe_side'"
"""For queries that have the smaller side of every join on the right, where DuckDB builds the hash table. Its own
estimates of filtered files choose the wrong side often, which takes twice as long."""


@contextmanager
def open_scratch_database(lake: Lake, memory_limit: str = MEMORY_LIMIT) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to an empty database that uses at most ``memory_limit`` and spills the rest to the lake's disk."""
    with open_scratch_folder(lake.root, memory_limit) as connection:
        yield connection


@contextmanager
def open_scratch_folder(folder: Path, memory_limit: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to an empty database that uses at most ``memory_limit`` and spills the rest to the folder's disk."""
    spill = temp_path(folder / "spill")
    try:
        with duckdb.connect(config={"memory_limit": memory_limit, "temp_directory": str(spill)}) as connection:
            connection.execute("set timezone = 'UTC'")
            yield connection
    finally:
        remove(spill)


def limit_file_memory() -> str:
    """FILE_MEMORY_LIMIT as a setting of DuckDB, or less on a machine with little memory."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return f"{min(FILE_MEMORY_LIMIT, machine * 8 // 10) >> 20}MiB"


def create_lake_views(connection: duckdb.DuckDBPyConnection, lake: Lake, tables: Sequence[str]) -> None:
    """Create the view ``lake_TABLE`` of each table. Raises TurretError if no run of this version has written it yet."""
    for table in tables:
        lake.scan(table)  # says which asset is missing
        connection.execute(f"create view lake_{table} as from read_parquet('{escape_sql_path(lake.path(table))}')")


def read_parquet_sql(files: Sequence[str], *options: str) -> str:
    """SQL that reads Parquet files with options of read_parquet switched on."""
    names = ", ".join(f"'{escape_sql_path(file)}'" for file in files)
    return f"read_parquet([{names}], {', '.join(f'{option} = true' for option in options)})"
