"""The resolution for a set of texts, and sets of texts of one kind."""

import numpy as np
import pytest
import scipy.sparse as sp

from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.topics.clustering.communities import centroids, modularity, silhouettes
from turret_pipeline.topics.clustering.ensemble import partition
from turret_pipeline.topics.clustering.neighbours import find_graph_neighbours, neighbour_graph
from turret_pipeline.topics.clustering.resolution import PARSIMONY, RESOLUTIONS, draw_without_clusters, find_resolution
from turret_pipeline.topics.embedding.embedding import normalize_rows
from turret_pipeline_tests.topics.blobs import blobs


def graph_of(vectors: FloatArray) -> sp.csr_matrix:
    return neighbour_graph(find_graph_neighbours(vectors))


def cloud(count: int, dimensions: int, spread: float, seed: int) -> FloatArray:
    """Unit vectors around one direction, without clusters."""
    return normalize_rows(np.eye(dimensions)[0] + np.random.default_rng(seed).normal(0, spread, (count, dimensions)))


def test_the_coarsest_of_equally_good_resolutions_is_chosen() -> None:
    vectors = blobs([40, 30, 20])
    found = find_resolution(graph_of(vectors), vectors, seed=0)
    assert found is not None
    assert found < 1


@pytest.mark.slow
@pytest.mark.parametrize(("sizes", "noise", "seed"), [([30] * 8, 0.24, 1), ([12] * 14, 0.25, 0), ([40] * 16, 0.3, 1)])
def test_the_resolution_has_nearly_the_best_score_on_the_texts(sizes: list[int], noise: float, seed: int) -> None:
    vectors = blobs(sizes, noise=noise, seed=seed)
    graph = graph_of(vectors)

    def score(resolution: float) -> float:
        labels = partition(graph, resolution, seed=0)
        silhouette = float(silhouettes(vectors, labels, centroids(vectors, labels)).mean())
        return modularity(graph, labels) + silhouette - PARSIMONY * float(np.log(labels.max() + 1))

    found = find_resolution(graph, vectors, seed=0)
    assert found is not None
    assert score(found) >= max(score(resolution) for resolution in RESOLUTIONS) - 0.02


@pytest.mark.parametrize(
    "vectors", [blobs([60]), cloud(300, 32, 0.1, seed=0), cloud(900, 64, 0.15, seed=1), cloud(400, 64, 0.4, seed=2)]
)
def test_texts_without_clusters_are_of_one_kind(vectors: FloatArray) -> None:
    assert find_resolution(graph_of(vectors), vectors, seed=0) is None


@pytest.mark.parametrize("noise", [0.08, 0.2, 0.3])
def test_blurred_clusters_are_not_of_one_kind(noise: float) -> None:
    vectors = blobs([40] * 12, noise=noise)
    assert find_resolution(graph_of(vectors), vectors, seed=0) is not None


def test_vectors_without_clusters_have_the_mean_and_the_covariance_of_the_texts() -> None:
    vectors = blobs([900, 300], noise=0.15)
    drawn = draw_without_clusters(vectors, np.random.default_rng(0))
    assert drawn.shape == vectors.shape
    np.testing.assert_allclose(np.linalg.norm(drawn, axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(
        normalize_rows(drawn.mean(axis=0)[None]), normalize_rows(vectors.mean(axis=0)[None]), atol=0.1
    )
    axes = np.linalg.svd(vectors - vectors.mean(axis=0), full_matrices=False)[2]
    wanted, found = (((each - each.mean(axis=0)) @ axes.T).var(axis=0) for each in (vectors, drawn))
    assert found[0] > 5 * found[1:].max()
    np.testing.assert_allclose(found[1:] / found[1:].mean(), wanted[1:] / wanted[1:].mean(), rtol=0.3)
