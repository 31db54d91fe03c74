"""The Parquet lake: one file per table, written whole or not at all, and checked against its contract.

Belongs here: where a table lies and how it is written safely. Not here: what is in it.
"""

import os
import re
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
from filelock import FileLock, Timeout

from turret_pipeline.errors import TurretError
from turret_pipeline.tables import LAKE_TABLES, Table

if TYPE_CHECKING:
    import duckdb

LOCK_SECONDS = 10
_ASIDE = re.compile(r"\..+\.[0-9a-f]{32}\.tmp")


@dataclass(frozen=True)
class Lake:
    """Tables as Parquet files in a folder."""

    root: Path

    def path(self, table: str) -> Path:
        """Where a table lies."""
        return self.root / f"{LAKE_TABLES[table].name}.parquet"

    def write(self, table: str, frame: pl.DataFrame) -> pl.DataFrame:
        """Replace a table by the frame, atomically. Raises TurretError where the frame breaks its contract."""
        fitted = fit(LAKE_TABLES[table], frame)
        with replacing(self.path(table)) as aside:
            fitted.write_parquet(aside)
        return fitted

    @contextmanager
    def writing(self, table: str) -> Iterator[Callable[[pl.DataFrame], None]]:
        """Replace a table by the frames that the function is given, which need not fit in memory together."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        contract, oldest = LAKE_TABLES[table], pl.CompatLevel.oldest()
        schema: pa.Schema = contract.empty().to_arrow(compat_level=oldest).schema
        with replacing(self.path(table)) as aside, pq.ParquetWriter(aside, schema, compression="zstd") as writer:
            yield lambda frame: writer.write_table(fit(contract, frame).to_arrow(compat_level=oldest))

    def copy(
        self,
        connection: "duckdb.DuckDBPyConnection",
        table: str,
        query: str,
        parameters: dict[str, object] | None = None,
    ) -> None:
        """Replace a table by what a query of DuckDB gives, which need not fit in memory."""
        with replacing(self.path(table)) as aside:
            target = str(aside).replace("'", "''")  # what is written to is never a pattern
            connection.execute(f"copy ({query}) to '{target}' (format parquet, compression lz4_raw)", parameters)
            fit(LAKE_TABLES[table], pl.scan_parquet(aside, glob=False).head(0).collect())

    def scan(self, table: str) -> pl.LazyFrame:
        """Read a table lazily. Raises TurretError where no run has written it yet."""
        path = self.path(table)
        if not path.exists():
            raise TurretError(f"The table {table} is not in the lake ({path}): materialize the asset {table} first.")
        return pl.scan_parquet(path, glob=False)

    def read(self, table: str) -> pl.DataFrame:
        """Read a table whole."""
        return self.scan(table).collect()


def fit(table: Table, frame: pl.DataFrame) -> pl.DataFrame:
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


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path beside ``path`` to write a file or folder to, moved over it at the end, dropped on an error.

    A file replaces what is there. A folder that is already there stays as it is: folders are named by their content.
    """
    aside = beside(path)
    try:
        yield aside
        keep(aside, path)
    except BaseException:
        remove(aside)
        raise


def beside(path: Path) -> Path:
    """A path in the same folder, which is there, to write what becomes ``path`` by ``keep``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")


def keep(aside: Path, path: Path) -> None:
    """Move what was written aside to its path, once it is on disk."""
    for written in (aside, *(aside.rglob("*") if aside.is_dir() else ())):
        _sync(written)
    if aside.is_dir() and path.exists():
        shutil.rmtree(aside)
    else:
        aside.replace(path)
        _sync(path.parent)


@contextmanager
def changing(path: Path) -> Iterator[None]:
    """While no other process changes a small file; readers need not wait, for such a file is replaced whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(path.with_name(f".{path.name}.lock"), timeout=LOCK_SECONDS):
            yield
    except Timeout:
        raise TurretError(
            f"Another command has been changing {path} for {LOCK_SECONDS} seconds: wait for it, and try again."
        ) from None


def in_sql(path: Path | str) -> str:
    """A path within a text of SQL that DuckDB takes for that path and no pattern."""
    return re.sub(r"[\[*?]", r"[\g<0>]", str(path)).replace("'", "''")


def leftovers(folder: Path) -> list[Path]:
    """What ``replacing`` had begun under a folder when its process was killed."""
    return [path for path in folder.rglob(".*.tmp") if _ASIDE.fullmatch(path.name)]


def remove(path: Path) -> None:
    """Delete a file or folder, if it is there."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    """Have the system write a file, or the names in a folder, to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
