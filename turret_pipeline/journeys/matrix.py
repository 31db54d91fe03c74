"""The step matrix: shares of sessions by node at their first, second, third ... step."""

import polars as pl

from turret_pipeline.journeys.shares import SESSION_SHARES, collect_sequences, session_shares
from turret_pipeline.tables import END, OTHER


def step_matrix(steps: pl.DataFrame, depth: int, max_nodes: int, min_users: int = 1) -> pl.DataFrame:
    """One row per step number up to ``depth`` and node: the share of all sessions that are on it at that step.

    ``steps`` are the ``journey_steps`` of one dimension. The ``max_nodes`` most frequent nodes keep their names;
    all others, and nodes of fewer than ``min_users`` users at a step, become (other). Sessions that ended before a step
    are on (end), so the shares of a step sum to 1.
    """
    sessions = collect_sequences(steps)
    first = steps.filter(pl.col("step_number") <= depth).select("sequence_id", "user_id", "step_number", "node_id")
    sizes = first.group_by("node_id").len().sort("len", "node_id", descending=[True, False])
    named = sizes["node_id"].head(max_nodes)
    first = _combine_nodes(first, ~pl.col("node_id").is_in(named.implode()))
    if min_users > 1:
        is_rare = pl.col("user_id").drop_nulls().n_unique().over("step_number", "node_id") < min_users
        first = _combine_nodes(first, is_rare)
    numbers = pl.DataFrame({"step_number": range(1, depth + 1)}, {"step_number": pl.Int64})
    members = pl.concat([first, _ended_sessions(first, sessions, numbers)])
    ranks = {node: rank for rank, node in enumerate([*named, OTHER, END])}
    rank = pl.col("node_id").replace_strict(ranks, return_dtype=pl.Int64)
    groups = members.select("step_number", "node_id").unique().sort("step_number", rank)
    return session_shares(members, sessions, groups).select("step_number", "node_id", *SESSION_SHARES)


def _combine_nodes(first: pl.DataFrame, is_combined: pl.Expr) -> pl.DataFrame:
    return first.with_columns(pl.when(is_combined).then(pl.lit(OTHER)).otherwise("node_id").alias("node_id"))


def _ended_sessions(first: pl.DataFrame, sessions: pl.DataFrame, numbers: pl.DataFrame) -> pl.DataFrame:
    """One row on (end) per session and step number that it does not reach."""
    every = sessions.join(numbers, how="cross")
    ended = every.join(first, on=["sequence_id", "step_number"], how="anti")
    return ended.select("sequence_id", "user_id", "step_number", pl.lit(END).alias("node_id"))
