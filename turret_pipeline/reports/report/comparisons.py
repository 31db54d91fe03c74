"""Shares of exchanges in a group, compared with those in all other groups."""

import numpy as np
import polars as pl

from turret_pipeline.journeys.segments import rank_codes
from turret_pipeline.journeys.visits import NAME, rank_names
from turret_pipeline.reports.report.privacy import find_shown
from turret_pipeline.stats.array_types import IntArray
from turret_pipeline.stats.groups import GroupShares, compare_groups
from turret_pipeline.topics.insights.periods import MIN_RATIO

FIGURES = ("count", "total", "other_count", "other_total", "low", "high")
"""Columns of a comparison: counts inside and elsewhere, and the 95 % interval of the difference of their shares."""


def compare_counted(rows: pl.DataFrame, group: str, min_users: int) -> pl.DataFrame:
    """Share of the counted rows of each group, compared with that of all other rows: ``group``, FIGURES and p-values.

    ``rows`` has the group (rows without one are left out), is_counted, session_id, cluster_id and user_id. Groups with
    too few rows or users to compare are left out, and with ``min_users`` above 1 those that would show fewer users.
    """
    marked = rows.with_columns(pl.when("is_counted").then(pl.lit("counted")).alias("item"))
    return compare_items(marked, "item", group, min_users).drop("item")


def compare_items(rows: pl.DataFrame, item: str, group: str, min_users: int) -> pl.DataFrame:
    """Share of each item in each group, compared with its share elsewhere: ``item``, ``group``, FIGURES and p-values.

    ``rows`` has the item (may be null), the group, session_id, cluster_id and user_id.
    """
    rows = rows.filter(pl.col(group).is_not_null())
    items, item_codes = _number(rows[item])
    groups, group_codes = _number(rows[group])
    if not len(items) or not len(groups):
        return _empty(item, group)
    clusters = [rank_codes(codes)[1] for codes in (_codes(rows["session_id"]), rows["cluster_id"].to_numpy())]
    shares = compare_groups(item_codes, group_codes, clusters, min_users)
    frame = _to_frame(shares, items, groups, group_codes)
    if min_users <= 1:
        return frame
    user = np.where(rows["user_id"].is_not_null().to_numpy(), clusters[1], -1)
    is_shown = find_shown(item_codes, group_codes, user, (len(items), len(groups)), min_users)
    return frame.filter(pl.Series(is_shown[:, shares.groups].ravel()))


def _to_frame(shares: GroupShares, items: pl.Series, groups: pl.Series, group: IntArray) -> pl.DataFrame:
    """One row per item and group, in their order."""
    compared = groups.gather(shares.groups)
    pairs = items.to_frame().join(compared.to_frame(), how="cross", maintain_order="left_right")
    total = np.bincount(group, minlength=len(groups))[shares.groups]
    other_total = len(group) - total
    figures = {
        "count": shares.count,
        "total": np.broadcast_to(total, shares.count.shape),
        "other_count": np.rint(shares.other_share * other_total),
        "other_total": np.broadcast_to(other_total, shares.count.shape),
        "low": shares.comparison.low,
        "high": shares.comparison.high,
        "p_value": shares.comparison.p_value,
        "p_greater": shares.comparison.p_greater,
    }
    return pairs.with_columns(pl.Series(name, values.ravel()).cast(_SCHEMA[name]) for name, values in figures.items())


def rank_by_difference(compared: pl.DataFrame) -> pl.DataFrame:
    """The comparison with ``size``, the absolute difference of the shares, and ``is_relevant`` (MIN_RATIO)."""
    share, other = pl.col("count") / pl.col("total"), pl.col("other_count") / pl.col("other_total")
    return compared.with_columns((share - other).abs().alias("size"), is_notable(share, other).alias("is_relevant"))


def is_notable(share: pl.Expr, other: pl.Expr) -> pl.Expr:
    """True if the ratio of the shares is at least MIN_RATIO, in either direction."""
    return (share >= MIN_RATIO * other) | (other >= MIN_RATIO * share)


def _number(names: pl.Series) -> tuple[pl.Series, IntArray]:
    """The distinct names in order, and the position of each name among them, -1 for null."""
    distinct, ranks = rank_names(names)
    return distinct, ranks.cast(pl.Int64).fill_null(-1).to_numpy()


def _codes(names: pl.Series) -> IntArray:
    return names.cast(NAME).to_physical().to_numpy()


_SCHEMA: dict[str, pl.DataType] = {
    **dict.fromkeys(("count", "total", "other_count", "other_total"), pl.Int64()),
    **dict.fromkeys(("low", "high", "p_value", "p_greater"), pl.Float64()),
}


def _empty(*names: str) -> pl.DataFrame:
    return pl.DataFrame(schema={**dict.fromkeys(names, pl.String()), **_SCHEMA})
