"""The graph of a dimension, including start and end, in the formats of other tools."""

import io
import json
import re
from typing import TYPE_CHECKING, Any

import polars as pl

from turret_pipeline.escaping import escape_json, escape_line, escape_text, escape_xml

if TYPE_CHECKING:
    import networkx as nx

FORMATS = ("graphml", "gexf", "json", "dot")

_NOT_XML = re.compile(r"[^\x09\x0a\x0d\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot represent, not even as a reference."""


def journey_graph(nodes: pl.DataFrame, edges: pl.DataFrame) -> "nx.DiGraph[str]":
    """The ``journey_nodes`` and ``journey_edges`` of one dimension as a graph.

    Nodes and edges have the columns of their rows as attributes, edges also ``weight``, the transition_count. Null
    values are left out because some formats cannot represent them.
    """
    import networkx as nx

    graph: nx.DiGraph[str] = nx.DiGraph()
    for pseudo_node in sorted({*edges["from_node_id"], *edges["to_node_id"]} - {*nodes["node_id"]}):
        graph.add_node(pseudo_node, label=pseudo_node)
    for node in nodes.sort("node_id").drop("dimension").iter_rows(named=True):
        graph.add_node(node.pop("node_id"), label=node.pop("node_label"), **_without_nulls(node))
    for edge in edges.sort("from_node_id", "to_node_id").drop("dimension").iter_rows(named=True):
        ends = (edge.pop("from_node_id"), edge.pop("to_node_id"))
        graph.add_edge(*ends, weight=edge["transition_count"], **_without_nulls(edge))
    return graph


def format_graph(graph: "nx.DiGraph[str]", format_name: str) -> str:
    """The graph in one of FORMATS: GraphML and GEXF for Gephi, node-link JSON for networkx and D3, DOT for Graphviz.

    The text has no control characters besides line ends: JSON and XML have escapes for them, DOT has visible symbols
    instead, and so has XML for those that it cannot represent.
    """
    import networkx as nx

    if format_name == "json":
        return escape_json(json.dumps(nx.node_link_data(graph, edges="edges"), ensure_ascii=False, indent=1)) + "\n"
    if format_name == "dot":
        return escape_text(_format_dot(graph))
    buffer = io.BytesIO()
    write = nx.write_graphml if format_name == "graphml" else nx.write_gexf
    write(_replace_characters(graph), buffer)
    return escape_xml(buffer.getvalue().decode())


def _format_dot(graph: "nx.DiGraph[str]") -> str:
    """The graph in DOT, written with pydot directly: networkx leaves names like a:b unquoted."""
    import pydot

    dot = pydot.Dot("journeys", graph_type="digraph")
    for node, attributes in graph.nodes(data=True):
        dot.add_node(pydot.Node(_quote(node), **_quote_values(attributes)))
    for source, target, attributes in graph.edges(data=True):
        dot.add_edge(pydot.Edge(_quote(source), _quote(target), **_quote_values(attributes)))
    return str(dot.to_string())


def _quote_values(attributes: dict[str, Any]) -> dict[str, Any]:
    return {name: _quote(str(value)) for name, value in attributes.items()}


def _quote(text: str) -> str:
    """The text in quotes. A single backslash before a quote would end it, so backslashes are doubled first."""
    import pydot

    quoted: str = pydot.make_quoted(text.replace("\\", "\\\\"))
    return quoted


def _without_nulls(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if value is not None}


def _replace_characters(graph: "nx.DiGraph[str]") -> "nx.DiGraph[str]":
    """The graph with visible symbols for characters that XML cannot represent."""
    import networkx as nx

    def clean(value: object) -> object:
        return _NOT_XML.sub(lambda match: escape_line(match[0]), value) if isinstance(value, str) else value

    cleaned: nx.DiGraph[str] = nx.relabel_nodes(graph, {node: str(clean(node)) for node in graph})
    for _, attributes in cleaned.nodes(data=True):
        attributes.update({name: clean(value) for name, value in attributes.items()})
    return cleaned
