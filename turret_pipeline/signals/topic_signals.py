"""Table ``topic_signals``: the share of each topic's exchanges with each signal, compared with that elsewhere."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import duckdb
import numpy as np
import polars as pl
from numpy.typing import NDArray

from turret_pipeline.signals import topic_queries as queries
from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.stats.cell_sums import CellSums, LevelSums, compare_cells
from turret_pipeline.stats.effects import share_design_effects
from turret_pipeline.stats.groups import MIN_CLUSTERS, MIN_EVENTS
from turret_pipeline.stats.shares import q_values, share_interval
from turret_pipeline.storage.lake import Lake
from turret_pipeline.storage.scratch_database import create_lake_views, open_scratch_database
from turret_pipeline.tables import TOPIC_SIGNALS
from turret_pipeline.tables.signals import SIGNALS_OF_TOPICS
from turret_pipeline.topics.insights.periods import WEEKDAYS, WeekStart

MEMORY_LIMIT = "2GB"
READ = ("exchanges", "exchange_values", "exchange_signals", "data_days")
LEVELS = (queries.USER, queries.SESSION)
LEVEL_SUMS = (
    *(queries.CELL_SQUARES, queries.CELL_CROSSED),
    *(queries.TOTAL_SQUARES, queries.COUNT_SQUARES, queries.COUNT_CROSSED),
)
MODEL = "model"
"""Segment field of the column of exchanges."""


@dataclass(frozen=True)
class TopicSignalOptions:
    """Settings of these names; ``min_users`` is privacy_min_users."""

    week_start: WeekStart = "monday"
    time_zone: str = "UTC"
    min_users: int = 1


@dataclass(frozen=True)
class _Scope:
    """Cells of one kind: those of topics, of weeks, or of the values of a segment field."""

    kind: str
    segment_field: str | None = None


def build_topic_signals(lake: Lake, options: TopicSignalOptions) -> pl.DataFrame:
    """Table ``topic_signals`` from the tables of exchanges and their signals.

    A topic is compared with the other topics of its field, a week with the other weeks of the topic, and a segment with
    the topic's exchanges that have another value of the same field. Exchanges of one session, and of one
    user, are dependent (``compare_cells``). All signals of a field's topics are a family of q-values, and so are those
    of their weeks, and of their segments.
    """
    with open_scratch_database(lake, MEMORY_LIMIT) as connection:
        create_lake_views(connection, lake, READ)
        weeks = {"time_zone": options.time_zone, "first_weekday": WEEKDAYS.index(options.week_start)}
        connection.execute(queries.create_units(SIGNALS_OF_TOPICS), weeks)
        connection.execute(queries.CREATE_SEGMENTS)
        parts = [
            _compare_cells(connection, scope, signal, sums, options.min_users)
            for scope in _list_scopes(connection)
            for signal, sums in _sum_clusters(connection, scope)
        ]
    families = pl.concat(parts).partition_by("field", "family", maintain_order=True)
    tested = [
        family.with_columns(
            pl.Series("q_value", q_values(family["p_value"].fill_null(np.nan).to_numpy()), pl.Float64).fill_nan(None)
        ).select(TOPIC_SIGNALS.schema.names())
        for family in families
    ]
    return pl.concat([TOPIC_SIGNALS.empty(), *tested]).sort(TOPIC_SIGNALS.key)


def _list_scopes(connection: duckdb.DuckDBPyConnection) -> Iterator[_Scope]:
    yield _Scope(queries.TOPICS)
    yield _Scope(queries.WEEKS)
    yield _Scope(queries.MODELS, MODEL)
    fields = connection.execute("select distinct segment_field from segments order by all").fetchall()
    yield from (_Scope(queries.SEGMENTS, field) for (field,) in fields)


def _sum_clusters(connection: duckdb.DuckDBPyConnection, scope: _Scope) -> Iterator[tuple[str, pl.DataFrame]]:
    """Each signal with the sums of the cells in which it is decided for any exchange."""
    for statement in queries.create_cells(SIGNALS_OF_TOPICS, scope.kind):
        is_scoped = "$segment_field" in statement
        connection.execute(statement, {"segment_field": scope.segment_field} if is_scoped else None)
    cells, of_sessions = (_query(connection, queries.sum_cells(SIGNALS_OF_TOPICS, level)) for level in LEVELS)
    cells = cells.join(of_sessions, on=["field", "whole", "cell"], maintain_order="left")
    for level in LEVELS:
        wholes = _query(connection, queries.sum_wholes(SIGNALS_OF_TOPICS, level))
        cells = cells.join(wholes, on="whole", maintain_order="left")
    for signal in SIGNALS_OF_TOPICS:
        names = {name: name.removeprefix(f"{signal} ") for name in cells.columns if name.startswith(f"{signal} ")}
        sums = cells.select("field", "whole", "cell", *names).rename(names)
        yield signal, sums.filter(pl.col(queries.TOTAL) > 0).sort("field", "whole", "cell")


def _query(connection: duckdb.DuckDBPyConnection, sql: str) -> pl.DataFrame:
    frame: pl.DataFrame = connection.sql(sql).pl()
    return frame


def _compare_cells(
    connection: duckdb.DuckDBPyConnection, scope: _Scope, signal: str, sums: pl.DataFrame, min_users: int
) -> pl.DataFrame:
    """Rows of a signal in a scope, without those of too few users."""
    count, total, squares, crossed, total_squares = (
        sums[name].to_numpy()
        for name in (
            *(queries.COUNT, queries.TOTAL, queries.OWN_SQUARES, queries.OWN_CROSSED),
            f"{queries.USER} {queries.CELL_SQUARES}",
        )
    )
    low, high = share_interval(count, total, share_design_effects(count, total, squares, crossed, total_squares))
    figures = {"signal_share": count / total, "share_low": low, "share_high": high, **_compare(sums)}
    is_topic, is_week = scope.kind == queries.TOPICS, scope.kind == queries.WEEKS
    nothing = pl.lit(None, pl.String)
    rows = sums.select(
        "field",
        pl.lit(queries.SEGMENTS if scope.kind == queries.MODELS else scope.kind).alias("family"),
        pl.col("cell" if is_topic else "whole").alias("topic_id"),
        pl.lit(signal).alias("signal"),
        (pl.col("cell") if is_week else nothing).str.to_date("%Y-%m-%d").alias("week_start_date"),
        pl.lit(scope.segment_field, pl.String).alias("segment_field"),
        (nothing if is_topic or is_week else pl.col("cell")).alias("segment_value"),
        pl.col(queries.TOTAL).cast(pl.Int64).alias("exchange_count"),
        pl.col(queries.COUNT).cast(pl.Int64).alias("signal_count"),
        *(pl.Series(name, values, pl.Float64).fill_nan(None) for name, values in figures.items()),
    )
    return rows if min_users <= 1 else rows.filter(_find_shown(connection, signal, sums, min_users))


def _compare(sums: pl.DataFrame) -> Mapping[str, FloatArray]:
    """Columns of the comparison with the rest of the whole; NaN if either has too few exchanges or users."""
    outside = pl.col(queries.WHOLE_TOTAL) - pl.col(queries.TOTAL)
    clusters_outside = pl.col(queries.ALL_CLUSTERS) - pl.col(queries.CLUSTERS_WITHIN)
    is_compared = sums.select(
        (pl.min_horizontal(queries.TOTAL, outside) >= MIN_EVENTS)
        & (pl.min_horizontal(queries.CLUSTERS, clusters_outside) >= MIN_CLUSTERS)
    ).to_series()
    cells = _read_sums(sums.filter(is_compared))
    comparison = compare_cells(cells)
    columns = {
        "base_share": (cells.whole_count - cells.count) / (cells.whole_total - cells.total),
        "difference": comparison.difference,
        "difference_low": comparison.low,
        "difference_high": comparison.high,
        "p_value": comparison.p_value,
    }
    return {name: _spread(values, is_compared.to_numpy()) for name, values in columns.items()}


def _read_sums(sums: pl.DataFrame) -> CellSums:
    levels = [LevelSums(*(sums[f"{level} {name}"].to_numpy() for name in LEVEL_SUMS)) for level in reversed(LEVELS)]
    events = (queries.COUNT, queries.TOTAL, queries.WHOLE_COUNT, queries.WHOLE_TOTAL)
    count, total, whole_count, whole_total = (sums[name].to_numpy() for name in events)
    return CellSums(count, total, whole_count, whole_total, levels, sums[queries.ALL_CLUSTERS].to_numpy())


def _spread(values: FloatArray, is_compared: NDArray[np.bool_]) -> FloatArray:
    spread = np.full(len(is_compared), np.nan)
    spread[is_compared] = values
    return spread


def _find_shown(connection: duckdb.DuckDBPyConnection, signal: str, sums: pl.DataFrame, min_users: int) -> pl.Series:
    """Mask of the cells that show no fewer than ``min_users`` users, with the signal or without it.

    What is left out of a whole follows from its sum: if that is of fewer users, the whole is left out
    (``journeys.disclosure``).
    """
    misses = pl.col(queries.TOTAL) - pl.col(queries.COUNT)
    is_rare = ((pl.col(queries.COUNT) > 0) & (pl.col(queries.USERS_WITH) < min_users)) | (
        (misses > 0) & (pl.col(queries.USERS_WITHOUT) < min_users)
    )
    connection.register("suppressed", sums.filter(is_rare).select("whole", "cell").to_arrow())
    left_out: pl.DataFrame = connection.sql(queries.count_users(signal)).pl()
    users = pl.col("with_signal", "without_signal")
    open_wholes = left_out.filter(pl.any_horizontal((users > 0) & (users < min_users)))["whole"]
    return sums.select(~is_rare & ~pl.col("whole").is_in(open_wholes.implode())).to_series()
