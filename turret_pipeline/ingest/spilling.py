"""DuckDB for tables that are larger than memory."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import duckdb

from turret_pipeline.storage.atomic_files import remove, temp_path
from turret_pipeline.storage.lake import Lake, escape_sql_path

MEMORY = "384MB"


@contextmanager
def spilling(lake: Lake) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to an empty database that holds MEMORY at most, and what is more on disk."""
    spill = temp_path(lake.root / "spill")
    try:
        with duckdb.connect(config={"memory_limit": MEMORY, "temp_directory": str(spill)}) as connection:
            connection.execute("set timezone = 'UTC'")
            yield connection
    finally:
        remove(spill)


def parquet(files: Sequence[str], option: str) -> str:
    """DuckDB's reading of Parquet files, with an option switched on."""
    names = ", ".join(f"'{escape_sql_path(file)}'" for file in files)
    return f"read_parquet([{names}], {option} = true)"
