"""Clusters of texts of a neighbour graph."""

import numpy as np
import pytest
import scipy.sparse as sp

from turret_pipeline.stats.array_types import FloatArray, IntArray
from turret_pipeline.topics.clustering.communities import centroids, leiden, modularity, renumber_by_size, silhouettes
from turret_pipeline.topics.clustering.consensus import (
    PARSIMONY,
    RESOLUTIONS,
    Clustering,
    aggregate_graph,
    cluster_texts,
    find_resolution,
    fine_partitions,
    intersect_partitions,
    move_texts,
)
from turret_pipeline.topics.clustering.neighbours import find_nearest_others, neighbour_count, neighbour_graph
from turret_pipeline.topics.embedding.embedding import normalize_rows
from turret_pipeline_tests.topics.blobs import blobs


def graph_of(vectors: FloatArray) -> sp.csr_matrix:
    return neighbour_graph(find_nearest_others(vectors, neighbour_count(len(vectors))))


def clustered(vectors: FloatArray, granularity: float = 1, seed: int = 0) -> Clustering:
    return cluster_texts(graph_of(vectors), vectors, granularity, seed)


def sizes_of(labels: IntArray) -> list[int]:
    """Largest first."""
    return sorted(np.unique(labels, return_counts=True)[1].tolist(), reverse=True)


@pytest.mark.slow
@pytest.mark.parametrize("sizes", [[30, 20], [40, 30, 20, 10], [25, 24, 23, 22, 21, 20], [9] * 15])
def test_the_number_of_clusters_is_found(sizes: list[int]) -> None:
    found = renumber_by_size(clustered(blobs(sizes)).labels, 1)
    assert found.tolist() == np.repeat(range(len(sizes)), sizes).tolist()


@pytest.mark.slow
def test_more_granularity_gives_more_clusters() -> None:
    vectors = blobs([60, 50], noise=0.2)
    counts = [len(sizes_of(clustered(vectors, granularity).labels)) for granularity in (1, 4, 16)]
    assert counts == sorted(set(counts))


@pytest.mark.slow
def test_clear_clusters_are_stable_and_blurred_ones_are_not() -> None:
    assert clustered(blobs([40, 30, 20])).stability() == 1
    assert clustered(blobs([40] * 6, noise=0.3)).stability() < 1


def test_stability_is_the_mean_co_association_within_clusters() -> None:
    edges = sp.csr_matrix(np.array([[0, 0.5, 0.1], [0.5, 0, 0], [0.1, 0, 0]]))
    assert Clustering(np.array([0, 0, 1]), edges).stability() == 0.5
    assert Clustering(np.array([0, 0, 0]), edges).stability() == pytest.approx(0.3)
    assert Clustering(np.array([0, 1, 2]), edges).stability() == 1


def test_co_association_is_the_share_of_partitions_with_both_ends_in_one_cluster() -> None:
    vectors = blobs([40, 30, 20], noise=0.2)
    graph, found = graph_of(vectors), clustered(vectors)
    assert found.co_association.shape == graph.shape
    assert found.co_association.indices.tolist() == graph.indices.tolist()
    assert set((found.co_association.data * 8).tolist()) <= set(range(9))


@pytest.mark.slow
def test_another_seed_gives_the_same_clear_clusters() -> None:
    vectors = blobs([40, 30, 20], noise=0.15)
    first = renumber_by_size(clustered(vectors).labels, 1).tolist()
    assert all(renumber_by_size(clustered(vectors, seed=seed).labels, 1).tolist() == first for seed in (1, 2, 77))


def test_the_same_seed_gives_the_same_clusters() -> None:
    noise = normalize_rows(np.random.default_rng(0).normal(size=(200, 32)))
    one, other = clustered(noise), clustered(noise)
    assert one.labels.tolist() == other.labels.tolist()
    assert one.co_association.data.tolist() == other.co_association.data.tolist()


def resolution_of(graph: sp.csr_matrix, vectors: FloatArray) -> float | None:
    core = intersect_partitions(fine_partitions(graph, 8.0, seed=0))
    return find_resolution(aggregate_graph(graph, core), core, vectors, seed=0)


def test_the_coarsest_of_equally_good_resolutions_is_chosen() -> None:
    vectors = blobs([40, 30, 20])
    assert resolution_of(graph_of(vectors), vectors) == RESOLUTIONS[0]


@pytest.mark.slow
@pytest.mark.parametrize(("sizes", "noise", "seed"), [([30] * 8, 0.24, 1), ([12] * 14, 0.25, 0), ([40] * 16, 0.3, 1)])
def test_the_resolution_has_nearly_the_best_score_on_the_texts(sizes: list[int], noise: float, seed: int) -> None:
    vectors = blobs(sizes, noise=noise, seed=seed)
    graph = graph_of(vectors)

    def score(resolution: float) -> float:
        labels = leiden(graph, resolution, seed=0)
        silhouette = float(silhouettes(vectors, labels, centroids(vectors, labels)).mean())
        return modularity(graph, labels) + silhouette - PARSIMONY * float(np.log(labels.max() + 1))

    found = resolution_of(graph, vectors)
    assert found is not None
    assert score(found) >= max(score(resolution) for resolution in RESOLUTIONS) - 0.02


def test_texts_of_a_core_share_a_cluster_in_all_partitions() -> None:
    assert intersect_partitions([np.array([0, 0, 0, 1, 1]), np.array([0, 0, 1, 1, 1])]).tolist() == [0, 0, 1, 2, 2]


def test_a_partition_of_the_cores_has_the_modularity_of_the_texts() -> None:
    graph = graph_of(blobs([40, 30, 20], noise=0.3))
    core = intersect_partitions(fine_partitions(graph, 2.0, seed=0))
    cores = aggregate_graph(graph, core)
    assert 3 < cores.shape[0] < 90
    labels = leiden(cores, 1.0, seed=0)
    assert modularity(cores, labels) == pytest.approx(modularity(graph, labels[core]))


def test_texts_of_one_kind_are_one_cluster() -> None:
    assert resolution_of(graph_of(blobs([60])), blobs([60])) is None
    assert clustered(blobs([60])).labels.tolist() == [0] * 60
    assert clustered(blobs([60])).stability() == 1


def test_misplaced_texts_move_to_their_cluster() -> None:
    graph = graph_of(blobs([20, 20]))
    right = np.repeat([0, 1], 20)
    wrong = right.copy()
    wrong[[3, 25]] = [1, 0]
    assert (
        move_texts(graph, wrong, resolution=1.0).tolist()
        == move_texts(graph, right, resolution=1.0).tolist()
        == right.tolist()
    )
