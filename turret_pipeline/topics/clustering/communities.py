"""Communities of a graph by the Louvain algorithm, and measures of any partition: modularity, silhouette, centroids."""

import numpy as np
import scipy.sparse as sp

from turret_pipeline.stats.array_types import FloatArray, IntArray
from turret_pipeline.topics.embedding.embedding import normalize_rows

NO_TOPIC = -1

MIN_GAIN = 0.01
"""Gain in modularity below which the Louvain algorithm stops moving nodes and joins them."""


def louvain(graph: sp.csr_matrix, resolution: float, order: IntArray) -> IntArray:
    """Community of every node, shape (nodes,), numbered from 0 (Blondel, Guillaume, Lambiotte, Lefebvre 2008).

    Nodes are visited in this ``order``, shape (nodes,), and nothing is left to chance. A nearly equal graph therefore
    has nearly equal communities, so that the last digits of the vectors hardly matter.
    """
    from sknetwork.clustering import Louvain

    if not graph.nnz:
        return np.arange(graph.shape[0])
    method = Louvain(
        resolution=resolution,
        modularity="newman",
        tol_optimization=MIN_GAIN,
        return_probs=False,
        return_aggregate=False,
    )
    labels = np.empty(len(order), dtype=np.int64)
    labels[order] = method.fit_predict(graph[order][:, order])
    return np.unique(labels, return_inverse=True)[1]


def edge_sources(graph: sp.csr_matrix) -> IntArray:
    """Source node of every stored edge, shape (edges,); ``graph.indices`` has the targets."""
    return np.repeat(np.arange(graph.shape[0]), np.diff(graph.indptr))


def modularity(graph: sp.csr_matrix, labels: IntArray) -> float:
    """Newman's modularity of a symmetric weighted graph, at resolution 1."""
    degrees = np.asarray(graph.sum(axis=1)).ravel()
    total = degrees.sum()
    within = graph.data[labels[edge_sources(graph)] == labels[graph.indices]].sum()
    return float(within / total - (np.bincount(labels, degrees) ** 2).sum() / total**2)


def silhouettes(vectors: FloatArray, labels: IntArray, cluster_centroids: FloatArray) -> FloatArray:
    """Silhouette of every text, shape (texts,): cosine distance to its own centroid against the nearest other one.

    Zeros for a single centroid.
    """
    similarities = vectors @ cluster_centroids.T
    if similarities.shape[1] < 2:
        return np.zeros(len(vectors))
    rows = np.arange(len(vectors))
    own = 1 - similarities[rows, labels]
    similarities[rows, labels] = -np.inf
    other = 1 - similarities.max(axis=1)
    return np.asarray((other - own) / np.maximum(np.maximum(own, other), 1e-9))


def centroids(vectors: FloatArray, labels: IntArray) -> FloatArray:
    """Centroid of every topic, shape (topics, dimensions). Unassigned texts do not count."""
    return normalize_rows(sum_vectors(vectors, labels))


def sum_vectors(vectors: FloatArray, labels: IntArray) -> FloatArray:
    """Sum of the vectors of every topic, shape (topics, dimensions). Unassigned texts do not count."""
    is_assigned = labels != NO_TOPIC
    count = int(labels.max(initial=-1)) + 1
    members = sp.csr_matrix(
        (np.ones(int(is_assigned.sum()), np.float32), (labels[is_assigned], np.flatnonzero(is_assigned))),
        (count, len(labels)),
    )
    return np.asarray(members @ vectors)


def renumber_by_size(labels: IntArray, min_texts: int) -> IntArray:
    """Labels renumbered from 0, the largest topic first. Topics of fewer than ``min_texts`` texts become NO_TOPIC."""
    found, first, counts = np.unique(labels, return_index=True, return_counts=True)
    is_kept = (found != NO_TOPIC) & (counts >= min_texts)
    order = np.lexsort((first[is_kept], -counts[is_kept]))
    renumbered = dict(zip(found[is_kept][order].tolist(), range(len(order)), strict=True))
    return np.array([renumbered.get(label, NO_TOPIC) for label in labels.tolist()], dtype=np.int64)
