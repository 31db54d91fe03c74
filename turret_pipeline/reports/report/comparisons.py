"""Shares of exchanges in a group, compared with those in all other groups."""

import numpy as np
import polars as pl

from turret_pipeline.stats.groups import compare_groups
from turret_pipeline.topics.insights.occurrences import factorize
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
    items, item_codes = factorize(rows[item])
    groups, group_codes = factorize(rows[group])
    if not len(items) or not len(groups):
        return _empty(item, group)
    clusters = [rows[name].rank("dense").cast(pl.Int64).to_numpy() - 1 for name in ("session_id", "cluster_id")]
    shares = compare_groups(item_codes, group_codes, clusters, min_users)
    pairs = items.to_frame().join(groups.gather(shares.groups).to_frame(), how="cross", maintain_order="left_right")
    total = np.bincount(group_codes, minlength=len(groups))[shares.groups]
    everywhere = np.bincount(item_codes[item_codes >= 0], minlength=len(items))[:, None]
    frame = pairs.with_columns(
        pl.Series("count", shares.count.ravel()),
        pl.Series("total", np.tile(total, len(items))),
        pl.Series("other_count", (everywhere - shares.count).ravel()),
        pl.Series("other_total", np.tile(len(rows) - total, len(items))),
        pl.Series("low", shares.comparison.low.ravel()),
        pl.Series("high", shares.comparison.high.ravel()),
        pl.Series("p_value", shares.comparison.p_value.ravel()),
        pl.Series("p_greater", shares.comparison.p_greater.ravel()),
    )
    frame = frame.with_columns(pl.col(name).cast(kind) for name, kind in _SCHEMA.items())
    return _drop_rare(frame, rows.with_columns(pl.lit(value=True).alias("is_counted")), [item, group], min_users)


def rank_by_difference(compared: pl.DataFrame) -> pl.DataFrame:
    """The comparison with ``size``, the absolute difference of the shares, and ``is_relevant`` (MIN_RATIO)."""
    share, other = pl.col("count") / pl.col("total"), pl.col("other_count") / pl.col("other_total")
    is_relevant = (share >= MIN_RATIO * other) | (other >= MIN_RATIO * share)
    return compared.with_columns((share - other).abs().alias("size"), is_relevant.alias("is_relevant"))


_SCHEMA: dict[str, pl.DataType] = {
    **dict.fromkeys(("count", "total", "other_count", "other_total"), pl.Int64()),
    **dict.fromkeys(("low", "high", "p_value", "p_greater"), pl.Float64()),
}


def _empty(*names: str) -> pl.DataFrame:
    return pl.DataFrame(schema={**dict.fromkeys(names, pl.String()), **_SCHEMA})


def _drop_rare(compared: pl.DataFrame, rows: pl.DataFrame, by: list[str], min_users: int) -> pl.DataFrame:
    """The comparisons whose counted rows are of no user at all, or of at least ``min_users``."""
    if min_users <= 1:
        return compared
    counted = rows.filter("is_counted").group_by(by).agg(pl.col("user_id").drop_nulls().n_unique().alias("users"))
    joined = compared.join(counted, on=by, how="left", maintain_order="left")
    return joined.filter((pl.col("count") == 0) | (pl.col("users") >= min_users)).drop("users")
