"""Figure of what changed: the difference of each topic's share between two periods, with its interval."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TYPE_CHECKING

from turret_pipeline.plots.canvas import BLUE, GREY, create_sheet, ignore_missing_glyphs, shorten
from turret_pipeline.plots.fonts import font_families

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MAX_ROWS, ROW_HEIGHT, TITLE_HEIGHT = 15, 0.3, 0.5
"""Topics at most, inches of each, and inches of the title and the legend below it."""


@dataclass(frozen=True)
class Shift:
    """Difference of a topic's share between two periods, and the ends of its 95 % interval."""

    topic_id: str
    label: str
    difference: float
    low: float
    high: float


def draw_changes(field: str, periods: str, shifts: Sequence[Shift], claimed: AbstractSet[str]) -> "Figure":
    """The topics that changed most, the largest first; those with an id in ``claimed`` changed beyond chance.

    ``periods`` names the two periods, for the legend.
    """
    from matplotlib.figure import Figure

    if not shifts:
        return create_sheet(800, 60, f"Changes of {shorten(field)}: nothing can be compared yet")[0]
    # those that are claimed are always shown
    ranked = sorted(shifts, key=lambda one: (one.topic_id not in claimed, -abs(one.difference)))[:MAX_ROWS]
    height = 1.0 + TITLE_HEIGHT + ROW_HEIGHT * len(ranked)
    figure = Figure(figsize=(9, height), dpi=110)
    axis = figure.subplots()
    for row, one in enumerate(ranked):
        colour = BLUE if one.topic_id in claimed else GREY
        axis.plot([100 * one.low, 100 * one.high], [row, row], color=colour, linewidth=2)
        axis.plot([100 * one.difference], [row], "o", color=colour, markersize=6)
    axis.axvline(0, color="black", linewidth=0.8)
    axis.set_yticks(range(len(ranked)), [shorten(one.label) for one in ranked], fontsize=8, family=font_families())
    axis.invert_yaxis()
    axis.set_xlabel("change of the share of all texts, in percentage points, with its 95 % interval", fontsize=8)
    axis.spines[["top", "right"]].set_visible(False)
    axis.tick_params(axis="x", labelsize=8)
    has_claim = bool(claimed & {one.topic_id for one in shifts})
    _write_title(figure, f"What changed in {shorten(field)}", f"{periods}; {_explain_colours(has_claim=has_claim)}")
    with ignore_missing_glyphs():
        figure.tight_layout(rect=(0, 0, 1, 1 - TITLE_HEIGHT / height))
    return figure


def _explain_colours(*, has_claim: bool) -> str:
    if not has_claim:
        return "the report tells of none of these changes"
    return "blue: beyond chance, grey: not beyond chance"


def _write_title(figure: "Figure", title: str, legend: str) -> None:
    """Write both lines from the left edge of the figure, where they have room beside labels of any width."""
    height = figure.get_figheight()
    lines = ((title, 10.5, "black", 0.25), (legend, 8, "#444", 0.45))
    for text, size, colour, inches in lines:
        figure.text(0.01, 1 - inches / height, text, fontsize=size, color=colour, family=font_families())
