"""Loops: sessions that leave a node for another and come right back (A, B, A)."""

import polars as pl

from turret_pipeline.journeys.visits import NAME, is_same_sequence
from turret_pipeline.tables import JOURNEY_LOOPS

LOOP = ["dimension", "node_id", "other_node_id"]


def journey_loops(steps: pl.DataFrame, min_users: int = 1) -> pl.DataFrame:
    """Table ``journey_loops`` from ``journey_steps``, without loops of fewer than ``min_users`` users.

    A, B, A, B is a loop from A and one from B.
    """
    sessions = steps.group_by("dimension").agg(pl.col("sequence_id").n_unique().alias("sessions"))
    return (
        find_bounces(steps)
        .group_by(LOOP)
        .agg(
            pl.len().cast(pl.Int64).alias("bounce_count"),
            pl.col("sequence_id").n_unique().cast(pl.Int64).alias("session_count"),
            pl.col("user_id").drop_nulls().n_unique().cast(pl.Int64).alias("user_count"),
        )
        .filter((pl.col("user_count") >= min_users) | pl.lit(min_users <= 1))
        .join(sessions, on="dimension")
        .cast({NAME: pl.String})
        .with_columns((pl.col("session_count") / pl.col("sessions")).alias("session_share"))
        .select(JOURNEY_LOOPS.schema.names())
        .sort(LOOP)
    )


def find_bounces(steps: pl.DataFrame) -> pl.DataFrame:
    """One row per bounce: LOOP, sequence_id and user_id, in the order of the ``steps`` (``journey_steps``)."""
    node = pl.col("node_id")
    bounces = steps.select(
        *LOOP[:2],
        node.shift(-1).alias(LOOP[2]),
        "sequence_id",
        "user_id",
        (is_same_sequence(-2) & (node == node.shift(-2))).alias("is_back"),
    )
    return bounces.filter("is_back").drop("is_back")
