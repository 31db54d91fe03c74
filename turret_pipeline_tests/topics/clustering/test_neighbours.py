"""Nearest neighbours of unit vectors, and their graph."""

import numpy as np
import pytest

from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.topics.clustering.neighbours import (
    EXACT_TEXTS,
    NOT_FOUND,
    NOT_FOUND_SIMILARITY,
    Neighbours,
    find_nearest,
    find_nearest_others,
    neighbour_count,
    neighbour_graph,
)
from turret_pipeline.topics.embedding.embedding import normalize_rows
from turret_pipeline_tests.topics.blobs import blobs

EAST, NORTH, NORTH_EAST = [1.0, 0.0], [0.0, 1.0], [0.8, 0.6]
PLANE = np.array([EAST, NORTH, NORTH_EAST], dtype=np.float32)
MANY = EXACT_TEXTS + 300


@pytest.fixture(scope="module")
def clumps() -> FloatArray:
    """More vectors than the exact search takes: 60 clumps in 24 dimensions."""
    generator = np.random.default_rng(4)
    centroids = normalize_rows(generator.normal(size=(60, 24)))
    return normalize_rows(centroids[np.arange(MANY) % 60] + generator.normal(0, 0.12, (MANY, 24)))


def test_the_nearest_come_first_with_their_cosine() -> None:
    found = find_nearest(np.array([EAST, NORTH_EAST], dtype=np.float32), PLANE, 2)
    assert found.indices.tolist() == [[0, 2], [2, 0]]
    np.testing.assert_allclose(found.similarities, [[1, 0.8], [1, 0.8]], rtol=1e-6)


def test_equally_near_references_are_sorted_by_index() -> None:
    found = find_nearest(PLANE[:1], np.array([NORTH, EAST, EAST, EAST], dtype=np.float32), 3)
    assert found.indices.tolist() == [[1, 2, 3]]


def test_a_vector_is_not_its_own_neighbour_but_its_duplicate_may_be() -> None:
    found = find_nearest_others(np.array([EAST, EAST, NORTH], dtype=np.float32), 1)
    assert found.indices[:2].tolist() == [[1], [0]]
    assert find_nearest_others(PLANE, 2).indices.tolist() == [[2, 1], [2, 0], [0, 1]]


@pytest.mark.parametrize("count", [10, 2500])
def test_neighbours_match_a_full_sort(count: int) -> None:
    vectors = normalize_rows(np.random.default_rng(2).normal(size=(count, 8)))
    similarities = vectors.astype(np.float64) @ vectors.T.astype(np.float64)
    np.fill_diagonal(similarities, -np.inf)
    wanted = -np.sort(-similarities, axis=1)[:, :4]
    found = find_nearest_others(vectors, 4)
    np.testing.assert_allclose(found.similarities, wanted, atol=1e-5)
    np.testing.assert_allclose(np.take_along_axis(similarities, found.indices, axis=1), wanted, atol=1e-5)


def test_the_index_finds_nearly_all_of_the_nearest_and_never_the_vector_itself(clumps: FloatArray) -> None:
    queries = np.arange(0, MANY, 13)
    similarities = clumps[queries] @ clumps.T
    similarities[np.arange(len(queries)), queries] = -np.inf
    wanted = np.argsort(-similarities, axis=1)[:, :13]
    found = find_nearest_others(clumps, 13)
    hits = [np.isin(mine, right).mean() for mine, right in zip(found.indices[queries], wanted, strict=True)]
    assert np.mean(hits) > 0.95
    assert not (found.indices == np.arange(MANY)[:, None]).any()
    assert (np.diff(found.similarities, axis=1) <= 0).all()


def test_the_index_finds_the_same_every_time(clumps: FloatArray) -> None:
    one, other = find_nearest_others(clumps, 13), find_nearest_others(clumps.copy(), 13)
    assert one.indices.tolist() == other.indices.tolist()
    assert one.similarities.tobytes() == other.similarities.tobytes()


def test_the_index_finds_duplicates(clumps: FloatArray) -> None:
    doubled = np.concatenate([clumps, clumps[:200]])
    found = find_nearest_others(doubled, 13)
    assert found.indices[:200, 0].tolist() == list(range(MANY, MANY + 200))
    assert found.indices[MANY:, 0].tolist() == list(range(200))


