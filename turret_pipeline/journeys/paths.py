"""Paths: which steps follow each other in how many sessions, two to five of them, and from start to end."""

from collections.abc import Iterator

import numpy as np
import polars as pl

from turret_pipeline.journeys.transitions import pair_counts
from turret_pipeline.journeys.visits import NAME, PACKED, numbered, of_each_dimension, same_as
from turret_pipeline.tables import JOURNEY_PATHS

LENGTHS = range(2, 6)


def journey_paths(steps: pl.DataFrame, min_users: int = 1) -> pl.DataFrame:
    """Table ``journey_paths`` from ``journey_steps``; paths of fewer users than ``min_users`` are left out.

    A session counts once for a path, however often it takes it.
    """
    tables = [JOURNEY_PATHS.empty()]
    for dimension, part in of_each_dimension(steps):
        names, coded = _coded(part)
        sessions = int(coded["session"].to_numpy()[-1])
        for found in (*_grams(coded, names), _whole(coded, names)):
            shown = found if min_users <= 1 else found.filter(pl.col("user_count") >= min_users)
            tables.append(
                shown.with_columns(
                    pl.lit(dimension).alias("dimension"), (pl.col("session_count") / sessions).alias("session_share")
                ).select(JOURNEY_PATHS.schema.names())
            )
    return pl.concat(tables)


def _coded(steps: pl.DataFrame) -> tuple[pl.Series, pl.DataFrame]:
    """Names of the nodes; and numbers of nodes (rows of their names), sessions (from 1), users (null: not known)."""
    names, node = numbered(steps["node_id"])
    return names, steps.select(
        node.alias("node").cast(pl.UInt64),
        (~same_as(1)).cum_sum().cast(pl.UInt64).alias("session"),
        pl.col("user_id").cast(NAME).to_physical().cast(pl.UInt64).alias("user"),
        pl.int_range(pl.len(), dtype=pl.UInt32).alias("row"),
    )


def _grams(coded: pl.DataFrame, names: pl.Series) -> Iterator[pl.DataFrame]:
    """For each length, the paths with their sessions and users.

    A path is numbered by the number of the path one step shorter and its last node: numbers stay small, and pairs of
    them with a session fit 64 bits.
    """
    grams = coded.with_columns(pl.col("node").alias("path"))
    for length in LENGTHS:
        ahead = 1 - length
        grams = grams.with_columns(
            pl.when(pl.col("session") == pl.col("session").shift(ahead))
            .then(pl.col("path") * PACKED + pl.col("node").shift(ahead))
            .rank("dense")
            .cast(pl.UInt64)
            .sub(1)
            .alias("path")
        )
        there = grams.filter(pl.col("path").is_not_null())
        of_user = there.filter(pl.col("user").is_not_null())
        sessions = np.bincount(pair_counts(there["path"], there["session"])["number"])
        users = np.bincount(pair_counts(of_user["path"], of_user["user"])["number"], minlength=len(sessions))
        row = np.zeros(len(sessions), np.uint32)  # where a path is found: its nodes are read there
        row[there["path"]] = there["row"]
        steps = [names.gather(coded["node"].gather(row + step)).alias(str(step)) for step in range(length)]
        yield pl.select(
            pl.concat_list(steps).alias("path"),
            pl.lit(length, pl.Int64).alias("step_count"),
            pl.lit(value=False).alias("is_whole_session"),
            pl.Series("session_count", sessions),
            pl.Series("user_count", users),
        )


def _whole(coded: pl.DataFrame, names: pl.Series) -> pl.DataFrame:
    """The paths of whole sessions; a session is of the user of its first step."""
    sessions = coded.group_by("session", maintain_order=True).agg(
        pl.col("node").cast(pl.UInt32).alias("path"), pl.col("user").first()
    )
    found = (
        sessions.group_by("path")
        .agg(
            pl.len().cast(pl.Int64).alias("session_count"),
            pl.col("user").drop_nulls().n_unique().cast(pl.Int64).alias("user_count"),
        )
        .sort("path")
    )
    lengths = found["path"].list.len()
    spelled = found.select(pl.col("path").explode()).to_series()
    path = (
        pl.DataFrame({"session": pl.int_range(found.height, eager=True).repeat_by(lengths).explode()})
        .with_columns(names.gather(spelled).alias("path"))
        .group_by("session", maintain_order=True)
        .agg("path")["path"]
    )
    return found.select(
        path,
        lengths.cast(pl.Int64).alias("step_count"),
        pl.lit(value=True).alias("is_whole_session"),
        "session_count",
        "user_count",
    )
