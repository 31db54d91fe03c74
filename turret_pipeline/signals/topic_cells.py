"""Topics, their weeks and their segments as cells, and the exchanges in them, read from the lake by shard."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import duckdb
import numpy as np
import polars as pl

from turret_pipeline.signals import topic_queries as queries
from turret_pipeline.signals.cell_figures import Cells, Exchanges
from turret_pipeline.stats.array_types import IntArray
from turret_pipeline.storage.lake import Lake
from turret_pipeline.storage.scratch_database import JOIN_AS_WRITTEN, create_lake_views, open_scratch_database
from turret_pipeline.tables.signals import SIGNALS_OF_TOPICS
from turret_pipeline.topics.insights.periods import WEEKDAYS, WeekStart

MEMORY_LIMIT = "2GB"
READ = ("exchanges", "exchange_values", "exchange_signals", "data_days")
EXCHANGES_PER_SHARD = 1_000_000
"""A shard of this size needs about 1 GB."""

TOPICS, WEEKS, SEGMENTS = "topics", "weeks", "segments"


@dataclass(frozen=True)
class Scope:
    """Cells of one kind: those of topics, of weeks, or of the values of a segment field.

    ``keys`` has topic and value (null for topics) of each cell, ``labels`` the columns of ``topic_signals`` that name
    it, with its ``family``.
    """

    kind: str
    segment_field: str | None
    keys: pl.DataFrame
    labels: pl.DataFrame
    cells: Cells


@dataclass(frozen=True)
class TopicCells:
    """Exchanges about topics in a scratch database."""

    connection: duckdb.DuckDBPyConnection
    shards: int

    def list_scopes(self) -> Iterator[Scope]:
        """The topics, the weeks, and each segment field."""
        topics = self._query(queries.TOPICS)
        yield _build_scope(TOPICS, None, topics, topics.select("topic", pl.lit(None, pl.String).alias("value")))
        yield _build_scope(WEEKS, None, topics, self._query(queries.CELLS_OF_WEEKS))
        values = self._query(queries.CELLS_OF_SEGMENTS)
        for name in values["segment_field"].unique().sort():
            without = topics.select("topic", pl.lit(None, pl.String).alias("value"))
            named = values.filter(segment_field=name).select("topic", "value")
            yield _build_scope(SEGMENTS, name, topics, pl.concat([without, named]))

    def read_shards(self, scopes: Sequence[Scope]) -> Iterator[tuple[int, Exchanges]]:
        """The exchanges of each shard with their cells in each scope, by the number of the scope."""
        for shard in range(self.shards):
            units = self._query(queries.UNITS, shard=shard)
            exchanges = _build_exchanges(units)
            places = units.select("unit", "topic", value=pl.col("week").cast(pl.String))
            del units
            for number, scope in enumerate(scopes):
                yield number, replace(exchanges, cell=self._find_cells(places, scope, shard))

    def _find_cells(self, places: pl.DataFrame, scope: Scope, shard: int) -> IntArray:
        if scope.kind == TOPICS:
            return places["topic"].cast(pl.Int64).to_numpy()
        if scope.kind == SEGMENTS:
            values = self._query(queries.SEGMENTS, shard=shard, segment_field=scope.segment_field)
            places = places.drop("value").join(values, on="unit", how="left", maintain_order="left")
        cells = scope.keys.with_row_index("cell")
        placed = places.join(cells, on=["topic", "value"], how="left", nulls_equal=True, maintain_order="left")
        return placed["cell"].cast(pl.Int64).fill_null(-1).to_numpy()

    def _query(self, sql: str, **values: object) -> pl.DataFrame:
        frame: pl.DataFrame = self.connection.sql(sql, params=values or None).pl()
        return frame


@contextmanager
def open_topic_cells(lake: Lake, week_start: WeekStart, time_zone: str) -> Iterator[TopicCells]:
    """The exchanges about topics of the lake. Raises TurretError if a table is missing."""
    with open_scratch_database(lake, MEMORY_LIMIT) as connection:
        connection.execute(JOIN_AS_WRITTEN)
        create_lake_views(connection, lake, READ)
        count = lake.scan("exchanges").select(pl.len()).collect().item()
        shards = max(1, -(-count // EXCHANGES_PER_SHARD))
        values = {"shards": shards, "time_zone": time_zone, "first_weekday": WEEKDAYS.index(week_start)}
        for statement in queries.create_units(SIGNALS_OF_TOPICS):
            connection.execute(statement, {name: value for name, value in values.items() if f"${name}" in statement})
        yield TopicCells(connection, shards)


def _build_scope(kind: str, segment_field: str | None, topics: pl.DataFrame, cells: pl.DataFrame) -> Scope:
    keys = cells.select("topic", "value").sort("topic", "value")
    named = keys.join(topics, on="topic", maintain_order="left")
    week, segment = ("value" if kind == one else pl.lit(None, pl.String) for one in (WEEKS, SEGMENTS))
    labels = named.select(
        "field",
        pl.lit(kind).alias("family"),
        "topic_id",
        (pl.col(week) if isinstance(week, str) else week).str.to_date("%Y-%m-%d").alias("week_start_date"),
        pl.lit(segment_field, pl.String).alias("segment_field"),
        (pl.col(segment) if isinstance(segment, str) else segment).alias("segment_value"),
    )
    whole = named["field"].rank("dense") - 1 if kind == TOPICS else named["topic"]
    is_named = keys["value"].is_not_null() if kind != TOPICS else pl.repeat(True, len(keys), eager=True)
    return Scope(kind, segment_field, keys, labels, Cells(whole.cast(pl.Int64).to_numpy(), is_named.to_numpy()))


def _build_exchanges(units: pl.DataFrame) -> Exchanges:
    """The exchanges without cells."""
    flags = [units[f"is_{signal}"] for signal in SIGNALS_OF_TOPICS]
    return Exchanges(
        cluster=_number_runs(units.select("cluster")),
        session=_number_runs(units.select("cluster", "session")),
        cell=np.full(units.height, -1),
        has_user=units["has_user"].to_numpy(),
        is_decided=np.stack([flag.is_not_null().to_numpy() for flag in flags]),
        is_counted=np.stack([flag.fill_null(value=False).to_numpy() for flag in flags]),
    )


def _number_runs(keys: pl.DataFrame) -> IntArray:
    """The number of each run of equal rows, from 0."""
    return (keys.select(pl.struct(pl.all()).rle_id()).to_series().cast(pl.Int64)).to_numpy()