def test_missing_neighbours_are_marked_and_have_no_edge() -> None:
    odd = normalize_rows(np.random.default_rng(0).normal(size=(4, 16)))
    vectors = np.concatenate([odd[:3], np.repeat(odd[3:], MANY, axis=0)])
    found = find_nearest_others(vectors, 13)
    missing = found.indices == NOT_FOUND
    assert missing.any()
    assert (found.similarities[missing] == NOT_FOUND_SIMILARITY).all()
    assert not (found.indices == np.arange(len(vectors))[:, None]).any()
    graph = neighbour_graph(found)
    assert graph.diagonal().sum() == 0
    assert graph[:3].nnz < 3 * 13


def test_there_are_at_most_as_many_neighbours_as_vectors() -> None:
    assert find_nearest(PLANE, PLANE[:2], 5).indices.shape == (3, 2)
    assert find_nearest(PLANE, PLANE[:0], 5).indices.shape == (3, 0)
    assert find_nearest(PLANE[:0], PLANE, 2).indices.shape == (0, 2)
    assert find_nearest_others(PLANE, 9).indices.shape == (3, 2)
    assert find_nearest_others(PLANE[:1], 9).indices.shape == (1, 0)
    assert find_nearest_others(PLANE[:0], 9).indices.shape == (0, 0)


def test_local_similarity_is_the_mean_cosine_to_the_given_number_of_neighbours_at_least_3() -> None:
    steps = np.array([[1, 0], [0.9, 0.4359], [0.8, 0.6], [0.6, 0.8], [0, 1]], dtype=np.float32)
    found = find_nearest(steps[:1], steps, 5)
    for count, mean in ((1, 0.9), (3, 0.9), (4, 0.825), (5, 0.66), (9, 0.66)):
        np.testing.assert_allclose(found.local_similarity(np.array([count])), [mean], rtol=1e-4)


@pytest.mark.parametrize(("texts", "count"), [(0, 3), (9, 3), (16, 4), (1503, 11), (24_000, 15), (10**7, 20)])
def test_the_number_of_neighbours_grows_with_the_number_of_texts(texts: int, count: int) -> None:
    assert neighbour_count(texts) == count


def test_edge_weights_are_squared_cosines() -> None:
    graph = neighbour_graph(find_nearest_others(PLANE, 1)).toarray()
    np.testing.assert_allclose(graph, [[0, 0, 0.64], [0, 0, 0.36], [0.64, 0.36, 0]], rtol=1e-6)


def test_the_weight_of_the_last_neighbours_falls_to_0() -> None:
    indices = np.array([[1, 2, 3, 4, 5], *[[NOT_FOUND] * 5] * 5])
    similarities = np.array([[0.9, 0.8, 0.7, 0.6, 0.5], *[[NOT_FOUND_SIMILARITY] * 5] * 5])
    found = neighbour_graph(Neighbours(indices, similarities)).toarray()
    np.testing.assert_allclose(found[0], [0, 0.81, 0.64, 0.49, 0.36 / 2, 0], rtol=1e-6)
    np.testing.assert_allclose(found[1:, 0], found[0, 1:])


def test_equally_near_neighbours_have_full_weight() -> None:
    graph = neighbour_graph(Neighbours(np.array([[1, 2], [0, 2], [0, 1]]), np.full((3, 2), 0.5)))
    np.testing.assert_allclose(graph.toarray(), (1 - np.eye(3)) / 4)


def test_the_graph_has_no_edge_to_a_missing_neighbour() -> None:
    found = Neighbours(
        np.array([[1, NOT_FOUND], [0, 2], [NOT_FOUND, NOT_FOUND]]), np.array([[0.5, -1], [0.5, 0.5], [-1, -1]])
    )
    np.testing.assert_allclose(neighbour_graph(found).toarray(), [[0, 0.25, 0], [0.25, 0, 0.25], [0, 0.25, 0]])


def test_edge_weights_are_positive() -> None:
    opposite = np.array([EAST, [-1.0, 0.0]], dtype=np.float32)
    assert (neighbour_graph(find_nearest_others(opposite, 1)).data > 0).all()


def test_the_graph_is_symmetric_without_self_edges() -> None:
    graph = neighbour_graph(find_nearest_others(blobs([30, 20]), 5))
    assert (graph != graph.T).nnz == 0
    assert graph.diagonal().sum() == 0
    assert neighbour_graph(find_nearest_others(PLANE[:0], 3)).shape == (0, 0)
