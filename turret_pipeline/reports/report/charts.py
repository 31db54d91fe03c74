"""Charts of a report as SVG inside its page: bars of shares, with the value of each beside it as text."""

import html
from collections.abc import Sequence
from dataclasses import dataclass

from turret_pipeline.escaping import escape_line
from turret_pipeline.journeys.facts import percent

WIDTH, ROW, LINE, VALUE = 340, 36, 16, 70
"""Pixels: of a chart, which fits a phone; of a row; of the line of its label, above the bar; and of the value, right of
the bar."""

MAX_LABEL = 48
"""Characters of a label that fit the width of a chart."""


@dataclass(frozen=True)
class Bar:
    """A share with its label. ``low`` and ``high`` are the ends of an interval; what it is compared with is muted."""

    label: str
    share: float
    low: float | None = None
    high: float | None = None
    is_muted: bool = False


def draw_bars(title: str, bars: Sequence[Bar], largest: float | None = None) -> str:
    """An SVG chart of horizontal bars, all on the scale from 0 to the largest share; empty without bars."""
    if not bars:
        return ""
    largest = largest or max(max(bar.share, bar.high or 0) for bar in bars)
    scale = (WIDTH - VALUE) / largest if largest > 0 else 0.0
    rows = "".join(_draw_bar(bar, number * ROW, scale) for number, bar in enumerate(bars))
    height = len(bars) * ROW
    return (
        f'<svg role="img" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}">'
        f"<title>{escape_html(title)}</title>{rows}</svg>"
    )


def escape_html(text: str) -> str:
    """The text as one line that a page shows as it is."""
    return html.escape(escape_line(text))


def _draw_bar(bar: Bar, top: float, scale: float) -> str:
    middle, width = top + LINE + (ROW - LINE) / 2, max(bar.share * scale, 1.0)
    label = bar.label if len(bar.label) <= MAX_LABEL else bar.label[: MAX_LABEL - 1] + "…"
    parts = [
        f'<text x="0" y="{top + LINE - 2:.1f}">{escape_html(label)}</text>',
        f'<rect class="{"muted" if bar.is_muted else "bar"}" x="0" y="{top + LINE + 3:.1f}" width="{width:.1f}" '
        f'height="{ROW - LINE - 6}"></rect>',
    ]
    end = width
    if bar.low is not None and bar.high is not None:
        low, high = (max(value, 0) * scale for value in (bar.low, bar.high))
        parts.append(f'<path class="interval" d="M{low:.1f} {middle:.1f}H{high:.1f}"></path>')
        end = max(width, high)
    parts.append(f'<text x="{end + 6:.1f}" y="{middle + 4:.1f}">{percent(bar.share)}</text>')
    return "".join(parts)
