"""What grows: each topic's share of its field in the last days against the days before."""

import datetime as dt

import numpy as np
import polars as pl

from turret_pipeline.stats.array_types import FloatArray, IntArray
from turret_pipeline.stats.effects import PairCorrelations, count_matrix, design_effects, pair_correlations
from turret_pipeline.stats.shares import Q_VALUE_THRESHOLD, compare_shares, q_values
from turret_pipeline.tables import TOPIC_TRENDS
from turret_pipeline.topics.insights.occurrences import dense

BEFORE_PERIODS = 4
"""The days before are at most so many times the last days."""

MIN_GROWTH, MIN_CLUSTERS = 0.5, 3
"""What is emerging is beyond chance at a q-value of Q_VALUE_THRESHOLD, has grown by half at least, and is asked by
so many users (or sessions without a user) in the last days: less is not worth a person's time."""

STRAY_SHARE = 0.01
"""Events on the far side of a long silence come from wrong clocks where they are at most so much of those on the near
side of it, or one."""


def last_day(days: pl.Series, trend_days: int) -> dt.date | None:
    """The day on which the last days end, from the days of all events: the latest that no wrong clock gave.

    Left out are the days after a silence of more than ``trend_days`` with at most 1 % as many events as the whole
    period compared had before the silence, or with one event. What goes on after a pause counts within hours.
    """
    found = days.drop_nulls().value_counts().sort(days.name)
    if found.is_empty():
        return None
    return dt.date.fromordinal(_end(*_ordinals(found), trend_days))


def topic_trends(occurrences: pl.DataFrame, last: dt.date | None, trend_days: int) -> pl.DataFrame:
    """Table ``topic_trends`` from occurrences up to the day ``last`` (see ``last_day``); none without events.

    The q-values of a text field are of one family: all its topics that occur in the days compared.
    """
    tables = [TOPIC_TRENDS.empty()]
    for _, of_field in occurrences.sort("field", "event_id").group_by("field", maintain_order=True):
        if last is not None and of_field["topic_id"].null_count() < of_field.height:
            tables.append(_of_field(of_field, last, trend_days).select(TOPIC_TRENDS.schema.names()))
    return pl.concat(tables)


def _of_field(of_field: pl.DataFrame, last: dt.date, trend_days: int) -> pl.DataFrame:
    recent = last - dt.timedelta(days=trend_days - 1)
    topics, topic = dense(of_field["topic_id"])
    known_since = _first_day(of_field["event_date"], trend_days)
    compared = of_field.with_columns(
        pl.Series("topic", topic), (pl.col("event_date") >= recent).alias("is_recent")
    ).filter(pl.col("event_date").is_between(recent - dt.timedelta(days=BEFORE_PERIODS * trend_days), last))
    counted = _counted(topics, compared).with_columns(pl.lit(of_field["field"][0]).alias("field"))
    has_both = compared["is_recent"].n_unique() == 2 and (recent - known_since).days >= trend_days
    if not has_both:
        return counted.with_columns(
            *(pl.lit(None, pl.Float64).alias(name) for name in ("recent_share", "before_share", "growth")),
            *(pl.lit(None, pl.Float64).alias(name) for name in ("p_value", "q_value")),
            pl.lit(None, pl.Boolean).alias("is_emerging"),
        )
    p_value = _p_values(compared, len(topics))
    return counted.with_columns(
        pl.Series("p_value", p_value).fill_nan(None),
        pl.Series("q_value", q_values(p_value)).fill_nan(None),
        (pl.col("recent_event_count") / int(compared["is_recent"].sum())).alias("recent_share"),
        (pl.col("before_event_count") / int((~compared["is_recent"]).sum())).alias("before_share"),
    ).with_columns(_growth().alias("growth"), _is_emerging().alias("is_emerging"))


def _first_day(days: pl.Series, trend_days: int) -> dt.date:
    """The earliest of the days that no wrong clock gave: as ``last_day``, with time turned round."""
    ordinals, counts = _ordinals(days.value_counts().sort(days.name))
    return dt.date.fromordinal(-_end(-ordinals[::-1], counts[::-1], trend_days))


