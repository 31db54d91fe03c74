"""DuckDB for tables that are larger than memory."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import duckdb

from turret_pipeline.storage.lake import Lake, beside, in_sql, remove

MEMORY = "384MB"


@contextmanager
def spilling(lake: Lake) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to an empty database that holds MEMORY at most, and what is more on disk."""
    spill = beside(lake.root / "spill")
    try:
        with duckdb.connect(config={"memory_limit": MEMORY, "temp_directory": str(spill)}) as connection:
            connection.execute("set timezone = 'UTC'")
            yield connection
    finally:
        remove(spill)


def parquet(files: Sequence[str], option: str) -> str:
    """DuckDB's reading of Parquet files, with an option switched on."""
    names = ", ".join(f"'{in_sql(file)}'" for file in files)
    return f"read_parquet([{names}], {option} = true)"
