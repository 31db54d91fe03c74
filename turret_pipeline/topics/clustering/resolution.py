"""Resolution at which the texts of a field are clustered, or the finding that they are all of one kind.

Resolutions are compared on the graph of cores (texts that fine partitions never separate), which has about a fortieth
of the nodes. The score of a resolution is the mean over several partitions of modularity and mean silhouette, less a
penalty for each cluster. Scores of single resolutions are noisy, so a curve is fitted to all of them (LOESS: Cleveland
1979), and the resolution with the highest value of the curve is the result. It is one of few, so that noise hardly ever
changes it: each resolution gives other clusters.

The texts are of one kind if the best score is no higher than that of texts that certainly have no clusters: normally
distributed vectors with the same mean and covariance (the idea of the gap statistic: Tibshirani, Walther, Hastie 2001,
and of SigClust: Liu et al. 2008).
"""

import numpy as np
import scipy.sparse as sp

from turret_pipeline.stats.array_types import FloatArray, IntArray
from turret_pipeline.topics.clustering.communities import centroids, louvain, modularity, silhouettes, sum_vectors
from turret_pipeline.topics.clustering.ensemble import aggregate_graph, draw_order, intersect_partitions
from turret_pipeline.topics.clustering.neighbours import find_graph_neighbours, neighbour_graph
from turret_pipeline.topics.embedding.embedding import normalize_rows

RESOLUTIONS = np.geomspace(0.35, 44.8, 29)
"""Resolutions that are compared, four per doubling. Finer partitions than the last have hardly more than pairs."""

PARSIMONY = 0.01
"""Penalty for the logarithm of the number of clusters: of partitions with about the same score, the coarser wins."""

FINE_RESOLUTION, FINE_RUNS = 8.0, 4
"""Resolution and number of the fine partitions whose intersection are the cores."""

SCORE_RUNS = 4
"""Partitions at each resolution."""

MIN_SILHOUETTE_TEXTS, MIN_SILHOUETTE_SHARE = (5, 10), 0.3
"""Texts that a cluster needs for a silhouette: this share of all texts, within the bounds. In a smaller cluster the
silhouette of each text is 0, because the centroid hardly differs from the texts."""

SILHOUETTE_SAMPLE = 4_000
"""Texts, evenly spaced, from which the mean silhouette is estimated."""

CURVE_WIDTH = 0.3
"""Standard deviation of the weights of the fitted curve, in the logarithm of the resolution."""

ONE_KIND_SAMPLE, ONE_KIND_DRAWS, ONE_KIND_RESOLUTIONS = 1_000, 9, (0.5, 1.0, 2.0, 4.0, 8.0)
"""Texts, evenly spaced, on which the scores of the texts and of vectors without clusters are compared, and draws of
such vectors."""

ONE_KIND_REACHED = 2
"""Draws with at least the score of the texts if these are of one kind. One draw is not enough: of few texts in two
clusters, all drawn vectors are nearly on a line, which is also easy to divide."""


def find_resolution(graph: sp.csr_matrix, vectors: FloatArray, seed: int) -> float | None:
    """The resolution with the best partitions of the neighbour ``graph``, None if the texts are all of one kind."""
    if _are_of_one_kind(vectors, seed):
        return None
    scores = score_resolutions(graph, vectors, seed)
    return float(RESOLUTIONS[_fit_curve(np.log(RESOLUTIONS), scores).argmax()])


def score_resolutions(graph: sp.csr_matrix, vectors: FloatArray, seed: int) -> FloatArray:
    """Score of each of RESOLUTIONS, shape (resolutions,)."""
    orders = [draw_order(len(vectors), seed + run) for run in range(max(FINE_RUNS, SCORE_RUNS))]
    core = intersect_partitions([louvain(graph, FINE_RESOLUTION, order) for order in orders[:FINE_RUNS]])
    cores, sums, sizes = aggregate_graph(graph, core), sum_vectors(vectors, core), np.bincount(core)
    core_orders = [_order_of_first(order, core) for order in orders[:SCORE_RUNS]]
    sample = np.arange(0, len(vectors), max(1, len(vectors) // SILHOUETTE_SAMPLE))
    sample_vectors = vectors[sample]

    def score(labels: IntArray) -> float:
        return _score(
            cores, labels, np.bincount(labels, sizes), sample_vectors, labels[core[sample]], centroids(sums, labels)
        )

    def mean_score(resolution: float) -> float:
        return float(np.mean([score(louvain(cores, resolution, order)) for order in core_orders]))

    return np.array([mean_score(resolution) for resolution in RESOLUTIONS.tolist()])


def _order_of_first(order: IntArray, core: IntArray) -> IntArray:
    """Cores in the order in which their first texts occur in ``order``: it hardly changes if a few cores change."""
    first = np.unique(core, return_index=True)[1]
    return np.argsort(np.argsort(order)[first])


def _fit_curve(positions: FloatArray, scores: FloatArray) -> FloatArray:
    """Values at the positions of a curve fitted to the scores: near each position, it is a parabola."""
    fitted = []
    for position in positions:
        weights = np.exp(-0.25 * ((positions - position) / CURVE_WIDTH) ** 2)  # polyfit squares them
        fitted.append(np.polyval(np.polyfit(positions, scores, 2, w=weights), position))
    return np.array(fitted)


def _are_of_one_kind(vectors: FloatArray, seed: int) -> bool:
    """True if no partition of the texts is better than those of vectors without clusters."""
    sample = vectors[:: max(1, -(-len(vectors) // ONE_KIND_SAMPLE))]
    best = _best_score(sample, seed)
    generator = np.random.default_rng(seed)
    draws = (_best_score(draw_without_clusters(sample, generator), seed) for _ in range(ONE_KIND_DRAWS))
    return sum(drawn >= best for drawn in draws) >= ONE_KIND_REACHED


def _best_score(vectors: FloatArray, seed: int) -> float:
    """Highest score of partitions at a few resolutions."""
    graph, order = neighbour_graph(find_graph_neighbours(vectors)), draw_order(len(vectors), seed)
    partitions = [louvain(graph, resolution, order) for resolution in ONE_KIND_RESOLUTIONS]
    return max(
        _score(graph, labels, np.bincount(labels), vectors, labels, centroids(vectors, labels)) for labels in partitions
    )


def _score(
    graph: sp.csr_matrix,
    labels: IntArray,
    sizes: FloatArray | IntArray,
    vectors: FloatArray,
    text_labels: IntArray,
    cluster_centroids: FloatArray,
) -> float:
    """Score of a partition of the nodes: modularity and mean silhouette, less a penalty for each cluster.

    ``sizes`` counts the texts of each cluster. ``vectors`` and ``text_labels`` have the texts whose silhouettes count.
    """
    is_large = sizes[text_labels] >= _min_silhouette_texts(sizes.sum())
    silhouette = float(np.mean(silhouettes(vectors, text_labels, cluster_centroids) * is_large))
    return modularity(graph, labels) + silhouette - PARSIMONY * float(np.log(len(sizes)))


def _min_silhouette_texts(count: float) -> float:
    return float(np.clip(MIN_SILHOUETTE_SHARE * count, *MIN_SILHOUETTE_TEXTS))


def draw_without_clusters(vectors: FloatArray, generator: np.random.Generator) -> FloatArray:
    """Unit vectors from the normal distribution with the same mean and covariance, of the same shape."""
    mean, count = vectors.mean(axis=0), len(vectors)
    mixed = generator.normal(size=(count, count)).astype(np.float32) @ (vectors - mean) / np.float32(count**0.5)
    return normalize_rows(mixed + mean)
