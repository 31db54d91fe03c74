"""Treemaps: rectangles whose areas are counts, in groups."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from turret_pipeline.escaping import escape_line

WIDTH, HEIGHT = 1080, 440
HEADER = 18
"""Pixels above the tiles of a group for its name."""

CHARACTER = 7.8
"""Pixels of a character at the font size of charts, on average."""

SHORTEST = 5
"""Characters of the shortest label that is cut: less of a word says nothing."""

Box = tuple[float, float, float, float]
"""Left, top, width, height."""


@dataclass(frozen=True)
class Tile:
    """A rectangle with a name, its count, the URL to which it leads, and what it says when pointed at."""

    name: str
    count: float
    url: str
    note: str


def draw_treemap(title: str, groups: Mapping[str, Sequence[Tile]]) -> Markup:
    """An SVG treemap of groups of tiles, the largest first; empty without tiles. Counts are above 0."""
    names = sorted(groups, key=lambda name: -sum(tile.count for tile in groups[name]))
    sizes = [sum(tile.count for tile in groups[name]) for name in names]
    if not names:
        return Markup()
    parts: list[Markup] = []
    for name, box in zip(names, place_boxes(sizes, (0, 0, WIDTH, HEIGHT)), strict=True):
        parts += _draw_group(name, sorted(groups[name], key=lambda tile: -tile.count), box)
    return Markup('<svg class="chart treemap" role="group" aria-label="{}" viewBox="0 0 {} {}">{}</svg>').format(
        escape_line(title), WIDTH, HEIGHT, Markup("").join(parts)
    )


def place_boxes(sizes: Sequence[float], box: Box) -> list[Box]:
    """Boxes with areas in proportion to the sizes, which are in descending order, as square as possible.

    Squarified treemaps (Bruls, Huizing and van Wijk 2000).
    """
    left, top, width, height = box
    rest, placed, first = sum(sizes), list[Box](), 0
    while first < len(sizes):
        scale = width * height / rest if rest else 0
        side = min(width, height)
        last = first + 1
        while last < len(sizes) and _worst(sizes[first : last + 1], side, scale) <= _worst(
            sizes[first:last], side, scale
        ):
            last += 1
        row = sizes[first:last]
        depth = sum(row) * scale / side if side else 0
        offset = 0.0
        for size in row:
            length = size * scale / depth if depth else 0
            placed.append(
                (left, top + offset, depth, length) if width >= height else (left + offset, top, length, depth)
            )
            offset += length
        if width >= height:
            left, width = left + depth, width - depth
        else:
            top, height = top + depth, height - depth
        rest, first = rest - sum(row), last
    return placed


def _worst(row: Sequence[float], side: float, scale: float) -> float:
    """Largest ratio of the sides of the boxes of a row."""
    area = sum(row) * scale
    return max(side**2 * max(row) * scale / area**2, area**2 / (side**2 * min(row) * scale)) if area and side else 0


def _draw_group(name: str, tiles: Sequence[Tile], box: Box) -> Iterator[Markup]:
    left, top, width, height = box
    header = HEADER if height > 2 * HEADER else 0
    inner = (left + 1, top + header, max(width - 2, 0), max(height - header - 1, 0))
    if header:
        yield Markup('<text class="theme" x="{:.1f}" y="{:.1f}">{}</text>').format(
            left + 4, top + 13, _shorten(name, width - 8)
        )
    for tile, place in zip(tiles, place_boxes([tile.count for tile in tiles], inner), strict=True):
        yield _draw_tile(tile, place)


def _draw_tile(tile: Tile, box: Box) -> Markup:
    left, top, width, height = box
    label = _shorten(tile.name, width - 10) if height > 18 else ""
    return Markup(
        '<a href="{}"><title>{}</title>'
        '<rect class="tile" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"></rect>'
        '<text x="{:.1f}" y="{:.1f}">{}</text></a>'
    ).format(tile.url, escape_line(tile.note), left, top, width, height, left + 5, top + 15, label)


def _shorten(text: str, width: float) -> str:
    """The text as one line within a width in pixels; empty if nothing useful fits."""
    line, room = escape_line(text), int(width / CHARACTER)
    if len(line) <= room:
        return line
    return line[: room - 1] + "…" if room >= SHORTEST else ""
