"""Edges: which node directly follows which, with the pseudo-nodes (start) and (end).

The directly-follows relation of process mining (van der Aalst: Process Mining, 2016), counted over events: two events
of a session in a row on the same node are an edge from the node to itself.
"""

import polars as pl

from turret_pipeline.journeys.visits import same_as, seconds
from turret_pipeline.tables import END, JOURNEY_EDGES, OTHER, START

EDGE = ["dimension", "from_node_id", "to_node_id"]


def journey_edges(visits: pl.DataFrame, min_users: int = 1) -> pl.DataFrame:
    """Table ``journey_edges`` from visits in order.

    An edge of fewer users than ``min_users`` becomes two, to (other) and from it: nodes are still left as often as
    they are visited, and nothing says where the few went.
    """
    steps = transitions(visits)
    edges = _counted(steps, EDGE)
    if min_users > 1:
        rare = edges.filter(pl.col("user_count") < min_users).select(EDGE)
        if rare.height:
            edges = _counted(_folded(steps, rare), EDGE)
    return edges.select(JOURNEY_EDGES.schema.names()).sort(EDGE)


def transitions(visits: pl.DataFrame) -> pl.DataFrame:
    """One row per transition: EDGE, session_id, user_id, seconds; ``position`` is that of the event that it leaves.

    From (start) it is the event that is entered. Each event is entered once, and each sequence ends once.
    """
    goes_on, node, at = same_as(1), pl.col("node_id"), pl.col("event_at")
    entered = visits.select(
        "dimension",
        "session_id",
        "user_id",
        pl.when(goes_on).then(node.shift()).otherwise(pl.lit(START)).alias("from_node_id"),
        node.alias("to_node_id"),
        pl.when(goes_on).then(seconds(at - at.shift())).alias("seconds"),
        pl.when(goes_on).then(pl.col("position").shift()).otherwise("position").alias("position"),
    )
    ended = visits.filter(~same_as(-1)).select(
        "dimension",
        "session_id",
        "user_id",
        node.alias("from_node_id"),
        pl.lit(END).alias("to_node_id"),
        pl.lit(None, pl.Float64).alias("seconds"),
        "position",
    )
    return pl.concat([entered, ended])


def _counted(steps: pl.DataFrame, edge: list[str]) -> pl.DataFrame:
    counts = (
        steps.lazy()
        .group_by(edge)
        .agg(
            pl.len().cast(pl.Int64).alias("transition_count"),
            pl.col("seconds").median().alias("median_seconds"),
            pl.col("seconds").quantile(0.95, "linear").alias("p95_seconds"),
        )
    )
    found = counts.collect()
    for who, name in (("session_id", "session_count"), ("user_id", "user_count")):
        distinct = steps.lazy().filter(pl.col(who).is_not_null()).select(*edge, who).unique()
        of_edge = distinct.group_by(edge).agg(pl.len().cast(pl.Int64).alias(name)).collect()
        found = found.join(of_edge, on=edge, how="left").with_columns(pl.col(name).fill_null(0))
    leaving = pl.col("transition_count").sum().over("dimension", "from_node_id")
    return found.with_columns((pl.col("transition_count") / leaving).alias("probability"))


def _folded(steps: pl.DataFrame, rare: pl.DataFrame) -> pl.DataFrame:
    """The transitions with each of a rare edge replaced by one to (other), which keeps its time, and one from it."""
    kept = steps.join(rare, on=EDGE, how="anti")
    few = steps.join(rare, on=EDGE, how="semi")
    to_other = few.with_columns(pl.lit(OTHER).alias("to_node_id"))
    from_other = few.with_columns(pl.lit(OTHER).alias("from_node_id"), pl.lit(None, pl.Float64).alias("seconds"))
    return pl.concat([kept, to_other, from_other])
