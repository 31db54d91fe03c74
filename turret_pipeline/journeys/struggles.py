"""Struggles: moves that lead to exchanges that go wrong more, or less, often than other moves to the same topic."""

from collections.abc import Iterator

import numpy as np
import polars as pl

from turret_pipeline.journeys.disclosure import is_disclosable
from turret_pipeline.journeys.segments import rank_codes
from turret_pipeline.journeys.transitions import cluster_codes
from turret_pipeline.journeys.visits import is_same_sequence, rank_names, split_by_dimension
from turret_pipeline.stats.array_types import IntArray
from turret_pipeline.stats.groups import compare_with_rest
from turret_pipeline.stats.shares import q_values
from turret_pipeline.tables import EVENT_NAME, JOURNEY_STRUGGLES, START, USER


def journey_struggles(visits: pl.DataFrame, struggles: pl.DataFrame, min_users: int = 1) -> pl.DataFrame:
    """Table ``journey_struggles`` from visits in order, and the prompts in which a struggle was decided or not.

    ``struggles`` has position (as in the visits) and is_struggle; visits without one, or with null, do not count. A
    move into a topic is compared with all other moves into the same topic, because topics differ in how hard they are.
    Moves of one user are dependent, and users may differ in what a move leads to. Rows are left out if the exchanges
    that go wrong, or those that do not, have fewer than ``min_users`` users, or if they would reveal such a row. All
    moves of a dimension are one family of q-values.
    """
    decided = struggles.drop_nulls("is_struggle")
    at = np.full(int(decided["position"].to_numpy().max(initial=-1)) + 2, -1, np.int8)  # ends with one that is unknown
    at[decided["position"].to_numpy()] = decided["is_struggle"].to_numpy()
    tables = [JOURNEY_STRUGGLES.empty()]
    for dimension, part in split_by_dimension(visits):
        if dimension.removeprefix(USER) == EVENT_NAME:
            continue
        if parts := list(_compare_ways(part, at, min_users)):
            family = pl.concat(parts).with_columns(pl.lit(dimension).alias("dimension"))
            tables.append(family.with_columns(pl.Series("q_value", q_values(family["p_value"].to_numpy()))))
    found = pl.concat([table.select(JOURNEY_STRUGGLES.schema.names()) for table in tables])
    return found.sort(JOURNEY_STRUGGLES.key)


def _compare_ways(visits: pl.DataFrame, at: IntArray, min_users: int) -> Iterator[pl.DataFrame]:
    """Rows of one dimension, one frame per topic that is entered; ``at`` is 1 or 0 where a struggle was decided."""
    names, node = rank_names(visits["node_id"])
    cluster, user_count = cluster_codes(visits)
    sources = pl.concat([names, pl.Series([START])])
    struggle = at[visits["position"].to_numpy().clip(max=len(at) - 1)]
    moves = (
        visits.select(
            node.alias("target"),
            pl.when(is_same_sequence(1)).then(node.shift(1)).otherwise(len(names)).alias("source"),
            cluster,
            pl.Series("struggle", struggle),
        )
        .filter(pl.col("struggle") >= 0)
        .sort("target", "cluster")
    )
    bounds = np.searchsorted(moves["target"].to_numpy(), np.arange(len(names) + 1))
    for number, name in enumerate(names):
        entering = moves.slice(bounds[number], bounds[number + 1] - bounds[number])
        rows = _compare_sources(entering, user_count, min_users)
        if rows is not None:
            yield rows.select(
                sources.gather(rows["source"]).alias("from_node_id"),
                pl.lit(name).alias("to_node_id"),
                pl.exclude("source"),
            )


def _compare_sources(entering: pl.DataFrame, user_count: int, min_users: int) -> pl.DataFrame | None:
    """One row per source of the moves into one topic, in order of their clusters; None if no source can be compared."""
    is_struggle = entering["struggle"].to_numpy() > 0
    if is_struggle.all() or not is_struggle.any():
        return None
    cluster = entering["cluster"].cast(pl.Int64).to_numpy()
    sources, source = rank_codes(entering["source"].to_numpy())
    shares = compare_with_rest(is_struggle, source, np.cumsum(np.diff(cluster, prepend=cluster[0]) > 0), min_users)
    user = np.where(cluster < user_count, cluster, -1)
    cells = is_disclosable(is_struggle.astype(np.int64), source, user, (2, len(sources)), min_users)
    is_shown = (cells[0] & cells[1])[shares.groups] & ((min_users <= 1) | (shares.count > 0))
    if not is_shown.any():
        return None
    rows = pl.DataFrame(
        {
            "source": sources[shares.groups],
            "move_count": np.bincount(source)[shares.groups],
            "struggle_count": shares.count,
            "struggle_share": shares.share,
            "other_struggle_share": shares.other_share,
            "difference": shares.comparison.difference,
            "difference_low": shares.comparison.low,
            "difference_high": shares.comparison.high,
            "p_value": shares.comparison.p_value,
        }
    )
    return rows.filter(is_shown)
