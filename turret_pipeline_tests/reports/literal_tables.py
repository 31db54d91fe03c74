"""Published tables from literal rows, in memory."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import duckdb
import polars as pl

from turret_pipeline.reports.published_tables import PublishedTables
from turret_pipeline.reports.scoped_tables import TIMES
from turret_pipeline.storage.numbered_tables import write_numbered_tables
from turret_pipeline.tables import MART_TABLES, Table

Rows = Sequence[Mapping[str, Any]]
START = dt.datetime(2026, 9, 1, tzinfo=dt.UTC)


def at(minutes: float) -> dt.datetime:
    """A moment so many minutes after START."""
    return START + dt.timedelta(minutes=minutes)


@contextmanager
def open_tables(tables: Mapping[str, Rows]) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with all published tables; columns that a row does not name are null."""
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'; create schema marts")
        for name, table in MART_TABLES.items():
            columns = table.schema.names()
            rows = [{column: row.get(column) for column in columns} for row in tables.get(name, ())]
            connection.register("literal_rows", pl.DataFrame(rows, table.schema).to_arrow())
            connection.execute(f"create table marts.{name} as from literal_rows")
        write_numbered_tables(connection)
        for name in TIMES:
            connection.execute(f"create temp view scoped_{name} as from marts.{name}")
        connection.execute(
            "create temp view scoped_sessions as select *, rowid::int as session_number from marts.sessions"
        )
        for view, name in (("session_numbers", "sessions"), ("visits", "visits"), ("units", "units")):
            connection.execute(f"create temp view scoped_{view} as from numbered.{name}")
        yield connection


class LiteralTables(PublishedTables):
    """Published tables in memory; columns that a row leaves out are null."""

    def __init__(self, tables: Mapping[Table, Sequence[Mapping[str, Any]]], min_users: int = 1) -> None:
        self.min_users = min_users
        self._connection = duckdb.connect()
        self._connection.execute("set timezone = 'UTC'; create schema marts")
        for table in MART_TABLES.values():
            rows = tables.get(table, ())
            frame = pl.DataFrame([{name: row.get(name) for name in table.schema} for row in rows], table.schema)
            self._connection.register("rows", frame.to_arrow())
            self._connection.execute(f"create table marts.{table.name} as from rows")
        write_numbered_tables(self._connection)

    @contextmanager
    def open(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor of the tables."""
        yield self._connection.cursor()
