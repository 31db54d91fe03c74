"""The Parquet lake: one file per table, written atomically and checked against its contract.

Belongs here: the path of a table and safe writes. Not here: the content of a table.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from turret_pipeline.errors import TurretError
from turret_pipeline.storage.atomic_files import atomic_replace
from turret_pipeline.tables import LAKE_TABLES, Table

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Lake:
    """Tables as Parquet files in a folder."""

    root: Path

    def path(self, table: str) -> Path:
        """Path of a table."""
        return self.root / f"{LAKE_TABLES[table].name}.parquet"

    def write(self, table: str, frame: pl.DataFrame) -> pl.DataFrame:
        """Replace a table by a frame, atomically, and return it. Raises TurretError if it breaks the contract."""
        conformed = conform(LAKE_TABLES[table], frame)
        with atomic_replace(self.path(table)) as temp:
            conformed.write_parquet(temp)
        return conformed

    @contextmanager
    def writing(self, table: str) -> Iterator[Callable[[pl.DataFrame], None]]:
        """A function that appends frames to the new content of a table, which need not fit in memory."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        contract, oldest = LAKE_TABLES[table], pl.CompatLevel.oldest()
        schema: pa.Schema = contract.empty().to_arrow(compat_level=oldest).schema
        with atomic_replace(self.path(table)) as temp, pq.ParquetWriter(temp, schema, compression="zstd") as writer:
            yield lambda frame: writer.write_table(conform(contract, frame).to_arrow(compat_level=oldest))

    def copy(
        self,
        connection: "duckdb.DuckDBPyConnection",
        table: str,
        query: str,
        parameters: dict[str, object] | None = None,
    ) -> None:
        """Replace a table by the result of a DuckDB query, which need not fit in memory."""
        with atomic_replace(self.path(table)) as temp:
            connection.execute(
                f"copy ({query}) to '{escape_sql_target(temp)}' (format parquet, compression lz4_raw)", parameters
            )
            conform(LAKE_TABLES[table], pl.scan_parquet(temp, glob=False).head(0).collect())

    def scan(self, table: str) -> pl.LazyFrame:
        """A table as a lazy frame. Raises TurretError if no run of this version has written it yet."""
        path = self.path(table)
        if not path.exists():
            raise TurretError(f"Table {table} is missing from the lake ({path}): materialize the asset {table} first.")
        frame = pl.scan_parquet(path, glob=False)
        written = frame.collect_schema()
        if missing := [name for name in LAKE_TABLES[table].schema if name not in written]:
            raise TurretError(
                f"Table {table} in the lake ({path}) is of another version and lacks {', '.join(missing)}: materialize "
                f"the asset {table} first."
            )
        return frame

    def read(self, table: str) -> pl.DataFrame:
        """A table in memory. Raises TurretError if no run of this version has written it yet."""
        return self.scan(table).collect()

    def read_previous(self, table: str) -> pl.DataFrame:
        """A table as an earlier run wrote it; empty if there is none, or if its columns were others."""
        path, contract = self.path(table), LAKE_TABLES[table]
        if not path.exists() or pl.scan_parquet(path, glob=False).collect_schema() != contract.schema:
            return contract.empty()
        return self.read(table)


def conform(table: Table, frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with the columns of the contract in order. Raises TurretError that names missing or wrong columns."""
    missing = [name for name in table.schema if name not in frame.columns]
    if missing:
        found = ", ".join(frame.columns)
        raise TurretError(f"Table {table.name} lacks the columns {', '.join(missing)}; it has {found}.")
    conformed = frame.select(table.schema.names())
    wrong = [
        f"{name} is {found} instead of {wanted}"
        for (name, wanted), found in zip(table.schema.items(), conformed.dtypes, strict=True)
        if found != wanted
    ]
    if wrong:
        raise TurretError(f"Table {table.name} has wrong column types: {'; '.join(wrong)}.")
    return conformed


def escape_pattern(path: Path | str) -> str:
    """A path, escaped so that DuckDB does not read it as a pattern."""
    return re.sub(r"[\[*?]", r"[\g<0>]", str(path))


def escape_sql_path(path: Path | str) -> str:
    """A path as a literal in SQL, escaped so that DuckDB does not read it as a pattern."""
    return escape_pattern(path).replace("'", "''")


def escape_sql_target(path: Path) -> str:
    """A path that DuckDB writes to, as a literal in SQL. A target is never read as a pattern."""
    return str(path).replace("'", "''")
