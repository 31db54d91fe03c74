"""Times in all common forms."""

import datetime as dt

import pytest

from turret_pipeline.events.formats import to_utc

NOON = dt.datetime(2024, 5, 1, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    "value",
    [
        "2024-05-01T12:00:00Z",
        "2024-05-01T12:00:00",
        " 2024-05-01 12:00:00 ",
        "2024-05-01T07:00:00-05:00",
        "20240501T120000Z",
        1714564800,
        "1714564800",
        1714564800.0,
        1714564800000,
        1714564800000000,
        1714564800000000000,
        dt.datetime(2024, 5, 1, 12),
        dt.datetime(2024, 5, 1, 14, tzinfo=dt.timezone(dt.timedelta(hours=2))),
    ],
)
def test_a_time_in_any_common_form_is_converted_to_utc(value: object) -> None:
    assert to_utc(value) == NOON
    assert to_utc(value).utcoffset() == dt.timedelta(0)


def test_a_date_is_its_midnight() -> None:
    assert to_utc("2024-05-01") == dt.datetime(2024, 5, 1, tzinfo=dt.UTC)


@pytest.mark.parametrize("value", [None, "", "soon", "-1", "²", "12:30", True, float("inf"), [], {}])
def test_a_value_that_is_not_a_time_raises(value: object) -> None:
    with pytest.raises(ValueError, match=r"not a time|convert|Invalid"):
        to_utc(value)


@pytest.mark.parametrize("value", [1714564800123456, "1714564800123456", 1714564800123456789, "1714564800123456789"])
def test_microseconds_are_exact(value: object) -> None:
    assert to_utc(value) == NOON.replace(microsecond=123456)


def test_times_before_1970_are_negative_numbers() -> None:
    assert to_utc(-86400) == to_utc(-86400.0) == dt.datetime(1969, 12, 31, tzinfo=dt.UTC)


@pytest.mark.parametrize("value", [10**30, -(10**400), 1e300, "9" * 5000, "0001-01-01T00:00:00+05:00"])
def test_a_time_outside_of_all_years_raises(value: object) -> None:
    with pytest.raises((ValueError, OverflowError)):
        to_utc(value)
