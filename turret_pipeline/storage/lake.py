"""The Parquet lake: one file per table, written atomically and checked against its contract.

The checksum of each table is in ``.checksums.json``, together with that of the table before, because a process may be
killed between the two writes.

Belongs here: the path of a table and safe writes. Not here: the content of a table.
"""

import json
import re
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from turret_pipeline.errors import TurretError
from turret_pipeline.storage.atomic_files import atomic_replace
from turret_pipeline.storage.checksums import hash_file
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
        with self._replacing(table) as temp:
            conformed.write_parquet(temp)
        return conformed

    @contextmanager
    def writing(self, table: str) -> Iterator[Callable[[pl.DataFrame], None]]:
        """A function that appends frames to the new content of a table, which need not fit in memory."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        contract, oldest = LAKE_TABLES[table], pl.CompatLevel.oldest()
        schema: pa.Schema = contract.empty().to_arrow(compat_level=oldest).schema
        with self._replacing(table) as temp, pq.ParquetWriter(temp, schema, compression="zstd") as writer:
            yield lambda frame: writer.write_table(conform(contract, frame).to_arrow(compat_level=oldest))

    def copy(
        self,
        connection: "duckdb.DuckDBPyConnection",
        table: str,
        query: str,
        parameters: dict[str, object] | None = None,
    ) -> None:
        """Replace a table by the result of a DuckDB query, which need not fit in memory."""
        with self._replacing(table) as temp:
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

    def read(self, table: str, *columns: str) -> pl.DataFrame:
        """A table in memory, or some columns of it. Raises TurretError if no run of this version has written it yet."""
        frame = self.scan(table)
        return (frame.select(columns) if columns else frame).collect()

    def read_previous(self, table: str) -> pl.DataFrame:
        """A table as an earlier run wrote it; empty if there is none, it is damaged, or its columns were others."""
        path, contract = self.path(table), LAKE_TABLES[table]
        if not path.exists() or table in self.find_changed([table]):
            return contract.empty()
        if pl.scan_parquet(path, glob=False).collect_schema() != contract.schema:
            return contract.empty()
        return self.read(table)

    def find_changed(self, tables: Collection[str] | None = None) -> list[str]:
        """Those of the tables, by default of all, whose file is not as it was written; none without checksums."""
        known, found = self._read_checksums(), list[str]()
        for table in sorted(known if tables is None else known.keys() & set(tables)):
            path = self.path(table)
            if path.is_file() and hash_file(path) not in known[table]:
                found.append(table)
        return found

    @contextmanager
    def _replacing(self, table: str) -> Iterator[Path]:
        """A temporary path for the new content of a table, whose checksum is stored before it is in place."""
        with atomic_replace(self.path(table)) as temp:
            yield temp
            known = self._read_checksums()
            known[table] = [hash_file(temp), *known.get(table, [])[:1]]
            with atomic_replace(self._checksums) as file:
                file.write_text(json.dumps(known, sort_keys=True), encoding="utf-8")

    def _read_checksums(self) -> dict[str, list[str]]:
        """Checksums of the tables that this version knows, newest first; a damaged file has none."""
        try:
            found: Any = json.loads(self._checksums.read_bytes())
            return {table: [*map(str, found[table])] for table in found if table in LAKE_TABLES}
        except (OSError, ValueError, TypeError):
            return {}

    @property
    def _checksums(self) -> Path:
        return self.root / ".checksums.json"


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


def is_readable(path: Path) -> bool:
    """True if a Parquet file can be read to its end."""
    try:
        pl.read_parquet(path, glob=False)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
        return False
    return True


def escape_pattern(path: Path | str) -> str:
    """A path, escaped so that DuckDB does not read it as a pattern."""
    return re.sub(r"[\[*?]", r"[\g<0>]", str(path))


def escape_sql_path(path: Path | str) -> str:
    """A path as a literal in SQL, escaped so that DuckDB does not read it as a pattern."""
    return escape_pattern(path).replace("'", "''")


def escape_sql_target(path: Path) -> str:
    """A path that DuckDB writes to, as a literal in SQL. A target is never read as a pattern."""
    return str(path).replace("'", "''")
