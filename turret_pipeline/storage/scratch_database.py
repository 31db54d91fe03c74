"""DuckDB for tables that are larger than memory."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import duckdb

from turret_pipeline.storage.atomic_files import remove, temp_path
from turret_pipeline.storage.lake import Lake, escape_sql_path

MEMORY_LIMIT = "384MB"


@contextmanager
def open_scratch_database(lake: Lake, memory_limit: str = MEMORY_LIMIT) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to an empty database that uses at most ``memory_limit`` and spills the rest to disk."""
    spill = temp_path(lake.root / "spill")
    try:
        with duckdb.connect(config={"memory_limit": memory_limit, "temp_directory": str(spill)}) as connection:
            connection.execute("set timezone = 'UTC'")
            yield connection
    finally:
        remove(spill)


def read_parquet_sql(files: Sequence[str], *options: str) -> str:
    """SQL that reads Parquet files with options of read_parquet switched on."""
    names = ", ".join(f"'{escape_sql_path(file)}'" for file in files)
    return f"read_parquet([{names}], {', '.join(f'{option} = true' for option in options)})"
