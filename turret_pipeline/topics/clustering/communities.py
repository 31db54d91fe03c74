"""Communities of a graph by Leiden, and what is read from any partition: modularity, silhouette, centroids."""

import graspologic_native
import numpy as np
import scipy.sparse as sp

from turret_pipeline.stats.array_types import FloatArray, IntArray
from turret_pipeline.topics.embedding.embedding import normalize_rows

NO_TOPIC = -1


def leiden(graph: sp.csr_matrix, resolution: float, seed: int, rounds: int = 1) -> IntArray:
    """Community of every node, shape (nodes,), numbered from 0 (Traag, Waltman, van Eck 2019)."""
    count = graph.shape[0]
    drawn = _without_loops(graph)
    _, community = graspologic_native.leiden_csr(
        drawn.indptr.astype(np.int64),
        drawn.indices.astype(np.int32),
        drawn.data.astype(np.float64),
        drawn.shape[0],
        resolution=resolution,
        iterations=rounds,
        seed=seed,
    )
    alone = len(community)  # a node without an edge is in no community: it gets one of its own
    labels = np.fromiter((community.get(node, alone + node) for node in range(count)), np.int64, count)
    return np.unique(labels, return_inverse=True)[1]


def _without_loops(graph: sp.csr_matrix) -> sp.csr_matrix:
    """The graph with every loop as an edge to a leaf, a node of its own: graspologic leaves loops out of account."""
    loops = graph.diagonal()
    if not loops.any():
        return graph
    leaves = sp.diags(loops / 2, format="csr")[:, np.flatnonzero(loops)]
    drawn = sp.bmat([[graph - sp.diags(loops), leaves], [leaves.T, None]], format="csr")
    drawn.eliminate_zeros()
    drawn.sort_indices()
    return drawn


def edge_rows(graph: sp.csr_matrix) -> IntArray:
    """The node that each stored edge comes from, shape (edges,), as ``graph.indices`` has the one it goes to."""
    return np.repeat(np.arange(graph.shape[0]), np.diff(graph.indptr))


def modularity(graph: sp.csr_matrix, labels: IntArray) -> float:
    """Newman's modularity at resolution 1 of a symmetric weighted graph."""
    degrees = np.asarray(graph.sum(axis=1)).ravel()
    total = degrees.sum()
    within = graph.data[labels[edge_rows(graph)] == labels[graph.indices]].sum()
    return float(within / total - (np.bincount(labels, degrees) ** 2).sum() / total**2)


def silhouettes(vectors: FloatArray, labels: IntArray, centres: FloatArray) -> FloatArray:
    """Silhouette of each text by cosine distance to ``centres``, own against nearest other; 0 for a single centre."""
    similarities = vectors @ centres.T
    if similarities.shape[1] < 2:
        return np.zeros(len(vectors))
    rows = np.arange(len(vectors))
    own = 1 - similarities[rows, labels]
    similarities[rows, labels] = -np.inf
    other = 1 - similarities.max(axis=1)
    return np.asarray((other - own) / np.maximum(np.maximum(own, other), 1e-9))


def centroids(vectors: FloatArray, labels: IntArray) -> FloatArray:
    """Unit mean vector of every topic, shape (topics, dimensions); texts without a topic do not count."""
    return normalize_rows(sums_of(vectors, labels))


def sums_of(vectors: FloatArray, labels: IntArray) -> FloatArray:
    """Sum of the vectors of every topic, shape (topics, dimensions); texts without a topic do not count."""
    has = labels != NO_TOPIC
    count = int(labels.max(initial=-1)) + 1
    members = sp.csr_matrix(
        (np.ones(int(has.sum()), np.float32), (labels[has], np.flatnonzero(has))), (count, len(labels))
    )
    return np.asarray(members @ vectors)


def by_size(labels: IntArray, min_texts: int) -> IntArray:
    """Renumber topics from the largest down; those with under min_texts become NO_TOPIC."""
    found, first, counts = np.unique(labels, return_index=True, return_counts=True)
    keep = (found != NO_TOPIC) & (counts >= min_texts)
    order = np.lexsort((first[keep], -counts[keep]))
    renumbered = dict(zip(found[keep][order].tolist(), range(len(order)), strict=True))
    return np.array([renumbered.get(label, NO_TOPIC) for label in labels.tolist()], dtype=np.int64)
