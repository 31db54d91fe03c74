"""The step matrix: on which node sessions are at their first, second, third ... step."""

import polars as pl

from turret_pipeline.journeys.shares import SESSION_SHARES, session_shares, sessions_of
from turret_pipeline.tables import END, OTHER


def step_matrix(steps: pl.DataFrame, depth: int, shown: int, min_users: int = 1) -> pl.DataFrame:
    """One row per step number up to ``depth`` and node: the share of all sessions that are on it at that step.

    ``steps`` are those of one dimension (``journey_steps``). The ``shown`` nodes that most sessions are on keep their
    name, the rest is (other), as is what fewer than ``min_users`` users do at a step; sessions that have ended before
    are on (end). So the shares of a step sum to 1.
    """
    sessions = sessions_of(steps)
    first = steps.filter(pl.col("step_number") <= depth).select("sequence_id", "user_id", "step_number", "node_id")
    sizes = first.group_by("node_id").len().sort("len", "node_id", descending=[True, False])
    first = _folded(first, ~pl.col("node_id").is_in(sizes["node_id"].head(shown).implode()))
    if min_users > 1:
        few = pl.col("user_id").drop_nulls().n_unique().over("step_number", "node_id") < min_users
        first = _folded(first, few)
    numbers = pl.DataFrame({"step_number": range(1, depth + 1)}, {"step_number": pl.Int64})
    there = pl.concat([first, _ended(first, sessions, numbers)])
    order = {node: place for place, node in enumerate([*sizes["node_id"].head(shown), OTHER, END])}
    place = pl.col("node_id").replace_strict(order, return_dtype=pl.Int64)
    groups = there.select("step_number", "node_id").unique().sort("step_number", place)
    return session_shares(there, sessions, groups).select("step_number", "node_id", *SESSION_SHARES)


def _folded(first: pl.DataFrame, is_rare: pl.Expr) -> pl.DataFrame:
    return first.with_columns(pl.when(is_rare).then(pl.lit(OTHER)).otherwise("node_id").alias("node_id"))


def _ended(first: pl.DataFrame, sessions: pl.DataFrame, numbers: pl.DataFrame) -> pl.DataFrame:
    """The sessions that have no step of a number any more, on (end)."""
    every = sessions.join(numbers, how="cross")
    ended = every.join(first, on=["sequence_id", "step_number"], how="anti")
    return ended.select("sequence_id", "user_id", "step_number", pl.lit(END).alias("node_id"))
