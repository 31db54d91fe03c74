"""Comparison of two groups of sessions: differences in the nodes they visit, start on, move to and end on."""

from collections.abc import Iterator

import numpy as np
import polars as pl

from turret_pipeline.journeys.disclosure import is_disclosable
from turret_pipeline.journeys.segments import compare_edges, rank_codes
from turret_pipeline.journeys.transitions import cluster_codes, count_pairs, find_transitions
from turret_pipeline.journeys.visits import is_same_sequence, rank_names
from turret_pipeline.stats.array_types import IntArray
from turret_pipeline.stats.groups import compare_groups
from turret_pipeline.stats.shares import q_values

VISIT, MOVE = "visit", "move"
"""Values of ``measure``. VISIT: the share of sessions that visit a node. MOVE: the share of the transitions from a node
that lead to another (from (start): sessions that start on it; to (end): visits after which the session ends)."""

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


def compare_sessions(visits: pl.DataFrame, group: pl.DataFrame, min_users: int = 1) -> pl.DataFrame:
    """Table DIFFERENCES between the sessions of a group and all other sessions, largest difference first.

    ``visits`` are those of one dimension, ``group`` has the session_id of each session in the group. All rows are one
    family of comparisons: at a q-value of at most 0.05, 5 % of the rows are expected to be chance. Rows are left out if
    either side has fewer than ``min_users`` users, or if they would reveal such a row.
    """
    sequence = pl.col("sequence_id").cast(pl.String)
    side = visits.select(pl.when(sequence.is_in(group["session_id"].implode())).then(IN).otherwise(OUT)).to_series()
    parts = [*_compare_moves(visits, side.to_numpy(), min_users), *_compare_visits(visits, side.to_numpy(), min_users)]
    if not parts:
        return DIFFERENCES.to_frame()
    rows = pl.concat(parts)
    rows = rows.with_columns(pl.Series("q_value", q_values(rows["p_value"].to_numpy())))
    size = pl.col("difference").abs()
    rows = rows.sort(size, "measure", "from_node_id", "to_node_id", descending=[True, False, False, False])
    return rows.select(DIFFERENCES.names())


def _compare_moves(visits: pl.DataFrame, side: IntArray, min_users: int) -> Iterator[pl.DataFrame]:
    """Rows of MOVE, one frame per node that is left."""
    at = np.full(int(visits["position"].to_numpy().max(initial=-1)) + 1, -1)
    at[visits["position"].to_numpy()] = side
    sides = [("side", pl.Series([str(IN), str(OUT)]), at)]
    edge = ["from_node_id", "to_node_id"]
    for rows in compare_edges(find_transitions(visits), sides, ["session", "cluster"], min_users):
        is_in = pl.col("segment_value") == str(IN)  # the join drops edges with a suppressed side
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


def _compare_visits(visits: pl.DataFrame, side: IntArray, min_users: int) -> Iterator[pl.DataFrame]:
    """Rows of VISIT, one frame per node."""
    names, node = rank_names(visits["node_id"])
    is_first = ~is_same_sequence(1)
    sessions = visits.select(is_first.alias("is_first"), is_first.cum_sum().alias("session") - 1)
    first = sessions["is_first"].to_numpy()
    visit_clusters, user_count = cluster_codes(visits)
    session_clusters = visit_clusters.cast(pl.Int64).to_numpy()[first]
    cluster, user = rank_codes(session_clusters)[1], np.where(session_clusters < user_count, session_clusters, -1)
    pairs = count_pairs(node, sessions["session"])
    bounds = np.searchsorted(pairs["number"].to_numpy(), np.arange(len(names) + 1))
    for number, name in enumerate(names):
        is_visited = np.full(len(cluster), -1)
        is_visited[pairs["other"][bounds[number] : bounds[number + 1]].to_numpy()] = 0
        shares = compare_groups(is_visited, side[first], [cluster], min_users)
        is_shown = is_disclosable(is_visited + 1, side[first], user, (2, 2), min_users).all()
        if len(shares.groups) and is_shown and (min_users <= 1 or shares.count.all()):
            yield pl.DataFrame(
                {
                    "measure": VISIT,
                    "from_node_id": name,
                    "to_node_id": name,
                    "count": shares.count[:, IN],
                    "share": shares.share[:, IN],
                    "other_count": shares.count[:, OUT],
                    "other_share": shares.other_share[:, IN],
                    "difference": shares.comparison.difference[:, IN],
                    "difference_low": shares.comparison.low[:, IN],
                    "difference_high": shares.comparison.high[:, IN],
                    "p_value": shares.comparison.p_value[:, IN],
                }
            ).select(_COMPARED)
