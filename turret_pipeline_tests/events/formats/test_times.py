"""Times in all common forms."""

import datetime as dt

import pytest

from turret_pipeline.events.formats import to_utc
from turret_pipeline.events.formats.times import find_zone, read_nanosecond, read_time
from turret_pipeline_tests.events.formats.rejections import rejection_of

NOON = dt.datetime(2024, 5, 1, 12, tzinfo=dt.UTC)
PARIS = find_zone("Europe/Paris")


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


@pytest.mark.parametrize(
    "value",
    [
        "2024-05-01T12:00:00,0Z",
        "2024-05-01 12:00:00+00",
        "2024-05-01 12:00:00 UTC",
        "2024-05-01 14:00:00 CEST",
        "2024/05/01 12:00:00 GMT",
        "2024-05-01 12:00:00 +0000 UTC",
        "2024-05-01 14:00:00.0 +0200 CEST m=+0.000012345",
        "2024-05-01T14:00:00+02:00[Europe/Paris]",
        "2024-05-01T14:00[Europe/Paris]",
        "2024-05-01T12:00:00Z[UTC]",
        "Wed, 01 May 2024 12:00:00 GMT",
        "1 May 2024 17:30 +0530",
        "1 May 2024 08:30 -0330",
        "Wed, 1 May 2024 12:00:00 -0000",
        "Wed May  1 12:00:00 UTC 2024",
        "Wed May 01 2024 14:00:00 GMT+0200 (Central European Summer Time)",
    ],
)
def test_a_time_with_a_zone_in_the_form_of_other_programs_is_converted(value: str) -> None:
    assert read_time(value, PARIS) == (NOON, False)


@pytest.mark.parametrize(
    "value", ["2024-05-01T14:00:00", "20240501T140000", "Wed May  1 14:00:00 2024", dt.datetime(2024, 5, 1, 14)]
)
def test_a_time_without_a_zone_is_read_in_the_zone_of_the_input(value: object) -> None:
    assert read_time(value, PARIS) == (NOON, True)
    assert to_utc(value) == NOON + dt.timedelta(hours=2)


def test_a_time_that_the_clocks_repeat_is_the_first_one_and_a_skipped_one_is_an_hour_later() -> None:
    assert to_utc("2024-10-27T02:30:00", PARIS) == dt.datetime(2024, 10, 27, 0, 30, tzinfo=dt.UTC)
    assert to_utc("2024-03-31T02:30:00", PARIS) == to_utc("2024-03-31T03:30:00", PARIS)


@pytest.mark.parametrize("value", [None, "", "soon", "²", "12:30", True, float("inf"), [], {}, "Wed at 12:00 in 2024"])
def test_a_value_that_is_not_a_time_raises(value: object) -> None:
    with pytest.raises(ValueError, match=r"not a time|convert|Invalid"):
        to_utc(value)


@pytest.mark.parametrize("value", [1714564800123456, "1714564800123456", 1714564800123456789, "1714564800123456789"])
def test_microseconds_are_exact(value: object) -> None:
    assert to_utc(value) == NOON.replace(microsecond=123456)


@pytest.mark.parametrize(
    ("value", "nanosecond"),
    [
        ("2024-05-01T12:00:00.123456789Z", 789),
        ("2024-05-01 12:00:00,1234567 +0000 UTC", 700),
        ("2024-05-01T12:00:00.123456Z", 0),
        ("1714564800123456789", 789),
        (1714564800123456789, 789),
        (1714564800123456, 0),
        (1714564800.5, 0),
        (dt.datetime(2024, 5, 1), 0),
        (None, 0),
    ],
)
def test_nanoseconds_after_the_last_microsecond_are_kept(value: object, nanosecond: int) -> None:
    assert read_nanosecond(value) == nanosecond


ZERO = "zero time of a clock that was not set"
SERIAL = "looks like an Excel serial date"


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        *((value, ZERO) for value in (0, "0", 0.0, "1970-01-01T00:00:00Z", "1970-01-01", "0001-01-01T00:00:00Z")),
        *((value, ZERO) for value in ("1969-12-31T16:00:00-08:00", "1970-01-01T00:07:30Z")),
        *((value, SERIAL) for value in (46083, 46083.385416, "46083.385416")),
        *((value, "before 2000") for value in (-1, "-86400", 1, 3600.5, 20240501, 202405011200)),
        *((value, "which number is the day") for value in ("3/2/2026 9:15", "13/2/2026", "1.5.2024 12:00", "1-5-2024")),
        ("2024-05-01 12:00:00 IST", "IST is not the name of one time zone"),
        ("2024-05-01T12:00[Mars/Olympus]", "unknown time zone 'Mars/Olympus'"),
    ],
)
def test_a_value_that_only_looks_like_a_time_is_rejected_with_the_reason_and_the_value(
    value: object, problem: str
) -> None:
    code, reason = rejection_of({"name": "a", "timestamp": value})
    assert code == "invalid_timestamp"
    assert problem in reason
    assert reason.startswith(f"timestamp is {value!r}: ")


@pytest.mark.parametrize("value", ["1971-01-01T00:00:00Z", "1950-06-01", 946684800, "2199-12-31"])
def test_times_far_from_today_are_times(value: object) -> None:
    assert 1950 <= to_utc(value).year <= 2199


@pytest.mark.parametrize("value", [10**30, -(10**400), 1e300, "9" * 5000, "0001-01-01T00:00:00+05:00"])
def test_a_time_outside_of_all_years_raises(value: object) -> None:
    with pytest.raises((ValueError, OverflowError)):
        to_utc(value)
