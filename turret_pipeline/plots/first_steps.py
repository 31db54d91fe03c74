"""Figure of the first steps of sessions, a Sankey diagram."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from turret_pipeline.journeys.facts import percent
from turret_pipeline.journeys.flows import LEAST_SHARE
from turret_pipeline.plots.canvas import GREY, create_sheet, node_noun, shorten, shorten_to_width, text_width
from turret_pipeline.plots.fonts import drawable_label, font_families
from turret_pipeline.tables import END, OTHER

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, HEIGHT, MARGIN, BAR_WIDTH, FONT_SIZE = 900.0, 540.0, 12.0, 9.0, 8.0
LAST_COLUMN_WIDTH = 190.0
LINE_HEIGHT, BAR_GAP, HEADER_HEIGHT = 12.0, 3.0, 66.0
"""In points, as all lengths here. The header is the title and the heads of the columns."""

CLEAR, FAINT, LEAST_CLEAR = 0.5, 0.2, 0.01
"""Opacity of bands, and the share of the sessions from which a band is clear; smaller ones would cover each other."""

TAB20_GREYS = (14, 15)
"""Positions of grey in the colour map tab20."""

Node = tuple[int, str]
"""Step and node_id."""


@dataclass(frozen=True)
class Bar:
    """Bar of a node: the height of its centre on the sheet, and its own height, in proportion to its sessions."""

    y: float
    height: float

    @property
    def top(self) -> float:
        """Height of the upper end."""
        return self.y + self.height / 2


def draw_first_steps(flows: pl.DataFrame, labels: dict[str, str], dimension: str, min_users: int) -> "Figure":
    """Sankey diagram of the first steps: bars for the nodes at each step, bands for the sessions between them.

    ``flows`` come from ``first_flows`` for this dimension; ``labels`` has the labels of its nodes by id. Heights are in
    proportion to sessions. Sessions that end after the first step are left out, unless all do: they have no journey,
    and would take most of the sheet.
    """
    total = _count_at(flows, 1)
    nodes = node_noun(dimension)
    if not total:
        title = f"First steps of {shorten(dimension)}: no session visits any of its {nodes}"
        return create_sheet(WIDTH, 60, title)[0]
    is_end_of_first = (pl.col("step_number") == 1) & (pl.col("to_node_id") == END).fill_null(value=False)
    drawn = flows.filter(~is_end_of_first)
    drawn = drawn if drawn.height else flows
    sessions, steps = _count_at(drawn, 1), int(drawn["step_number"].max())  # type: ignore[arg-type]  # not empty
    which = f"the {sessions:,} of {total:,} sessions that have a second step" if steps > 1 else f"{total:,} sessions"
    suppressed = f" Flows of fewer than {min_users} users are also in the grey bar." if min_users > 1 else ""
    ends = " Where no band leaves a bar, sessions end." if steps > 1 else ""
    figure, axis = create_sheet(
        WIDTH,
        HEIGHT,
        f"First steps through the {nodes} of {shorten(dimension)}: {which}",
        f"Shares are of these {sessions:,} sessions.{ends} The smaller {nodes} of each step are one grey bar."
        f"{suppressed} Steps that at most {LEAST_SHARE:.0%} of all sessions reach are left out.",
    )
    _draw_flows(axis, drawn, labels, sessions)
    return figure


def _count_at(flows: pl.DataFrame, step: int) -> int:
    """Sessions at a step."""
    return int(flows.filter(pl.col("step_number") == step)["session_count"].sum())


def _draw_flows(axis: "Axes", flows: pl.DataFrame, labels: dict[str, str], sessions: int) -> None:
    columns, colours = _columns(flows), _colours(flows)
    scale = _scale(columns)
    bars = _bars(columns, scale)
    distance = (WIDTH - 2 * MARGIN - LAST_COLUMN_WIDTH) / max(len(columns) - 1, 1)
    lefts = {step: MARGIN + distance * (step - 1) for step in columns}
    for source, target, tops, height in _bands(flows, bars, scale):
        ends = lefts[source[0]] + BAR_WIDTH, lefts[target[0]]
        is_clear = OTHER not in (source[1], target[1]) and height >= LEAST_CLEAR * scale * sessions
        _draw_band(axis, ends, tops, height, colours[source[1]], CLEAR if is_clear else FAINT)
    node_labels = _node_labels(flows, labels)
    width = min(distance, LAST_COLUMN_WIDTH) if len(columns) > 1 else WIDTH
    for (step, node), bar in bars.items():
        share = percent(columns[step][node] / sessions)
        _draw_bar(axis, lefts[step], bar, colours[node])
        label_width = width - BAR_WIDTH - 14 - text_width(share, FONT_SIZE)
        text = f"{share}  {shorten_to_width(node_labels[step, node], FONT_SIZE, label_width)}"
        box = {"facecolor": "white", "alpha": 0.7, "pad": 0.6, "linewidth": 0}
        x = lefts[step] + BAR_WIDTH + 4
        axis.text(x, bar.y, text, fontsize=FONT_SIZE, family=font_families(), va="center", bbox=box, zorder=3)
    _write_heads(axis, columns, lefts, sessions)


def _write_heads(axis: "Axes", columns: dict[int, dict[str, int]], lefts: dict[int, float], sessions: int) -> None:
    """Write the sessions at each step above its column."""
    for step, nodes in columns.items():
        present = sum(nodes.values())
        head = f"Step {step}: {present:,} sessions ({percent(present / sessions)})"
        axis.text(lefts[step], HEIGHT - HEADER_HEIGHT + 8, head, fontsize=FONT_SIZE, weight="bold", color="#333")


def _node_labels(flows: pl.DataFrame, labels: dict[str, str]) -> dict[Node, str]:
    """Label of each node at each step."""
    found: dict[Node, str] = {}
    for step, node, count in flows.select("step_number", "from_node_id", "from_node_count").unique().iter_rows():
        others = f"{count} others" if count > 1 else "others"
        found[step, node] = others if node == OTHER else drawable_label(labels.get(node, node), node)
    return found


def _colours(flows: pl.DataFrame) -> dict[str, object]:
    """Colour of each node, the same at all steps; (other) is grey."""
    from matplotlib import colormaps

    hues = [colour for number, colour in enumerate(colormaps["tab20"].colors) if number not in TAB20_GREYS]  # type: ignore[attr-defined]
    nodes = flows.filter(pl.col("from_node_id") != OTHER).group_by("from_node_id").agg(pl.col("session_count").sum())
    ranked = nodes.sort("session_count", "from_node_id", descending=[True, False])["from_node_id"]
    return {node: hues[rank % len(hues)] for rank, node in enumerate(ranked)} | {OTHER: GREY}


def _columns(flows: pl.DataFrame) -> dict[int, dict[str, int]]:
    """Sessions by node at each step: the largest nodes first, then (other)."""
    present = flows.group_by("step_number", node="from_node_id").agg(pl.col("session_count").sum())
    is_other = pl.col("node") == OTHER
    ranked = present.sort("step_number", is_other, "session_count", "node", descending=[False, False, True, False])
    columns: dict[int, dict[str, int]] = {}
    for step, node, count in ranked.iter_rows():
        columns.setdefault(step, {})[node] = count
    return columns


def _scale(columns: dict[int, dict[str, int]]) -> float:
    """Height of a session in points: the largest with which every column fits."""
    available = HEIGHT - HEADER_HEIGHT - MARGIN
    low, high = 0.0, available
    for _ in range(60):
        scale = (low + high) / 2
        heights = [sum(_slot_height(scale * count) for count in nodes.values()) for nodes in columns.values()]
        fits = max(heights) <= available
        low, high = (scale, high) if fits else (low, scale)
    return low


def _bars(columns: dict[int, dict[str, int]], scale: float) -> dict[Node, Bar]:
    """Bars of all nodes, placed from the top of each column."""
    bars = {}
    for step, nodes in columns.items():
        top = HEIGHT - HEADER_HEIGHT
        for node, count in nodes.items():
            bars[step, node] = Bar(top - (_slot_height(scale * count) - BAR_GAP) / 2, scale * count)
            top -= _slot_height(scale * count)
    return bars


def _slot_height(height: float) -> float:
    """Height of a bar with its label and the gap below."""
    return max(height, LINE_HEIGHT) + BAR_GAP


def _bands(
    flows: pl.DataFrame, bars: dict[Node, Bar], scale: float
) -> Iterator[tuple[Node, Node, tuple[float, float], float]]:
    """Source, target, upper ends at both, and height of each band; bands at a node have the order of its neighbours."""
    order = {node: rank for rank, node in enumerate(bars)}
    left = {node: bar.top for node, bar in bars.items()}
    right = dict(left)
    known = flows.filter(pl.col("to_node_id") != END)
    known = known.select("step_number", "from_node_id", "to_node_id", "session_count")
    bands = [((step, source), (step + 1, target), scale * count) for step, source, target, count in known.iter_rows()]
    for source, target, height in sorted(bands, key=lambda band: (order[band[0]], order[band[1]])):
        yield source, target, (left[source], right[target]), height
        left[source] -= height
        right[target] -= height


def _draw_bar(axis: "Axes", x: float, bar: Bar, colour: object) -> None:
    from matplotlib.patches import Rectangle

    axis.add_patch(
        Rectangle((x, bar.y - bar.height / 2), BAR_WIDTH, bar.height, facecolor=colour, linewidth=0, zorder=2)
    )


def _draw_band(
    axis: "Axes", x: tuple[float, float], tops: tuple[float, float], height: float, colour: object, alpha: float
) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path as Outline

    (start, end), middle = x, sum(x) / 2
    upper = [(start, tops[0]), (middle, tops[0]), (middle, tops[1]), (end, tops[1])]
    lower = [(end, tops[1] - height), (middle, tops[1] - height), (middle, tops[0] - height), (start, tops[0] - height)]
    curve = [Outline.CURVE4] * 3
    outline = Outline([*upper, *lower, upper[0]], [Outline.MOVETO, *curve, Outline.LINETO, *curve, Outline.CLOSEPOLY])
    axis.add_patch(PathPatch(outline, facecolor=colour, alpha=alpha, linewidth=0, zorder=1 + alpha))
