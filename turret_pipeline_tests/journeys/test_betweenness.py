"""Betweenness against networkx, on graphs with ties, unreachable nodes and loops."""

import random

import networkx as nx
import pytest

from turret_pipeline.journeys import betweenness
from turret_pipeline.journeys.betweenness import measure_betweenness


def random_graph(seed: int, node_count: int, lengths: list[float]) -> "nx.DiGraph[str]":
    chance = random.Random(seed)
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(map(str, range(node_count)))
    for one in graph:
        for other in graph:
            if chance.random() < 4 / node_count:
                graph.add_edge(one, other, length=chance.choice(lengths))
    return graph


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("lengths", [[1.0], [0.5, 1.0, 1.5, 2.0], [0.1, 0.2, 0.3, 0.7]], ids=str)
def test_shares_are_those_of_networkx(seed: int, lengths: list[float]) -> None:
    graph = random_graph(seed, 40, lengths)
    expected = nx.betweenness_centrality(graph, weight="length")
    assert sum(expected.values()) > 0
    assert measure_betweenness(graph, "length") == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("at_once", [1, 200])
def test_the_number_of_nodes_at_once_changes_nothing(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = random_graph(7, 30, [1.0, 2.0])
    expected = measure_betweenness(graph, "length")
    monkeypatch.setattr(betweenness, "VISITS_AT_ONCE", at_once)
    assert measure_betweenness(graph, "length") == pytest.approx(expected, abs=1e-12)


def test_a_sample_of_nodes_gives_the_estimate_of_networkx(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = random_graph(3, 80, [0.5, 1.0, 1.5])
    graph.remove_edges_from(list(nx.selfloop_edges(graph)))
    monkeypatch.setattr(betweenness, "MAX_EDGE_VISITS", 60 * graph.number_of_edges())
    expected = nx.betweenness_centrality(graph, k=60, weight="length", seed=0)
    assert measure_betweenness(graph, "length") == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("edges", [[], [("a", "a")], [("a", "b")]], ids=str)
def test_without_a_path_through_another_node_all_shares_are_zero(edges: list[tuple[str, str]]) -> None:
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from("abc")
    graph.add_edges_from(edges, length=1.0)
    assert measure_betweenness(graph, "length") == {"a": 0.0, "b": 0.0, "c": 0.0}
