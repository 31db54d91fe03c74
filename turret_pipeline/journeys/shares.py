"""Shares of sessions with their intervals: sessions of one user tell less than as many of different users."""

import numpy as np
import polars as pl

from turret_pipeline.journeys.transitions import clusters
from turret_pipeline.stats.effects import share_effects
from turret_pipeline.stats.shares import share_interval

SESSION_SHARES = ("session_count", "user_count", "share", "share_low", "share_high")


def session_shares(members: pl.DataFrame, sessions: pl.DataFrame, groups: pl.DataFrame) -> pl.DataFrame:
    """SESSION_SHARES of each of the ``groups``: how many ``sessions`` are in it, and which share of all of them.

    ``sessions`` (sequence_id, user_id) has a row for each, with the user that it depends on; ``members`` the columns of
    ``groups``, which are distinct, sequence_id and user_id, and a row for each session of a group, with the user to be
    counted. Without any session shares are null.
    """
    by = groups.columns
    of_sessions = sessions.select("sequence_id", clusters(sessions)[0])
    sizes = of_sessions.group_by("cluster").agg(pl.len().cast(pl.Float64).alias("size"))
    placed = members.select(*by, "sequence_id").join(of_sessions, on="sequence_id")
    hits = placed.group_by(*by, "cluster").agg(pl.len().cast(pl.Float64).alias("hits")).join(sizes, on="cluster")
    sums = hits.group_by(by).agg(
        pl.col("hits").sum().cast(pl.Int64).alias("session_count"),
        (pl.col("hits") ** 2).sum().alias("squares"),
        (pl.col("hits") * pl.col("size")).sum().alias("crossed"),
    )
    users = members.group_by(by).agg(pl.col("user_id").drop_nulls().n_unique().cast(pl.Int64).alias("user_count"))
    found = groups.join(sums, on=by, how="left", maintain_order="left").join(
        users, on=by, how="left", maintain_order="left"
    )
    found = found.with_columns(pl.exclude(by).fill_null(0))
    if sessions.is_empty():
        nothing = (pl.lit(None, pl.Float64).alias(name) for name in SESSION_SHARES[2:])
        return found.select(*by, *SESSION_SHARES[:2], *nothing)
    count = found["session_count"].cast(pl.Float64).to_numpy()
    total, squares = np.full(len(count), float(sessions.height)), float((sizes["size"] ** 2).sum())
    effect = share_effects(
        count, total, found["squares"].to_numpy(), found["crossed"].to_numpy(), squares + 0 * count
    )
    low, high = share_interval(count, total, effect)
    share = count / total
    columns = (pl.Series(name, values) for name, values in zip(SESSION_SHARES[2:], (share, low, high), strict=True))
    return found.select(*by, *SESSION_SHARES[:2], *columns)


def sessions_of(steps: pl.DataFrame) -> pl.DataFrame:
    """The sessions of ``journey_steps`` of one dimension, each with the first user that it names."""
    return steps.group_by("sequence_id").agg(pl.col("user_id").drop_nulls().first())
