"""Consensus clustering of texts on their neighbour graph. The number of clusters is found from the data.

1. Leiden runs several times on the whole graph, at a fine resolution and with different seeds. Texts that share a
   community in all of these runs form a core (Ovelgoenne, Geyer-Schulz: An ensemble learning strategy for graph
   clustering, 2012).
2. Resolutions are compared on the graph of the cores, which has about a fortieth of the nodes. The best one has the
   highest sum of modularity and mean silhouette, less a small penalty for each cluster.
3. At that resolution every fine partition is coarsened on its own, which gives an ensemble of partitions. The
   co-association of two neighbours is the share of these partitions in which they share a cluster.
4. Edges are weighted by co-association (Poulin, Theberge: Ensemble clustering for graphs, 2018), and the cores are
   clustered once more. The result depends little on the chance of a single run.
"""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import scipy.sparse as sp

from turret_pipeline.stats.array_types import BoolArray, FloatArray, IntArray
from turret_pipeline.topics.clustering.communities import (
    centroids,
    edge_sources,
    leiden,
    modularity,
    silhouettes,
    sum_vectors,
)

RESOLUTIONS = (0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0, 5.7, 8.0)
CORE_RESOLUTION = 8.0
"""Resolution of the fine partitions, multiplied by a granularity above 1: cores must be finer than any cluster."""

PARSIMONY = 0.01
"""Penalty for the logarithm of the number of clusters: of partitions with about the same score, the coarser wins."""

TEXT_BUDGET, CORE_RUNS, SCORE_RUNS, ENSEMBLE_RUNS = 36_000, (4, 24), (2, 16), (8, 24)
"""Texts to cluster over all runs of a step, and the minimum and maximum number of runs: for the cores, for each
resolution, and for the ensemble. With few texts chance matters more and a run is fast, so there are more runs. The
score of one partition varies by 0.01."""

MIN_SCORE = 0.75
"""Score below which all texts form one cluster. Partitions of texts scattered around one centroid score up to 0.6,
those of the least separated real data sets above 0.9."""

MIN_SILHOUETTE_TEXTS = 5
"""Texts that a cluster needs for a silhouette. In a smaller one the silhouette of each text is 0, because the centroid
hardly differs from the texts."""

SILHOUETTE_SAMPLE = 4_000
"""Texts, evenly spaced, from which the mean silhouette is estimated."""

FINAL_ITERATIONS, MOVE_ROUNDS = 3, 4
MIN_WEIGHT_SHARE = 0.05
"""Share of its weight that an edge keeps at co-association 0, so that the graph stays connected."""

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Clustering:
    """Cluster of every text, and how sure it is.

    ``labels`` has shape (texts,). ``co_association`` has the edges of the neighbour graph; their values are the share
    of the partitions in which both ends are in the same cluster.
    """

    labels: IntArray
    co_association: sp.csr_matrix

    def stability(self) -> float:
        """Mean co-association of neighbours within a cluster: 1 if chance decided nothing."""
        within = _is_within_cluster(self.co_association, self.labels)
        return float(self.co_association.data[within].mean()) if within.any() else 1.0


def cluster_texts(graph: sp.csr_matrix, vectors: FloatArray, granularity: float, seed: int) -> Clustering:
    """Clusters of the texts of a neighbour graph. ``vectors`` are the unit vectors of the texts."""
    fine = fine_partitions(graph, CORE_RESOLUTION * max(1.0, granularity), seed)
    core = intersect_partitions(fine)
    best = find_resolution(aggregate_graph(graph, core), core, vectors, seed)
    if best is None:
        return Clustering(np.zeros(len(vectors), dtype=np.int64), _replace_weights(graph, np.ones(graph.nnz)))
    resolution = best * granularity
    share, runs = np.zeros(graph.nnz), _run_count(len(vectors), ENSEMBLE_RUNS)
    for labels in _map_in_threads(lambda run: _ensemble_partition(graph, fine, resolution, run, seed), range(runs)):
        share += _is_within_cluster(graph, labels)
    share /= runs
    weighted = _replace_weights(graph, graph.data * (MIN_WEIGHT_SHARE + (1 - MIN_WEIGHT_SHARE) * share))
    labels = leiden(aggregate_graph(weighted, core), resolution, seed, FINAL_ITERATIONS)[core]
    return Clustering(move_texts(weighted, labels, resolution), _replace_weights(graph, share))


