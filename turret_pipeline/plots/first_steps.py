"""The picture of the first steps of sessions, as a Sankey diagram."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from turret_pipeline.journeys.facts import percent
from turret_pipeline.journeys.flows import LEAST_SHARE
from turret_pipeline.plots.canvas import GREY, fitted, nouns, sheet, short, text_width
from turret_pipeline.plots.fonts import families, readable
from turret_pipeline.tables import END, OTHER

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, HEIGHT, MARGIN, BAR, LETTERS = 900.0, 540.0, 12.0, 9.0, 8.0
LAST = 190.0
"""Room for the last column and its labels."""

LINE, GAP, TOP = 12.0, 3.0, 66.0
"""Height of a label, room between two nodes, and height of title and heads of the columns."""

PALE = "#d4d7dc"
GREYS = (14, 15)
"""Places of grey among the colours of tab20."""

Node = tuple[int, str]
"""Step and node_id."""


@dataclass(frozen=True)
class Bar:
    """A node of a step on the sheet: its middle, and the height that its sessions have."""

    y: float
    height: float

    @property
    def top(self) -> float:
        """Its upper end."""
        return self.y + self.height / 2


def draw_first_steps(flows: pl.DataFrame, labels: dict[str, str], dimension: str, min_users: int) -> "Figure":
    """Bands from step to step, as high as sessions are many; those that end lead into (end)."""
    sessions = int(flows.filter(pl.col("step_number") == 1)["session_count"].sum())
    if not sessions:
        figure, _ = sheet(
            WIDTH, 60, f"First steps of {short(dimension)}: there is no session on any of its {nouns(dimension)}"
        )
        return figure
    steps = int(flows["step_number"].max())  # type: ignore[arg-type]  # a number, as there are sessions
    how_many = "step" if steps == 1 else f"{steps} steps"
    rare = f" So are flows of fewer than {min_users} users." if min_users > 1 else ""
    figure, axis = sheet(
        WIDTH,
        HEIGHT,
        f"The first {how_many} of {sessions:,} sessions through the {nouns(dimension)} of {short(dimension)}",
        f"Shares are of all {sessions:,} sessions. The smaller {nouns(dimension)} of each step are one grey bar.{rare} "
        f"Steps that at most {LEAST_SHARE:.0%} of the sessions reach are left out.",
    )
    _draw(axis, flows, labels, sessions)
    return figure


def _draw(axis: "Axes", flows: pl.DataFrame, labels: dict[str, str], sessions: int) -> None:
    columns, colours = _columns(flows), _colours(flows)
    scale = _scale(columns)
    bars = _bars(columns, scale)
    apart = (WIDTH - 2 * MARGIN - LAST) / max(len(columns) - 1, 1)
    places = {step: MARGIN + apart * (step - 1) for step in columns}
    for source, target, tops, height in _bands(flows, bars, scale):
        ends = places[source[0]] + BAR, places[target[0]]
        _band(axis, ends, tops, height, PALE if target[1] == END else colours[source[1]])
    names = _names(flows, labels)
    room = min(apart, LAST) if len(columns) > 1 else WIDTH
    for (step, node), bar in bars.items():
        share = percent(columns[step][node] / sessions)
        _bar(axis, places[step], bar, colours[node])
        text = f"{share}  {fitted(names[step, node], LETTERS, room - BAR - 14 - text_width(share, LETTERS))}"
        box = {"facecolor": "white", "alpha": 0.7, "pad": 0.6, "linewidth": 0}
        x = places[step] + BAR + 4
        axis.text(x, bar.y, text, fontsize=LETTERS, family=families(), va="center", bbox=box, zorder=3)
    for step, nodes in columns.items():
        if there := sum(count for node, count in nodes.items() if node != END):
            head = f"Step {step}: {there:,} sessions ({percent(there / sessions)})"
            axis.text(places[step], HEIGHT - TOP + 8, head, fontsize=LETTERS, weight="bold", color="#333")


def _names(flows: pl.DataFrame, labels: dict[str, str]) -> dict[Node, str]:
    """What the node of a step is called."""
    names: dict[Node, str] = {}
    for step, node, count in flows.select("step_number", "from_node_id", "from_node_count").unique().iter_rows():
        others = f"{count} others" if count > 1 else "others"
        names[step, node] = others if node == OTHER else readable(labels.get(node, node), node)
        names[step + 1, END] = f"end after step {step}"
    return names


def _colours(flows: pl.DataFrame) -> dict[str, object]:
    """A colour for each node, the same in all steps; grey for those that are told together."""
    from matplotlib import colormaps

    hues = [colour for place, colour in enumerate(colormaps["tab20"].colors) if place not in GREYS]  # type: ignore[attr-defined]
    nodes = flows.filter(pl.col("from_node_id") != OTHER).group_by("from_node_id").agg(pl.col("session_count").sum())
    ranked = nodes.sort("session_count", "from_node_id", descending=[True, False])["from_node_id"]
    return {node: hues[rank % len(hues)] for rank, node in enumerate(ranked)} | {OTHER: GREY, END: PALE}


def _columns(flows: pl.DataFrame) -> dict[int, dict[str, int]]:
    """The sessions on each node of each step: the largest nodes first, then (other), then (end)."""
    there = flows.group_by("step_number", node="from_node_id").agg(pl.col("session_count").sum())
    ended = flows.filter(pl.col("to_node_id") == END).group_by(pl.col("step_number") + 1, node="to_node_id")
    both = pl.concat([there, ended.agg(pl.col("session_count").sum())])
    place = pl.col("node").replace_strict({OTHER: 1, END: 2}, default=0, return_dtype=pl.Int64)
    ranked = both.sort("step_number", place, "session_count", "node", descending=[False, False, True, False])
    columns: dict[int, dict[str, int]] = {}
    for step, node, count in ranked.iter_rows():
        columns.setdefault(step, {})[node] = count
    return columns


def _scale(columns: dict[int, dict[str, int]]) -> float:
    """Points for a session: the most with which every column fits."""
    room = HEIGHT - TOP - MARGIN
    low, high = 0.0, room
    for _ in range(60):
        scale = (low + high) / 2
        fits = all(sum(_slot(scale * count) for count in nodes.values()) <= room for nodes in columns.values())
        low, high = (scale, high) if fits else (low, scale)
    return low


def _bars(columns: dict[int, dict[str, int]], scale: float) -> dict[Node, Bar]:
    """The bars of all nodes, from the top of each column."""
    bars = {}
    for step, nodes in columns.items():
        top = HEIGHT - TOP
        for node, count in nodes.items():
            bars[step, node] = Bar(top - (_slot(scale * count) - GAP) / 2, scale * count)
            top -= _slot(scale * count)
    return bars


def _slot(height: float) -> float:
    """The room of a bar with its label."""
    return max(height, LINE) + GAP


def _bands(
    flows: pl.DataFrame, bars: dict[Node, Bar], scale: float
) -> Iterator[tuple[Node, Node, tuple[float, float], float]]:
    """Source, target, upper ends at both, and height; at a node, bands lie in the order of the nodes that they join."""
    order = {node: rank for rank, node in enumerate(bars)}
    left = {node: bar.top for node, bar in bars.items()}
    right = dict(left)
    told = flows.drop_nulls("to_node_id").select("step_number", "from_node_id", "to_node_id", "session_count")
    joined = [((step, source), (step + 1, target), scale * count) for step, source, target, count in told.iter_rows()]
    for source, target, height in sorted(joined, key=lambda flow: (order[flow[0]], order[flow[1]])):
        yield source, target, (left[source], right[target]), height
        left[source] -= height
        right[target] -= height


def _bar(axis: "Axes", x: float, bar: Bar, colour: object) -> None:
    from matplotlib.patches import Rectangle

    axis.add_patch(Rectangle((x, bar.y - bar.height / 2), BAR, bar.height, facecolor=colour, linewidth=0, zorder=2))


def _band(axis: "Axes", x: tuple[float, float], tops: tuple[float, float], height: float, colour: object) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path as Outline

    (start, end), middle = x, sum(x) / 2
    upper = [(start, tops[0]), (middle, tops[0]), (middle, tops[1]), (end, tops[1])]
    lower = [(end, tops[1] - height), (middle, tops[1] - height), (middle, tops[0] - height), (start, tops[0] - height)]
    curve = [Outline.CURVE4] * 3
    outline = Outline([*upper, *lower, upper[0]], [Outline.MOVETO, *curve, Outline.LINETO, *curve, Outline.CLOSEPOLY])
    axis.add_patch(PathPatch(outline, facecolor=colour, alpha=0.4, linewidth=0, zorder=1))
