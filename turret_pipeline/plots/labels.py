"""Labels on a sheet, each where it covers nothing."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from turret_pipeline.plots.canvas import GREY, fitted, text_width
from turret_pipeline.plots.fonts import families
from turret_pipeline.plots.label_placement import Box, Disc, beside, leader, place

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LETTERS, LINE, LONGEST, EDGE = 8.0, 11.0, 170.0, 4.0
"""Size of letters, height of a line, widest label, and what stays free at the edges of the sheet; in points."""


def write_labels(
    axis: "Axes", discs: Sequence[Disc], labels: Sequence[str], obstacles: Sequence[Box], height: float
) -> list[Box]:
    """Write the labels of discs, in or beside them or at the end of a line, below a height; where they came to be."""
    texts = [fitted(label, LETTERS, LONGEST) for label, _ in zip(labels, discs, strict=False)]
    wishes = [beside(disc, text_width(text, LETTERS) + 4, LINE) for disc, text in zip(discs, texts, strict=True)]
    frame = Box(EDGE, EDGE, axis.get_xlim()[1] - EDGE, height)
    boxes = place(wishes, discs, obstacles, frame)
    for disc, text, box in zip(discs, texts, boxes, strict=True):
        if line := leader(disc, box):
            axis.plot(*zip(*line, strict=True), color=GREY, linewidth=0.6, zorder=3)
        write(axis, box, text, LETTERS, "black")
    return boxes


def write(axis: "Axes", box: Box, text: str, size: float, colour: str) -> None:
    """Write a text into its box."""
    x, y = (box.left + box.right) / 2, (box.bottom + box.top) / 2
    background = {"facecolor": "white", "alpha": 0.75, "pad": 0.4, "linewidth": 0}
    drawn = axis.text(x, y, text, fontsize=size, color=colour, ha="center", va="center", bbox=background, zorder=4)
    drawn.set_fontfamily(families())
