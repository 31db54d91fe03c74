"""The nodes right after a node, and right before it."""

import polars as pl

from turret_pipeline.journeys.edges import journey_edges


def following_nodes(visits: pl.DataFrame, node_id: str, min_users: int = 1) -> pl.DataFrame:
    """The edges from a node, most common first, with their other end as ``node_id``.

    ``share`` is of all events on the node, with its interval. Nodes of fewer than ``min_users`` users become (other).
    """
    return _rank_edges(journey_edges(visits, min_users), "from_node_id", node_id, "to_node_id")


def preceding_nodes(visits: pl.DataFrame, node_id: str, min_users: int = 1) -> pl.DataFrame:
    """The edges to a node, most common first, in the columns of ``following_nodes``."""
    return _rank_edges(journey_edges(visits, min_users, share_of="target"), "to_node_id", node_id, "from_node_id")


def _rank_edges(edges: pl.DataFrame, end: str, node_id: str, other_end: str) -> pl.DataFrame:
    return (
        edges.filter(pl.col(end) == node_id)
        .select(
            pl.col(other_end).alias("node_id"),
            "transition_count",
            pl.col("probability").alias("share"),
            pl.col("probability_low").alias("share_low"),
            pl.col("probability_high").alias("share_high"),
            "session_count",
            "user_count",
            "median_seconds",
            "p95_seconds",
        )
        .sort("transition_count", "node_id", descending=[True, False])
    )
