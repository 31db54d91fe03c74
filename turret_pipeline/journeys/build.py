"""All journey tables, built one dimension at a time."""

from collections.abc import Callable, Iterable

import polars as pl

from turret_pipeline.journeys.edges import journey_edges
from turret_pipeline.journeys.loops import journey_loops
from turret_pipeline.journeys.nodes import journey_nodes
from turret_pipeline.journeys.outcomes import list_struggle_outcomes, topic_outcomes
from turret_pipeline.journeys.paths import journey_paths
from turret_pipeline.journeys.segments import journey_segments
from turret_pipeline.journeys.steps import collect_steps, with_text_names
from turret_pipeline.journeys.struggles import journey_struggles
from turret_pipeline.journeys.visits import NAME
from turret_pipeline.tables import EVENT_NAME, LAKE_TABLES, USER

TABLES = (
    *("journey_edges", "journey_nodes", "journey_loops", "journey_paths", "journey_segments", "journey_struggles"),
    "topic_outcomes",
)

STEPS_PER_WRITE = 1_000_000
"""Limits the memory that names of steps take as text."""


def build_journey_tables(
    visits: Iterable[pl.DataFrame],
    events: pl.DataFrame,
    values: pl.DataFrame | pl.LazyFrame,
    signals: pl.DataFrame | pl.LazyFrame,
    labels: pl.DataFrame,
    min_users: int,
    write_steps: Callable[[pl.DataFrame], None],
) -> dict[str, pl.DataFrame]:
    """TABLES by name. The rows of ``journey_steps`` go to ``write_steps``, as they may not fit in memory.

    ``visits`` has one frame per dimension. ``events`` are in their order, ``values`` (event_id, field, value) are those
    of enum fields, ``signals`` (exchange_id, is_struggle) say which exchanges went wrong, and ``labels`` (field,
    topic_id, label) are those of topics.
    """
    events_by_position = events.lazy().with_columns(pl.int_range(pl.len()).alias("position"))
    segments = (
        values.lazy()
        .join(events_by_position.select("event_id", "position"), on="event_id")
        .select("position", pl.col("field", "value").cast(NAME).name.prefix("segment_"))
        .collect(engine="streaming")
    )
    struggles = (
        signals.lazy()
        .select(pl.col("exchange_id").alias("event_id"), "is_struggle")
        .drop_nulls()
        .join(events_by_position.select("event_id", pl.col("session_id").cast(NAME), "position"), on="event_id")
        .select("session_id", "position", "is_struggle")
        .collect(engine="streaming")
    )
    named_events = events_by_position.select(pl.col("event_name", "session_id").cast(NAME), "position")
    outcomes = pl.concat([named_events, list_struggle_outcomes(struggles).lazy()])
    parts: dict[str, list[pl.DataFrame]] = {table: [LAKE_TABLES[table].empty()] for table in TABLES}
    for dimension_visits in visits:
        dimension = str(dimension_visits["dimension"][0])
        steps = collect_steps(dimension_visits)
        for part in steps.iter_slices(STEPS_PER_WRITE):
            write_steps(with_text_names(part))
        edges = journey_edges(dimension_visits)
        disclosed_edges = edges if min_users <= 1 else journey_edges(dimension_visits, min_users)
        node_labels = _node_labels(labels, dimension)
        parts["journey_edges"].append(disclosed_edges)
        parts["journey_nodes"].append(journey_nodes(dimension_visits, edges, node_labels, min_users))
        parts["journey_loops"].append(journey_loops(steps, min_users))
        parts["journey_paths"].append(journey_paths(steps, min_users))
        parts["journey_segments"].append(journey_segments(dimension_visits, segments, disclosed_edges, min_users))
        parts["journey_struggles"].append(journey_struggles(dimension_visits, struggles, min_users))
        if dimension != EVENT_NAME and not dimension.startswith(USER):
            parts["topic_outcomes"].append(topic_outcomes(dimension_visits, outcomes, min_users))
    return {table: pl.concat(frames) for table, frames in parts.items()}


def _node_labels(labels: pl.DataFrame, dimension: str) -> pl.DataFrame:
    """Labels of the nodes of a dimension: dimension, node_id, node_label. Event names have no label."""
    return labels.filter(pl.col("field") == dimension.removeprefix(USER)).select(
        pl.lit(dimension).alias("dimension"), pl.col("topic_id").alias("node_id"), pl.col("label").alias("node_label")
    )