def _ensemble_partition(graph: sp.csr_matrix, fine: list[IntArray], resolution: float, run: int, seed: int) -> IntArray:
    """A coarsened fine partition. It starts from one fine partition, so that partitions are nearly independent."""
    core = fine[run % len(fine)]
    labels = leiden(aggregate_graph(graph, core), resolution, seed * ENSEMBLE_RUNS[1] + run + 1)[core]
    return move_texts(graph, labels, resolution)


def fine_partitions(graph: sp.csr_matrix, resolution: float, seed: int) -> list[IntArray]:
    """Partitions by Leiden with different seeds, each of shape (texts,)."""
    runs = _run_count(graph.shape[0], CORE_RUNS)
    return _map_in_threads(lambda run: leiden(graph, resolution, seed * CORE_RUNS[1] + run), range(runs))


def intersect_partitions(partitions: list[IntArray]) -> IntArray:
    """Core of every text, shape (texts,), numbered from 0: texts of a core share a cluster in all partitions."""
    core = np.zeros(len(partitions[0]), dtype=np.int64)
    for labels in partitions:
        core = np.unique(core * (labels.max(initial=0) + 1) + labels, return_inverse=True)[1]
    return core


def aggregate_graph(graph: sp.csr_matrix, core: IntArray) -> sp.csr_matrix:
    """The graph with one node for each core. Edges are the sums of the edges of the texts, loops included."""
    member = _membership(core)
    return (member.T @ graph @ member).tocsr()


def find_resolution(cores: sp.csr_matrix, core: IntArray, vectors: FloatArray, seed: int) -> float | None:
    """The resolution with the best partitions of the core graph ``cores``, None if the texts form a single cluster.

    ``core`` is the core of every text.
    """
    sums, sizes = sum_vectors(vectors, core), np.bincount(core)
    sample = np.arange(0, len(vectors), max(1, len(vectors) // SILHOUETTE_SAMPLE))
    sample_vectors, seeds = vectors[sample], range(seed, seed + _run_count(len(vectors), SCORE_RUNS))

    def mean_score(resolution: float) -> float:
        return float(np.mean([score(leiden(cores, resolution, each)) for each in seeds]))

    def score(labels: IntArray) -> float:
        sample_labels = labels[core[sample]]
        is_large = np.bincount(labels, sizes)[sample_labels] >= MIN_SILHOUETTE_TEXTS
        silhouette = float(np.mean(silhouettes(sample_vectors, sample_labels, centroids(sums, labels)) * is_large))
        return modularity(cores, labels) + silhouette - PARSIMONY * float(np.log(labels.max() + 1))

    scores = _map_in_threads(mean_score, RESOLUTIONS)
    return RESOLUTIONS[int(np.argmax(scores))] if max(scores) >= MIN_SCORE else None


def _run_count(text_count: int, bounds: tuple[int, int]) -> int:
    return int(np.clip(TEXT_BUDGET // max(text_count, 1), *bounds))


def move_texts(graph: sp.csr_matrix, labels: IntArray, resolution: float) -> IntArray:
    """The partition after MOVE_ROUNDS rounds, in each of which all texts move to the cluster with most modularity."""
    degrees = np.asarray(graph.sum(axis=1)).ravel()
    for _ in range(MOVE_ROUNDS):
        links = (graph @ _membership(labels)).tocsr()  # weights of texts to clusters, shape (texts, clusters)
        rows, clusters = edge_sources(links), links.indices
        others = np.bincount(labels, degrees)[clusters] - degrees[rows] * (labels[rows] == clusters)
        gain = links.data - resolution * degrees[rows] * others / degrees.sum()
        order = np.lexsort((-clusters, gain, rows))  # the last entry of a row is the best
        best = order[np.cumsum(np.diff(links.indptr))[np.diff(links.indptr) > 0] - 1]
        labels = labels.copy()
        labels[rows[best]] = clusters[best]
    return np.unique(labels, return_inverse=True)[1]


def _membership(labels: IntArray) -> sp.csr_matrix:
    count = len(labels)
    return sp.csr_matrix((np.ones(count, np.float32), labels, np.arange(count + 1)), (count, int(labels.max()) + 1))


def _is_within_cluster(graph: sp.csr_matrix, labels: IntArray) -> BoolArray:
    """True for stored edges with both ends in one cluster, shape (edges,)."""
    return np.asarray(labels[edge_sources(graph)] == labels[graph.indices])


def _replace_weights(graph: sp.csr_matrix, weights: FloatArray) -> sp.csr_matrix:
    return sp.csr_matrix((weights, graph.indices, graph.indptr), shape=graph.shape)


def _map_in_threads(work: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """Results in the order of the items. Threads run in parallel because Leiden releases the interpreter lock."""
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        return list(pool.map(work, items))
