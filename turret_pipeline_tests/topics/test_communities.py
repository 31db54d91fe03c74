"""A neighbour graph in; groups of texts out."""

import numpy as np
import pytest
import scipy.sparse as sp

from turret_pipeline.topics.arrays import FloatArray, IntArray
from turret_pipeline.topics.communities import (
    NEARLY_BEST,
    NO_TOPIC,
    RESOLUTIONS,
    Grouping,
    by_size,
    centroids,
    find_resolution,
    group_texts,
    leiden,
    mean_silhouette,
    modularity,
)
from turret_pipeline.topics.embedding import unit
from turret_pipeline.topics.neighbours import nearest_others, neighbour_count, neighbour_graph
from turret_pipeline_tests.topics.blobs import blobs

TWO_TRIANGLES = sp.csr_matrix(np.kron(np.eye(2), 1 - np.eye(3)))


def graph_of(vectors: FloatArray) -> sp.csr_matrix:
    return neighbour_graph(nearest_others(vectors, neighbour_count(len(vectors))))


def grouped(vectors: FloatArray, granularity: float = 1, seed: int = 0) -> Grouping:
    return group_texts(graph_of(vectors), vectors, granularity, seed)


def sizes_of(labels: IntArray) -> list[int]:
    """Largest first."""
    return sorted(np.unique(labels, return_counts=True)[1].tolist(), reverse=True)


def score(graph: sp.csr_matrix, vectors: FloatArray, resolution: float, seeds: range) -> float:
    """What the resolution is chosen by."""
    partitions = [leiden(graph, resolution, seed) for seed in seeds]
    return float(np.mean([modularity(graph, labels) + mean_silhouette(vectors, labels) for labels in partitions]))


@pytest.mark.parametrize("sizes", [[30, 20], [40, 30, 20, 10], [25, 24, 23, 22, 21, 20], [9] * 15])
def test_the_number_of_groups_is_found_without_being_told(sizes: list[int]) -> None:
    found = by_size(grouped(blobs(sizes)).labels, 1)
    assert found.tolist() == np.repeat(range(len(sizes)), sizes).tolist()


def test_more_granularity_gives_more_groups() -> None:
    vectors = blobs([60, 50], noise=0.2)
    counts = [len(sizes_of(grouped(vectors, granularity).labels)) for granularity in (1, 4, 16)]
    assert counts == sorted(set(counts))


def test_chance_decides_nothing_on_clear_groups_and_much_without_any() -> None:
    assert grouped(blobs([40, 30, 20])).stability() == 1
    noise = unit(np.random.default_rng(0).normal(size=(300, 32)))
    assert grouped(noise).stability() < 0.95


def test_stability_is_the_mean_togetherness_within_groups() -> None:
    edges = sp.csr_matrix(np.array([[0, 0.5, 0.1], [0.5, 0, 0], [0.1, 0, 0]]))
    assert Grouping(np.array([0, 0, 1]), edges).stability() == 0.5
    assert Grouping(np.array([0, 0, 0]), edges).stability() == pytest.approx(0.3)
    assert Grouping(np.array([0, 1, 2]), edges).stability() == 1


def test_togetherness_says_how_often_ends_were_in_one_group() -> None:
    vectors = blobs([40, 30, 20], noise=0.2)
    graph, found = graph_of(vectors), grouped(vectors)
    assert found.togetherness.shape == graph.shape
    assert found.togetherness.indices.tolist() == graph.indices.tolist()
    assert set((found.togetherness.data * 8).tolist()) <= set(range(9))


def test_another_seed_gives_the_same_groups_where_they_are_clear() -> None:
    vectors = blobs([40, 30, 20], noise=0.15)
    first = by_size(grouped(vectors).labels, 1).tolist()
    assert all(by_size(grouped(vectors, seed=seed).labels, 1).tolist() == first for seed in (1, 2, 77))


def test_the_same_seed_gives_the_same_groups() -> None:
    noise = unit(np.random.default_rng(0).normal(size=(200, 32)))
    one, other = grouped(noise), grouped(noise)
    assert one.labels.tolist() == other.labels.tolist()
    assert one.togetherness.data.tolist() == other.togetherness.data.tolist()


