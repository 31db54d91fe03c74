"""What comes right after a node, and what comes right before it."""

import polars as pl

from turret_pipeline.comparison import share_interval


def following(edges: pl.DataFrame, node_id: str) -> pl.DataFrame:
    """What visits to the node are followed by, commonest first: node_id, of the next node, with the edge's figures.

    ``edges`` are those of one dimension (``journey_edges``). The denominator of ``share`` is all events on the node.
    """
    return _shared(edges.filter(pl.col("from_node_id") == node_id), "to_node_id")


def preceding(edges: pl.DataFrame, node_id: str) -> pl.DataFrame:
    """What visits to the node come from, commonest first, as in ``following``."""
    return _shared(edges.filter(pl.col("to_node_id") == node_id), "from_node_id")


def _shared(edges: pl.DataFrame, other: str) -> pl.DataFrame:
    counts = edges["transition_count"].to_numpy()
    low, high = share_interval(counts, max(int(counts.sum()), 1))
    return edges.select(
        pl.col(other).alias("node_id"),
        "transition_count",
        (pl.col("transition_count") / pl.col("transition_count").sum()).alias("share"),
        pl.Series("share_low", low),
        pl.Series("share_high", high),
        "session_count",
        "user_count",
        "median_seconds",
        "p95_seconds",
    ).sort("transition_count", "node_id", descending=[True, False])
