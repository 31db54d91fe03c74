"""Paths: series of two to five steps, and of whole sessions, with the number of sessions that take them."""

from collections.abc import Iterator

import numpy as np
import polars as pl

from turret_pipeline.journeys.transitions import count_pairs
from turret_pipeline.journeys.visits import NAME, PACK_BASE, is_same_sequence, rank_names, split_by_dimension
from turret_pipeline.tables import JOURNEY_PATHS

LENGTHS = range(2, 6)


def journey_paths(steps: pl.DataFrame, min_users: int = 1) -> pl.DataFrame:
    """Table ``journey_paths`` from ``journey_steps``, without paths of fewer than ``min_users`` users.

    A session counts once for a path, even if it takes it several times.
    """
    tables = [JOURNEY_PATHS.empty()]
    for dimension, part in split_by_dimension(steps):
        names, encoded = _encode(part)
        sessions = int(encoded["session"].to_numpy()[-1])
        for paths in (*_count_subpaths(encoded, names), _count_whole_sessions(encoded, names)):
            shown = paths if min_users <= 1 else paths.filter(pl.col("user_count") >= min_users)
            tables.append(
                shown.with_columns(
                    pl.lit(dimension).alias("dimension"), (pl.col("session_count") / sessions).alias("session_share")
                ).select(JOURNEY_PATHS.schema.names())
            )
    return pl.concat(tables)


def _encode(steps: pl.DataFrame) -> tuple[pl.Series, pl.DataFrame]:
    """Names of the nodes, and steps as numbers: node (row of its name), session (from 1), user (null: unknown), row."""
    names, node = rank_names(steps["node_id"])
    return names, steps.select(
        node.alias("node").cast(pl.UInt64),
        (~is_same_sequence(1)).cum_sum().cast(pl.UInt64).alias("session"),
        pl.col("user_id").cast(NAME).to_physical().cast(pl.UInt64).alias("user"),
        pl.int_range(pl.len(), dtype=pl.UInt32).alias("row"),
    )


def _count_subpaths(encoded: pl.DataFrame, names: pl.Series) -> Iterator[pl.DataFrame]:
    """The paths of each length with their sessions and users.

    The number of a path is the rank of the pair of the path one step shorter and the last node. So numbers stay small,
    and a pair of a path and a session fits into 64 bits.
    """
    subpaths = encoded.with_columns(pl.col("node").alias("path"))
    for length in LENGTHS:
        ahead = 1 - length
        subpaths = subpaths.with_columns(
            pl.when(pl.col("session") == pl.col("session").shift(ahead))
            .then(pl.col("path") * PACK_BASE + pl.col("node").shift(ahead))
            .rank("dense")
            .cast(pl.UInt64)
            .sub(1)
            .alias("path")
        )
        complete = subpaths.filter(pl.col("path").is_not_null())
        of_user = complete.filter(pl.col("user").is_not_null())
        sessions = np.bincount(count_pairs(complete["path"], complete["session"])["number"])
        users = np.bincount(count_pairs(of_user["path"], of_user["user"])["number"], minlength=len(sessions))
        row = np.zeros(len(sessions), np.uint32)  # any row at which the path begins, to read its nodes from
        row[complete["path"]] = complete["row"]
        nodes = [names.gather(encoded["node"].gather(row + step)).alias(str(step)) for step in range(length)]
        yield pl.select(
            pl.concat_list(nodes).alias("path"),
            pl.lit(length, pl.Int64).alias("step_count"),
            pl.lit(value=False).alias("is_whole_session"),
            pl.Series("session_count", sessions),
            pl.Series("user_count", users),
        )


def _count_whole_sessions(encoded: pl.DataFrame, names: pl.Series) -> pl.DataFrame:
    """The paths of whole sessions. The user of a session is the user of its first step."""
    sessions = encoded.group_by("session", maintain_order=True).agg(
        pl.col("node").cast(pl.UInt32).alias("path"), pl.col("user").first()
    )
    paths = (
        sessions.group_by("path")
        .agg(
            pl.len().cast(pl.Int64).alias("session_count"),
            pl.col("user").drop_nulls().n_unique().cast(pl.Int64).alias("user_count"),
        )
        .sort("path")
    )
    lengths = paths["path"].list.len()
    nodes = paths.select(pl.col("path").explode()).to_series()
    path = (
        pl.DataFrame({"path_number": pl.int_range(paths.height, eager=True).repeat_by(lengths).explode()})
        .with_columns(names.gather(nodes).alias("path"))
        .group_by("path_number", maintain_order=True)
        .agg("path")["path"]
    )
    return paths.select(
        path,
        lengths.cast(pl.Int64).alias("step_count"),
        pl.lit(value=True).alias("is_whole_session"),
        "session_count",
        "user_count",
    )
