"""Ensembles of partitions of a graph, and what they have in common."""

import numpy as np
import scipy.sparse as sp

from turret_pipeline.stats.array_types import BoolArray, IntArray
from turret_pipeline.topics.clustering.communities import edge_sources, louvain

MOVE_ROUNDS = 4


def count_runs(text_count: int, budget: int, bounds: tuple[int, int]) -> int:
    """Number of runs for this many texts: with few texts chance matters more, and a run is fast."""
    return int(np.clip(budget // max(text_count, 1), *bounds))


def partition(graph: sp.csr_matrix, resolution: float, seed: int) -> IntArray:
    """Cluster of every text, shape (texts,): communities, in which misplaced texts have moved."""
    return move_texts(graph, louvain(graph, resolution, draw_order(graph.shape[0], seed)), resolution)


def draw_order(count: int, seed: int) -> IntArray:
    """Numbers from 0 in random order, shape (count,)."""
    return np.random.default_rng(seed).permutation(count)


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


def is_within_cluster(graph: sp.csr_matrix, labels: IntArray) -> BoolArray:
    """True for stored edges with both ends in one cluster, shape (edges,)."""
    return np.asarray(labels[edge_sources(graph)] == labels[graph.indices])


def _membership(labels: IntArray) -> sp.csr_matrix:
    count = len(labels)
    return sp.csr_matrix((np.ones(count, np.float32), labels, np.arange(count + 1)), (count, int(labels.max()) + 1))
