"""Unit vectors in; nearest neighbours and their graph out."""

import numpy as np
import pytest

from turret_pipeline.topics.embedding import unit
from turret_pipeline.topics.neighbours import nearest, nearest_others, neighbour_count, neighbour_graph
from turret_pipeline_tests.topics.blobs import blobs

EAST, NORTH, NORTH_EAST = [1.0, 0.0], [0.0, 1.0], [0.8, 0.6]
PLANE = np.array([EAST, NORTH, NORTH_EAST], dtype=np.float32)


def test_the_nearest_come_first_with_their_cosine() -> None:
    found = nearest(np.array([EAST, NORTH_EAST], dtype=np.float32), PLANE, 2)
    assert found.indices.tolist() == [[0, 2], [2, 0]]
    np.testing.assert_allclose(found.similarities, [[1, 0.8], [1, 0.8]], rtol=1e-6)


def test_equally_near_ones_come_in_their_order() -> None:
    found = nearest(PLANE[:1], np.array([NORTH, EAST, EAST, EAST], dtype=np.float32), 3)
    assert found.indices.tolist() == [[1, 2, 3]]


def test_no_vector_is_its_own_neighbour_but_its_twin_may_be() -> None:
    found = nearest_others(np.array([EAST, EAST, NORTH], dtype=np.float32), 1)
    assert found.indices[:2].tolist() == [[1], [0]]
    assert nearest_others(PLANE, 2).indices.tolist() == [[2, 1], [2, 0], [0, 1]]


@pytest.mark.parametrize("count", [10, 2500])
def test_neighbours_are_those_of_a_full_sort(count: int) -> None:
    vectors = unit(np.random.default_rng(2).normal(size=(count, 8)))
    similarities = vectors.astype(np.float64) @ vectors.T.astype(np.float64)
    np.fill_diagonal(similarities, -np.inf)
    wanted = -np.sort(-similarities, axis=1)[:, :4]
    found = nearest_others(vectors, 4)
    np.testing.assert_allclose(found.similarities, wanted, atol=1e-5)
    np.testing.assert_allclose(np.take_along_axis(similarities, found.indices, axis=1), wanted, atol=1e-5)


def test_there_are_no_more_neighbours_than_vectors() -> None:
    assert nearest(PLANE, PLANE[:2], 5).indices.shape == (3, 2)
    assert nearest(PLANE, PLANE[:0], 5).indices.shape == (3, 0)
    assert nearest(PLANE[:0], PLANE, 2).indices.shape == (0, 2)
    assert nearest_others(PLANE, 9).indices.shape == (3, 2)
    assert nearest_others(PLANE[:1], 9).indices.shape == (1, 0)
    assert nearest_others(PLANE[:0], 9).indices.shape == (0, 0)


def test_company_is_the_mean_cosine_to_the_neighbours_and_none_without() -> None:
    np.testing.assert_allclose(nearest(PLANE, PLANE, 2).mean_similarity(), [0.9, 0.8, 0.9], rtol=1e-6)
    assert nearest_others(PLANE[:1], 3).mean_similarity().tolist() == [0.0]


@pytest.mark.parametrize(("texts", "count"), [(0, 3), (9, 3), (16, 4), (100, 10), (225, 15), (10**6, 15)])
def test_as_many_neighbours_speak_as_the_texts_allow(texts: int, count: int) -> None:
    assert neighbour_count(texts) == count


def test_the_graph_has_an_edge_where_either_is_a_neighbour_of_the_other() -> None:
    graph = neighbour_graph(nearest_others(PLANE, 1)).toarray()
    np.testing.assert_allclose(graph, [[0, 0, 0.8], [0, 0, 0.6], [0.8, 0.6, 0]], rtol=1e-6)


def test_the_graph_has_no_edge_below_zero() -> None:
    opposite = np.array([EAST, [-1.0, 0.0]], dtype=np.float32)
    assert (neighbour_graph(nearest_others(opposite, 1)).data > 0).all()


def test_the_graph_is_symmetric_without_self_edges() -> None:
    graph = neighbour_graph(nearest_others(blobs([30, 20]), 5))
    assert (graph != graph.T).nnz == 0
    assert graph.diagonal().sum() == 0
    assert neighbour_graph(nearest_others(PLANE[:0], 3)).shape == (0, 0)
