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
    known = [0, *(value for value in values if value is not None)]
    scale = (WIDTH - LABELS - VALUES) / ((max(known) - min(known)) or 1)
    zero = LABELS - min(known) * scale
    rows = zip(labels, [zero + (value or 0) * scale for value in values], notes, strict=True)
    parts = [part for number, row in enumerate(rows) for part in _draw_bar(ROW_HEIGHT * number + 4, zero, *row)]
    return Markup('<svg class="chart bars" role="img" viewBox="0 0 {} {}"><title>{}</title>{}</svg>').format(
        WIDTH, ROW_HEIGHT * len(labels) + 4, escape_line(title), Markup("").join(parts)
    )


def _draw_bar(y: int, zero: float, label: str, end: float, note: str) -> Iterator[Markup]:
    """A row of the chart at pixel ``y``: its bar goes from pixel ``zero`` to ``end``, which may be on its left."""
    label, note, baseline = escape_line(label), escape_line(note), y + BAR_HEIGHT - 3
    short = label if len(label) <= LABEL_LENGTH else f"{label[: LABEL_LENGTH - 1]}…"
    yield Markup('<text class="tick" x="{}" y="{}" text-anchor="end">{}</text>').format(LABELS - 8, baseline, short)
    yield Markup('<rect class="bar" x="{:.1f}" y="{}" width="{:.1f}" height="{}"><title>{}: {}</title></rect>').format(
        min(zero, end), y, abs(end - zero), BAR_HEIGHT, label, note
    )
    yield Markup('<text class="tick" x="{:.1f}" y="{}">{}</text>').format(max(zero, end) + 6, baseline, note)
