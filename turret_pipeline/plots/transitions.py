"""The picture of what follows what, as a graph."""

import math
from typing import TYPE_CHECKING, TypeAlias

import networkx as nx
import numpy as np
import polars as pl
from numpy.typing import NDArray

from turret_pipeline.journeys.dimensions import main_dimension
from turret_pipeline.journeys.facts import percent
from turret_pipeline.plots.canvas import GREY, nouns, sheet, short, text_width
from turret_pipeline.plots.fonts import readable
from turret_pipeline.plots.label_placement import Box, Disc, place
from turret_pipeline.plots.labels import LETTERS, write, write_labels
from turret_pipeline.tables import END, OTHER, START

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, HEIGHT, TOP, MARGIN = 860.0, 640.0, 70.0, 60.0
NODES, EDGES, TOLD = 18, 30, 14
"""Most nodes and arrows, and most arrows with their probability."""

LARGEST, SMALLEST, APART, BEND = 22.0, 7.0, 34.0, 0.16
"""Radius of the largest and the smallest disc, room between two, bend of the arrows."""

Places: TypeAlias = NDArray[np.float64]
"""One row per node: across and up."""

ORANGE, PALE, BROWN = "#e08214", "#dddfe3", "#8c4a00"


def draw_transitions(edges: pl.DataFrame, nodes: pl.DataFrame) -> "Figure":
    """The commonest moves between nodes of the main dimension; the rest is counted in the title."""
    dimension = main_dimension(nodes)
    there = nodes.filter(pl.col("dimension") == dimension)
    moves = edges.filter(
        (pl.col("dimension") == dimension)
        & ~pl.col("from_node_id").is_in([START, OTHER])
        & ~pl.col("to_node_id").is_in([END, OTHER])
        & (pl.col("from_node_id") != pl.col("to_node_id"))
    ).sort("transition_count", "from_node_id", "to_node_id", descending=[True, False, False])
    shown = _commonest(moves)
    if shown.is_empty():
        what = f"Moves between the {nouns(dimension)} of {short(dimension)}: no session goes from one to another"
        return sheet(WIDTH, 60, what)[0]
    drawn, total = int(shown["transition_count"].sum()), int(moves["transition_count"].sum())
    names = {*shown["from_node_id"], *shown["to_node_id"]}
    figure, axis = sheet(
        WIDTH,
        HEIGHT,
        f"The commonest moves between {nouns(dimension)} of {short(dimension)}: {drawn:,} of {total:,} "
        f"({percent(drawn / total)}), on {shown.height} of {moves.height:,} arrows, {len(names)} of {there.height:,} "
        f"{nouns(dimension)}",
        "Disc: sessions that come there, the darker the more of them start there; orange rim: the share of them that "
        "ends there.",
        "Arrow: the wider the oftener; percent: of all that follows there. Rarer moves are left out.",
    )
    _draw(axis, shown, there.filter(pl.col("node_id").is_in(sorted(names))))
    return figure


def _commonest(moves: pl.DataFrame) -> pl.DataFrame:
    """The commonest moves, in their order, as long as they join no more than NODES nodes."""
    joined: set[str] = set()
    kept_rows: list[int] = []
    for row, ends in enumerate(moves.select("from_node_id", "to_node_id").iter_rows()):
        if len(kept_rows) < EDGES and len(joined.union(ends)) <= NODES:
            joined.update(ends)
            kept_rows.append(row)
    return moves[kept_rows]


def _draw(axis: "Axes", moves: pl.DataFrame, nodes: pl.DataFrame) -> None:
    discs = _discs(moves, nodes)
    most = int(moves["transition_count"].max())  # type: ignore[arg-type]  # a number, as there are moves
    arrows = list(moves.select("from_node_id", "to_node_id", "transition_count", "probability").iter_rows())
    for source, target, count, _ in reversed(arrows):
        _arrow(axis, discs[source], discs[target], count / most)
    for node, start, end, sessions in nodes.select("node_id", "start_count", "end_count", "session_count").iter_rows():
        _disc(axis, discs[node], (start or 0) / sessions, (end or 0) / sessions)  # null: of too few users to be told
    curves = [
        Box.around(*_on_curve(discs[source], discs[target], at / 40), 3, 3)
        for source, target, *_ in arrows
        for at in range(1, 40)
    ]
    boxes, named = [disc.box for disc in discs.values()], [discs[node] for node in nodes["node_id"]]
    labels = [readable(label, node) for label, node in nodes.select("node_label", "node_id").iter_rows()]
    taken = write_labels(axis, named, labels, [*boxes, *curves], HEIGHT - TOP + 8)
    _write_shares(axis, discs, arrows[:TOLD], [*boxes, *taken])


