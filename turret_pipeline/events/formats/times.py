"""Conversion of times in any common form to UTC.

A value that looks like a time but is none is rejected with the reason: a clock that was not set, a serial date of a
spreadsheet, and a date whose day and month cannot be told apart would otherwise become plausible times that are wrong.
"""

import datetime as dt
import email.utils
import functools
import math
import re
import zoneinfo

EARLIEST, LATEST = dt.datetime(1900, 1, 1, tzinfo=dt.UTC), dt.datetime(2200, 1, 1, tzinfo=dt.UTC)
KNOWN_TIMES = (
    *("time", "ts", "date", "datetime", "created_at", "createdAt", "created", "create_time", "start_time", "startTime"),
    *("end_time", "endTime", "event_time", "eventTime", "event_timestamp", "client_event_time", "collector_tstamp"),
    *("derived_tstamp", "occurred_at", "occurredAt", "logged_at", "sent_at", "sentAt", "server_timestamp"),
    *("startTimeUnixNano", "start_timestamp", "@timestamp", "unix_time", "time:timestamp", "request_created_at"),
)
"""Names of times in exports of other products."""

UNSET_FROM, UNSET_UNTIL = dt.datetime(1969, 12, 31, tzinfo=dt.UTC), dt.datetime(1970, 1, 2, tzinfo=dt.UTC)
"""Times among which those of a clock that was not set are: it starts at the begin of 1970, in some zone."""

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_UNSET_FOR = dt.timedelta(minutes=15)
"""Time that a clock that starts at the begin of 1970 may run until it is set."""

_EARLIEST_UNIX = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
"""Smaller numbers are counts, durations, or dates written as one number, and not Unix times."""

_SECONDS_LIMIT = 10**11
"""The year 5138 in seconds. Larger numbers count milliseconds, microseconds or nanoseconds."""

_SERIAL_DATES = (20_000, 80_000)
"""Days since 1900 from 1954 to 2119, as spreadsheets store dates."""

_HOURS = "UTC 0 GMT 0 UT 0 Z 0 WET 0 WEST 1 CET 1 CEST 2 EET 2 EEST 3 MSK 3 JST 9 KST 9 AEST 10 AEDT 11".split()
_HOURS += "EDT -4 EST -5 CDT -5 MDT -6 MST -7 PDT -7 PST -8 HST -10".split()
_ZONE_HOURS = dict(zip(_HOURS[::2], map(int, _HOURS[1::2]), strict=True))
"""Abbreviations with one common meaning. CST, IST and BST have several."""

_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?", re.ASCII)
_COMPACT_DAY = re.compile(r"\d{8}", re.ASCII)
_YEAR_FIRST = re.compile(r"(\d{4})/(\d\d)/(\d\d)(?=\D|$)", re.ASCII)
_DAY_OR_MONTH_FIRST = re.compile(r"\d{1,2}([/.-])\d{1,2}\1(\d{4}|\d{2})(?=\D|$)", re.ASCII)
_NAMED_PLACE = re.compile(r"(.+)\[([\w/+-]+)\]", re.ASCII)
"""A time as java.time writes it: the offset, if there is one, decides."""

_OFFSET_AND_NAME = re.compile(r"(.*\d) ?([+-]\d\d:?\d\d) (?:[A-Z]{1,5}|[+-]\d{2,4})(?: m=[+-][\d.]+)?", re.ASCII)
"""A time as Go writes it: the abbreviation repeats the offset, and ``m=`` is a reading of another clock."""

_ABBREVIATION = re.compile(r"(.*\d) ?([A-Z]{1,5})", re.ASCII)
_WORDS = re.compile(r"(?=.*[A-Z][a-z]{2})(?=.*\b\d{4}\b)(.*\d\d:\d\d(?::\d\d)?)(?: ([A-Z+-]\S*))?( \d{4})?", re.ASCII)
"""A time with the name of its month: the part with the time of the day, the zone, and the year if it comes last."""

_COMMENT = re.compile(r" \(.*\)$")
_FRACTION = re.compile(r":\d\d[.,]\d{6}(\d{1,3})", re.ASCII)
_WITH_OFFSET = re.compile(r"(?:GMT|UTC)?([+-]\d\d):?(\d\d)", re.ASCII)


class InvalidTimeError(ValueError):
    """The reason why a value is not read as a time, with the fix: the end of a sentence."""


def to_utc(value: object, zone: dt.tzinfo = dt.UTC) -> dt.datetime:
    """Time in UTC, from ISO 8601 (without a zone: in ``zone``), a datetime, or Unix seconds to nanoseconds.

    Raises ValueError for anything else, and OverflowError outside of the years 1 to 9999.
    """
    return read_time(value, zone)[0]


def read_time(value: object, zone: dt.tzinfo = dt.UTC) -> tuple[dt.datetime, bool]:
    """Time in UTC, and whether its zone was assumed. Raises the errors of ``to_utc``.

    Of two times that a change of the clocks gives the same name, the first counts. A time that the clocks skip is read
    with the offset from before the change.
    """
    if isinstance(value, str):
        text = value.strip()
        is_number = _NUMBER.fullmatch(text) and not _COMPACT_DAY.fullmatch(text)
        value = _parse_number(text) if is_number else _from_text(text)
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        value = dt.datetime.combine(value, dt.time())
    if isinstance(value, dt.datetime):
        is_assumed = value.tzinfo is None
        local = value.replace(tzinfo=zone) if is_assumed else value
        return _reject_unset_clock(local, local.astimezone(dt.UTC)), is_assumed
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("not a time")
    return _from_unix(value), False


