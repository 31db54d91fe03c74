"""The Parquet lake: one file per table, written whole or not at all, and checked against its contract.

Belongs here: where a table lies and how it is written safely. Not here: what is in it.
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
        """Where a table lies."""
        return self.root / f"{LAKE_TABLES[table].name}.parquet"

    def write(self, table: str, frame: pl.DataFrame) -> pl.DataFrame:
        """Replace a table by the frame, atomically. Raises TurretError where the frame breaks its contract."""
        fitted = conform(LAKE_TABLES[table], frame)
        with atomic_replace(self.path(table)) as aside:
            fitted.write_parquet(aside)
        return fitted

    @contextmanager
    def writing(self, table: str) -> Iterator[Callable[[pl.DataFrame], None]]:
        """Replace a table by the frames that the function is given, which need not fit in memory together."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        contract, oldest = LAKE_TABLES[table], pl.CompatLevel.oldest()
        schema: pa.Schema = contract.empty().to_arrow(compat_level=oldest).schema
        with atomic_replace(self.path(table)) as aside, pq.ParquetWriter(aside, schema, compression="zstd") as writer:
            yield lambda frame: writer.write_table(conform(contract, frame).to_arrow(compat_level=oldest))

    def copy(
        self,
        connection: "duckdb.DuckDBPyConnection",
        table: str,
        query: str,
        parameters: dict[str, object] | None = None,
    ) -> None:
        """Replace a table by what a query of DuckDB gives, which need not fit in memory."""
        with atomic_replace(self.path(table)) as aside:
            target = str(aside).replace("'", "''")  # what is written to is never a pattern
            connection.execute(f"copy ({query}) to '{target}' (format parquet, compression lz4_raw)", parameters)
            conform(LAKE_TABLES[table], pl.scan_parquet(aside, glob=False).head(0).collect())

    def scan(self, table: str) -> pl.LazyFrame:
        """Read a table lazily. Raises TurretError where no run has written it yet."""
        path = self.path(table)
        if not path.exists():
            raise TurretError(f"The table {table} is not in the lake ({path}): materialize the asset {table} first.")
        return pl.scan_parquet(path, glob=False)

    def read(self, table: str) -> pl.DataFrame:
        """Read a table whole."""
        return self.scan(table).collect()


def conform(table: Table, frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with the contract's columns in the contract's order; TurretError names what does not fit."""
    missing = [name for name in table.schema if name not in frame.columns]
    if missing:
        raise TurretError(f"The table {table.name} lacks {', '.join(missing)}; it has {', '.join(frame.columns)}.")
    fitted = frame.select(table.schema.names())
    wrong = [
        f"{name} is {found}, not {wanted}"
        for (name, wanted), found in zip(table.schema.items(), fitted.dtypes, strict=True)
        if found != wanted
    ]
    if wrong:
        raise TurretError(f"The table {table.name} has wrong types: {'; '.join(wrong)}.")
    return fitted


def escape_sql_path(path: Path | str) -> str:
    """A path within a text of SQL that DuckDB takes for that path and no pattern."""
    return re.sub(r"[\[*?]", r"[\g<0>]", str(path)).replace("'", "''")
