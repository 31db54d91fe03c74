"""The graph in the formats of other tools, read back with these tools."""

import io
import json
from typing import Any

import networkx as nx
import polars as pl
import pydot
import pytest

from turret_pipeline.journeys.edges import journey_edges
from turret_pipeline.journeys.graph import FORMATS, format_graph, journey_graph
from turret_pipeline.journeys.nodes import journey_nodes
from turret_pipeline_tests.journeys.rows import path, visits

ODD = 'say: "hi", <b> & \\ 東京\x00'


def graph(label: str = "Refund") -> "nx.DiGraph[str]":
    walked = pl.concat([path("s1", "aba"), path("s2", "b")]).sort("sequence_id", "position")
    edges = journey_edges(walked)
    labels = pl.DataFrame({"dimension": ["event_name"], "node_id": ["a"], "node_label": [label]})
    return journey_graph(journey_nodes(walked, edges, labels), edges)


def test_nodes_and_edges_have_the_columns_of_their_tables() -> None:
    found = graph()
    assert set(found) == {"(start)", "(end)", "a", "b"}
    assert found.nodes["a"]["label"] == "Refund"
    assert (found.nodes["a"]["event_count"], found.nodes["a"]["start_share"]) == (2, 0.5)
    assert found.edges["a", "b"]["weight"] == found.edges["a", "b"]["transition_count"] == 1
    assert found.edges["a", "b"]["median_seconds"] == 10
    assert "median_seconds" not in found.edges["(start)", "a"]  # null


def _read(form: str, text: str) -> "nx.Graph[Any]":
    if form == "json":
        return nx.node_link_graph(json.loads(text), edges="edges")
    buffer = io.BytesIO(text.encode())
    return nx.read_graphml(buffer) if form == "graphml" else nx.read_gexf(buffer)


@pytest.mark.parametrize("form", ["graphml", "gexf", "json"])
def test_networkx_reads_the_written_graph(form: str) -> None:
    text = format_graph(graph(ODD), form)
    back = _read(form, text)
    assert set(back.edges) == set(graph().edges)
    assert back.nodes["a"]["label"] == (ODD if form == "json" else ODD.replace("\x00", "\u2400"))
    assert back.edges["a", "b"]["probability"] == 0.5
    assert float(back.edges["a", "b"]["weight"]) == 1


def test_graphviz_reads_the_dot_file() -> None:
    read = pydot.graph_from_dot_data(format_graph(graph(ODD), "dot"))
    assert read
    (back,) = read
    assert {node.get_name().strip('"') for node in back.get_nodes()} == {"(start)", "(end)", "a", "b"}
    assert len(back.get_edges()) == graph().number_of_edges()


@pytest.mark.parametrize("form", FORMATS)
def test_a_graph_without_nodes_can_be_written(form: str) -> None:
    nothing = journey_edges(visits())
    labels = pl.DataFrame(schema={"dimension": pl.String, "node_id": pl.String, "node_label": pl.String})
    assert format_graph(journey_graph(journey_nodes(visits(), nothing, labels), nothing), form)
