"""Positions of labels that do not cover each other or a disc, and stay on the sheet. All lengths are in points."""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple


class Box(NamedTuple):
    """A rectangle."""

    left: float
    bottom: float
    right: float
    top: float

    @classmethod
    def around(cls, x: float, y: float, width: float, height: float) -> "Box":
        """The box of this size with its centre at ``x``, ``y``."""
        return cls(x - width / 2, y - height / 2, x + width / 2, y + height / 2)

    def overlap(self, other: "Box") -> float:
        """Area that both boxes cover."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.top, other.top) - max(self.bottom, other.bottom)
        return max(width, 0.0) * max(height, 0.0)

    @property
    def area(self) -> float:
        """Area of the box."""
        return (self.right - self.left) * (self.top - self.bottom)


class Disc(NamedTuple):
    """A disc."""

    x: float
    y: float
    radius: float

    @property
    def box(self) -> Box:
        """The square around the disc."""
        return Box.around(self.x, self.y, 2 * self.radius, 2 * self.radius)


GAPS = (2, 6, 12, 20, 30, 42, 56, 72, 90, 120, 160, 210)
ANGLES = [math.radians(degrees) for degrees in (0, 180, 90, 270, *range(10, 360, 10))]
OUTSIDE_COST, OVERLAP_COST = 20.0, 100.0
"""Cost of a square point outside the sheet, and on another label; on a disc it costs 1."""


def candidate_boxes(disc: Disc, width: float, height: float) -> Iterator[Box]:
    """Boxes for the label of a disc, best first: inside the disc if it fits, then beside it, then farther away."""
    if width < 1.8 * disc.radius:
        yield Box.around(disc.x, disc.y, width, height)
    for gap in GAPS:
        for angle in ANGLES:
            x = disc.x + math.cos(angle) * (disc.radius + gap + width / 2)
            y = disc.y + math.sin(angle) * (disc.radius + gap + height / 2)
            yield Box.around(x, y, width, height)


def place_labels(
    candidates: Sequence[Iterable[Box]], discs: Sequence[Disc | None], obstacles: Sequence[Box], frame: Box
) -> list[Box]:
    """The first free candidate box of each label, or else the one that covers least.

    Labels are placed in order: an earlier label takes precedence. ``discs`` has the disc that each label names, if any;
    a label may lie inside its own disc.
    """
    placed: list[Box] = []
    for boxes, own in zip(candidates, discs, strict=True):
        best, lowest = None, math.inf
        for box in boxes:
            if _distance_cost(box, own) >= lowest:
                continue
            cost = _cost(box, own, obstacles, placed, frame)
            if cost < lowest:
                best, lowest = box, cost
            if cost == 0:
                break
        if best is not None:
            placed.append(best)
    return placed


def _cost(box: Box, own: Disc | None, obstacles: Sequence[Box], placed: Sequence[Box], frame: Box) -> float:
    outside = box.area - box.overlap(frame)
    if own is not None and box.overlap(own.box) > 0.999 * box.area:
        obstacles = [other for other in obstacles if other != own.box]
    on_labels, on_drawing = _sum_overlaps(box, placed), _sum_overlaps(box, obstacles)
    outside_cost = OUTSIDE_COST * outside if outside > 1e-6 else 0.0
    return outside_cost + OVERLAP_COST * on_labels + on_drawing + _distance_cost(box, own)


def _sum_overlaps(box: Box, others: Iterable[Box]) -> float:
    """Sum of ``box.overlap`` over other boxes, without the work for most of them, which it does not touch."""
    left, bottom, right, top = box
    return sum(
        box.overlap(other)
        for other in others
        if other[0] < right and left < other[2] and other[1] < top and bottom < other[3]
    )


def _distance_cost(box: Box, own: Disc | None) -> float:
    return max(_distance(own, box) - own.radius - GAPS[0], 0.0) if own else 0.0


def _nearest_point(disc: Disc, box: Box) -> tuple[float, float]:
    """Point of the box that is nearest to the centre of the disc."""
    return min(max(disc.x, box.left), box.right), min(max(disc.y, box.bottom), box.top)


def _distance(disc: Disc, box: Box) -> float:
    """Distance from the centre of the disc to the box."""
    x, y = _nearest_point(disc, box)
    return math.hypot(x - disc.x, y - disc.y)


def leader_line(disc: Disc, box: Box) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """Ends of the line from a disc to its label; None if the label is beside or inside the disc."""
    (x, y), distance = _nearest_point(disc, box), _distance(disc, box)
    if distance < disc.radius + 2 * GAPS[1]:
        return None
    share = disc.radius / distance
    return (disc.x + share * (x - disc.x), disc.y + share * (y - disc.y)), (x, y)
