"""Published tables made of a few literal rows, for tests of figures."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import duckdb
import polars as pl

from turret_pipeline.reports.published_tables import PublishedTables
from turret_pipeline.tables import Table


class LiteralTables(PublishedTables):
    """Published tables in memory; columns that a row leaves out are null."""

    def __init__(self, tables: Mapping[Table, Sequence[Mapping[str, Any]]], min_users: int = 1) -> None:
        self.min_users = min_users
        self._connection = duckdb.connect()
        self._connection.execute("set timezone = 'UTC'; create schema marts")
        for table, rows in tables.items():
            frame = pl.DataFrame([{name: row.get(name) for name in table.schema} for row in rows], table.schema)
            self._connection.register("rows", frame.to_arrow())
            self._connection.execute(f"create table marts.{table.name} as from rows")

    @contextmanager
    def open(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor of the tables."""
        yield self._connection.cursor()
