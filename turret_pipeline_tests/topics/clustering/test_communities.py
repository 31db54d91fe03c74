"""Communities of graphs, and measures of partitions."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.metrics import adjusted_rand_score

from turret_pipeline.stats.array_types import IntArray
from turret_pipeline.topics.clustering.communities import (
    NO_TOPIC,
    centroids,
    louvain,
    modularity,
    renumber_by_size,
    silhouettes,
)
from turret_pipeline.topics.clustering.ensemble import draw_order
from turret_pipeline.topics.clustering.neighbours import find_graph_neighbours, find_nearest_others, neighbour_graph
from turret_pipeline.topics.embedding.embedding import normalize_rows
from turret_pipeline_tests.topics.blobs import blobs

TWO_TRIANGLES = sp.csr_matrix(np.kron(np.eye(2), 1 - np.eye(3)))


def communities(graph: sp.csr_matrix, resolution: float = 1.0, seed: int = 0) -> IntArray:
    return louvain(graph, resolution, draw_order(graph.shape[0], seed))


def test_components_without_edges_between_them_are_communities() -> None:
    labels = communities(TWO_TRIANGLES)
    assert len(set(labels[:3])) == len(set(labels[3:])) == 1
    assert labels[0] != labels[3]


def test_a_node_without_an_edge_is_its_own_community() -> None:
    labels = communities(sp.block_diag([TWO_TRIANGLES, sp.csr_matrix((2, 2))], format="csr"))
    assert len(set(labels.tolist())) == 4


def test_a_graph_without_edges_has_as_many_communities_as_nodes() -> None:
    assert communities(sp.csr_matrix((3, 3))).tolist() == [0, 1, 2]
    assert communities(sp.csr_matrix((0, 0))).tolist() == []


def test_the_same_order_gives_the_same_communities() -> None:
    graph = neighbour_graph(find_nearest_others(blobs([40, 40, 40], noise=0.3), 7))
    assert communities(graph, 2.0, seed=5).tolist() == communities(graph, 2.0, seed=5).tolist()


def test_nearly_equal_vectors_have_nearly_equal_communities() -> None:
    vectors = blobs([40] * 12, noise=0.3)
    noise = np.random.default_rng(1).normal(0, 1e-5, vectors.shape)
    one, other = (
        communities(neighbour_graph(find_graph_neighbours(each)), 2.0)
        for each in (vectors, normalize_rows(vectors + noise))
    )
    assert adjusted_rand_score(one, other) > 0.98


def test_a_loop_counts_as_weight_inside_its_node() -> None:
    # four nodes in a ring: with heavy loops each is better off alone
    ring = sp.csr_matrix(np.roll(np.eye(4), 1, axis=0) + np.roll(np.eye(4), -1, axis=0))
    assert len(set(communities(ring).tolist())) < 4
    assert sorted(communities(ring + sp.diags([20.0] * 4, format="csr"))) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("labels", "expected"), [([0, 0, 0, 1, 1, 1], 0.5), ([0] * 6, 0.0), ([0, 1, 2, 3, 4, 5], -1 / 6)]
)
def test_modularity_is_newmans(labels: list[int], expected: float) -> None:
    assert modularity(TWO_TRIANGLES, np.array(labels)) == pytest.approx(expected)


def test_the_silhouette_is_1_for_topics_at_right_angles() -> None:
    cluster_centroids = np.eye(3, dtype=np.float32)
    vectors = np.repeat(cluster_centroids, 2, axis=0)
    assert silhouettes(vectors, np.array([0, 0, 1, 1, 2, 2]), cluster_centroids).tolist() == pytest.approx([1] * 6)
    assert silhouettes(vectors, np.zeros(6, dtype=np.int64), cluster_centroids[:1]).tolist() == [0] * 6
    vectors = blobs([20, 20])
    right, wrong = np.repeat([0, 1], 20), np.tile([0, 1], 20)
    assert silhouettes(vectors, right, centroids(vectors, right)).mean() > 0.5
    assert silhouettes(vectors, wrong, centroids(vectors, wrong)).mean() < 0.5


def test_a_centroid_is_the_unit_mean_of_the_texts_of_its_topic() -> None:
    vectors = np.array([[1, 0], [0, 1], [-1, 0]], dtype=np.float32)
    found = centroids(vectors, np.array([0, 0, NO_TOPIC]))
    np.testing.assert_allclose(found, [[0.5**0.5, 0.5**0.5]], rtol=1e-6)
    assert centroids(vectors, np.full(3, NO_TOPIC)).shape == (0, 2)


def test_topics_are_numbered_by_size_and_small_ones_are_dropped() -> None:
    labels = np.array([7, 3, 3, 3, 7, 9, NO_TOPIC, 5, 5, NO_TOPIC, NO_TOPIC])
    assert renumber_by_size(labels, 2).tolist() == [1, 0, 0, 0, 1, NO_TOPIC, NO_TOPIC, 2, 2, NO_TOPIC, NO_TOPIC]
    assert renumber_by_size(np.array([], dtype=np.int64), 2).tolist() == []
    assert renumber_by_size(np.full(4, NO_TOPIC), 2).tolist() == [NO_TOPIC] * 4
