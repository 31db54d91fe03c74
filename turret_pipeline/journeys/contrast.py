"""Two groups of sessions side by side: what one visits, starts on, moves on to or ends on oftener than the other."""

from collections.abc import Iterator

import numpy as np
import polars as pl

from turret_pipeline.journeys.disclosure import may_be_told
from turret_pipeline.journeys.segments import compared_edges, dense
from turret_pipeline.journeys.transitions import clusters, pair_counts, transitions
from turret_pipeline.journeys.visits import numbered, same_as
from turret_pipeline.stats.array_types import IntArray
from turret_pipeline.stats.groups import compare_groups
from turret_pipeline.stats.shares import q_values

VISIT, MOVE = "visit", "move"
"""What a row compares: the share of the sessions that visit a node, or of the moves from a node that lead to the other
(from (start): the sessions that start on it; to (end): the visits after which they end)."""

IN, OUT = 0, 1

DIFFERENCES = pl.Schema(
    {
        "measure": pl.String(),
        "from_node_id": pl.String(),
        "to_node_id": pl.String(),
        "count": pl.Int64(),
        "share": pl.Float64(),
        "other_count": pl.Int64(),
        "other_share": pl.Float64(),
        "difference": pl.Float64(),
        "difference_low": pl.Float64(),
        "difference_high": pl.Float64(),
        "q_value": pl.Float64(),
    }
)


_COMPARED = [*DIFFERENCES.names()[:-1], "p_value"]


def contrast(visits: pl.DataFrame, group: pl.DataFrame, min_users: int = 1) -> pl.DataFrame:
    """Table DIFFERENCES, largest first: sessions of the group against the others of the ``visits`` of a dimension.

    ``group`` has the session_id of those that are in it. All rows are one family of comparisons: at a q-value of at
    most 0.05, 5 % of the rows are expected to be chance. Rows where either side is of fewer than ``min_users`` users
    are left out, and those that would give them away.
    """
    names = pl.col("sequence_id").cast(pl.String)
    side = visits.select(pl.when(names.is_in(group["session_id"].implode())).then(IN).otherwise(OUT)).to_series()
    rows = [*_moves(visits, side.to_numpy(), min_users), *_visited(visits, side.to_numpy(), min_users)]
    if not rows:
        return DIFFERENCES.to_frame()
    found = pl.concat(rows)
    found = found.with_columns(pl.Series("q_value", q_values(found["p_value"].to_numpy())))
    order = pl.col("difference").abs()
    found = found.sort(order, "measure", "from_node_id", "to_node_id", descending=[True, False, False, False])
    return found.select(DIFFERENCES.names())


def _moves(visits: pl.DataFrame, side: IntArray, min_users: int) -> Iterator[pl.DataFrame]:
    """The nodes that follow each node."""
    at = np.full(int(visits["position"].to_numpy().max(initial=-1)) + 1, -1)
    at[visits["position"].to_numpy()] = side
    sides = [("side", pl.Series([str(IN), str(OUT)]), at)]
    edge = ["from_node_id", "to_node_id"]
    for rows in compared_edges(transitions(visits), sides, ["session", "cluster"], min_users):
        is_in = pl.col("segment_value") == str(IN)  # where the other side is not told, the join leaves both out
        other = rows.filter(~is_in).select(*edge, pl.col("transition_count").alias("other_count"))
        yield (
            rows.filter(is_in)
            .join(other, on=edge, validate="1:1")
            .rename(
                {"transition_count": "count", "probability_in_segment": "share", "probability_elsewhere": "other_share"}
            )
            .with_columns(pl.lit(MOVE).alias("measure"))
            .select(_COMPARED)
        )


def _visited(visits: pl.DataFrame, side: IntArray, min_users: int) -> Iterator[pl.DataFrame]:
    """Each node: is it visited by a session or not?"""
    names, node = numbered(visits["node_id"])
    places = visits.select((~same_as(1)).alias("first"), (~same_as(1)).cum_sum().alias("session") - 1)
    first = places["first"].to_numpy()
    of_visits, user_count = clusters(visits)
    of_sessions = of_visits.cast(pl.Int64).to_numpy()[first]
    cluster, user = dense(of_sessions)[1], np.where(of_sessions < user_count, of_sessions, -1)
    pairs = pair_counts(node, places["session"])
    bounds = np.searchsorted(pairs["number"].to_numpy(), np.arange(len(names) + 1))
    for number, name in enumerate(names):
        counted = np.full(len(cluster), -1)
        counted[pairs["other"][bounds[number] : bounds[number + 1]].to_numpy()] = 0
        shares = compare_groups(counted, side[first], [cluster], min_users)
        told = may_be_told(counted + 1, side[first], user, (2, 2), min_users).all()
        if len(shares.groups) and told and (min_users <= 1 or shares.count.all()):
            yield pl.DataFrame(
                {
                    "measure": VISIT,
                    "from_node_id": name,
                    "to_node_id": name,
                    "count": shares.count[:, IN],
                    "share": shares.share[:, IN],
                    "other_count": shares.count[:, OUT],
                    "other_share": shares.other_share[:, IN],
                    "difference": shares.found.difference[:, IN],
                    "difference_low": shares.found.low[:, IN],
                    "difference_high": shares.found.high[:, IN],
                    "p_value": shares.found.p_value[:, IN],
                }
            ).select(_COMPARED)
