"""Edges: which node directly follows which, with the pseudo-nodes (start) and (end).

The directly-follows relation of process mining (van der Aalst: Process Mining, 2016), counted over events: two events
of a session in a row on the same node are an edge from the node to itself.
"""

import polars as pl

from turret_pipeline.journeys.steps import SESSION, seconds
from turret_pipeline.tables import END, JOURNEY_EDGES, START

EDGE = ["dimension", "from_node_id", "to_node_id"]


def journey_edges(visits: pl.DataFrame) -> pl.DataFrame:
    """Table ``journey_edges`` from visits in order."""
    edges = (
        pl.concat([_transitions(visits), _ends(visits)])
        .group_by(EDGE)
        .agg(
            pl.len().cast(pl.Int64).alias("transition_count"),
            pl.col("session_id").n_unique().cast(pl.Int64).alias("session_count"),
            pl.col("user_id").drop_nulls().n_unique().cast(pl.Int64).alias("user_count"),
            pl.col("seconds").median().alias("median_seconds"),
            pl.col("seconds").quantile(0.95, "linear").alias("p95_seconds"),
        )
    )
    leaving = pl.col("transition_count").sum().over("dimension", "from_node_id")
    return (
        edges.with_columns((pl.col("transition_count") / leaving).alias("probability"))
        .select(JOURNEY_EDGES.schema.names())
        .sort(EDGE)
    )


def _transitions(visits: pl.DataFrame) -> pl.DataFrame:
    """One row per event: the step from the event before it, or from (start)."""
    before = pl.col("node_id").shift().over(SESSION)
    pause = pl.col("event_at") - pl.col("event_at").shift().over(SESSION)
    return visits.select(
        "dimension",
        "session_id",
        "user_id",
        before.fill_null(START).alias("from_node_id"),
        pl.col("node_id").alias("to_node_id"),
        seconds(pause).alias("seconds"),
    )


def _ends(visits: pl.DataFrame) -> pl.DataFrame:
    """One row per session and dimension: the step from its last event to (end)."""
    last = visits.group_by(SESSION, maintain_order=True).agg(pl.col("user_id", "node_id").last())
    return last.select(
        "dimension",
        "session_id",
        "user_id",
        pl.col("node_id").alias("from_node_id"),
        pl.lit(END).alias("to_node_id"),
        pl.lit(None, pl.Float64).alias("seconds"),
    )
