"""The filter panel of every page: ranges of days, segments, and what of them is chosen."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from turret_pipeline.dashboard.projects import Snapshot
from turret_pipeline.dashboard.state import PageState
from turret_pipeline.reports.scope import format_segment, parse_segment
from turret_pipeline.topics.insights.periods import Period, WeekStart, complete_weeks

FIELDS_SHOWN = 8
"""Fields that are always shown, those in most sessions; the others are folded unless they are chosen."""

VALUES_OFFERED = 30
"""Values of a field that the panel offers, the most common first; others can be typed into the URL."""

_DAYS = """
select min(timezone(?, started_at)::date), max(timezone(?, started_at)::date) from marts.sessions
"""
_VALUES = f"""
select field, value, count(*) as session_count from marts.session_values group by field, value
qualify row_number() over (partition by field order by session_count desc, value) <= {VALUES_OFFERED}
order by field, session_count desc, value
"""


@dataclass(frozen=True)
class Choice:
    """Something to choose, the URL that chooses or removes it, and if it is chosen."""

    label: str
    value: str
    is_chosen: bool
    url: str = ""
    session_count: int = 0


Segment = tuple[str, tuple[Choice, ...]]
"""A field, and the choices among its values."""


@dataclass(frozen=True)
class FilterPanel:
    """All that the panel of a page offers."""

    first_day: dt.date | None
    last_day: dt.date | None
    ranges: tuple[Choice, ...]
    segments: tuple[Segment, ...]
    chosen: tuple[Choice, ...]

    @property
    def main_segments(self) -> tuple[Segment, ...]:
        """The fields that are always shown."""
        return tuple(one for one in self.segments if one not in self.other_segments)

    @property
    def other_segments(self) -> tuple[Segment, ...]:
        """The fields in fewer sessions, of which nothing is chosen; none if it is only one."""
        ranked = sorted(self.segments, key=lambda one: -sum(choice.session_count for choice in one[1]))
        rest = [one for one in ranked[FIELDS_SHOWN:] if not any(choice.is_chosen for choice in one[1])]
        return tuple(one for one in self.segments if one in rest) if len(rest) > 1 else ()

    @property
    def is_active(self) -> bool:
        """True if anything is filtered."""
        return bool(self.chosen)


def build_panel(published: Snapshot, state: PageState, time_zone: str, week_start: WeekStart) -> FilterPanel:
    """The panel for the state of a page."""
    period = published.remember("period", lambda: _read_period(published, time_zone))
    ranges = tuple(_list_ranges(period, state, week_start)) if period else ()
    return FilterPanel(
        first_day=period.first if period else None,
        last_day=period.last if period else None,
        ranges=ranges,
        segments=tuple(_list_segments(published, state)),
        chosen=tuple(_list_chosen(state)),
    )


def _read_period(published: Snapshot, time_zone: str) -> Period | None:
    first, last = published.query(_DAYS, time_zone, time_zone).row(0)
    return None if first is None else Period(first, last)


def _list_ranges(period: Period, state: PageState, week_start: WeekStart) -> Iterator[Choice]:
    """All days, the last complete week, and ranges that end with the last day of the data."""
    ranges: dict[str, Period | None] = {"All days": None}
    if weeks := complete_weeks(period.first, period.last, week_start):
        ranges["Last full week"] = weeks[-1]
    for days in (7, 28, 90):
        if period.days > days:
            ranges[f"Last {days} days"] = Period(period.last - dt.timedelta(days=days - 1), period.last)
    for label, one in ranges.items():
        since, until = ("", "") if one is None else (one.first.isoformat(), one.last.isoformat())
        is_chosen = (state.since, state.until) == (since, until)
        yield Choice(label, "", is_chosen, state.change(since=since, until=until))


def _list_segments(published: Snapshot, state: PageState) -> Iterator[tuple[str, tuple[Choice, ...]]]:
    """The enum fields with their values."""
    rows = published.remember("segments", lambda: published.query(_VALUES).rows())
    by_field: dict[str, list[tuple[str, int]]] = {}
    for field, value, count in rows:
        by_field.setdefault(field, []).append((value, count))
    for field, values in by_field.items():
        named = [(value, format_segment(field, value), count) for value, count in values]
        choices = (Choice(value, segment, segment in state.segments, "", count) for value, segment, count in named)
        yield field, tuple(choices)


def _list_chosen(state: PageState) -> Iterator[Choice]:
    """The present filters, each with the URL without it."""
    if state.since or state.until:
        label = f"{state.since or 'start'} to {state.until or 'end'}"
        yield Choice(label, "", True, state.change(since=None, until=None))
    for segment in state.segments:
        rest: Sequence[str] = [one for one in state.segments if one != segment]
        yield Choice(" = ".join(parse_segment(segment)), segment, True, state.change(segment=rest))
