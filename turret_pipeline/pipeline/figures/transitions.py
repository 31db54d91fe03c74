"""The picture of what follows what."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import networkx as nx
import polars as pl

from turret_pipeline.journeys.dimensions import main_dimension
from turret_pipeline.journeys.nodes import transition_graph
from turret_pipeline.pipeline.figures.drawing import BLUE, GREY, kept, short
from turret_pipeline.tables import END, OTHER, START

if TYPE_CHECKING:
    from matplotlib.axes import Axes

EDGES = 25


def transitions(edges: pl.DataFrame, nodes: pl.DataFrame, folder: Path) -> dg.MetadataValue[Any]:
    """The commonest transitions, of the text field with most events if there is one, else of event names."""
    from matplotlib.figure import Figure

    dimension = main_dimension(nodes)
    inner = edges.filter(
        (pl.col("dimension") == dimension)
        & ~pl.col("from_node_id").is_in([START, OTHER])
        & ~pl.col("to_node_id").is_in([END, OTHER])
        & (pl.col("from_node_id") != pl.col("to_node_id"))
    )
    shown = inner.sort("transition_count", "from_node_id", "to_node_id", descending=[True, False, False]).head(EDGES)
    labels = dict(nodes.filter(pl.col("dimension") == dimension).select("node_id", "node_label").iter_rows())
    figure = Figure(figsize=(10, 7.5), dpi=110)
    axis = figure.subplots()
    axis.axis("off")
    title = f"The {shown.height} commonest of {inner.height:,} transitions in {short(dimension)} (wider: oftener)"
    axis.set_title(title, loc="left", fontsize=10)
    if shown.height:
        _draw(axis, transition_graph(shown), labels)
    figure.tight_layout()
    return kept(figure, folder / "transitions.png")


def _draw(axis: "Axes", graph: "nx.DiGraph[str]", labels: dict[str, str]) -> None:
    """Nodes on a circle; the oftener a transition, the wider its arrow."""
    counts = [graph.edges[edge]["weight"] for edge in graph.edges]
    widths = [0.5 + 4 * count / max(counts) for count in counts]
    position = nx.circular_layout(graph)
    nx.draw_networkx_edges(
        graph, position, ax=axis, width=widths, edge_color=GREY, node_size=500, connectionstyle="arc3,rad=0.12"
    )
    nx.draw_networkx_nodes(graph, position, ax=axis, node_size=60, node_color=BLUE)
    for node, (x, y) in position.items():
        side = "center" if abs(x) < 0.1 else "left" if x > 0 else "right"
        axis.text(1.06 * x, 1.06 * y, short(labels.get(node, node)), ha=side, va="center", fontsize=8)
    axis.margins(0.3, 0.1)
    axis.set_aspect("equal")
