"""A neighbour graph in; topics of texts that have none yet out."""

import numpy as np
import pytest
import scipy.sparse as sp

from turret_pipeline.topics.arrays import FloatArray, IntArray
from turret_pipeline.topics.communities import (
    NO_TOPIC,
    by_size,
    centroids,
    find_topics,
    leiden,
    mean_silhouette,
    modularity,
)
from turret_pipeline.topics.neighbours import nearest_others, neighbour_graph
from turret_pipeline_tests.topics.blobs import blobs

TWO_TRIANGLES = sp.csr_matrix(np.kron(np.eye(2), 1 - np.eye(3)))


def found_in(vectors: FloatArray, granularity: float = 1, min_texts: int = 5) -> IntArray:
    return find_topics(neighbour_graph(nearest_others(vectors, 7)), vectors, granularity, min_texts, seed=0)


def test_the_number_of_topics_is_found_without_being_told() -> None:
    for sizes in ([30, 20], [40, 30, 20, 10], [25, 24, 23, 22, 21, 20]):
        assert found_in(blobs(sizes)).tolist() == np.repeat(range(len(sizes)), sizes).tolist()


def test_more_granularity_gives_more_topics() -> None:
    vectors = blobs([60, 50], noise=0.2)
    assert found_in(vectors, granularity=8).max() > found_in(vectors).max()


def test_a_community_of_too_few_texts_is_no_topic() -> None:
    found = found_in(blobs([30, 20, 8]), min_texts=10)
    assert found.tolist() == [0] * 30 + [1] * 20 + [NO_TOPIC] * 8


def test_too_few_texts_have_no_topics() -> None:
    assert found_in(blobs([9])).tolist() == [NO_TOPIC] * 9
    assert found_in(blobs([1])).tolist() == [NO_TOPIC]
    assert found_in(blobs([1])[:0]).tolist() == []


def test_texts_without_a_neighbour_have_no_topic() -> None:
    assert find_topics(sp.csr_matrix((12, 12)), blobs([12]), 1, 5, 0).tolist() == [NO_TOPIC] * 12


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
