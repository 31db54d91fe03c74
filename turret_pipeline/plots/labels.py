"""Labels on a sheet."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from turret_pipeline.plots.canvas import GREY, shorten_to_width, text_width
from turret_pipeline.plots.fonts import font_families
from turret_pipeline.plots.label_placement import Box, Disc, candidate_boxes, leader_line, place_labels

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FONT_SIZE, LINE_HEIGHT, MAX_WIDTH, EDGE_MARGIN = 8.0, 11.0, 170.0, 4.0
"""In points."""


def write_labels(
    axis: "Axes", discs: Sequence[Disc], labels: Sequence[str], obstacles: Sequence[Box], height: float
) -> list[Box]:
    """Write the labels of the discs below ``height``, with a line to the disc if far away; return their boxes.

    Labels without a disc are left out.
    """
    texts = [shorten_to_width(label, FONT_SIZE, MAX_WIDTH) for label, _ in zip(labels, discs, strict=False)]
    candidates = [
        candidate_boxes(disc, text_width(text, FONT_SIZE) + 4, LINE_HEIGHT)
        for disc, text in zip(discs, texts, strict=True)
    ]
    frame = Box(EDGE_MARGIN, EDGE_MARGIN, axis.get_xlim()[1] - EDGE_MARGIN, height)
    boxes = place_labels(candidates, discs, obstacles, frame)
    for disc, text, box in zip(discs, texts, boxes, strict=True):
        if line := leader_line(disc, box):
            axis.plot(*zip(*line, strict=True), color=GREY, linewidth=0.6, zorder=3)
        write_text(axis, box, text, FONT_SIZE, "black")
    return boxes


def write_text(axis: "Axes", box: Box, text: str, font_size: float, colour: str) -> None:
    """Write a text into its box."""
    x, y = (box.left + box.right) / 2, (box.bottom + box.top) / 2
    background = {"facecolor": "white", "alpha": 0.75, "pad": 0.4, "linewidth": 0}
    drawn = axis.text(x, y, text, fontsize=font_size, color=colour, ha="center", va="center", bbox=background, zorder=4)
    drawn.set_fontfamily(font_families())
