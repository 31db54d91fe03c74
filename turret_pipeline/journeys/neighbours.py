"""What comes right after a node, and what comes right before it."""

import polars as pl

from turret_pipeline.journeys.edges import journey_edges


def following(visits: pl.DataFrame, node_id: str, min_users: int = 1) -> pl.DataFrame:
    """What the events on a node are followed by, commonest first: the edges from it, their other end as ``node_id``.

    ``share`` is of all events on the node, with its interval; what fewer than ``min_users`` users do is (other).
    """
    return _shared(journey_edges(visits, min_users), "from_node_id", node_id, "to_node_id")


def preceding(visits: pl.DataFrame, node_id: str, min_users: int = 1) -> pl.DataFrame:
    """What the events on a node come after, as in ``following``."""
    return _shared(journey_edges(visits, min_users, of="target"), "to_node_id", node_id, "from_node_id")


def _shared(edges: pl.DataFrame, end: str, node_id: str, other: str) -> pl.DataFrame:
    return (
        edges.filter(pl.col(end) == node_id)
        .select(
            pl.col(other).alias("node_id"),
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