def read_nanosecond(value: object) -> int:
    """Nanoseconds of a valid time after its last whole microsecond, from 0 to 999."""
    if isinstance(value, str):
        text = value.strip()
        if found := _FRACTION.search(text):
            return int(found[1].ljust(3, "0"))
        value = int(text) if text.isdecimal() else None
    if isinstance(value, int):
        return value % 1000 if value >= _SECONDS_LIMIT * 10**6 else 0
    return int(getattr(value, "nanosecond", 0))


def is_plausible_time(at: dt.datetime) -> bool:
    """True from 1900 to 2199; other years are mistakes, or numbers that are not times."""
    return EARLIEST <= at < LATEST


@functools.cache
def find_zone(name: str) -> dt.tzinfo:
    """The time zone with an IANA name. Raises ValueError if there is none."""
    if name == "UTC":
        return dt.UTC
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidTimeError(f"unknown time zone {name!r}: use a name like UTC or Europe/Zurich") from None


def _reject_unset_clock(local: dt.datetime, at: dt.datetime) -> dt.datetime:
    """The time in UTC. Raises InvalidTimeError if it is the begin of 1970, there or in its own zone, or of year 1."""
    starts = (_EPOCH <= at < _EPOCH + _UNSET_FOR, _EPOCH <= local.replace(tzinfo=dt.UTC) < _EPOCH + _UNSET_FOR)
    if at.year == 1 or any(starts):
        raise InvalidTimeError(
            "this is the zero time of a clock that was not set. Give the time of the event, or null if it is unknown."
        )
    return at


def _parse_number(text: str) -> int | float:
    """The number: an int if it is whole, so that microseconds stay exact, unless it is too long for any time."""
    return int(text) if text.isdecimal() and len(text) < 30 else float(text)


def _from_text(text: str) -> dt.datetime:
    """The time in a text that is not a number, without a zone if the text has none."""
    if len(text) < len("20240101"):
        raise ValueError("not a time")
    if _DAY_OR_MONTH_FIRST.match(text):
        raise InvalidTimeError(
            "it does not say which number is the day and which the month. Use ISO 8601, such as 2026-03-02T09:15:00Z."
        )
    text = _YEAR_FIRST.sub(r"\1-\2-\3", text)
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        pass
    if found := _NAMED_PLACE.fullmatch(text):
        at = dt.datetime.fromisoformat(found[1])
        return at if at.tzinfo else at.replace(tzinfo=find_zone(found[2]))
    if found := _OFFSET_AND_NAME.fullmatch(text):
        return dt.datetime.fromisoformat(found[1] + found[2])
    if not text[:4].isdecimal():
        return _from_words(_COMMENT.sub("", text))
    if found := _ABBREVIATION.fullmatch(text):
        return dt.datetime.fromisoformat(found[1]).replace(tzinfo=_zone_of(found[2]))
    raise ValueError("not a time")


def _from_words(text: str) -> dt.datetime:
    """The time in a text with the name of the month: RFC 2822, ctime, ``date`` of Unix, or Date of JavaScript."""
    found = _WORDS.fullmatch(text)
    fields = email.utils.parsedate(f"{found[1]}{found[3] or ''}") if found else None
    if found is None or fields is None:
        raise ValueError("not a time")
    return dt.datetime(*fields[:6], tzinfo=None if found[2] is None else _zone_of(found[2]))


def _zone_of(name: str) -> dt.tzinfo:
    """The zone of an offset such as +0100, or of an abbreviation. Raises InvalidTimeError if that is not clear."""
    if offset := _WITH_OFFSET.fullmatch(name):
        minutes = int(offset[1]) * 60 + int(offset[1][0] + offset[2])
        return dt.timezone(dt.timedelta(minutes=minutes))
    if name not in _ZONE_HOURS:
        raise InvalidTimeError(f"{name} is not the name of one time zone. Use an offset such as +01:00.")
    return dt.timezone(dt.timedelta(hours=_ZONE_HOURS[name]))


def _from_unix(number: float) -> dt.datetime:
    if not math.isfinite(number):
        raise ValueError("not a time")
    if number == 0:
        return _reject_unset_clock(_EPOCH, _EPOCH)
    if _SERIAL_DATES[0] <= number <= _SERIAL_DATES[1]:
        raise InvalidTimeError(
            "this looks like an Excel serial date. Format the column as yyyy-mm-dd hh:mm:ss and save the sheet again."
        )
    unit = 1
    while abs(number) >= _SECONDS_LIMIT * unit and unit < 10**9:
        unit *= 1000
    if isinstance(number, int):
        at = _EPOCH + dt.timedelta(microseconds=number * 1_000_000 // unit)
    else:
        at = _EPOCH + dt.timedelta(seconds=number / unit)
    if at < _EARLIEST_UNIX:
        raise InvalidTimeError("as Unix time it would be before 2000. Use ISO 8601, such as 2026-03-02T09:15:00Z.")
    return at
