"""The overview of a dimension: first nodes, common transitions, bounces, and last nodes of sessions."""

import polars as pl

from turret_pipeline.journeys.edges import journey_edges
from turret_pipeline.journeys.loops import find_bounces
from turret_pipeline.journeys.shares import collect_sequences, session_shares
from turret_pipeline.journeys.steps import journey_steps
from turret_pipeline.journeys.visits import is_same_sequence
from turret_pipeline.tables import END, OTHER, START

START_ON, FOLLOW_UP, BOUNCE, END_ON = "start", "follow_up", "bounce", "end"
"""Questions about the sessions of a dimension."""


def build_overview(visits: pl.DataFrame, min_users: int = 1) -> pl.DataFrame:
    """A row per answer to a question about the visits of one dimension, most common first within each question.

    The columns are question, node_id, other_node_id, count, of, share, share_low, share_high and median_seconds.
    Starts, bounces and ends count sessions, of all sessions. A follow-up counts transitions, of all that leave the
    node, including those to (end). Answers of fewer than ``min_users`` users are left out.
    """
    steps = journey_steps(visits)
    first = steps.filter(~is_same_sequence(1)).select("sequence_id", "user_id", "node_id")
    last = steps.filter(~is_same_sequence(-1)).select("sequence_id", "user_id", "node_id")
    sessions = collect_sequences(steps)
    bounces = find_bounces(steps).select("sequence_id", "user_id", "node_id", "other_node_id")
    bounces = bounces.unique(["sequence_id", "node_id", "other_node_id"], keep="first", maintain_order=True)
    parts = [
        _count_sessions(START_ON, first, sessions, ["node_id"], min_users),
        _count_transitions(journey_edges(visits, min_users)),
        _count_sessions(BOUNCE, bounces, sessions, ["node_id", "other_node_id"], min_users),
        _count_sessions(END_ON, last, sessions, ["node_id"], min_users),
    ]
    return pl.concat(parts)


def _count_sessions(
    question: str, members: pl.DataFrame, sessions: pl.DataFrame, by: list[str], min_users: int
) -> pl.DataFrame:
    shares = session_shares(members, sessions, members.select(by).unique().sort(by))
    shares = shares.filter((pl.col("user_count") >= min_users) | pl.lit(min_users <= 1))
    return (
        shares.rename({"session_count": "count"})
        .sort("count", *by, descending=[True, *(False for _ in by)])
        .select(
            pl.lit(question).alias("question"),
            "node_id",
            "other_node_id" if "other_node_id" in by else pl.lit(None, pl.String).alias("other_node_id"),
            "count",
            pl.lit(sessions.height, pl.Int64).alias("of"),
            "share",
            "share_low",
            "share_high",
            pl.lit(None, pl.Float64).alias("median_seconds"),
        )
    )


def _count_transitions(edges: pl.DataFrame) -> pl.DataFrame:
    """Answers to FOLLOW_UP: transitions from one node to a different one."""
    leaving = pl.col("transition_count").sum().over("from_node_id").alias("of")
    pseudo_nodes = [START, END, OTHER]
    is_move = ~pl.col("from_node_id").is_in(pseudo_nodes) & ~pl.col("to_node_id").is_in(pseudo_nodes)
    moves = edges.with_columns(leaving).filter(is_move & (pl.col("from_node_id") != pl.col("to_node_id")))
    return moves.sort("transition_count", "from_node_id", "to_node_id", descending=[True, False, False]).select(
        pl.lit(FOLLOW_UP).alias("question"),
        pl.col("from_node_id").alias("node_id"),
        pl.col("to_node_id").alias("other_node_id"),
        pl.col("transition_count").alias("count"),
        "of",
        pl.col("probability").alias("share"),
        pl.col("probability_low").alias("share_low"),
        pl.col("probability_high").alias("share_high"),
        "median_seconds",
    )
