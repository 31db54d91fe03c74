"""The overview: where sessions start, what follows what, between what they bounce, and where they end."""

import polars as pl

from turret_pipeline.journeys.edges import journey_edges
from turret_pipeline.journeys.loops import bounces
from turret_pipeline.journeys.shares import session_shares, sessions_of
from turret_pipeline.journeys.steps import journey_steps
from turret_pipeline.journeys.visits import same_as
from turret_pipeline.tables import END, OTHER, START

START_ON, FOLLOW_UP, BOUNCE, END_ON = "start", "follow_up", "bounce", "end"

OVERVIEW = pl.Schema(
    {
        "question": pl.String(),
        "node_id": pl.String(),
        "other_node_id": pl.String(),
        "count": pl.Int64(),
        "of": pl.Int64(),
        "share": pl.Float64(),
        "share_low": pl.Float64(),
        "share_high": pl.Float64(),
        "median_seconds": pl.Float64(),
    }
)
"""One row per answer to a question (START_ON, FOLLOW_UP, BOUNCE, END_ON). Starts, bounces and ends are sessions of all
sessions; a follow-up is a move of all that leave the node, (end) included."""


def overview(visits: pl.DataFrame, min_users: int = 1) -> pl.DataFrame:
    """Table OVERVIEW of the visits of one dimension, the commonest first in each question.

    Answers of fewer users than ``min_users`` are left out.
    """
    steps = journey_steps(visits)
    first = steps.filter(~same_as(1)).select("sequence_id", "user_id", "node_id")
    last = steps.filter(~same_as(-1)).select("sequence_id", "user_id", "node_id")
    sessions = sessions_of(steps)
    back = bounces(steps).select("sequence_id", "user_id", "node_id", "other_node_id")
    back = back.unique(["sequence_id", "node_id", "other_node_id"], keep="first", maintain_order=True)
    parts = [
        _of_sessions(START_ON, first, sessions, ["node_id"], min_users),
        _moves(journey_edges(visits, min_users)),
        _of_sessions(BOUNCE, back, sessions, ["node_id", "other_node_id"], min_users),
        _of_sessions(END_ON, last, sessions, ["node_id"], min_users),
    ]
    return pl.concat(parts)


def _of_sessions(
    question: str, members: pl.DataFrame, sessions: pl.DataFrame, by: list[str], min_users: int
) -> pl.DataFrame:
    found = session_shares(members, sessions, members.select(by).unique().sort(by))
    found = found.filter((pl.col("user_count") >= min_users) | pl.lit(min_users <= 1))
    return (
        found.rename({"session_count": "count"})
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


def _moves(edges: pl.DataFrame) -> pl.DataFrame:
    """The moves from one node to another one."""
    leaving = pl.col("transition_count").sum().over("from_node_id").alias("of")
    pseudo = [START, END, OTHER]
    is_move = ~pl.col("from_node_id").is_in(pseudo) & ~pl.col("to_node_id").is_in(pseudo)
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
