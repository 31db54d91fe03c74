"""Signals of one topic within a scope, compared with those of other exchanges: of other topics, or of the time before.

All is counted in SQL over users, with a connection of ``open_scope``.
"""

from dataclasses import dataclass

import duckdb
import numpy as np
import polars as pl

from turret_pipeline.reports.node_numbers import quote
from turret_pipeline.reports.scope import Scope
from turret_pipeline.stats.effects import share_design_effects
from turret_pipeline.stats.groups import MIN_CLUSTERS, MIN_EVENTS
from turret_pipeline.stats.pair_sums import PARTS, PairSums, compare_pairs
from turret_pipeline.stats.shares import q_values, share_interval
from turret_pipeline.tables.signals import SIGNALS_OF_TOPICS

COMPARED = ("base_share", "difference", "difference_low", "difference_high", "q_value")
"""Columns of the comparison, which are null where a side is too small."""

_CLUSTER = "if(user_id is null, hash(session_id, 1), hash(user_id))"
"""The user, or the session if the user is unknown, as a number."""

_PAIRS = [(one, two) for one in range(4) for two in range(one, 4)]


@dataclass(frozen=True)
class SignalSides:
    """Conditions of the exchanges of a topic, and of those that they are compared with. No exchange meets both."""

    own: str
    others: str


def compare_with_other_topics(topic_id: str) -> SignalSides:
    """The exchanges of a topic, and those of the other topics of its field."""
    field = f"(select field from marts.topics where topic_id = {quote(topic_id)})"
    about = f"subject_topic_id = {quote(topic_id)}"
    return SignalSides(about, f"subject_topic_id <> {quote(topic_id)} and field = {field}")


def compare_with_time_before(topic_id: str, scope: Scope) -> SignalSides:
    """The exchanges of a topic in a scope that has a first moment, and those before that moment."""
    if scope.since is None:
        raise ValueError("nothing is before a scope without a first moment")
    about = f"subject_topic_id = {quote(topic_id)} and prompt_at"
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
    counts = ", ".join(
        f"(count(*) filter ({side} and is_{name}))::double as {name}_{prefix}count, "
        f"(count(is_{name}) filter ({side}))::double as {name}_{prefix}total"
        for name in SIGNALS_OF_TOPICS
        for prefix, side in (("", "is_own"), ("other_", "not is_own"))
    )
    clusters = (
        f"select {_CLUSTER} as cluster, bool_or(user_id is not null) as has_user, {counts} from (select *, "
        f"({sides.own}) as is_own from scoped_exchanges where ({sides.own}) or ({sides.others})) "
        "join marts.exchange_signals using (exchange_id) group by cluster"
    )
    sums = " union all ".join(map(_sum_signal, SIGNALS_OF_TOPICS))
    found: pl.DataFrame = connection.sql(f"with clusters as ({clusters}) {sums}").pl()
    return found.with_columns(pl.col(pl.Float64, pl.Int64).fill_null(0))


def _sum_signal(name: str) -> str:
    parts = [f"{name}_{part}" for part in PARTS]
    products = ", ".join(f"sum({parts[one]} * {parts[two]}) as product_{one}{two}" for one, two in _PAIRS)
    users = ", ".join(
        f"count(*) filter ({total} > 0) as {prefix}cluster_count, "
        f"count(*) filter (has_user and {count} > 0) as {prefix}users_with, "
        f"count(*) filter (has_user and {count} < {total}) as {prefix}users_without"
        for prefix, count, total in (("", parts[0], parts[2]), ("other_", parts[1], parts[3]))
    )
    sums = ", ".join(f"sum({part}) as {name}" for part, name in zip(parts, PARTS, strict=True))
    either = f"count(*) filter ({parts[0]} + {parts[1]} > 0) as either_count"
    return f"select '{name}' as signal, {sums}, {products}, {users}, {either} from clusters"


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
