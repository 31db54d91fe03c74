"""Signals of one topic within a scope, compared with those of other exchanges: of other topics, or of the time before.

All is counted over users, with a connection of ``open_scope``.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import numpy as np
import polars as pl
from numpy.typing import NDArray

from turret_pipeline.reports.node_numbers import number_of, quote
from turret_pipeline.reports.scope import Scope
from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.stats.effects import share_design_effects
from turret_pipeline.stats.groups import MIN_CLUSTERS, MIN_EVENTS
from turret_pipeline.stats.pair_sums import PARTS, PairSums, compare_pairs
from turret_pipeline.stats.shares import q_values, share_interval
from turret_pipeline.tables.signals import SIGNALS_OF_TOPICS

COMPARED = ("base_share", "difference", "difference_low", "difference_high", "q_value")
"""Columns of the comparison, which are null where a side is too small."""

_PAIRS = [(one, two) for one in range(4) for two in range(one, 4)]


@dataclass(frozen=True)
class SignalSides:
    """Conditions of the exchanges of a topic, and of those that they are compared with, in columns of ``scoped_units``.

    No exchange meets both.
    """

    own: str
    others: str


def compare_with_other_topics(topic_id: str) -> SignalSides:
    """The exchanges of a topic, and those of the other topics of its field."""
    field = f"(select field from marts.topics where topic_id = {quote(topic_id)})"
    topic = number_of(topic_id)
    return SignalSides(f"topic = {topic}", f"topic <> {topic} and field = {field}")


def compare_with_time_before(topic_id: str, scope: Scope) -> SignalSides:
    """The exchanges of a topic in a scope that has a first moment, and those before that moment."""
    if scope.since is None:
        raise ValueError("nothing is before a scope without a first moment")
    about = f"topic = {number_of(topic_id)} and unit_at"
    first = f"timestamptz '{scope.since.isoformat()}'"
    return SignalSides(f"{about} >= {first}", f"{about} < {first}")


def compare_signals(connection: duckdb.DuckDBPyConnection, sides: SignalSides, min_users: int) -> pl.DataFrame:
    """Share of each signal among the exchanges of a topic in which it is decided, with a 95 % interval.

    The frame has signal, exchange_count, signal_count, signal_share, share_low, share_high, ``base_count`` and
    ``base_total`` of the other side, and COMPARED. The q-values are over the signals. Each side of a comparison needs
    MIN_EVENTS exchanges and MIN_CLUSTERS users. Signals that fewer than ``min_users`` users have, or have not, are left
    out; so is the comparison with another side of so few.
    """
    sums = _sum_sides(connection, sides)
    shown = sums.filter((pl.col("total") > 0) & _is_shown("", min_users))
    parts = {name: shown[name].to_numpy() for name in (*PARTS, "product_00", "product_02", "product_22")}
    effects = share_design_effects(
        *(parts[name] for name in ("count", "total", "product_00", "product_02", "product_22"))
    )
    low, high = share_interval(parts["count"], parts["total"], effects)
    own = shown.select(
        "signal",
        pl.col("total").cast(pl.Int64).alias("exchange_count"),
        pl.col("count").cast(pl.Int64).alias("signal_count"),
        (pl.col("count") / pl.col("total")).alias("signal_share"),
        pl.Series("share_low", low, pl.Float64),
        pl.Series("share_high", high, pl.Float64),
    )
    return own.join(_compare(shown, min_users), on="signal", how="left", maintain_order="left")


def _sum_sides(connection: duckdb.DuckDBPyConnection, sides: SignalSides) -> pl.DataFrame:
    """A row per signal with PARTS, their products, and the users on each side."""
    cells: pl.DataFrame = connection.sql(
        f"select cluster, decided, found, ({sides.own}) as is_own, count(*) as count "
        f"from scoped_units where ({sides.own}) or ({sides.others}) group by all"
    ).pl()
    clusters, places = np.unique(cells["cluster"].to_numpy(), return_inverse=True)
    is_own, counts, found, decided = (cells[name].to_numpy() for name in ("is_own", "count", "found", "decided"))
    rows = []
    for bit, name in enumerate(SIGNALS_OF_TOPICS):
        masks = [(flags >> bit & 1 > 0) & side for flags in (found, decided) for side in (is_own, ~is_own)]
        parts = [
            np.bincount(places[mask], counts[mask], len(clusters)).astype(np.float64, copy=False) for mask in masks
        ]
        rows.append({"signal": name, **_sum_clusters(parts, clusters >= 0)})
    return pl.DataFrame(rows)


def _sum_clusters(parts: Sequence[FloatArray], has_user: NDArray[np.bool_]) -> dict[str, float]:
    """The sums of the PARTS of each cluster, each of shape (clusters,)."""
    sums = {name: part.sum() for part, name in zip(parts, PARTS, strict=True)}
    sums |= {f"product_{one}{two}": parts[one] @ parts[two] for one, two in _PAIRS}
    for prefix, count, total in (("", parts[0], parts[2]), ("other_", parts[1], parts[3])):
        sums[f"{prefix}cluster_count"] = np.count_nonzero(total)
        sums[f"{prefix}users_with"] = np.count_nonzero(has_user & (count > 0))
        sums[f"{prefix}users_without"] = np.count_nonzero(has_user & (count < total))
    sums["either_count"] = np.count_nonzero(parts[0] + parts[1])
    return {name: float(value) for name, value in sums.items()}


def _is_shown(side: str, min_users: int) -> pl.Expr:
    """True if enough users of a side have a signal, and enough have it not."""
    return pl.min_horizontal(f"{side}users_with", f"{side}users_without") >= (min_users if min_users > 1 else 0)


def _compare(sums: pl.DataFrame, min_users: int) -> pl.DataFrame:
    """The other side of the signals that can be compared: signal, base_count, base_total and COMPARED."""
    kept = sums.filter(
        (pl.min_horizontal("total", "other_total") >= MIN_EVENTS)
        & (pl.min_horizontal("cluster_count", "other_cluster_count") >= MIN_CLUSTERS)
        & _is_shown("other_", min_users)
    )
    products = np.empty((kept.height, 4, 4))
    for one, two in _PAIRS:
        products[:, one, two] = products[:, two, one] = kept[f"product_{one}{two}"].to_numpy()
    found = compare_pairs(PairSums(kept.select(PARTS).to_numpy(), products, kept["either_count"].to_numpy()))
    values = (found.difference, found.low, found.high, q_values(found.p_value))
    return kept.select(
        "signal",
        pl.col("other_count").cast(pl.Int64).alias("base_count"),
        pl.col("other_total").cast(pl.Int64).alias("base_total"),
        (pl.col("other_count") / pl.col("other_total")).alias("base_share"),
        *(pl.Series(name, of, pl.Float64).fill_nan(None) for name, of in zip(COMPARED[1:], values, strict=True)),
    )
