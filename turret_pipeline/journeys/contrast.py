"""Two groups of sessions side by side: what one visits, starts on, moves on to or ends on oftener than the other."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from turret_pipeline.comparison import MIN_CLUSTERS, IntArray, compare_groups, q_values
from turret_pipeline.journeys.edges import transitions

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


def contrast(visits: pl.DataFrame, group: pl.DataFrame, min_clusters: int = MIN_CLUSTERS) -> pl.DataFrame:
    """Table DIFFERENCES, largest first: sessions of the group against the others of the ``visits`` of a dimension.

    ``group`` has the session_id of those that are in it. All rows are one family of comparisons: at a q-value of at
    most 0.05, 5 % of the rows are expected to be chance.
    """
    rows = [*_moves(visits, group, min_clusters), *_visited(visits, group, min_clusters)]
    if not rows:
        return DIFFERENCES.to_frame()
    found = pl.concat(rows)
    found = found.with_columns(pl.Series("q_value", q_values(found["p_value"].to_numpy())))
    order = pl.col("difference").abs()
    found = found.sort(order, "measure", "from_node_id", "to_node_id", descending=[True, False, False, False])
    return found.select(DIFFERENCES.names())


def _moves(visits: pl.DataFrame, group: pl.DataFrame, min_clusters: int) -> Iterator[pl.DataFrame]:
    """The nodes that follow each node."""
    moves = _coded(transitions(visits), group)
    for (source,), leaving in moves.sort("from_node_id").group_by("from_node_id", maintain_order=True):
        targets = leaving["to_node_id"].unique().sort()
        target = leaving["to_node_id"].cast(pl.Enum(targets)).to_physical().cast(pl.Int64).to_numpy()
        yield from _compared(_Side.of(leaving), target, targets, MOVE, str(source), min_clusters)


def _visited(visits: pl.DataFrame, group: pl.DataFrame, min_clusters: int) -> Iterator[pl.DataFrame]:
    """Each node: is it visited by a session or not?"""
    sessions = _coded(visits.unique("session_id", keep="first", maintain_order=True), group)
    pairs = visits.select("session_id", "node_id").unique()
    numbers, side = sessions.select("session_id").with_row_index("row"), _Side.of(sessions)
    for (node,), of_node in (
        pairs.join(numbers, on="session_id").sort("node_id").group_by("node_id", maintain_order=True)
    ):
        is_visited = np.full(sessions.height, -1)
        is_visited[of_node["row"].to_numpy()] = 0
        yield from _compared(side, is_visited, pl.Series([node], dtype=pl.String), VISIT, str(node), min_clusters)


@dataclass(frozen=True)
class _Side:
    """On which side each row is, IN the group or OUT, and its clusters: its session, then its user."""

    group: IntArray
    clusters: Sequence[IntArray]

    @classmethod
    def of(cls, rows: pl.DataFrame) -> "_Side":
        clusters = [np.unique(rows[name].to_numpy(), return_inverse=True)[1] for name in ("session", "cluster")]
        return cls(rows["group"].to_numpy(), clusters)


def _coded(rows: pl.DataFrame, group: pl.DataFrame) -> pl.DataFrame:
    user = pl.coalesce(pl.lit("user ") + pl.col("user_id"), pl.lit("session ") + pl.col("session_id"))
    return rows.with_columns(
        pl.col("session_id").cast(pl.Categorical).to_physical().alias("session"),
        user.cast(pl.Categorical).to_physical().alias("cluster"),
        pl.when(pl.col("session_id").is_in(group["session_id"].implode())).then(IN).otherwise(OUT).alias("group"),
    )


def _compared(
    side: _Side, counted: IntArray, names: pl.Series, measure: str, source: str, min_clusters: int
) -> Iterator[pl.DataFrame]:
    shares = compare_groups(counted, side.group, side.clusters, min_clusters)
    if len(shares.groups):  # both sides are large enough, or neither is
        numbers = {
            "count": shares.count[:, IN],
            "share": shares.share[:, IN],
            "other_count": shares.count[:, OUT],
            "other_share": shares.other_share[:, IN],
            "difference": shares.found.difference[:, IN],
            "difference_low": shares.found.low[:, IN],
            "difference_high": shares.found.high[:, IN],
            "p_value": shares.found.p_value[:, IN],
        }
        place = (pl.lit(measure).alias("measure"), pl.lit(source).alias("from_node_id"), names.alias("to_node_id"))
        yield pl.DataFrame(numbers).select(*place, pl.all())
