"""Trends: the share of each topic in the last days, compared with the days before."""

import datetime as dt
from collections.abc import Collection

import numpy as np
import polars as pl

from turret_pipeline.stats.array_types import IntArray
from turret_pipeline.stats.groups import MIN_CLUSTERS, MIN_EVENTS
from turret_pipeline.stats.shares import Q_VALUE_THRESHOLD, q_values
from turret_pipeline.tables import TOPIC_TRENDS
from turret_pipeline.topics.insights.occurrences import factorize
from turret_pipeline.topics.insights.period_shares import compare_shares_of_topics

BEFORE_PERIODS = 4
"""Length of the period before, at most, as a multiple of the last days."""

MIN_GROWTH = 0.5
"""An emerging topic has a q-value of at most Q_VALUE_THRESHOLD, at least this growth, and at least MIN_EVENTS events
and MIN_CLUSTERS users (or sessions without a user) in the last days. Anything less is not worth a person's time."""

FENCE = 1.5
"""Multiple of the interquartile range below the lower quartile from which a value is an outlier (Tukey 1977)."""

STRAY_SHARE = 0.01
"""Events after a long silence come from wrong clocks if they are at most this share of the events before it, or one."""


def last_day(days: pl.Series, trend_days: int) -> dt.date | None:
    """Last day of the trends: the latest that does not come from a wrong clock.

    ``days`` are those of all events, without the ones that are known to be ahead of their time.

    Days after a silence of more than ``trend_days`` are left out if they have at most STRAY_SHARE of the events of the
    compared period before the silence, or one event. If the events really continue after a pause, they soon exceed it.
    Returns None without events.
    """
    found = days.drop_nulls().value_counts().sort(days.name)
    if found.is_empty():
        return None
    return dt.date.fromordinal(_find_last_day(*_ordinals(found), trend_days))


def first_day(days: pl.Series, trend_days: int) -> dt.date | None:
    """First day that does not come from a wrong clock: ``last_day`` with time reversed."""
    found = days.drop_nulls().value_counts().sort(days.name)
    if found.is_empty():
        return None
    ordinals, counts = _ordinals(found)
    return dt.date.fromordinal(-_find_last_day(-ordinals[::-1], counts[::-1], trend_days))


def find_loose_topics(definitions: pl.DataFrame) -> list[str]:
    """Ids of topics whose texts have less in common than those of the field's other topics, or are not known.

    ``definitions`` is the table topic_definitions. The cohesion of a loose topic is an outlier below that of the active
    topics of its field (Tukey 1977), or null, as that of topics of too few users, which are combined into one.
    """
    quartiles = (
        pl.col("cohesion").quantile(quantile, "linear").over("field").alias(name)
        for name, quantile in (("lower", 0.25), ("upper", 0.75))
    )
    fence = pl.col("lower") - FENCE * (pl.col("upper") - pl.col("lower"))
    is_cohesive = (pl.col("cohesion") >= fence).fill_null(value=False)
    return definitions.with_columns(quartiles).filter(~is_cohesive)["topic_id"].sort().to_list()


def topic_trends(
    occurrences: pl.DataFrame, last: dt.date | None, trend_days: int, loose_topics: Collection[str] = ()
) -> pl.DataFrame:
    """Table ``topic_trends`` up to the day ``last`` (see ``last_day``); empty if that is None.

    ``occurrences`` has OCCURRENCES_SCHEMA. The tests of all topics of a text field that occur in the compared days are
    one family of q-values. ``loose_topics`` (see ``find_loose_topics``) are never emerging.
    """
    tables = [TOPIC_TRENDS.empty()]
    for _, of_field in occurrences.sort("field", "event_id").group_by("field", maintain_order=True):
        if last is not None and of_field["topic_id"].null_count() < of_field.height:
            tables.append(_field_trends(of_field, last, trend_days).select(TOPIC_TRENDS.schema.names()))
    is_loose = pl.col("topic_id").is_in(list(loose_topics))
    return pl.concat(tables).with_columns(pl.col("is_emerging") & ~is_loose)


