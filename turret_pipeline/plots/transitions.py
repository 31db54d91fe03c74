"""Figure of the transitions between nodes, a graph."""

import math
from typing import TYPE_CHECKING, TypeAlias

import networkx as nx
import numpy as np
import polars as pl
from numpy.typing import NDArray

from turret_pipeline.journeys.facts import percent
from turret_pipeline.plots.canvas import GREY, create_sheet, node_noun, shorten, text_width
from turret_pipeline.plots.fonts import drawable_label
from turret_pipeline.plots.label_placement import Box, Disc, place_labels
from turret_pipeline.plots.labels import FONT_SIZE, write_labels, write_text
from turret_pipeline.tables import END, OTHER, START

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, HEIGHT, HEADER_HEIGHT, MARGIN = 860.0, 640.0, 70.0, 60.0
MAX_NODES, MAX_ARROWS, MAX_PROBABILITIES = 18, 30, 14
"""Numbers of nodes, of arrows, and of arrows with their probability."""

MAX_RADIUS, MIN_RADIUS, DISC_GAP, BEND = 22.0, 7.0, 34.0, 0.16
"""Radii of the discs and the space between two, in points, and the curvature of the arrows."""

Positions: TypeAlias = NDArray[np.float64]
"""Centre of each node in points, shape (nodes, 2)."""

SPOTS = (0.5, 0.42, 0.58, 0.35, 0.65, 0.28, 0.72)
"""Places on an arrow for its probability, best first, as shares of its length."""

ORANGE, PALE, BROWN = "#e08214", "#dddfe3", "#8c4a00"


def draw_transitions(edges: pl.DataFrame, nodes: pl.DataFrame, dimension: str) -> "Figure":
    """Graph of the most frequent transitions between nodes of a dimension."""
    present = nodes.filter(pl.col("dimension") == dimension)
    moves = edges.filter(
        (pl.col("dimension") == dimension)
        & ~pl.col("from_node_id").is_in([START, OTHER])
        & ~pl.col("to_node_id").is_in([END, OTHER])
        & (pl.col("from_node_id") != pl.col("to_node_id"))
    ).sort("transition_count", "from_node_id", "to_node_id", descending=[True, False, False])
    shown = _most_frequent(moves)
    if shown.is_empty():
        title = f"Transitions between the {node_noun(dimension)} of {shorten(dimension)}: none from one to another"
        return create_sheet(WIDTH, 60, title)[0]
    drawn, total = int(shown["transition_count"].sum()), int(moves["transition_count"].sum())
    names = {*shown["from_node_id"], *shown["to_node_id"]}
    figure, axis = create_sheet(
        WIDTH,
        HEIGHT,
        f"Most common transitions between {node_noun(dimension)} of {shorten(dimension)}: {drawn:,} of {total:,} "
        f"({percent(drawn / total)}), on {shown.height} of {moves.height:,} arrows, {len(names)} of {present.height:,} "
        f"{node_noun(dimension)}",
        "Disc: sessions that visit the node; darker: more of them start there; orange rim: share that ends there.",
        "Arrow width: number of transitions; percent: share of the transitions from there. Rarer ones are omitted.",
    )
    _draw_graph(axis, shown, present.filter(pl.col("node_id").is_in(sorted(names))))
    return figure


def _most_frequent(moves: pl.DataFrame) -> pl.DataFrame:
    """The first of the sorted moves that together have at most MAX_NODES nodes and MAX_ARROWS arrows."""
    nodes: set[str] = set()
    rows: list[int] = []
    for row, ends in enumerate(moves.select("from_node_id", "to_node_id").iter_rows()):
        if len(rows) < MAX_ARROWS and len(nodes.union(ends)) <= MAX_NODES:
            nodes.update(ends)
            rows.append(row)
    return moves[rows]


def _draw_graph(axis: "Axes", moves: pl.DataFrame, nodes: pl.DataFrame) -> None:
    discs = _discs(moves, nodes)
    most = int(moves["transition_count"].max())  # type: ignore[arg-type]  # a number, as there are moves
    arrows = list(moves.select("from_node_id", "to_node_id", "transition_count", "probability").iter_rows())
    for source, target, count, _ in reversed(arrows):
        _draw_arrow(axis, discs[source], discs[target], count / most)
    for node, start, end, sessions in nodes.select("node_id", "start_count", "end_count", "session_count").iter_rows():
        _draw_disc(axis, discs[node], (start or 0) / sessions, (end or 0) / sessions)  # null: suppressed
    curves = [
        Box.around(*_point_on_arrow(discs[source], discs[target], step / 40), 3, 3)
        for source, target, *_ in arrows
        for step in range(1, 40)
    ]
    boxes, in_order = [disc.box for disc in discs.values()], [discs[node] for node in nodes["node_id"]]
    labels = [drawable_label(label, node) for label, node in nodes.select("node_label", "node_id").iter_rows()]
    taken = write_labels(axis, in_order, labels, [*boxes, *curves], HEIGHT - HEADER_HEIGHT + 8)
    _write_probabilities(axis, discs, arrows[:MAX_PROBABILITIES], [*boxes, *taken])


