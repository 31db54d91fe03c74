"""The two sides of a comparison: sessions of two segments, or of two periods."""

import dataclasses
import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from turret_pipeline.errors import TurretError
from turret_pipeline.reports.published_tables import PublishedTables
from turret_pipeline.reports.scope import Scope, parse_moment, parse_segment

Period = tuple[dt.datetime, dt.datetime]
"""First moment of a period, and the first one after it."""


@dataclass(frozen=True)
class Side:
    """Sessions on one side of a comparison: session_id, user_id."""

    name: str
    sessions: pl.DataFrame


def select_segments(published: PublishedTables, scope: Scope, texts: Sequence[str]) -> tuple[Side, Side]:
    """The sessions of a segment, and of a second one or else of all other values of its field.

    Raises TurretError if a segment is invalid, or sessions belong to both.
    """
    if len(texts) > 2:
        raise TurretError(f"Too many segments ({len(texts)}): compare one or two.")
    one, *more = [Side(text, _sessions_of_segment(published, scope, text)) for text in texts]
    if not more:
        field, value = parse_segment(texts[0])
        other_values = published.session_values(field).filter(pl.col("value") != value)
        others = published.sessions(scope).join(other_values, on="session_id", how="semi")
        return one, Side(f"other {field}", others)
    both = one.sessions.join(more[0].sessions, on="session_id", how="semi").height
    if both:
        raise TurretError(
            f"{both:,} sessions belong to both {texts[0]} and {texts[1]}: compare two values of one field, "
            "or filter all sessions with --segment."
        )
    return one, more[0]


def select_periods(published: PublishedTables, scope: Scope, texts: Sequence[str]) -> tuple[Side, Side]:
    """The sessions of a period, and of a second one or else of the same time just before it.

    Raises TurretError if a period is invalid, or they overlap.
    """
    if len(texts) > 2:
        raise TurretError(f"Too many periods ({len(texts)}): compare one or two.")
    if scope.since or scope.until:
        raise TurretError("--period cannot be combined with --since or --until: remove them.")
    period, before = _periods(published, texts)
    if before[0] < period[1] and period[0] < before[1]:
        raise TurretError(f"The periods {texts[0]} and {texts[1]} overlap: choose two that do not.")
    return _side_of_period(published, scope, period), _side_of_period(published, scope, before)


def missing_data_warning(published: PublishedTables, texts: Sequence[str]) -> str:
    """Warning if the time before a single period begins before the data; empty otherwise."""
    if len(texts) > 1:
        return ""
    (first, _), before = _periods(published, texts)
    begin = published.first_day()
    if before[0] >= begin:
        return ""
    return f"The data begin on {begin:%Y-%m-%d}: the time before {first:%Y-%m-%d} is shorter than the period."


def _periods(published: PublishedTables, texts: Sequence[str]) -> tuple[Period, Period]:
    first, last = _parse_period(published, texts[0])
    return (first, last), _parse_period(published, texts[1]) if len(texts) > 1 else (first - (last - first), first)


def _parse_period(published: PublishedTables, text: str) -> Period:
    if match := re.fullmatch(r"([1-9]\d{0,4})d", text):
        end = published.day_after_last()
        return end - dt.timedelta(days=int(match[1])), end
    first, mark, last = text.partition("..")
    if not (first and mark and last):
        raise TurretError(
            f"Invalid period {text!r}: use FIRST..LAST (2026-03-01..2026-03-31), or 7d for the last seven days."
        )
    period = parse_moment(first), parse_moment(last, is_end=True)
    if period[0] >= period[1]:
        raise TurretError(f"Invalid period {text!r}: it ends before it begins. Put the first day first.")
    return period


def _sessions_of_segment(published: PublishedTables, scope: Scope, text: str) -> pl.DataFrame:
    return published.sessions(dataclasses.replace(scope, segments=(*scope.segments, parse_segment(text))))


def _side_of_period(published: PublishedTables, scope: Scope, period: Period) -> Side:
    first, last = period
    sessions = published.sessions(dataclasses.replace(scope, since=first, until=last))
    return Side(f"{first:%Y-%m-%d} to {(last - dt.timedelta(seconds=1)).date():%Y-%m-%d}", sessions)