def _ordinals(found: pl.DataFrame) -> tuple[IntArray, IntArray]:
    """Days as whole numbers, and the events of each."""
    epoch = dt.date(1970, 1, 1).toordinal()
    days, counts = (found.to_series(at).cast(pl.Int64).to_numpy() for at in (0, 1))
    return days + epoch, counts


def _end(days: IntArray, counts: IntArray, trend_days: int) -> int:
    """The day before the first silence that only strays come after, else the last of the sorted ``days``."""
    up_to = np.cumsum(counts)
    starts = np.searchsorted(days, days - (1 + BEFORE_PERIODS) * trend_days, side="right")
    of_period = up_to - up_to[starts] + counts[starts]
    few = up_to[-1] - up_to <= np.maximum(STRAY_SHARE * of_period, 1)
    is_silent = np.diff(days) > trend_days + 1  # so many days have no event between the two
    ends = np.flatnonzero(is_silent & few[:-1])
    return int(days[ends[0]] if len(ends) else days[-1])


def _growth() -> pl.Expr:
    ratio = pl.col("recent_share") / pl.col("before_share") - 1
    return pl.when(pl.col("before_event_count") > 0).then(ratio)


def _is_emerging() -> pl.Expr:
    has_grown = pl.col("recent_share") >= (1 + MIN_GROWTH) * pl.col("before_share")
    is_asked = pl.col("recent_cluster_count") >= MIN_CLUSTERS
    return ((pl.col("q_value") <= Q_VALUE_THRESHOLD) & has_grown & is_asked).fill_null(value=False)


def _counted(topics: pl.Series, compared: pl.DataFrame) -> pl.DataFrame:
    """Events of every topic in both periods, and users (or sessions) in the last days."""
    recent = pl.col("is_recent")
    counts = compared.group_by("topic_id").agg(
        recent.sum().cast(pl.Int64).alias("recent_event_count"),
        (~recent).sum().cast(pl.Int64).alias("before_event_count"),
        pl.col("cluster_id").filter(recent).n_unique().alias("recent_cluster_count"),
    )
    joined = topics.to_frame().join(counts, on="topic_id", how="left", validate="1:1", maintain_order="left")
    return joined.with_columns(pl.exclude("topic_id").fill_null(0))


def _p_values(compared: pl.DataFrame, topic_count: int) -> FloatArray:
    """One-sided p-value of every topic's growth, shape (topics,); not a number where it does not occur.

    Events go together where they are of one user on one day, of one user, or of one day: users come back to their
    subjects, and days have subjects of their own.
    """
    topic, period = compared["topic"].to_numpy(), compared["is_recent"].cast(pl.Int64).to_numpy()
    days, users = compared["event_date"].rank("dense").to_numpy(), compared["cluster_id"].to_numpy()
    totals = np.stack([np.bincount(topic[(period == one) & (topic >= 0)], minlength=topic_count) for one in (0, 1)])
    by_day, by_user, by_both = (
        _pairs(clusters, topic, period, totals)
        for clusters in (days, users, days.astype(np.int64) * (int(users.max()) + 1) + users)
    )
    effects = design_effects(by_both, by_user - by_both, by_day - by_both)[:, 0]
    before, recent = (np.full(topic_count, np.count_nonzero(period == one)) for one in (0, 1))
    volumes = np.bincount(days)
    degrees = max(volumes.sum() ** 2 / (volumes**2).sum() - 2, 1)  # a day of few events tells little of how days vary
    found = compare_shares(totals[1], recent, totals[0], before, effects, degrees)
    return np.where(totals.sum(axis=0) > 0, found.p_greater, np.nan)


def _pairs(clusters: IntArray, topic: IntArray, period: IntArray, totals: IntArray) -> PairCorrelations:
    """Pairs of events in one cluster: what is counted are the topics, the group are the last days."""
    names, cluster = np.unique(clusters, return_inverse=True)
    counts = count_matrix(cluster, topic, (len(names), totals.shape[1]))
    exposure = count_matrix(cluster, period, (len(names), 2))
    return pair_correlations(counts, exposure[:, [1]], exposure.toarray(), totals.astype(np.float64))
