"""Edges: pairs of nodes that directly follow each other, with the pseudo-nodes (start) and (end).

The directly-follows relation of process mining (van der Aalst: Process Mining, 2016), counted over events: two
consecutive events of a session on the same node are an edge from the node to itself.
"""

from typing import Literal

import polars as pl

from turret_pipeline.journeys.transitions import (
    Transitions,
    clustered_shares,
    count_pairs,
    find_transitions,
    suppress_edges,
)
from turret_pipeline.journeys.visits import split_by_dimension
from turret_pipeline.tables import JOURNEY_EDGES

EDGE = ["dimension", "from_node_id", "to_node_id"]


def journey_edges(
    visits: pl.DataFrame, min_users: int = 1, *, share_of: Literal["source", "target"] = "source"
) -> pl.DataFrame:
    """Table ``journey_edges`` from visits in order.

    An edge of fewer than ``min_users`` users is replaced by two: one to (other) and one from it. So nodes are still
    left as often as they are visited, and the rare transition stays unknown. ``probability`` is the share of all
    transitions that leave from_node_id, or with ``share_of="target"`` of all that arrive at to_node_id.
    """
    tables = [JOURNEY_EDGES.empty()]
    for dimension, part in split_by_dimension(visits):
        transitions = find_transitions(part)
        edges = _measure_edges(transitions, share_of)
        if min_users > 1:
            rare = edges.filter(pl.col("user_count") < min_users)["edge"]
            if len(rare):
                edges = _measure_edges(suppress_edges(transitions, rare), share_of)
        tables.append(edges.with_columns(pl.lit(dimension).alias("dimension")).select(JOURNEY_EDGES.schema.names()))
    return pl.concat(tables).sort(EDGE)


def count_edges(transitions: Transitions) -> pl.DataFrame:
    """Count of each edge: from_node_id, to_node_id, transition_count, in the order of ``transitions.edges``."""
    counts = transitions.moves.group_by("edge").agg(pl.len().cast(pl.Int64).alias("transition_count")).sort("edge")
    return transitions.edges.select(
        transitions.nodes.gather(transitions.edges["source"]).alias("from_node_id"),
        transitions.nodes.gather(transitions.edges["target"]).alias("to_node_id"),
        counts["transition_count"],
    )


def _measure_edges(transitions: Transitions, share_of: str) -> pl.DataFrame:
    """One row per edge with the columns of the table, and its number as ``edge``."""
    moves = transitions.moves
    times = moves.group_by("edge").agg(
        pl.col("seconds").median().alias("median_seconds"),
        pl.col("seconds").quantile(0.95, "linear").alias("p95_seconds"),
    )
    sessions = count_pairs(moves["edge"], moves["session"])
    clusters = count_pairs(moves["edge"], moves["cluster"])
    is_user = pl.col("other") < transitions.user_count
    users = clusters.group_by("number").agg(is_user.sum().cast(pl.Int64).alias("user_count")).sort("number")
    shares = clustered_shares(clusters, transitions.edges[share_of])
    return count_edges(transitions).with_columns(
        shares["number"].alias("edge"),
        sessions.group_by("number").len().sort("number")["len"].cast(pl.Int64).alias("session_count"),
        users["user_count"],
        shares["share"].alias("probability"),
        shares["low"].alias("probability_low"),
        shares["high"].alias("probability_high"),
        *times.sort("edge").select("median_seconds", "p95_seconds"),
    )
