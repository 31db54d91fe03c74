"""Where labels go so that none covers another, a disc, or the edge of the sheet. Everything is in points."""

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
        """The box with this middle."""
        return cls(x - width / 2, y - height / 2, x + width / 2, y + height / 2)

    def overlap(self, other: "Box") -> float:
        """The area that both cover."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.top, other.top) - max(self.bottom, other.bottom)
        return max(width, 0.0) * max(height, 0.0)

    @property
    def area(self) -> float:
        """Its area."""
        return (self.right - self.left) * (self.top - self.bottom)


class Disc(NamedTuple):
    """A disc."""

    x: float
    y: float
    radius: float

    @property
    def box(self) -> Box:
        """The square around it."""
        return Box.around(self.x, self.y, 2 * self.radius, 2 * self.radius)


GAPS = (2, 6, 12, 20, 30, 42, 56, 72, 90, 120, 160, 210)
ANGLES = [math.radians(degrees) for degrees in (0, 180, 90, 270, *range(10, 360, 10))]
OUTSIDE, COVERED = 20.0, 100.0
"""What a square point outside the sheet, or on another label, costs beside one on a disc."""


def beside(disc: Disc, width: float, height: float) -> Iterator[Box]:
    """Boxes for the label of a disc: inside it where it fits, beside it, then farther and farther away."""
    if width < 1.8 * disc.radius:
        yield Box.around(disc.x, disc.y, width, height)
    for gap in GAPS:
        for angle in ANGLES:
            x = disc.x + math.cos(angle) * (disc.radius + gap + width / 2)
            y = disc.y + math.sin(angle) * (disc.radius + gap + height / 2)
            yield Box.around(x, y, width, height)


def place(
    wishes: Sequence[Iterable[Box]], discs: Sequence[Disc | None], obstacles: Sequence[Box], frame: Box
) -> list[Box]:
    """One of its boxes for each label, the first that is free, else the one that covers least; earlier labels first.

    ``discs`` are those that the labels name, one each: a label may lie inside its own.
    """
    written: list[Box] = []
    for boxes, own in zip(wishes, discs, strict=True):
        best, least = None, math.inf
        for box in boxes:
            cost = _cost(box, own, obstacles, written, frame)
            if cost < least:
                best, least = box, cost
            if cost == 0:
                break
        if best is not None:
            written.append(best)
    return written


def _cost(box: Box, own: Disc | None, obstacles: Sequence[Box], written: Sequence[Box], frame: Box) -> float:
    outside = box.area - box.overlap(frame)
    is_inside = own is not None and box.overlap(own.box) > 0.999 * box.area
    on_drawing = sum(box.overlap(other) for other in obstacles if not (is_inside and own and other == own.box))
    on_labels = sum(box.overlap(other) for other in written)
    away = max(_away(own, box) - own.radius - GAPS[0], 0.0) if own else 0.0
    return (OUTSIDE * outside if outside > 1e-6 else 0.0) + COVERED * on_labels + on_drawing + away


def _nearest(disc: Disc, box: Box) -> tuple[float, float]:
    """The point of the box that is nearest to the middle of the disc."""
    return min(max(disc.x, box.left), box.right), min(max(disc.y, box.bottom), box.top)


def _away(disc: Disc, box: Box) -> float:
    """How far a box is from the middle of a disc."""
    x, y = _nearest(disc, box)
    return math.hypot(x - disc.x, y - disc.y)


def leader(disc: Disc, box: Box) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """The line from a disc to its label, where that does not lie beside it: ends on the disc and on the label."""
    (x, y), away = _nearest(disc, box), _away(disc, box)
    if away < disc.radius + 2 * GAPS[1]:
        return None
    share = disc.radius / away
    return (disc.x + share * (x - disc.x), disc.y + share * (y - disc.y)), (x, y)
