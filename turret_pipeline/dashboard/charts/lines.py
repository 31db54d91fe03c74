"""Line charts and sparklines."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from turret_pipeline.escaping import escape_line

WIDTH, HEIGHT = 720, 220
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 12, 26
"""Pixels around the lines: room for the labels of both axes."""

SPARK_WIDTH, SPARK_HEIGHT = 120, 24
MAX_MARKS = 60
"""Points of a line that are marked; the marks of more would cover it."""


@dataclass(frozen=True)
class Line:
    """A line with a name; ``values`` are None where nothing is known. ``style`` is a class of the style sheet.

    ``notes`` say what each point is, for people who point at it, if the line has dots.
    """

    name: str
    values: Sequence[float | None]
    notes: Sequence[str]
    style: str = "line-a"
    has_dots: bool = True


def draw_lines(title: str, labels: Sequence[str], lines: Sequence[Line]) -> Markup:
    """An SVG chart with a point for each label on each line, on an axis from 0; empty without labels."""
    if not labels:
        return Markup()
    largest = max((value for line in lines for value in line.values if value is not None), default=0)
    ticks = list_ticks(largest)
    parts = [*_draw_axis(ticks), *_draw_labels(labels)]
    for line in lines:
        parts += _draw_line(line, len(labels), ticks[-1])
    return Markup('<svg class="chart" role="img" viewBox="0 0 {} {}"><title>{}</title>{}</svg>').format(
        WIDTH, HEIGHT, escape_line(title), Markup("").join(parts)
    )


def draw_sparkline(title: str, values: Sequence[float]) -> Markup:
    """A line without axes, on a scale from 0, with a dot at its last point; empty without values."""
    if not values:
        return Markup()
    largest = max(values) or 1
    width, height = SPARK_WIDTH - 6, SPARK_HEIGHT - 6
    step = width / max(len(values) - 1, 1)
    points = [(3 + number * step, 3 + height * (1 - value / largest)) for number, value in enumerate(values)]
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return Markup(
        '<svg class="spark" role="img" viewBox="0 0 {} {}" width="{}" height="{}"><title>{}</title>'
        '<path class="line line-a" d="{}"></path>'
        '<circle class="dot line-a" cx="{:.1f}" cy="{:.1f}" r="2.5"></circle></svg>'
    ).format(SPARK_WIDTH, SPARK_HEIGHT, SPARK_WIDTH, SPARK_HEIGHT, escape_line(title), path, *points[-1])


def list_ticks(largest: float) -> list[float]:
    """Three to six round values from 0 to at least the largest."""
    if largest <= 0 or not math.isfinite(largest):
        return [0.0, 1.0]
    magnitude = 10.0 ** math.floor(math.log10(largest))
    step = next(size * magnitude for size in (0.2, 0.5, 1, 2) if largest <= 5 * size * magnitude)
    return [step * number for number in range(math.ceil(largest / step - 1e-9) + 1)]


def _draw_axis(ticks: Sequence[float]) -> Iterator[Markup]:
    is_share = ticks[-1] <= 1 and ticks[1] < 1
    for tick in ticks:
        y = _scale(tick, ticks[-1])
        text = f"{100 * tick:.3g} %" if is_share else _format_tick(tick)
        yield Markup('<path class="grid" d="M{} {:.1f}H{}"></path>').format(LEFT, y, WIDTH - RIGHT)
        yield Markup('<text class="tick" x="{}" y="{:.1f}" text-anchor="end">{}</text>').format(LEFT - 8, y + 4, text)


def _format_tick(tick: float) -> str:
    """A number that fits beside the axis."""
    for unit, size in (("bn", 1e9), ("M", 1e6), ("k", 1e3)):
        if tick >= 10 * size or (tick >= size > 1e3):
            return f"{tick / size:.4g}{unit}"
    return f"{tick:,.10g}"


def _draw_labels(labels: Sequence[str]) -> Iterator[Markup]:
    """The first, the last and up to three labels between, of which narrow charts show the middle one."""
    places = sorted({round(part * (len(labels) - 1) / 4) for part in range(5)})
    for number, place in enumerate(places):
        anchor = "start" if place == 0 else "end" if place == len(labels) - 1 else "middle"
        style = "tick between" if number % 2 and place < len(labels) - 1 else "tick"
        yield Markup('<text class="{}" x="{:.1f}" y="{}" text-anchor="{}">{}</text>').format(
            style, _place(place, len(labels)), HEIGHT - 6, anchor, escape_line(labels[place])
        )


def _draw_line(line: Line, count: int, largest: float) -> Iterator[Markup]:
    points = [
        None if value is None else (_place(number, count), _scale(value, largest))
        for number, value in enumerate(line.values)
    ]
    path = "".join(
        f"{'L' if number and points[number - 1] else 'M'}{point[0]:.1f} {point[1]:.1f}"
        for number, point in enumerate(points)
        if point
    )
    yield Markup('<path class="line {}" d="{}"></path>').format(line.style, path)
    if count <= MAX_MARKS and line.has_dots:
        for point, note in zip(points, line.notes, strict=True):
            if point:
                yield Markup('<circle class="dot {}" cx="{:.1f}" cy="{:.1f}" r="3"><title>{}</title></circle>').format(
                    line.style, *point, escape_line(note)
                )


def _place(number: int, count: int) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * (number / (count - 1) if count > 1 else 0.5)


def _scale(value: float, largest: float) -> float:
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / largest)
