"""First and last day of the data, without days of wrong clocks."""

import polars as pl

from turret_pipeline.tables import DATA_DAYS
from turret_pipeline.topics.insights.periods import Period
from turret_pipeline.topics.insights.trends import first_day, last_day


def find_period(days: pl.Series, trend_days: int) -> Period | None:
    """The days from ``first_day`` to ``last_day``; None without days."""
    first, last = first_day(days, trend_days), last_day(days, trend_days)
    return None if first is None or last is None else Period(first, last)


def list_data_days(events: pl.DataFrame, time_zone: str, trend_days: int) -> pl.DataFrame:
    """Table ``data_days``: the period of the table ``events`` in a time zone, without events ahead of their time."""
    moments = events.filter(~pl.col("is_time_ahead"))["event_at"]
    period = find_period(moments.dt.convert_time_zone(time_zone).dt.date(), trend_days)
    rows = [] if period is None else [(period.first, period.last)]
    return pl.DataFrame(rows, DATA_DAYS.schema, orient="row")
