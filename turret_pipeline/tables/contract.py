"""The parts of a table contract: grain, key, and columns with type and meaning."""

from dataclasses import dataclass
from typing import Literal

import polars as pl

Kind = Literal["text", "integer", "number", "boolean", "timestamp", "date", "texts"]

POLARS_TYPES: dict[Kind, pl.DataType] = {
    "text": pl.String(),
    "integer": pl.Int64(),
    "number": pl.Float64(),
    "boolean": pl.Boolean(),
    "timestamp": pl.Datetime("us", "UTC"),
    "date": pl.Date(),
    "texts": pl.List(pl.String()),
}

DUCKDB_TYPES: dict[Kind, str] = {
    "text": "VARCHAR",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
    "date": "DATE",
    "texts": "VARCHAR[]",
}


@dataclass(frozen=True)
class Column:
    """A column of a table, with its type and its meaning as documentation."""

    name: str
    kind: Kind
    meaning: str
    nullable: bool = False


@dataclass(frozen=True)
class Table:
    """A table: ``grain`` starts with "One row per", ``key`` names the columns that identify a row."""

    name: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def schema(self) -> pl.Schema:
        """The polars schema, with the columns in order."""
        return pl.Schema({column.name: POLARS_TYPES[column.kind] for column in self.columns})

    def empty(self) -> pl.DataFrame:
        """The table without rows."""
        return pl.DataFrame(schema=self.schema)


def text(name: str, meaning: str, *, nullable: bool = False) -> Column:
    """A text column."""
    return Column(name, "text", meaning, nullable)


def integer(name: str, meaning: str, *, nullable: bool = False) -> Column:
    """A column of whole numbers."""
    return Column(name, "integer", meaning, nullable)


def number(name: str, meaning: str, *, nullable: bool = False) -> Column:
    """A column of real numbers."""
    return Column(name, "number", meaning, nullable)


def timestamp(name: str, meaning: str, *, nullable: bool = False) -> Column:
    """A column of UTC times."""
    return Column(name, "timestamp", meaning, nullable)


def boolean(name: str, meaning: str, *, nullable: bool = False) -> Column:
    """A column of true or false."""
    return Column(name, "boolean", meaning, nullable)
