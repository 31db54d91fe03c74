"""Bar charts of categories."""

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from turret_pipeline.escaping import escape_line

WIDTH, ROW_HEIGHT, BAR_HEIGHT = 480, 20, 13
LABELS, VALUES = 160, 70
"""Pixels for the labels before the bars, and for the values behind them."""

LABEL_LENGTH = 24
"""Characters of a label that fit before its bar."""


def draw_bars(title: str, labels: Sequence[str], values: Sequence[float | None], notes: Sequence[str]) -> Markup:
    """An SVG chart with a bar from 0 for each label, to the left if its value is negative; empty without labels.

    Values that are None have no bar. ``notes`` are shown behind the bars.
    """
    if not labels:
        return Markup()
    parts = [part for number in range(len(labels)) for part in _draw_bar(number, labels, values, notes)]
    return Markup('<svg class="chart bars" role="img" viewBox="0 0 {} {}"><title>{}</title>{}</svg>').format(
        WIDTH, ROW_HEIGHT * len(labels) + 4, escape_line(title), Markup("").join(parts)
    )


def _draw_bar(
    number: int, labels: Sequence[str], values: Sequence[float | None], notes: Sequence[str]
) -> Iterator[Markup]:
    known = [value for value in values if value is not None]
    low, high = min([0, *known]), max([0, *known])
    scale = (WIDTH - LABELS - VALUES) / ((high - low) or 1)
    label, value, y = escape_line(labels[number]), values[number], ROW_HEIGHT * number + 4
    short = label if len(label) <= LABEL_LENGTH else f"{label[: LABEL_LENGTH - 1]}…"
    start, end = (LABELS + (one - low) * scale for one in (min(value or 0, 0), max(value or 0, 0)))
    middle = y + BAR_HEIGHT - 3
    yield Markup('<text class="tick" x="{}" y="{}" text-anchor="end">{}</text>').format(LABELS - 8, middle, short)
    yield Markup('<rect class="bar" x="{:.1f}" y="{}" width="{:.1f}" height="{}"><title>{}: {}</title></rect>').format(
        start, y, end - start, BAR_HEIGHT, label, escape_line(notes[number])
    )
    yield Markup('<text class="tick" x="{:.1f}" y="{}">{}</text>').format(end + 6, middle, escape_line(notes[number]))
