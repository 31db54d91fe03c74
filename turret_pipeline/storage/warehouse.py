"""The warehouse: the published DuckDB file, its generations, and the file that a run builds.

People query ``turret.duckdb``, a regular file that any DuckDB client opens. Publishing replaces it by one rename. The
pipeline itself never opens it by that name: within one process DuckDB keeps serving the old file as long as any
connection to the same path is open. Each published file therefore also has a name of its own, its generation: a hard
link (a copy where the file system has no hard links) in the folder ``generations``.
"""

import atexit
import datetime as dt
import functools
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from turret_pipeline.errors import TurretError, display_path
from turret_pipeline.private_files import follow_umask, make_private_folder
from turret_pipeline.storage.atomic_files import remove, sync, temp_path
from turret_pipeline.storage.lake import conform
from turret_pipeline.storage.scratch_database import limit_file_memory
from turret_pipeline.tables import MART_TABLES, Table

OPEN_ATTEMPTS = 5
"""A run may remove a superseded generation between its choice and its opening; then the next one is chosen."""


@dataclass(frozen=True)
class Warehouse:
    """The DuckDB files in a folder. One run at a time writes them; any number of processes read."""

    folder: Path

    @property
    def published(self) -> Path:
        """The file that people query."""
        return self.folder / "turret.duckdb"

    def build_path(self, run_id: str) -> Path:
        """The file that a run builds and checks before it is published."""
        return self.folder / f"build-{run_id}.duckdb"

    @property
    def unfinished_build(self) -> Path:
        """The file that dbt writes, which gets the name of the run once complete."""
        return self.folder / "build-unfinished.duckdb"

    def identity(self) -> tuple[int, int] | None:
        """Something that changes with each publication; None if nothing is published."""
        return _identity(self.published)

    @contextmanager
    def open(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A read-only connection to the published file as it is now; it keeps that file while later ones are published.

        Writes nothing to the data folder, which may be read-only. Raises FileNotFoundError if nothing is published.
        """
        for attempt in range(1, OPEN_ATTEMPTS + 1):
            path = self._find_generation()
            try:
                connection, copy = _connect(path)
                break
            except FileNotFoundError:
                if attempt == OPEN_ATTEMPTS or not self.published.exists():
                    raise
        with _closing(connection, copy):
            yield connection

    def publish(self, build: Path, run_number: int, run_id: str) -> None:
        """Replace the published file by a built one, atomically; the superseded generation stays until the next run."""
        sync(build)
        generation = self._generations / f"{run_number:06}-{run_id[:8]}.duckdb"
        make_private_folder(generation.parent)
        follow_umask(build)
        build.replace(generation)
        sync(generation.parent)
        self.restore(generation)

    def restore(self, generation: Path) -> None:
        """Put a generation in place of the published file, atomically."""
        remove(self.published.with_name(f"{self.published.name}.wal"))  # a killed writer's: not of the new file
        temp = temp_path(self.published)
        try:
            try:
                os.link(generation, temp)
            except OSError:  # a file system without hard links
                shutil.copy2(generation, temp)
                sync(temp)
            temp.replace(self.published)
        finally:
            remove(temp)
        sync(self.folder)

    def change(self, change: Callable[[duckdb.DuckDBPyConnection], None], run_number: int) -> None:
        """Replace the published file by a changed copy, atomically."""
        build = temp_path(self.folder / "changed.duckdb")
        try:
            shutil.copyfile(self.published, build)
            with duckdb.connect(str(build)) as connection:
                change(connection)
                connection.execute("checkpoint")
            self.publish(build, run_number, secrets.token_hex(4))
        finally:
            remove(build)
            remove(build.with_name(f"{build.name}.wal"))

    def list_generations(self) -> list[Path]:
        """The files published under names of their own, oldest first."""
        return sorted(self._generations.glob("*.duckdb"))

    def remove_superseded(self, run_id: str) -> None:
        """Remove generations other than the published one, and files built by other runs than ``run_id``."""
        current = self._find_generation()
        superseded = [path for path in self._generations.glob("*.duckdb") if path != current]
        abandoned = [path for path in self.folder.glob("build-*") if run_id not in path.name]
        for path in (*superseded, *abandoned):
            remove(path)

    def runs(self) -> pl.DataFrame | None:
        """Table ``pipeline_runs``, oldest first; None before the first run."""
        if not self.published.exists():
            return None
        with self.open() as connection:
            frame: pl.DataFrame = connection.sql("select * from marts.pipeline_runs order by rowid").pl()
        if "run_number" not in frame.columns:  # a file of an earlier version was put in place of an upgraded one
            frame = frame.with_row_index("run_number", offset=1).cast({"run_number": pl.Int64})
        return frame.sort("run_number")

    def last_run(self) -> dict[str, Any] | None:
        """The row of ``pipeline_runs`` that was published last; None before the first run."""
        runs = self.runs()
        return None if runs is None else runs.row(-1, named=True)

    def latest_event_at(self) -> dt.datetime | None:
        """Time of the latest published event, without assumed times and clocks that are ahead."""
        if not self.published.exists():
            return None
        with self.open() as connection:
            latest: dt.datetime | None = connection.execute(
                "select max(event_at) from marts.events where not is_time_assumed and not is_time_ahead"
            ).fetchall()[0][0]
            return latest

    def read_table(self, table: Table) -> pl.DataFrame:
        """A published table; empty if nothing is published, or only by a version that lacks a column of it."""
        if not self.published.exists():
            return table.empty()
        with self.open() as connection:
            found = connection.execute(
                "select count(*) from information_schema.columns where table_schema = 'marts' and table_name = ? "
                "and list_contains(?, column_name)",
                [table.name, table.schema.names()],
            ).fetchall()
            if found[0][0] < len(table.columns):
                return table.empty()
            frame: pl.DataFrame = connection.sql(
                f"select {', '.join(table.schema.names())} from marts.{table.name}"
            ).pl()
            return conform(table, frame.select(pl.col(name).cast(kind) for name, kind in table.schema.items()))

    @property
    def _generations(self) -> Path:
        return self.folder / "generations"

    def _find_generation(self) -> Path:
        """The generation that is published now; the published file itself if it was replaced by hand."""
        if not self.published.exists():
            return self.published
        wanted = _identity(self.published)
        for path in sorted(self._generations.glob("*.duckdb"), reverse=True):
            if _identity(path) == wanted:
                return path
        return self.published


@contextmanager
def open_read_only(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection to a DuckDB file, times in UTC. Raises FileNotFoundError if the file does not exist.

    If another connection has the file open to write, which locks it, a private copy of it is read. Raises TurretError
    if the file is damaged.
    """
    connection, copy = _connect(path)
    with _closing(connection, copy):
        yield connection


def _identity(path: Path) -> tuple[int, int] | None:
    """Size and time of change: the same for hard links and for copies that keep the time, as backups do."""
    try:
        stat = path.stat()
    except FileNotFoundError:
        return None
    return stat.st_size, stat.st_mtime_ns


def _connect(path: Path) -> tuple[duckdb.DuckDBPyConnection, Path | None]:
    """A connection, and the folder of the private copy if one was needed."""
    if not path.exists():
        raise FileNotFoundError(path)
    try:
        return _connect_read_only(path), None
    except duckdb.Error as error:
        if not path.exists():
            raise FileNotFoundError(path) from None
        if not re.search("lock|different configuration", str(error)):
            cause = str(error).splitlines()[0].rstrip(".")
            raise TurretError(
                f"Cannot open {display_path(path)}: {cause}. Restore it from a backup, "
                "or remove it and run turret run --full-refresh."
            ) from None
    folder = Path(tempfile.mkdtemp(prefix="turret-"))
    try:
        copy = shutil.copyfile(path, folder / path.name)
        return _connect_read_only(Path(copy)), folder
    except BaseException:
        remove(folder)
        raise


def _connect_read_only(path: Path) -> duckdb.DuckDBPyConnection:
    """A connection whose large queries spill to a private folder, because DuckDB would spill beside the file."""
    limits = {"temp_directory": _spill_folder(), "memory_limit": limit_file_memory()}
    return duckdb.connect(str(path), read_only=True, config={**limits})


@functools.cache
def _spill_folder() -> str:
    """A folder that only this user can read, removed when the process ends; empty (no spilling) if none can be made."""
    try:
        folder = tempfile.mkdtemp(prefix="turret-spill-")
    except OSError:
        return ""
    atexit.register(remove, Path(folder))
    return folder


@contextmanager
def _closing(connection: duckdb.DuckDBPyConnection, copy: Path | None) -> Iterator[None]:
    try:
        connection.execute("set timezone = 'UTC'")
        yield
    finally:
        connection.close()
        if copy is not None:
            remove(copy)


def write_last_tables(connection: duckdb.DuckDBPyConnection, frames: Mapping[str, pl.DataFrame]) -> None:
    """Write tables of the run itself into schema marts of a built file."""
    for name, frame in frames.items():
        connection.register("frame", frame.to_arrow())
        connection.execute(f"create or replace table marts.{name} as select * from frame")
        connection.unregister("frame")


def describe_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Store the description of each table and column in a built file, which is complete with that."""
    connection.execute("begin")  # else DuckDB waits for the disk after each of the hundreds of statements
    for table in MART_TABLES.values():
        connection.execute(f"comment on table marts.{table.name} is '{_quote(table.grain)}'")
        for column in table.columns:
            connection.execute(f"comment on column marts.{table.name}.{column.name} is '{_quote(column.meaning)}'")
    connection.execute("commit")
    connection.execute("checkpoint")


def _quote(text: str) -> str:
    return text.replace("'", "''")
