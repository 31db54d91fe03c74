"""Changes between two periods of equal length: the share of each topic in complete weeks, and in the weeks before."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl

from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.stats.groups import MIN_CLUSTERS, MIN_EVENTS
from turret_pipeline.stats.shares import Q_VALUE_THRESHOLD
from turret_pipeline.topics.insights.occurrences import factorize
from turret_pipeline.topics.insights.period_shares import compare_shares_of_topics

WeekStart = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: tuple[WeekStart, ...] = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

MONTH_WEEKS, MIN_MONTH_WEEKS = 4, 2
"""Weeks in each period of the comparison "month", at most and at least. Calendar months differ in length and in their
weekdays, four weeks do not. One week is the comparison "week"."""

MIN_RATIO = 1.25
"""Ratio of the shares, in either direction, from which a change is worth a person's time. In large data, changes of a
few percent are beyond chance, but nobody acts on them. A quarter more is what a reader notices in figures without
decimals ("4 of 100 events before, 5 now"). A decrease has the inverse limit, 0.8, so that the order of the periods does
not matter."""

PERIODS = ("recent", "before")


@dataclass(frozen=True)
class Period:
    """Days from ``first`` to ``last``, both included."""

    first: dt.date
    last: dt.date

    @property
    def days(self) -> int:
        """Number of days."""
        return (self.last - self.first).days + 1

    def __str__(self) -> str:
        """The days as people read them."""
        return f"{self.first} to {self.last}"


@dataclass(frozen=True)
class PeriodPair:
    """Two periods of equal length, the second directly before the first."""

    recent: Period
    before: Period


def week_start_of(day: dt.date, week_start: WeekStart = "monday") -> dt.date:
    """First day of the week of ``day``."""
    return day - dt.timedelta(days=(day.weekday() - WEEKDAYS.index(week_start)) % 7)


def week_start_date(day: pl.Expr, week_start: WeekStart = "monday") -> pl.Expr:
    """First day of the week of each date of the expression: ``week_start_of`` for polars."""
    since = (day.dt.weekday().cast(pl.Int32) - 1 - WEEKDAYS.index(week_start)) % 7
    return (day.cast(pl.Int32) - since).cast(pl.Date)


def complete_weeks(first_day: dt.date, last_day: dt.date, week_start: WeekStart = "monday") -> list[Period]:
    """Weeks that lie between the first and the last day of the data, both included, in order.

    The week in which the data begin is left out, unless they begin on its first day: a part of a week has other
    weekdays than the weeks it is compared with. So is the week of the last day, unless that day is its last.
    """
    first = week_start_of(first_day + dt.timedelta(days=6), week_start)
    count = ((last_day - first).days + 1) // 7
    starts = [first + dt.timedelta(weeks=number) for number in range(count)]
    return [Period(start, start + dt.timedelta(days=6)) for start in starts]


def choose_periods(weeks: Sequence[Period]) -> dict[str, PeriodPair | None]:
    """Periods of the comparisons "week" and "month", from the complete weeks; None if there are too few.

    "week" is the last week and the one before. "month" is the last four weeks and the four before, or as many weeks, at
    least two, as both periods can have.
    """
    in_month = min(len(weeks) // 2, MONTH_WEEKS)
    return {
        "week": _pair_last_weeks(weeks, 1) if len(weeks) > 1 else None,
        "month": _pair_last_weeks(weeks, in_month) if in_month >= MIN_MONTH_WEEKS else None,
    }


def _pair_last_weeks(weeks: Sequence[Period], count: int) -> PeriodPair:
    before, recent = weeks[-2 * count : -count], weeks[-count:]
    return PeriodPair(Period(recent[0].first, recent[-1].last), Period(before[0].first, before[-1].last))


CHANGES_SCHEMA = pl.Schema(
    {
        "topic_id": pl.String(),
        **{f"{period}_{name}": pl.Int64() for name in ("event_count", "total", "user_count") for period in PERIODS},
        **{f"{period}_share": pl.Float64() for period in PERIODS},
        **{name: pl.Float64() for name in ("ratio", "difference", "difference_low", "difference_high", "p_value")},
    }
)
"""One row per topic that occurs in either period. ``recent_total`` and ``before_total`` are the events of the text
field in the period, ``recent_user_count`` and ``before_user_count`` the users of the topic (see cluster_id)."""


def compare_periods(rows: pl.DataFrame, recent: Period, before: Period) -> pl.DataFrame:
    """Changes of the topics between the periods, with the columns of CHANGES_SCHEMA, sorted by topic.

    ``rows`` are the events of one text field: topic_id (null if unassigned), cluster_id (see occurrences), and
    event_date, the day in the reader's time zone. Shares are of all events of the field in the period: a change of the
    whole is not one of its topics. ``ratio`` is null without events before. ``difference`` has a 95 % interval.

    ``p_value`` is two-sided. It is null if both periods together have fewer than MIN_EVENTS events or MIN_CLUSTERS
    users of the topic: such tests find nothing, and would only raise the adjusted values of the others. The sum of both
    periods says nothing of their difference, so that leaving tests out by it makes no false claims. If the field has no
    event in one of the periods, shares and all that follows from them are null.
    """
    is_recent = pl.col("event_date").is_between(recent.first, recent.last)
    is_before = pl.col("event_date").is_between(before.first, before.last)
    compared = (
        rows.filter(is_recent | is_before)
        .select("topic_id", "cluster_id", "event_date", is_recent.alias("is_recent"))
        .sort("topic_id", "cluster_id", "event_date")
    )
    topics, topic = factorize(compared["topic_id"])
    counted = _count_events(compared).join(topics.to_frame(), on="topic_id").sort("topic_id")
    if counted.is_empty() or compared["is_recent"].n_unique() < len(PERIODS):
        return counted.match_to_schema(CHANGES_SCHEMA, missing_columns="insert", extra_columns="ignore")
    found = compare_shares_of_topics(compared.with_columns(pl.Series("topic", topic)), len(topics))
    return (
        counted.with_columns(
            (pl.col(f"{name}_event_count") / pl.col(f"{name}_total")).alias(f"{name}_share") for name in PERIODS
        )
        .with_columns(
            pl.when(pl.col("before_event_count") > 0)
            .then(pl.col("recent_share") / pl.col("before_share"))
            .alias("ratio"),
            pl.Series("difference", found.difference),
            pl.Series("difference_low", found.low),
            pl.Series("difference_high", found.high),
            pl.when(_is_tested()).then(pl.Series(found.p_value)).alias("p_value"),
        )
        .select(CHANGES_SCHEMA.names())
    )


def _count_events(compared: pl.DataFrame) -> pl.DataFrame:
    """Events and users of each topic in both periods, and the events of the field."""
    is_in = {"recent": pl.col("is_recent"), "before": ~pl.col("is_recent")}
    return (
        compared.group_by("topic_id")
        .agg(
            *(where.sum().cast(pl.Int64).alias(f"{name}_event_count") for name, where in is_in.items()),
            *(
                pl.col("cluster_id").filter(where).n_unique().cast(pl.Int64).alias(f"{name}_user_count")
                for name, where in is_in.items()
            ),
            pl.col("cluster_id").n_unique().cast(pl.Int64).alias("user_count"),
        )
        .with_columns(
            pl.sum("recent_event_count").alias("recent_total"), pl.sum("before_event_count").alias("before_total")
        )
    )


def _is_tested() -> pl.Expr:
    events = pl.col("recent_event_count") + pl.col("before_event_count")
    return (events >= MIN_EVENTS) & (pl.col("user_count") >= MIN_CLUSTERS)


def classify_changes(changes: pl.DataFrame, adjusted: FloatArray) -> pl.DataFrame:
    """The changes with their adjusted p-values (``adjusted_p_value``) and their kind (``change_kind``).

    ``changes`` has the columns of CHANGES_SCHEMA, and ``adjusted`` are its p-values after select_families. The kind is
    new (no event before), gone (no recent event), growing or shrinking. It is null if the change is not a claim: its
    adjusted p-value is above Q_VALUE_THRESHOLD, neither period has MIN_EVENTS events and MIN_CLUSTERS users of the
    topic, or the ratio of the shares is nearer to 1 than MIN_RATIO.
    """
    has_evidence = pl.any_horizontal(
        (pl.col(f"{period}_event_count") >= MIN_EVENTS) & (pl.col(f"{period}_user_count") >= MIN_CLUSTERS)
        for period in PERIODS
    )
    is_claim = (pl.col("adjusted_p_value") <= Q_VALUE_THRESHOLD) & has_evidence
    kind = (
        pl.when(pl.col("before_event_count") == 0)
        .then(pl.lit("new"))
        .when(pl.col("recent_event_count") == 0)
        .then(pl.lit("gone"))
        .when(pl.col("ratio") >= MIN_RATIO)
        .then(pl.lit("growing"))
        .when(pl.col("ratio") <= 1 / MIN_RATIO)
        .then(pl.lit("shrinking"))
    )
    return changes.with_columns(pl.Series("adjusted_p_value", adjusted, pl.Float64).fill_nan(None)).with_columns(
        pl.when(is_claim).then(kind).alias("change_kind")
    )