def _write_probabilities(
    axis: "Axes", discs: dict[str, Disc], arrows: list[tuple[str, str, int, float]], taken: list[Box]
) -> None:
    """Write the probabilities of the arrows on them, away from the boxes that are taken."""
    texts = [percent(probability) for *_, probability in arrows]
    candidates = []
    for (source, target, *_), text in zip(arrows, texts, strict=True):
        spots = (_point_on_arrow(discs[source], discs[target], share) for share in SPOTS)
        candidates.append([Box.around(x, y, text_width(text, FONT_SIZE - 1) + 3, FONT_SIZE + 2) for x, y in spots])
    boxes = place_labels(candidates, [None] * len(arrows), taken, Box(0, 0, WIDTH, HEIGHT))
    for text, box in zip(texts, boxes, strict=True):
        write_text(axis, box, text, FONT_SIZE - 1, BROWN)


def _discs(moves: pl.DataFrame, nodes: pl.DataFrame) -> dict[str, Disc]:
    """Disc of each node: area by sessions, near the nodes that it has transitions with, and not touching another."""
    graph: nx.Graph[str] = nx.Graph()
    graph.add_nodes_from(nodes["node_id"])
    for source, target, count in moves.select("from_node_id", "to_node_id", "transition_count").iter_rows():
        weight = count + (graph.edges[source, target]["weight"] if graph.has_edge(source, target) else 0)
        graph.add_edge(source, target, weight=weight, length=1 / math.sqrt(weight))
    largest = int(nodes["session_count"].max())  # type: ignore[arg-type]  # a number, as there are nodes
    radii = np.array([max(MIN_RADIUS, MAX_RADIUS * math.sqrt(count / largest)) for count in nodes["session_count"]])
    centres = _separate(_lay_out(graph), radii)
    return {
        node: Disc(x, y, radius) for node, (x, y), radius in zip(graph, centres.tolist(), radii.tolist(), strict=True)
    }


def _lay_out(graph: "nx.Graph[str]") -> Positions:
    """Positions of the nodes (Kamada and Kawai 1989), stretched over the sheet; unconnected parts lie apart."""
    lengths = dict(nx.all_pairs_shortest_path_length(graph))
    far = 1 + max(max(row.values()) for row in lengths.values())
    distances = {one: {other: row.get(other, far) for other in graph} for one, row in lengths.items()}
    layout = nx.kamada_kawai_layout(graph, dist=distances)
    positions = np.array([layout[node] for node in graph])
    low, high = positions.min(axis=0), positions.max(axis=0)
    span = np.where(high - low > 1e-9, high - low, 1.0)
    available = np.array([WIDTH - 3 * MARGIN, HEIGHT - HEADER_HEIGHT - 1.5 * MARGIN])
    stretched: Positions = (positions - low) / span * available + np.array([1.5 * MARGIN, 0.75 * MARGIN])
    return stretched


def _separate(centres: Positions, radii: Positions) -> Positions:
    """The centres, pushed apart until DISC_GAP lies between all discs, and kept on the sheet."""
    low = np.array([MARGIN, MARGIN / 2])
    high = np.array([WIDTH - MARGIN, HEIGHT - HEADER_HEIGHT - MARGIN / 2])
    wanted = radii[:, None] + radii[None, :] + DISC_GAP
    for _ in range(200):
        between = centres[:, None, :] - centres[None, :, :]
        distance = np.maximum(np.hypot(between[..., 0], between[..., 1]), 1e-6)
        push = np.maximum(wanted - distance, 0.0) / 2
        np.fill_diagonal(push, 0.0)
        if not push.any():
            break
        centres = np.clip(centres + ((push / distance)[..., None] * between).sum(axis=1) / 2, low, high)
    return centres


def _point_on_arrow(source: Disc, target: Disc, share: float) -> tuple[float, float]:
    """The point at a share of the arrow between two discs: a quadratic curve, as matplotlib's arc3 draws it."""
    across, up = target.x - source.x, target.y - source.y
    middle = (source.x + target.x) / 2 + BEND * up, (source.y + target.y) / 2 - BEND * across
    weights = ((1 - share) ** 2, 2 * share * (1 - share), share**2)
    x = sum(weight * at for weight, at in zip(weights, (source.x, middle[0], target.x), strict=True))
    y = sum(weight * at for weight, at in zip(weights, (source.y, middle[1], target.y), strict=True))
    return x, y


def _draw_arrow(axis: "Axes", source: Disc, target: Disc, strength: float) -> None:
    from matplotlib.patches import FancyArrowPatch

    axis.add_patch(
        FancyArrowPatch(
            (source.x, source.y),
            (target.x, target.y),
            connectionstyle=f"arc3,rad={BEND}",
            arrowstyle="-|>",
            shrinkA=source.radius + 4,
            shrinkB=target.radius + 4,
            mutation_scale=8 + 6 * strength,
            linewidth=0.6 + 4 * strength,
            color=GREY,
            alpha=0.75,
            zorder=1,
        )
    )


def _draw_disc(axis: "Axes", disc: Disc, start: float, end: float) -> None:
    """Draw a disc, darker for a larger share of starts, in a rim that is orange for the share of ends."""
    from matplotlib import colormaps
    from matplotlib.patches import Circle, Wedge

    middle, rim = (disc.x, disc.y), disc.radius + 3
    axis.add_patch(Circle(middle, disc.radius, facecolor=colormaps["Blues"](0.2 + 0.7 * start), linewidth=0, zorder=2))
    axis.add_patch(Wedge(middle, rim, 0, 360, width=3, facecolor=PALE, linewidth=0, zorder=2))
    axis.add_patch(Wedge(middle, rim, 90 - 360 * end, 90, width=3, facecolor=ORANGE, linewidth=0, zorder=2))
