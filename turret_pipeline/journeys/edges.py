"""Edges: which node directly follows which, with the pseudo-nodes (start) and (end).

The directly-follows relation of process mining (van der Aalst: Process Mining, 2016), counted over events: two events
of a session in a row on the same node are an edge from the node to itself.
"""

from typing import Literal

import polars as pl

from turret_pipeline.journeys.transitions import Transitions, folded, pair_counts, shares, transitions
from turret_pipeline.journeys.visits import of_each_dimension
from turret_pipeline.tables import JOURNEY_EDGES

EDGE = ["dimension", "from_node_id", "to_node_id"]


def journey_edges(
    visits: pl.DataFrame, min_users: int = 1, *, of: Literal["source", "target"] = "source"
) -> pl.DataFrame:
    """Table ``journey_edges`` from visits in order.

    An edge of fewer users than ``min_users`` becomes two, to (other) and from it: nodes are still left as often as
    they are visited, and nothing says where the few went. ``of`` the target, ``probability`` is the share of all that
    arrive at to_node_id, not of all that leave from_node_id.
    """
    tables = [JOURNEY_EDGES.empty()]
    for dimension, part in of_each_dimension(visits):
        found = transitions(part)
        edges = _measured(found, of)
        if min_users > 1:
            rare = edges.filter(pl.col("user_count") < min_users)["edge"]
            if len(rare):
                edges = _measured(folded(found, rare), of)
        tables.append(edges.with_columns(pl.lit(dimension).alias("dimension")).select(JOURNEY_EDGES.schema.names()))
    return pl.concat(tables).sort(EDGE)


def edge_counts(found: Transitions) -> pl.DataFrame:
    """How often each edge happened: from_node_id, to_node_id, transition_count, in the order of ``found.edges``."""
    counts = found.moves.group_by("edge").agg(pl.len().cast(pl.Int64).alias("transition_count")).sort("edge")
    return found.edges.select(
        found.nodes.gather(found.edges["source"]).alias("from_node_id"),
        found.nodes.gather(found.edges["target"]).alias("to_node_id"),
        counts["transition_count"],
    )


def _measured(found: Transitions, of: str) -> pl.DataFrame:
    """One row per edge with the columns of the table, and its number."""
    moves = found.moves
    times = moves.group_by("edge").agg(
        pl.col("seconds").median().alias("median_seconds"),
        pl.col("seconds").quantile(0.95, "linear").alias("p95_seconds"),
    )
    sessions = pair_counts(moves["edge"], moves["session"])
    of_clusters = pair_counts(moves["edge"], moves["cluster"])
    is_user = pl.col("other") < found.user_count
    users = of_clusters.group_by("number").agg(is_user.sum().cast(pl.Int64).alias("user_count")).sort("number")
    told = shares(of_clusters, found.edges[of])
    return edge_counts(found).with_columns(
        told["number"].alias("edge"),
        sessions.group_by("number").len().sort("number")["len"].cast(pl.Int64).alias("session_count"),
        users["user_count"],
        told["share"].alias("probability"),
        told["low"].alias("probability_low"),
        told["high"].alias("probability_high"),
        *times.sort("edge").select("median_seconds", "p95_seconds"),
    )
