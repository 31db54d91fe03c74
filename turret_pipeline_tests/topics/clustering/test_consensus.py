"""Clusters of texts of a neighbour graph."""

import numpy as np
import pytest
import scipy.sparse as sp

from turret_pipeline.stats.array_types import FloatArray, IntArray
from turret_pipeline.topics.clustering.communities import renumber_by_size
from turret_pipeline.topics.clustering.consensus import Clustering, cluster_texts
from turret_pipeline.topics.clustering.neighbours import find_graph_neighbours, neighbour_graph
from turret_pipeline.topics.embedding.embedding import normalize_rows
from turret_pipeline_tests.topics.blobs import blobs


def graph_of(vectors: FloatArray) -> sp.csr_matrix:
    return neighbour_graph(find_graph_neighbours(vectors))


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
    shares = found.co_association.data * 24  # 24 partitions
    np.testing.assert_allclose(shares, np.round(shares), atol=1e-9)
    assert shares.min() >= 0
    assert shares.max() == pytest.approx(24)


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


def test_texts_of_one_kind_are_one_cluster() -> None:
    assert clustered(blobs([60])).labels.tolist() == [0] * 60
    assert clustered(blobs([60])).stability() == 1