def _field_trends(of_field: pl.DataFrame, last: dt.date, trend_days: int) -> pl.DataFrame:
    recent = last - dt.timedelta(days=trend_days - 1)
    topics, topic = factorize(of_field["topic_id"])
    until_last = of_field.with_columns(
        pl.Series("topic", topic), (pl.col("event_date") >= recent).alias("is_recent")
    ).filter(pl.col("event_date") <= last)
    compared = until_last.filter(pl.col("event_date") >= recent - dt.timedelta(days=BEFORE_PERIODS * trend_days))
    counted = _count_events(topics, compared).with_columns(pl.lit(of_field["field"][0]).alias("field"))
    first = first_day(until_last["event_date"], trend_days)
    has_both = compared["is_recent"].n_unique() == 2
    if first is None or not has_both or (recent - first).days < trend_days:
        return counted.with_columns(
            *(pl.lit(None, pl.Float64).alias(name) for name in ("recent_share", "before_share", "growth")),
            *(pl.lit(None, pl.Float64).alias(name) for name in ("p_value", "q_value")),
            pl.lit(None, pl.Boolean).alias("is_emerging"),
        )
    is_present = (counted["recent_event_count"] + counted["before_event_count"] > 0).to_numpy()
    p_value = np.where(is_present, compare_shares_of_topics(compared, len(topics)).p_greater, np.nan)
    return counted.with_columns(
        pl.Series("p_value", p_value).fill_nan(None),
        pl.Series("q_value", q_values(p_value)).fill_nan(None),
        (pl.col("recent_event_count") / int(compared["is_recent"].sum())).alias("recent_share"),
        (pl.col("before_event_count") / int((~compared["is_recent"]).sum())).alias("before_share"),
    ).with_columns(_growth().alias("growth"), _is_emerging().alias("is_emerging"))


def _ordinals(found: pl.DataFrame) -> tuple[IntArray, IntArray]:
    """Ordinal numbers of the days, and their numbers of events."""
    epoch = dt.date(1970, 1, 1).toordinal()
    days, counts = (found.to_series(at).cast(pl.Int64).to_numpy() for at in (0, 1))
    return days + epoch, counts


def _find_last_day(days: IntArray, counts: IntArray, trend_days: int) -> int:
    """The day before the first silence that only stray events follow, or else the last of the sorted ``days``."""
    cumulative = np.cumsum(counts)
    starts = np.searchsorted(days, days - (1 + BEFORE_PERIODS) * trend_days, side="right")
    in_period = cumulative - cumulative[starts] + counts[starts]
    has_few_after = cumulative[-1] - cumulative <= np.maximum(STRAY_SHARE * in_period, 1)
    is_silent = np.diff(days) > trend_days + 1  # more than trend_days without events lie between the two days
    candidates = np.flatnonzero(is_silent & has_few_after[:-1])
    return int(days[candidates[0]] if len(candidates) else days[-1])


def _growth() -> pl.Expr:
    ratio = pl.col("recent_share") / pl.col("before_share") - 1
    return pl.when(pl.col("before_event_count") > 0).then(ratio)


def _is_emerging() -> pl.Expr:
    has_grown = pl.col("recent_share") >= (1 + MIN_GROWTH) * pl.col("before_share")
    has_evidence = (pl.col("recent_event_count") >= MIN_EVENTS) & (pl.col("recent_cluster_count") >= MIN_CLUSTERS)
    return ((pl.col("q_value") <= Q_VALUE_THRESHOLD) & has_grown & has_evidence).fill_null(value=False)


def _count_events(topics: pl.Series, compared: pl.DataFrame) -> pl.DataFrame:
    """Events of each topic in both periods, and users (or sessions without a user) in the last days."""
    recent = pl.col("is_recent")
    counts = compared.group_by("topic_id").agg(
        recent.sum().cast(pl.Int64).alias("recent_event_count"),
        (~recent).sum().cast(pl.Int64).alias("before_event_count"),
        pl.col("cluster_id").filter(recent).n_unique().alias("recent_cluster_count"),
    )
    joined = topics.to_frame().join(counts, on="topic_id", how="left", validate="1:1", maintain_order="left")
    return joined.with_columns(pl.exclude("topic_id").fill_null(0))