def test_of_resolutions_that_are_as_good_the_coarsest_is_taken() -> None:
    vectors = blobs([40, 30, 20])
    assert find_resolution(graph_of(vectors), vectors, 0) == RESOLUTIONS[0]


@pytest.mark.parametrize(("sizes", "noise", "seed"), [([30] * 8, 0.24, 1), ([12] * 14, 0.25, 0), ([40] * 16, 0.3, 1)])
def test_of_resolutions_that_are_nearly_as_good_the_coarsest_is_taken(
    sizes: list[int], noise: float, seed: int
) -> None:
    vectors = blobs(sizes, noise=noise, seed=seed)
    graph = graph_of(vectors)
    scores = [score(graph, vectors, resolution, range(3)) for resolution in RESOLUTIONS]
    found = RESOLUTIONS.index(find_resolution(graph, vectors, 0))
    assert found < int(np.argmax(scores))
    assert scores[found] >= max(scores) - NEARLY_BEST > max(scores[:found], default=-1)


def test_communities_are_the_connected_parts_where_nothing_connects_them() -> None:
    labels = leiden(TWO_TRIANGLES, 1.0, seed=0)
    assert len(set(labels[:3])) == len(set(labels[3:])) == 1
    assert labels[0] != labels[3]


def test_a_node_without_an_edge_is_a_community_by_itself() -> None:
    labels = leiden(sp.block_diag([TWO_TRIANGLES, sp.csr_matrix((2, 2))], format="csr"), 1.0, seed=0)
    assert len(set(labels.tolist())) == 4


def test_the_same_seed_gives_the_same_communities() -> None:
    graph = neighbour_graph(nearest_others(blobs([40, 40, 40], noise=0.3), 7))
    assert leiden(graph, 2.0, seed=5).tolist() == leiden(graph, 2.0, seed=5).tolist()


@pytest.mark.parametrize(
    ("labels", "expected"), [([0, 0, 0, 1, 1, 1], 0.5), ([0] * 6, 0.0), ([0, 1, 2, 3, 4, 5], -1 / 6)]
)
def test_modularity_is_newmans(labels: list[int], expected: float) -> None:
    assert modularity(TWO_TRIANGLES, np.array(labels)) == pytest.approx(expected)


def test_the_silhouette_is_one_where_topics_are_points_at_right_angles() -> None:
    vectors = np.repeat(np.eye(3, dtype=np.float32), 2, axis=0)
    assert mean_silhouette(vectors, np.array([0, 0, 1, 1, 2, 2])) == pytest.approx(1)
    assert mean_silhouette(vectors, np.zeros(6, dtype=np.int64)) == 0
    right = mean_silhouette(blobs([20, 20]), np.repeat([0, 1], 20))
    wrong = mean_silhouette(blobs([20, 20]), np.tile([0, 1], 20))
    assert right > 0.5 > wrong


def test_a_centroid_is_the_unit_mean_of_the_texts_of_its_topic() -> None:
    vectors = np.array([[1, 0], [0, 1], [-1, 0]], dtype=np.float32)
    found = centroids(vectors, np.array([0, 0, NO_TOPIC]))
    np.testing.assert_allclose(found, [[0.5**0.5, 0.5**0.5]], rtol=1e-6)
    assert centroids(vectors, np.full(3, NO_TOPIC)).shape == (0, 2)


def test_topics_are_numbered_from_the_largest_down_and_small_ones_go() -> None:
    labels = np.array([7, 3, 3, 3, 7, 9, NO_TOPIC, 5, 5, NO_TOPIC, NO_TOPIC])
    assert by_size(labels, 2).tolist() == [1, 0, 0, 0, 1, NO_TOPIC, NO_TOPIC, 2, 2, NO_TOPIC, NO_TOPIC]
    assert by_size(np.array([], dtype=np.int64), 2).tolist() == []
    assert by_size(np.full(4, NO_TOPIC), 2).tolist() == [NO_TOPIC] * 4
