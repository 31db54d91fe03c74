"""Shares of sessions with intervals that allow for the dependence between sessions of one user."""

import numpy as np
import polars as pl

from turret_pipeline.journeys.transitions import cluster_codes
from turret_pipeline.stats.effects import share_design_effects
from turret_pipeline.stats.shares import share_interval

SESSION_SHARES = ("session_count", "user_count", "share", "share_low", "share_high")


def session_shares(members: pl.DataFrame, sessions: pl.DataFrame, groups: pl.DataFrame) -> pl.DataFrame:
    """The groups with SESSION_SHARES: how many of the ``sessions`` are in each, and their share of all sessions.

    ``sessions`` (sequence_id, user_id) has one row per session with the user that it depends on. ``members`` has the
    columns of ``groups``, sequence_id and user_id: one row per group and session in it, with the user to count. The
    rows of ``groups`` are distinct. Shares are null if there are no sessions.
    """
    by = groups.columns
    session_clusters = sessions.select("sequence_id", cluster_codes(sessions)[0])
    sizes = session_clusters.group_by("cluster").agg(pl.len().cast(pl.Float64).alias("size"))
    member_clusters = members.select(*by, "sequence_id").join(session_clusters, on="sequence_id")
    hits = member_clusters.group_by(*by, "cluster").agg(pl.len().cast(pl.Float64).alias("hits"))
    hits = hits.join(sizes, on="cluster")
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
        nulls = (pl.lit(None, pl.Float64).alias(name) for name in SESSION_SHARES[2:])
        return found.select(*by, *SESSION_SHARES[:2], *nulls)
    count = found["session_count"].cast(pl.Float64).to_numpy()
    total, squares = np.full(len(count), float(sessions.height)), float((sizes["size"] ** 2).sum())
    effect = share_design_effects(
        count, total, found["squares"].to_numpy(), found["crossed"].to_numpy(), squares + 0 * count
    )
    low, high = share_interval(count, total, effect)
    share = count / total
    columns = (pl.Series(name, values) for name, values in zip(SESSION_SHARES[2:], (share, low, high), strict=True))
    return found.select(*by, *SESSION_SHARES[:2], *columns)


def collect_sequences(steps: pl.DataFrame) -> pl.DataFrame:
    """The sequences of the ``journey_steps`` of one dimension: sequence_id, and user_id, the first known user."""
    return steps.group_by("sequence_id").agg(pl.col("user_id").drop_nulls().first())
