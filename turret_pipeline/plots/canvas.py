"""What all pictures share: a sheet to draw on, labels that fit, and where a picture goes."""

import warnings
from typing import TYPE_CHECKING

from turret_pipeline.plots.fonts import families
from turret_pipeline.tables import EVENT_NAME

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, GREY, DPI = "#3b6ea5", "#8a8f98", 110
POINTS = 72
"""Points in an inch: the unit of everything on a sheet, as of letters."""


def sheet(width: float, height: float, *title: str) -> tuple["Figure", "Axes"]:
    """An empty picture of so many points with lines of title: the first one larger."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width / POINTS, height / POINTS), dpi=DPI)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(0, width)
    axes.set_ylim(0, height)
    for line, text in enumerate(title):
        size, colour = (8, "#444") if line else (10.5, "black")
        axes.text(10, height - 18 - 14 * line, text, fontsize=size, color=colour, family=families())
    return figure, axes


def nouns(dimension: str) -> str:
    """What the nodes of a dimension are called."""
    return "event names" if dimension == EVENT_NAME else "topics"


def short(label: str, limit: int = 38) -> str:
    """The label on one line of so many characters, with dollars that start no formula."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in label).split())
    text = line if len(line) <= limit else line[: limit - 1] + "…"
    return text.replace("$", r"\$")


def fitted(label: str, size: float, width: float) -> str:
    """As much of the label as fits a width in points, at a size of letters."""
    limit = 38
    while limit > 2 and text_width(short(label, limit), size) > width:
        limit -= 1
    return short(label, limit)


def text_width(text: str, size: float) -> float:
    """The width of a line in points."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    with boxes_for_unknown_letters():
        width, _, _ = text_to_path.get_text_width_height_descent(
            text.replace(r"\$", "$"), FontProperties(family=families(), size=size), ismath=False
        )
    return float(width)


def boxes_for_unknown_letters() -> "warnings.catch_warnings[None]":
    """Letters that no installed font has are drawn as boxes, without a word."""
    return warnings.catch_warnings(action="ignore", category=UserWarning)
