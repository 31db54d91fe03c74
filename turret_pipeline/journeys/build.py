"""All journey tables at once, a dimension at a time."""

from collections.abc import Callable, Iterable

import polars as pl

from turret_pipeline.journeys.edges import journey_edges
from turret_pipeline.journeys.loops import journey_loops
from turret_pipeline.journeys.nodes import journey_nodes
from turret_pipeline.journeys.outcomes import topic_outcomes
from turret_pipeline.journeys.paths import journey_paths
from turret_pipeline.journeys.segments import journey_segments
from turret_pipeline.journeys.steps import collect_steps, spelled
from turret_pipeline.journeys.visits import NAME
from turret_pipeline.tables import EVENT_NAME, LAKE_TABLES, USER

TABLES = ("journey_edges", "journey_nodes", "journey_loops", "journey_paths", "journey_segments", "topic_outcomes")

PART = 1_000_000
"""Steps that are spelled out at a time."""


def read_journeys(
    visits: Iterable[pl.DataFrame],
    events: pl.DataFrame,
    values: pl.DataFrame | pl.LazyFrame,
    labels: pl.DataFrame,
    min_users: int,
    write_steps: Callable[[pl.DataFrame], None],
) -> dict[str, pl.DataFrame]:
    """TABLES by name, from the visits of each dimension; the rows of ``journey_steps``, many, go to ``write_steps``.

    ``events`` in their order, ``values`` (event_id, field, value) of their enum fields, ``labels`` (field, topic_id,
    label) of the topics.
    """
    placed = events.lazy().with_columns(pl.int_range(pl.len()).alias("position"))
    segments = (
        values.lazy()
        .join(placed.select("event_id", "position"), on="event_id")
        .select("position", pl.col("field", "value").cast(NAME).name.prefix("segment_"))
        .collect(engine="streaming")
    )
    parts: dict[str, list[pl.DataFrame]] = {table: [LAKE_TABLES[table].empty()] for table in TABLES}
    for of_dimension in visits:
        dimension = str(of_dimension["dimension"][0])
        steps = collect_steps(of_dimension)
        for part in steps.iter_slices(PART):
            write_steps(spelled(part))
        edges = journey_edges(of_dimension)
        shown = edges if min_users <= 1 else journey_edges(of_dimension, min_users)
        parts["journey_edges"].append(shown)
        parts["journey_nodes"].append(journey_nodes(of_dimension, edges, _labels(labels, dimension), min_users))
        parts["journey_loops"].append(journey_loops(steps, min_users))
        parts["journey_paths"].append(journey_paths(steps, min_users))
        parts["journey_segments"].append(journey_segments(of_dimension, segments, shown, min_users))
        if dimension != EVENT_NAME and not dimension.startswith(USER):
            parts["topic_outcomes"].append(topic_outcomes(of_dimension, placed, min_users))
    return {table: pl.concat(frames) for table, frames in parts.items()}


def _labels(labels: pl.DataFrame, dimension: str) -> pl.DataFrame:
    """The labels of the nodes of a dimension; events have none but their name."""
    return labels.filter(pl.col("field") == dimension.removeprefix(USER)).select(
        pl.lit(dimension).alias("dimension"), pl.col("topic_id").alias("node_id"), pl.col("label").alias("node_label")
    )
