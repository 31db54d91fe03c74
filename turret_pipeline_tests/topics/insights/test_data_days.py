"""The days of the data, without days of wrong clocks."""

import datetime as dt

import polars as pl
import pytest

from turret_pipeline.tables import DATA_DAYS
from turret_pipeline.topics.insights.data_days import find_period, list_data_days
from turret_pipeline.topics.insights.periods import Period

TWO_DAYS = [dt.datetime(2026, 3, day, hour, tzinfo=dt.UTC) for day in (3, 4) for hour in (9, 23)]
LATE, EARLY = (dt.datetime(year, 5, 1, tzinfo=dt.UTC) for year in (2026, 2024))


def list_days(*moments: dt.datetime, time_zone: str = "UTC", ahead: bool = False) -> list[tuple[object, ...]]:
    """Rows of ``data_days`` of events at these times, of which the last may be ahead of its time."""
    schema = {"event_at": pl.Datetime("us", "UTC")}
    events = pl.DataFrame({"event_at": moments}, schema).with_row_index()
    events = events.with_columns(is_time_ahead=(pl.col("index") == events.height - 1) & ahead)
    for order in (events, events.reverse()):
        found = list_data_days(order, time_zone, trend_days=7)
        assert found.schema == DATA_DAYS.schema
    return found.rows()


@pytest.mark.parametrize("stray", [(), (LATE,), (EARLY,), (EARLY, LATE), (LATE, LATE)])
def test_one_event_long_before_or_after_all_others_is_not_of_the_days(stray: tuple[dt.datetime, ...]) -> None:
    last = dt.date(2026, 3, 4) if len(set(stray)) == len(stray) else LATE.date()
    assert list_days(*TWO_DAYS, *stray) == [(dt.date(2026, 3, 3), last)]


def test_an_event_soon_after_the_others_is_of_the_days() -> None:
    assert list_days(*TWO_DAYS, dt.datetime(2026, 3, 11, tzinfo=dt.UTC)) == [
        (dt.date(2026, 3, 3), dt.date(2026, 3, 11))
    ]


def test_days_are_those_of_the_time_zone() -> None:
    assert list_days(*TWO_DAYS, LATE, time_zone="Europe/Zurich") == [(dt.date(2026, 3, 3), dt.date(2026, 3, 5))]


def test_events_ahead_of_their_time_are_left_out() -> None:
    assert list_days(*TWO_DAYS, ahead=True) == [(dt.date(2026, 3, 3), dt.date(2026, 3, 4))]
    assert list_days(*TWO_DAYS, dt.datetime(2026, 3, 5, tzinfo=dt.UTC), ahead=True) == list_days(*TWO_DAYS)
    assert list_days(LATE, ahead=True) == []


def test_without_days_there_is_no_period() -> None:
    assert list_days() == []
    assert find_period(pl.Series([None], dtype=pl.Date), 7) is None
    assert find_period(pl.Series([EARLY.date(), None]), 7) == Period(EARLY.date(), EARLY.date())
