"""Shared parts of the figures: an empty sheet with a title, and labels that fit their space."""

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

from turret_pipeline.plots.fonts import font_families
from turret_pipeline.tables import EVENT_NAME

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, GREY, DPI = "#3b6ea5", "#8a8f98", 110
HUES = ("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#bcbd22", "#17becf")
"""Colours that are easy to tell apart (matplotlib's tab10 without its grey)."""

POINTS_PER_INCH = 72
"""All sizes on a sheet are in points, as font sizes are."""

MAX_CHARACTERS = 38
LEGEND_LEFT, LEGEND_LINE, LEGEND_SIZE, LEGEND_WIDTH, LEGEND_GAP = 12.0, 15.0, 8.0, 200.0, 16.0


def create_sheet(width: float, height: float, *title: str) -> tuple["Figure", "Axes"]:
    """An empty figure of a size in points; the first line of the title is larger than the others."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width / POINTS_PER_INCH, height / POINTS_PER_INCH), dpi=DPI)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(0, width)
    axes.set_ylim(0, height)
    for number, line in enumerate(title):
        size, colour = (8, "#444") if number else (10.5, "black")
        axes.text(10, height - 18 - 14 * number, line, fontsize=size, color=colour, family=font_families())
    return figure, axes


def write_legend(axis: "Axes", entries: Sequence[tuple[str, str]], top: float) -> float:
    """Write labels and their colours in lines below ``top``; return the lower end."""
    from matplotlib.patches import Circle

    x, y, right = LEGEND_LEFT, top - LEGEND_LINE / 2, axis.get_xlim()[1] - LEGEND_LEFT
    for label, colour in entries:
        text = shorten_to_width(label, LEGEND_SIZE, LEGEND_WIDTH)
        width = 12 + text_width(text, LEGEND_SIZE)
        if x + width > right and x > LEGEND_LEFT:
            x, y = LEGEND_LEFT, y - LEGEND_LINE
        axis.add_patch(Circle((x + 4, y), 4, facecolor=colour, alpha=0.7, linewidth=0))
        axis.text(x + 12, y, text, fontsize=LEGEND_SIZE, va="center", color="#444", family=font_families())
        x += width + LEGEND_GAP
    return y - LEGEND_LINE / 2


def node_noun(dimension: str) -> str:
    """Plural noun for the nodes of a dimension."""
    return "event names" if dimension == EVENT_NAME else "topics"


def shorten(label: str, limit: int = MAX_CHARACTERS) -> str:
    """The label on one line of at most ``limit`` characters, with ``$`` escaped, which would start a formula."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in label).split())
    text = line if len(line) <= limit else line[: limit - 1] + "…"
    return text.replace("$", r"\$")


def shorten_to_width(label: str, font_size: float, width: float) -> str:
    """The label, shortened until it fits the width in points."""
    limit = MAX_CHARACTERS
    while limit > 2 and text_width(shorten(label, limit), font_size) > width:
        limit -= 1
    return shorten(label, limit)


def text_width(text: str, font_size: float) -> float:
    """Width of a line of text in points."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    with ignore_missing_glyphs():
        width, _, _ = text_to_path.get_text_width_height_descent(
            text.replace(r"\$", "$"), FontProperties(family=font_families(), size=font_size), ismath=False
        )
    return float(width)


def ignore_missing_glyphs() -> "warnings.catch_warnings[None]":
    """Context without warnings about characters that no installed font has; they are drawn as boxes."""
    return warnings.catch_warnings(action="ignore", category=UserWarning)