def _write_shares(
    axis: "Axes", discs: dict[str, Disc], arrows: list[tuple[str, str, int, float]], taken: list[Box]
) -> None:
    """The probabilities of arrows, on them, where nothing is written yet."""
    shares = [percent(probability) for *_, probability in arrows]
    wishes = []
    for (source, target, *_), share in zip(arrows, shares, strict=True):
        spots = (_on_curve(discs[source], discs[target], at) for at in (0.5, 0.42, 0.58, 0.35, 0.65, 0.28, 0.72))
        wishes.append([Box.around(x, y, text_width(share, LETTERS - 1) + 3, LETTERS + 2) for x, y in spots])
    boxes = place(wishes, [None] * len(arrows), taken, Box(0, 0, WIDTH, HEIGHT))
    for share, box in zip(shares, boxes, strict=True):
        write(axis, box, share, LETTERS - 1, BROWN)


def _discs(moves: pl.DataFrame, nodes: pl.DataFrame) -> dict[str, Disc]:
    """A disc for each node, its area by sessions, near those that it moves to and from; none touches another."""
    graph: nx.Graph[str] = nx.Graph()
    graph.add_nodes_from(nodes["node_id"])
    for source, target, count in moves.select("from_node_id", "to_node_id", "transition_count").iter_rows():
        weight = count + (graph.edges[source, target]["weight"] if graph.has_edge(source, target) else 0)
        graph.add_edge(source, target, weight=weight, length=1 / math.sqrt(weight))
    largest = int(nodes["session_count"].max())  # type: ignore[arg-type]  # a number, as there are nodes
    radii = np.array([max(SMALLEST, LARGEST * math.sqrt(count / largest)) for count in nodes["session_count"]])
    places = _apart(_spread(graph), radii)
    return {
        node: Disc(float(spot[0]), float(spot[1]), float(r)) for node, spot, r in zip(graph, places, radii, strict=True)
    }


def _spread(graph: "nx.Graph[str]") -> Places:
    """Places of the nodes (Kamada and Kawai 1989), stretched over the sheet; parts that nothing joins lie apart."""
    lengths = dict(nx.all_pairs_shortest_path_length(graph))
    far = 1 + max(max(row.values()) for row in lengths.values())
    distances = {one: {other: row.get(other, far) for other in graph} for one, row in lengths.items()}
    layout = nx.kamada_kawai_layout(graph, dist=distances)
    spots = np.array([layout[node] for node in graph])
    low, high = spots.min(axis=0), spots.max(axis=0)
    span = np.where(high - low > 1e-9, high - low, 1.0)
    room = np.array([WIDTH - 3 * MARGIN, HEIGHT - TOP - 1.5 * MARGIN])
    spread: Places = (spots - low) / span * room + np.array([1.5 * MARGIN, 0.75 * MARGIN])
    return spread


def _apart(places: Places, radii: Places) -> Places:
    """The places pushed away from each other until APART lies between all discs, on the sheet."""
    low = np.array([MARGIN, MARGIN / 2])
    high = np.array([WIDTH - MARGIN, HEIGHT - TOP - MARGIN / 2])
    wanted = radii[:, None] + radii[None, :] + APART
    for _ in range(200):
        between = places[:, None, :] - places[None, :, :]
        distance = np.maximum(np.hypot(between[..., 0], between[..., 1]), 1e-6)
        push = np.maximum(wanted - distance, 0.0) / 2
        np.fill_diagonal(push, 0.0)
        if not push.any():
            break
        places = np.clip(places + ((push / distance)[..., None] * between).sum(axis=1) / 2, low, high)
    return places


def _on_curve(source: Disc, target: Disc, at: float) -> tuple[float, float]:
    """A point of the arrow from one disc to another: a quadratic curve, as matplotlib's arc3 draws it."""
    across, up = target.x - source.x, target.y - source.y
    middle = (source.x + target.x) / 2 + BEND * up, (source.y + target.y) / 2 - BEND * across
    parts = ((1 - at) ** 2, 2 * at * (1 - at), at**2)
    x = sum(part * spot for part, spot in zip(parts, (source.x, middle[0], target.x), strict=True))
    y = sum(part * spot for part, spot in zip(parts, (source.y, middle[1], target.y), strict=True))
    return x, y


def _arrow(axis: "Axes", source: Disc, target: Disc, strength: float) -> None:
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


def _disc(axis: "Axes", disc: Disc, start: float, end: float) -> None:
    """A disc, the darker the larger the share that starts there, in a rim that is orange for the share that ends."""
    from matplotlib import colormaps
    from matplotlib.patches import Circle, Wedge

    middle, rim = (disc.x, disc.y), disc.radius + 3
    axis.add_patch(Circle(middle, disc.radius, facecolor=colormaps["Blues"](0.2 + 0.7 * start), linewidth=0, zorder=2))
    axis.add_patch(Wedge(middle, rim, 0, 360, width=3, facecolor=PALE, linewidth=0, zorder=2))
    axis.add_patch(Wedge(middle, rim, 90 - 360 * end, 90, width=3, facecolor=ORANGE, linewidth=0, zorder=2))
