"""The overview of a dimension: first nodes, common transitions, bounces, and last nodes of sessions."""

from collections.abc import Collection

import polars as pl

from turret_pipeline.journeys.edges import journey_edges
from turret_pipeline.journeys.loops import find_bounces
from turret_pipeline.journeys.shares import collect_sequences, session_shares
from turret_pipeline.journeys.steps import journey_steps
from turret_pipeline.journeys.transitions import cluster_codes, clustered_shares, count_pairs
from turret_pipeline.journeys.visits import is_same_sequence, rank_names
from turret_pipeline.stats.groups import MIN_CLUSTERS, MIN_EVENTS
from turret_pipeline.tables import END, OTHER, START

START_ON, FOLLOW_UP, BOUNCE, END_ON = "start", "follow_up", "bounce", "end"
"""Questions about the sessions of a dimension."""


def build_overview(visits: pl.DataFrame, min_users: int = 1, follow_ups: Collection[str] = ()) -> pl.DataFrame:
    """A row per answer to a question about the visits of one dimension, the largest share first within each question.

    The columns are question, node_id, other_node_id, count, of, share, share_low, share_high and median_seconds.
    Starts and bounces count sessions, of all sessions. Ends count sessions, of those that visit the node: the share
    of all sessions would only say which node is large. A follow-up counts transitions, of all that leave the node,
    including those to (end). Ends and follow-ups are left out unless MIN_EVENTS sessions of MIN_CLUSTERS users
    visit the node, or as many transitions leave it, and follow-ups and bounces unless MIN_CLUSTERS sessions have
    them; if the user is unknown, sessions count instead. Ends on one of ``follow_ups``, the topics of follow-ups,
    are left out: they are no subject. Answers of fewer than ``min_users`` users are left out.
    """
    steps = journey_steps(visits)
    first = steps.filter(~is_same_sequence(1)).select("sequence_id", "user_id", "node_id")
    sessions = collect_sequences(steps)
    bounces = find_bounces(steps).select("sequence_id", "user_id", "node_id", "other_node_id")
    pair = ["node_id", "other_node_id"]
    bounces = bounces.unique(["sequence_id", *pair], keep="first", maintain_order=True)
    bounces = bounces.filter(pl.len().over(pair) >= MIN_CLUSTERS)
    parts = [
        _count_sessions(START_ON, first, sessions, ["node_id"], min_users),
        _count_transitions(journey_edges(visits, min_users), _find_common(steps, sessions)),
        _count_sessions(BOUNCE, bounces, sessions, pair, min_users),
        _count_ends(steps, sessions, min_users).filter(~pl.col("node_id").is_in(list(follow_ups))),
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


def _find_common(steps: pl.DataFrame, sessions: pl.DataFrame) -> pl.DataFrame:
    """The nodes that MIN_CLUSTERS users visit, as ``node_id``."""
    clusters = sessions.select("sequence_id", cluster_codes(sessions)[0])
    visited = steps.select("sequence_id", "node_id").join(clusters, on="sequence_id")
    return visited.group_by("node_id").agg(pl.col("cluster").n_unique()).filter(pl.col("cluster") >= MIN_CLUSTERS)


def _count_ends(steps: pl.DataFrame, sessions: pl.DataFrame, min_users: int) -> pl.DataFrame:
    """Answers to END_ON: sessions that end on a node, of those that visit it."""
    clusters = sessions.select("sequence_id", "user_id", cluster_codes(sessions)[0])
    is_end = (~is_same_sequence(-1)).alias("is_end")
    visited = (
        steps.select("sequence_id", "node_id", is_end).group_by("sequence_id", "node_id").agg(pl.col("is_end").any())
    )
    visited = visited.join(clusters, on="sequence_id")
    names, node = rank_names(visited["node_id"])
    item = node.cast(pl.UInt32) * 2 + visited["is_end"].cast(pl.UInt32)
    source = pl.int_range(2 * len(names), dtype=pl.UInt32, eager=True) // 2
    shares = clustered_shares(count_pairs(item, visited["cluster"]), source).filter(pl.col("number") % 2 == 1)
    users = visited.group_by("node_id").agg(
        pl.len().cast(pl.Int64).alias("of"),
        pl.col("user_id").filter("is_end").drop_nulls().n_unique().alias("user_count"),
    )
    ends = shares.with_columns(names.gather(shares["number"] // 2).alias("node_id"))
    ends = ends.join(users.with_columns(pl.col("node_id").cast(pl.String)), on="node_id")
    common = _find_common(steps, sessions).select(pl.col("node_id").cast(pl.String))
    is_shown = (pl.col("of") >= MIN_EVENTS) & ((pl.col("user_count") >= min_users) | pl.lit(min_users <= 1))
    return (
        ends.join(common, on="node_id", how="semi")
        .filter(is_shown)
        .sort("share", "of", "node_id", descending=[True, True, False])
        .select(
            pl.lit(END_ON).alias("question"),
            "node_id",
            pl.lit(None, pl.String).alias("other_node_id"),
            "count",
            "of",
            "share",
            pl.col("low").alias("share_low"),
            pl.col("high").alias("share_high"),
            pl.lit(None, pl.Float64).alias("median_seconds"),
        )
    )


def _count_transitions(edges: pl.DataFrame, common: pl.DataFrame) -> pl.DataFrame:
    """Answers to FOLLOW_UP: transitions from one of the ``common`` nodes to a different one."""
    leaving = pl.col("transition_count").sum().over("from_node_id").alias("of")
    pseudo_nodes = [START, END, OTHER]
    is_move = ~pl.col("from_node_id").is_in(pseudo_nodes) & ~pl.col("to_node_id").is_in(pseudo_nodes)
    moves = edges.with_columns(leaving).filter(is_move & (pl.col("from_node_id") != pl.col("to_node_id")))
    has_evidence = (
        (pl.col("of") >= MIN_EVENTS)
        & (pl.col("session_count") >= MIN_CLUSTERS)
        & pl.col("from_node_id").is_in(common["node_id"].cast(pl.String).implode())
    )
    by = ["probability", "transition_count", "from_node_id", "to_node_id"]
    return (
        moves.filter(has_evidence)
        .sort(by, descending=[True, True, False, False])
        .select(
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
    )
