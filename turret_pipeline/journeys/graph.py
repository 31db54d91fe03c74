"""The graph of a dimension, start and end included, in the formats of other tools."""

import io
import json
import re
from typing import TYPE_CHECKING, Any

import polars as pl

if TYPE_CHECKING:
    import networkx as nx

FORMATS = ("graphml", "gexf", "json", "dot")

_UNPRINTABLE = re.compile(r"[^\x09\x0a\x0d\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 has no way to write."""


def journey_graph(nodes: pl.DataFrame, edges: pl.DataFrame) -> "nx.DiGraph[str]":
    """The ``journey_nodes`` and ``journey_edges`` of one dimension as a graph.

    A node has the columns of its row as attributes, an edge too (``weight``: its transition_count); null values are
    left out, which some formats do not know.
    """
    import networkx as nx

    graph: nx.DiGraph[str] = nx.DiGraph()
    for pseudo in sorted({*edges["from_node_id"], *edges["to_node_id"]} - {*nodes["node_id"]}):
        graph.add_node(pseudo, label=pseudo)
    for node in nodes.sort("node_id").drop("dimension").iter_rows(named=True):
        graph.add_node(node.pop("node_id"), label=node.pop("node_label"), **_known(node))
    for edge in edges.sort("from_node_id", "to_node_id").drop("dimension").iter_rows(named=True):
        ends = (edge.pop("from_node_id"), edge.pop("to_node_id"))
        graph.add_edge(*ends, weight=edge["transition_count"], **_known(edge))
    return graph


def write_graph(graph: "nx.DiGraph[str]", form: str) -> str:
    """The graph in one of FORMATS: GraphML and GEXF for Gephi, node-link JSON for networkx and D3, DOT for Graphviz."""
    import networkx as nx

    graph = _printable(graph)
    if form == "json":
        return json.dumps(nx.node_link_data(graph, edges="edges"), ensure_ascii=False, indent=1) + "\n"
    if form == "dot":
        return _dot(graph)
    buffer = io.BytesIO()
    if form == "graphml":
        nx.write_graphml(graph, buffer)
    else:
        nx.write_gexf(graph, buffer)
    return buffer.getvalue().decode()


def _dot(graph: "nx.DiGraph[str]") -> str:
    """By pydot itself: networkx's own way to it leaves names such as a:b unquoted."""
    import pydot

    written = pydot.Dot("journeys", graph_type="digraph")
    for node, attributes in graph.nodes(data=True):
        written.add_node(pydot.Node(pydot.make_quoted(node), **_texts(attributes)))
    for source, target, attributes in graph.edges(data=True):
        written.add_edge(pydot.Edge(pydot.make_quoted(source), pydot.make_quoted(target), **_texts(attributes)))
    return str(written.to_string())


def _texts(attributes: dict[str, Any]) -> dict[str, Any]:
    import pydot

    return {name: pydot.make_quoted(str(value)) for name, value in attributes.items()}


def _known(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if value is not None}


def _printable(graph: "nx.DiGraph[str]") -> "nx.DiGraph[str]":
    import networkx as nx

    def clean(value: object) -> object:
        return _UNPRINTABLE.sub("\ufffd", value) if isinstance(value, str) else value

    cleaned: nx.DiGraph[str] = nx.relabel_nodes(graph, {node: str(clean(node)) for node in graph})
    for _, attributes in cleaned.nodes(data=True):
        attributes.update({name: clean(value) for name, value in attributes.items()})
    return cleaned
