"""Conversion of times in any common form to UTC."""

import datetime as dt
import math

EARLIEST, LATEST = dt.datetime(1900, 1, 1, tzinfo=dt.UTC), dt.datetime(2200, 1, 1, tzinfo=dt.UTC)
KNOWN_TIMES = (
    *("time", "ts", "date", "datetime", "created_at", "createdAt", "created", "create_time", "start_time", "startTime"),
    *("end_time", "endTime", "event_time", "eventTime", "event_timestamp", "client_event_time", "collector_tstamp"),
    *("derived_tstamp", "occurred_at", "occurredAt", "logged_at", "sent_at", "sentAt", "server_timestamp"),
    *("startTimeUnixNano", "start_timestamp", "@timestamp", "unix_time", "time:timestamp", "request_created_at"),
)
"""Names of times in exports of other products."""

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_SECONDS_LIMIT = 10**11
"""The year 5138 in seconds. Larger numbers count milliseconds, microseconds or nanoseconds."""


def to_utc(value: object) -> dt.datetime:
    """Time in UTC, from ISO 8601 (without a zone: UTC), a datetime, or Unix seconds to nanoseconds.

    Raises ValueError for anything else, and OverflowError outside of the years 1 to 9999.
    """
    return read_time(value)[0]


def read_time(value: object) -> tuple[dt.datetime, bool]:
    """Time in UTC, and whether its zone was assumed. Raises the errors of ``to_utc``."""
    if isinstance(value, str):
        text = value.strip()
        is_unix = text.replace(".", "", 1).isdigit() and len(text) != len("20240101")
        value = _parse_number(text) if is_unix else _from_iso(text)
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        value = dt.datetime.combine(value, dt.time())
    if isinstance(value, dt.datetime):
        return (value.replace(tzinfo=dt.UTC), True) if value.tzinfo is None else (value.astimezone(dt.UTC), False)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("not a time")
    return _from_unix(value), False


def is_plausible_time(at: dt.datetime) -> bool:
    """True from 1900 to 2199; other years are mistakes, or numbers that are not times."""
    return EARLIEST <= at < LATEST


def _parse_number(text: str) -> int | float:
    """The number: an int if it is whole, so that microseconds stay exact, unless it is too long for any time."""
    return int(text) if text.isdecimal() and len(text) < 30 else float(text)


def _from_iso(text: str) -> dt.datetime:
    if len(text) < len("20240101"):
        raise ValueError("not a time")
    return dt.datetime.fromisoformat(text.removesuffix(" UTC"))


def _from_unix(number: float) -> dt.datetime:
    unit = 1
    if not math.isfinite(number):
        raise ValueError("not a time")
    while abs(number) >= _SECONDS_LIMIT * unit and unit < 10**9:
        unit *= 1000
    if isinstance(number, int):
        return _EPOCH + dt.timedelta(microseconds=number * 1_000_000 // unit)
    return _EPOCH + dt.timedelta(seconds=number / unit)
