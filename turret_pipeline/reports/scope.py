"""Scope of a question about journeys: sessions by start time and segments, parsed from what users type."""

import datetime as dt
import re
import zoneinfo
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from turret_pipeline.errors import TurretError

_ESCAPED = "\\="


@dataclass(frozen=True)
class Scope:
    """Filter of whole sessions by start time and segments.

    ``until`` is the first moment after the period. ``segments`` are values of enum fields: a session is in the scope if
    it has one of the given values in each given field. Its value is that of its first event with the field.
    ``time_zone`` is that of the days.
    """

    since: dt.datetime | None = None
    until: dt.datetime | None = None
    segments: tuple[tuple[str, str], ...] = ()
    time_zone: str = field(default="UTC", compare=False)

    def __str__(self) -> str:
        parts = [f"sessions with {name} = {' or '.join(values)} first" for name, values in self.values().items()]
        parts += [f"from {self.since:%Y-%m-%d %H:%M}"] if self.since else []
        parts += [f"before {self.until:%Y-%m-%d %H:%M}"] if self.until else []
        return ", ".join(parts)

    def previous(self) -> "Scope | None":
        """The period of the same number of days just before; None unless both ends are known."""
        if self.since is None or self.until is None:
            return None
        zone = zoneinfo.ZoneInfo(self.time_zone)
        first, after = (moment.astimezone(zone).replace(tzinfo=None) for moment in (self.since, self.until))
        try:  # in local time, because not every day has 24 hours
            since = (first - (after - first)).replace(tzinfo=zone).astimezone(dt.UTC)
        except OverflowError:
            return None
        return replace(self, since=since, until=self.since)

    def values(self) -> dict[str, list[str]]:
        """The values of each field of the segments."""
        values: dict[str, list[str]] = {}
        for name, value in self.segments:
            values.setdefault(name, []).append(value)
        return values


def parse_scope(since: str | None, until: str | None, segments: Sequence[str], time_zone: str = "UTC") -> Scope:
    """The scope of the options --since, --until and --segment. Days are those of the time zone.

    Raises TurretError if one of them is invalid.
    """
    zone = zoneinfo.ZoneInfo(time_zone)
    scope = Scope(
        None if since is None else parse_moment(since, zone=zone),
        None if until is None else parse_moment(until, is_end=True, zone=zone),
        tuple(dict.fromkeys(map(parse_segment, segments))),
        time_zone,
    )
    if scope.since and scope.until and scope.since >= scope.until:
        raise TurretError(f"--since {since} is after --until {until}: swap the two.")
    return scope


def parse_segment(text: str) -> tuple[str, str]:
    """Field and value of FIELD=VALUE. In the name of a field, an equals sign follows a backslash."""
    field, *value = re.split(r"(?<!\\)=", text, maxsplit=1)
    if not (field and value):
        raise TurretError(f"Invalid segment {text!r}: use FIELD=VALUE, for example plan=team.")
    return field.replace(_ESCAPED, "="), value[0]


def format_segment(field: str, value: str) -> str:
    """FIELD=VALUE, as ``parse_segment`` reads it."""
    return f"{field.replace('=', _ESCAPED)}={value}"


def parse_moment(text: str, *, is_end: bool = False, zone: dt.tzinfo = dt.UTC) -> dt.datetime:
    """The first moment of a day, or with ``is_end`` the first one after it; or a moment. Both are in the zone, unless
    the text has one.
    """
    is_day = re.fullmatch(r"\d{4}-\d{2}-\d{2}", text) is not None
    is_moment = re.match(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}", text) is not None
    try:
        moment = dt.datetime.fromisoformat(text) if is_day or is_moment else None
    except ValueError:
        moment = None
    if moment is None:
        raise TurretError(f"Invalid day {text!r}: use 2026-03-01 or 2026-03-01T12:00.")
    try:
        if is_end and is_day:
            moment += dt.timedelta(days=1)
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(dt.UTC)
    except OverflowError:
        raise TurretError(f"Invalid day {text!r}: use one in the years 2 to 9998.") from None
