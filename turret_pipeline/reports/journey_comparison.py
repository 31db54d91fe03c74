"""Two groups of sessions side by side: shares of both, their difference, its interval and q-value.

The events of each group count as fewer independent ones, by the design effect of its share. That sessions of one user
are in both groups is not used: it would make most differences more certain.
"""

from collections.abc import Sequence

import polars as pl

from turret_pipeline.stats.groups import MIN_CLUSTERS, MIN_EVENTS
from turret_pipeline.stats.shares import compare_shares, q_values

SIDE = ("share", "total", "cluster_count", "design_effect")


def compare_frames(
    one: pl.DataFrame, other: pl.DataFrame, by: Sequence[str], count: str, *, of: Sequence[str] = (), min_users: int = 1
) -> pl.DataFrame:
    """Rows of both frames with share, other_share, difference, difference_low, difference_high and q_value.

    The frames have ``by``, the ``count`` and SIDE (of ``journey_scope.read_shares`` or ``read_transitions``); totals
    are those of the columns ``of``, or the same in each frame. Differences are null if a side has fewer than MIN_EVENTS
    events or MIN_CLUSTERS users. All rows are one family of q-values. With ``min_users`` rows that only one side shows
    are left out: they would reveal that the other has few users. The largest differences come first.
    """
    how = "inner" if min_users > 1 else "full"
    named = other.select(*by, count, *SIDE[2:]).rename({name: f"other_{name}" for name in (count, *SIDE[2:])})
    rows = one.select(*by, count, *SIDE[2:]).join(named, on=list(by), how=how, coalesce=True)  # type: ignore[arg-type]
    for prefix, frame in (("", one), ("other_", other)):
        rows = _add_totals(rows, frame, prefix, of)
    rows = rows.with_columns(
        pl.col(count, f"other_{count}").fill_null(0), pl.col("design_effect", "other_design_effect").fill_null(1.0)
    ).filter((pl.col("total") > 0) & (pl.col("other_total") > 0))
    return _compare(rows, count).drop("design_effect", "other_design_effect", "cluster_count", "other_cluster_count")


def _add_totals(rows: pl.DataFrame, frame: pl.DataFrame, prefix: str, of: Sequence[str]) -> pl.DataFrame:
    """The rows with total and cluster_count, also where the frame has no such row."""
    names = {name: f"{prefix}{name}" for name in ("total", "cluster_count")}
    rows = rows.drop(f"{prefix}cluster_count")
    totals = frame.group_by(of).agg(pl.col(list(names)).max()) if of else frame.select(pl.col(list(names)).max())
    totals = totals.rename(names)
    if of:
        return rows.join(totals, on=list(of), how="left").with_columns(pl.col(list(names.values())).fill_null(0))
    return rows.join(totals, how="cross").with_columns(pl.col(list(names.values())).fill_null(0))


def _compare(rows: pl.DataFrame, count: str) -> pl.DataFrame:
    """The rows with the comparison of both shares."""
    one, effect, total = (rows[name].cast(pl.Float64).to_numpy() for name in (count, "design_effect", "total"))
    other, other_effect, other_total = (
        rows[f"other_{name}"].cast(pl.Float64).to_numpy() for name in (count, "design_effect", "total")
    )
    clusters = rows.select(pl.min_horizontal("cluster_count", "other_cluster_count").clip(2) - 1).to_series()
    found = compare_shares(
        one / effect, total / effect, other / other_effect, other_total / other_effect,
        degrees_of_freedom=clusters.to_numpy(),
    )  # fmt: skip
    is_enough = (pl.min_horizontal("total", "other_total") >= MIN_EVENTS) & (
        pl.min_horizontal("cluster_count", "other_cluster_count") >= MIN_CLUSTERS
    )
    named = {"difference_low": found.low, "difference_high": found.high, "p_value": found.p_value}
    rows = rows.with_columns(
        (pl.col(count) / pl.col("total")).alias("share"),
        (pl.col(f"other_{count}") / pl.col("other_total")).alias("other_share"),
        *(pl.Series(name, values, pl.Float64) for name, values in named.items()),
    ).with_columns((pl.col("share") - pl.col("other_share")).alias("difference"))
    rows = rows.with_columns(pl.when(is_enough).then(pl.col(name)).alias(name) for name in named)
    rows = rows.with_columns(pl.Series("q_value", q_values(rows["p_value"].fill_null(float("nan")).to_numpy())))
    rows = rows.with_columns(pl.col("q_value").fill_nan(None)).drop("p_value")
    return rows.sort(pl.col("difference").abs(), descending=True, maintain_order=True)
