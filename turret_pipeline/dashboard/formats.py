"""Values as a person reads them. Null is a dash, so that no cell looks forgotten."""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any, Literal

from turret_pipeline.escaping import escape_text

Kind = Literal[
    "text",
    "prose",
    "count",
    "share",
    "difference",
    "number",
    "similarity",
    "seconds",
    "dollars",
    "day",
    "time",
    "q_value",
]
"""Prose is a text that a person wrote, in the direction of its language."""

NUMBERS = {"count", "share", "difference", "number", "similarity", "seconds", "dollars", "q_value"}
MISSING = "\N{EN DASH}"


def format_text(value: Any) -> str:  # noqa: ANN401
    """The text with visible symbols for control characters; a list with commas."""
    return escape_text(", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value))


def format_share(value: float) -> str:
    """A share as a percentage with three digits at most."""
    percentage = 100 * value
    return f"{percentage:.0f} %" if percentage in {0, 100} else f"{percentage:.{1 if percentage >= 1 else 2}f} %"


def format_difference(value: float) -> str:
    """A difference of shares in percentage points, with its sign."""
    return f"{round(100 * value, 1) or 0.0:+.1f} pp"


def format_number(value: float) -> str:
    """A number with three significant digits, and thousands separated."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def format_seconds(value: float) -> str:
    """A duration in the unit that a person would use."""
    for limit, unit, name in ((120, 1, "s"), (7200, 60, "min"), (172_800, 3600, "h")):
        if value < limit:
            return f"{value / unit:{'.3g' if unit == 1 else _choose_digits(value / unit)}} {name}"
    return f"{value / 86_400:,{_choose_digits(value / 86_400)}} days"


def _choose_digits(value: float) -> str:
    """Format of a duration with a decimal place if it is short."""
    return ".1f" if value < 9.95 else ".0f"


def format_dollars(value: float) -> str:
    """An amount of US dollars; small ones with more digits."""
    return f"${value:,.2f}" if value == 0 or abs(value) >= 1 else f"${value:.2g}"


def format_day(value: dt.date) -> str:
    """A day."""
    return value.isoformat()[:10]


def format_time(value: dt.datetime) -> str:
    """A moment in UTC; the page shows it in the zone of the viewer where scripts run."""
    return f"{value.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC"


def format_q_value(value: float) -> str:
    """A q-value."""
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def _or_dash(form: Callable[[Any], str]) -> Callable[[Any], str]:
    return lambda value: MISSING if value is None else form(value)


FORMATS: Mapping[Kind, Callable[[Any], str]] = {
    "text": _or_dash(format_text),
    "prose": _or_dash(format_text),
    "similarity": _or_dash(lambda value: f"{value:.2f}"),
    "count": _or_dash(lambda value: f"{value:,}"),
    "share": _or_dash(format_share),
    "difference": _or_dash(format_difference),
    "number": _or_dash(format_number),
    "seconds": _or_dash(format_seconds),
    "dollars": _or_dash(format_dollars),
    "day": _or_dash(format_day),
    "time": _or_dash(format_time),
    "q_value": _or_dash(format_q_value),
}


def describe_share(count: int, total: int, noun: str, low: float | None = None, high: float | None = None) -> str:
    """The parts of a share: "12 of 340 exchanges; 95 % interval 2.0 % to 6.1 %"."""
    interval = "" if low is None or high is None else f"; 95 % interval {format_share(low)} to {format_share(high)}"
    return f"{count:,} of {total:,} {noun}{interval}"


def describe_interval(low: float | None, high: float | None, noun: str = "") -> str:
    """The 95 % interval of a difference of shares, or that there are too few (of ``noun``) to tell."""
    if low is None or high is None:
        return f"too few {noun} to compare" if noun else "too few to compare"
    return f"95 % interval {100 * low:+.1f} to {100 * high:+.1f} percentage points"


def describe_change(row: Mapping[str, Any], names: tuple[str, str] = ("now", "before")) -> str:
    """Both shares of a change, the interval of the difference, and its q-value."""
    interval = describe_interval(row["difference_low"], row["difference_high"])
    is_tested = row["q_value"] is not None
    test = f"q-value {format_q_value(row['q_value'])}" if is_tested else "too few to test"
    shares = f"{format_share(row['share'])} {names[0]}, {format_share(row['before_share'])} {names[1]}"
    return f"{shares}; {interval}; {test}"
