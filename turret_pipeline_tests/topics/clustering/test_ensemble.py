"""Partitions of a graph, their intersection, and graphs of cores."""

import numpy as np
import pytest

from turret_pipeline.topics.clustering.communities import louvain, modularity
from turret_pipeline.topics.clustering.ensemble import (
    aggregate_graph,
    count_runs,
    draw_order,
    intersect_partitions,
    is_within_cluster,
    move_texts,
    partition,
)
from turret_pipeline.topics.clustering.neighbours import find_graph_neighbours, neighbour_graph
from turret_pipeline_tests.topics.blobs import blobs


def test_few_texts_have_more_runs_within_the_bounds() -> None:
    assert [count_runs(texts, 60_000, (8, 24)) for texts in (0, 1_000, 3_000, 6_000, 10**6)] == [24, 24, 20, 10, 8]


def test_texts_of_a_core_share_a_cluster_in_all_partitions() -> None:
    assert intersect_partitions([np.array([0, 0, 0, 1, 1]), np.array([0, 0, 1, 1, 1])]).tolist() == [0, 0, 1, 2, 2]


def test_a_partition_of_the_cores_has_the_modularity_of_the_texts() -> None:
    graph = neighbour_graph(find_graph_neighbours(blobs([40, 30, 20], noise=0.3)))
    core = intersect_partitions([partition(graph, 4.0, seed) for seed in range(3)])
    cores = aggregate_graph(graph, core)
    assert 3 < cores.shape[0] < 90
    labels = louvain(cores, 1.0, draw_order(cores.shape[0], seed=0))
    assert modularity(cores, labels) == pytest.approx(modularity(graph, labels[core]))


def test_misplaced_texts_move_to_their_cluster() -> None:
    graph = neighbour_graph(find_graph_neighbours(blobs([20, 20])))
    right = np.repeat([0, 1], 20)
    wrong = right.copy()
    wrong[[3, 25]] = [1, 0]
    assert (
        move_texts(graph, wrong, resolution=1.0).tolist()
        == move_texts(graph, right, resolution=1.0).tolist()
        == right.tolist()
    )


def test_edges_within_a_cluster_have_both_ends_in_it() -> None:
    graph = neighbour_graph(find_graph_neighbours(blobs([20, 20])))
    assert is_within_cluster(graph, np.repeat([0, 1], 20)).all()
    assert not is_within_cluster(graph, np.arange(40)).any()
