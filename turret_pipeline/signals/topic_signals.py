"""Table ``topic_signals``: the share of each topic's exchanges with each signal, compared with that elsewhere."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import duckdb
import numpy as np
import polars as pl
from numpy.typing import NDArray

from turret_pipeline.signals import topic_queries as queries
from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.stats.effects import (
    CLUSTER_FIGURES,
    CLUSTER_PRODUCTS,
    COUNT,
    TOTAL,
    WHOLE_TOTAL,
    ClusterSums,
    share_design_effects,
)
from turret_pipeline.stats.families import select_families
from turret_pipeline.stats.groups import MIN_CLUSTERS, MIN_EVENTS, compare_sums
from turret_pipeline.stats.shares import share_interval
from turret_pipeline.storage.lake import Lake
from turret_pipeline.storage.scratch_database import create_lake_views, open_scratch_database
from turret_pipeline.tables import TOPIC_SIGNALS
from turret_pipeline.tables.signals import SIGNALS_OF_TOPICS
from turret_pipeline.topics.insights.periods import WEEKDAYS, WeekStart

MEMORY_LIMIT = "2GB"
READ = ("exchanges", "exchange_values", "exchange_signals", "data_days")
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
    """What shares are compared within: all topics, or the weeks or segments of a topic."""

    kind: str
    segment_field: str | None = None


def build_topic_signals(lake: Lake, options: TopicSignalOptions) -> pl.DataFrame:
    """Table ``topic_signals`` from the tables of exchanges and their signals.

    A topic is compared with the other topics of its field, a week with the other weeks of the topic, and a segment with
    the topic's exchanges that have another value of the same field. Exchanges of one user are dependent: variances are
    those of sums over users, or sessions if the user is unknown (``compare_sums``). The topics, weeks and segment
    fields of each text field are families of comparisons (``select_families``): if no signal has to do with any of
    them, the chance of any q-value of at most 0.05 is at most 5 %.
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
    adjusted = select_families([family["p_value"].fill_null(np.nan).to_numpy() for family in families])
    tested = [
        family.with_columns(pl.Series("q_value", values, pl.Float64).fill_nan(None)).select(
            TOPIC_SIGNALS.schema.names()
        )
        for family, values in zip(families, adjusted, strict=True)
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
    values = {"segment_field": scope.segment_field} if scope.kind == queries.SEGMENTS else None
    connection.execute(queries.create_cells(SIGNALS_OF_TOPICS, scope.kind), values)
    connection.execute(queries.create_wholes(SIGNALS_OF_TOPICS))
    cells: pl.DataFrame = connection.sql(queries.sum_cells(SIGNALS_OF_TOPICS)).pl()
    wholes: pl.DataFrame = connection.sql(queries.sum_wholes(SIGNALS_OF_TOPICS)).pl()
    both = cells.join(wholes, on="whole", maintain_order="left")
    for signal in SIGNALS_OF_TOPICS:
        names = {
            column: column.removeprefix(f"{signal} ") for column in both.columns if column.startswith(f"{signal} ")
        }
        sums = both.select("field", "whole", "cell", *names).rename(names).filter(pl.col(TOTAL) > 0)
        yield signal, sums


def _compare_cells(
    connection: duckdb.DuckDBPyConnection, scope: _Scope, signal: str, sums: pl.DataFrame, min_users: int
) -> pl.DataFrame:
    """Rows of a signal in a scope, without those of too few users."""
    clusters = _read_sums(sums)
    count, total = clusters.sums[COUNT], clusters.sums[TOTAL]
    effects = share_design_effects(
        count, total, clusters.products[COUNT, COUNT], clusters.products[COUNT, TOTAL], clusters.products[TOTAL, TOTAL]
    )
    low, high = share_interval(count, total, effects)
    figures = {"signal_share": count / total, "share_low": low, "share_high": high, **_compare(sums, clusters)}
    is_topic, is_week = scope.kind == queries.TOPICS, scope.kind == queries.WEEKS
    nothing = pl.lit(None, pl.String)
    rows = sums.select(
        "field",
        pl.lit(f"{scope.kind} {scope.segment_field}").alias("family"),
        pl.col("cell" if is_topic else "whole").alias("topic_id"),
        pl.lit(signal).alias("signal"),
        (pl.col("cell") if is_week else nothing).str.to_date("%Y-%m-%d").alias("week_start_date"),
        pl.lit(scope.segment_field, pl.String).alias("segment_field"),
        (nothing if is_topic or is_week else pl.col("cell")).alias("segment_value"),
        pl.col(TOTAL).cast(pl.Int64).alias("exchange_count"),
        pl.col(COUNT).cast(pl.Int64).alias("signal_count"),
        *(pl.Series(name, values, pl.Float64).fill_nan(None) for name, values in figures.items()),
    )
    return rows if min_users <= 1 else rows.filter(_find_shown(connection, signal, sums, min_users))


def _read_sums(sums: pl.DataFrame) -> ClusterSums:
    return ClusterSums(
        {figure: sums[figure].to_numpy() for figure in CLUSTER_FIGURES},
        {pair: sums[" ".join(pair)].to_numpy() for pair in CLUSTER_PRODUCTS},
    )


def _compare(sums: pl.DataFrame, clusters: ClusterSums) -> Mapping[str, FloatArray]:
    """Columns of the comparison with the rest of the whole; NaN if either has too few exchanges or users."""
    outside = clusters.sums[WHOLE_TOTAL] - clusters.sums[TOTAL]
    clusters_outside = (sums[queries.ALL_CLUSTERS] - sums[queries.CLUSTERS_WITHIN]).to_numpy()
    is_compared = (np.minimum(clusters.sums[TOTAL], outside) >= MIN_EVENTS) & (
        np.minimum(sums[queries.CLUSTERS].to_numpy(), clusters_outside) >= MIN_CLUSTERS
    )
    kept = ClusterSums(
        {name: values[is_compared] for name, values in clusters.sums.items()},
        {pair: values[is_compared] for pair, values in clusters.products.items()},
    )
    _, other_share, comparison = compare_sums(kept)
    columns = {
        "base_share": other_share,
        "difference": comparison.difference,
        "difference_low": comparison.low,
        "difference_high": comparison.high,
        "p_value": comparison.p_value,
    }
    return {name: _spread(values, is_compared) for name, values in columns.items()}


def _spread(values: FloatArray, is_compared: NDArray[np.bool_]) -> FloatArray:
    spread = np.full(len(is_compared), np.nan)
    spread[is_compared] = values
    return spread


def _find_shown(connection: duckdb.DuckDBPyConnection, signal: str, sums: pl.DataFrame, min_users: int) -> pl.Series:
    """Mask of the cells that show no fewer than ``min_users`` users, with the signal or without it.

    What is left out of a whole follows from its sum: if that is of fewer users, the whole is left out
    (``journeys.disclosure``).
    """
    misses = pl.col(TOTAL) - pl.col(COUNT)
    is_rare = ((pl.col(COUNT) > 0) & (pl.col(queries.USERS_WITH) < min_users)) | (
        (misses > 0) & (pl.col(queries.USERS_WITHOUT) < min_users)
    )
    connection.register("suppressed", sums.filter(is_rare).select("whole", "cell").to_arrow())
    left_out: pl.DataFrame = connection.sql(queries.count_users(signal)).pl()
    users = pl.col("with_signal", "without_signal")
    open_wholes = left_out.filter(pl.any_horizontal((users > 0) & (users < min_users)))["whole"]
    return sums.select(~is_rare & ~pl.col("whole").is_in(open_wholes.implode())).to_series()
