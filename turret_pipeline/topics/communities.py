"""Topics of texts that have none yet: communities of the neighbour graph, their number found without being told.

Leiden (Traag, Waltman, van Eck: From Louvain to Leiden, 2019) at several resolutions; the partition with the highest
sum of modularity and mean silhouette is taken.
"""

import graspologic_native
import numpy as np
import scipy.sparse as sp

from turret_pipeline.topics.arrays import FloatArray, IntArray
from turret_pipeline.topics.embedding import unit

RESOLUTIONS = (0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0, 5.7, 8.0)
LEIDEN_ROUNDS = 3
NO_TOPIC = -1


def find_topics(graph: sp.csr_matrix, vectors: FloatArray, granularity: float, min_texts: int, seed: int) -> IntArray:
    """A topic for every text, shape (texts,), largest topic 0; NO_TOPIC where its community has under min_texts.

    ``graph`` is the neighbour graph of the texts, ``vectors`` their unit vectors.
    """
    if len(vectors) < 2 * min_texts or graph.nnz == 0:
        return np.full(len(vectors), NO_TOPIC)
    candidates = [(resolution, leiden(graph, resolution, seed)) for resolution in RESOLUTIONS]
    scores = [modularity(graph, labels) + mean_silhouette(vectors, labels) for _, labels in candidates]
    resolution, labels = candidates[int(np.argmax(scores))]
    if granularity != 1:
        labels = leiden(graph, resolution * granularity, seed)
    return by_size(labels, min_texts)


def leiden(graph: sp.csr_matrix, resolution: float, seed: int) -> IntArray:
    """Community of every node, numbered from 0."""
    _, community = graspologic_native.leiden_csr(
        graph.indptr.astype(np.int64),
        graph.indices.astype(np.int32),
        graph.data.astype(np.float64),
        graph.shape[0],
        resolution=resolution,
        iterations=LEIDEN_ROUNDS,
        seed=seed,
    )
    alone = len(community)  # a node without an edge is in no community: it gets one of its own
    return np.array([community.get(node, alone + node) for node in range(graph.shape[0])], dtype=np.int64)


def modularity(graph: sp.csr_matrix, labels: IntArray) -> float:
    """Newman's modularity at resolution 1 of a symmetric weighted graph."""
    degrees = np.asarray(graph.sum(axis=1)).ravel()
    total = degrees.sum()
    rows = np.repeat(np.arange(graph.shape[0]), np.diff(graph.indptr))
    within = graph.data[labels[rows] == labels[graph.indices]].sum()
    return float(within / total - (np.bincount(labels, degrees) ** 2).sum() / total**2)


def mean_silhouette(vectors: FloatArray, labels: IntArray) -> float:
    """Mean silhouette by cosine distance to centroids, own against nearest other; 0 for a single topic."""
    similarities = vectors @ centroids(vectors, labels).T
    if similarities.shape[1] < 2:
        return 0.0
    rows = np.arange(len(vectors))
    own = 1 - similarities[rows, labels]
    similarities[rows, labels] = -np.inf
    other = 1 - similarities.max(axis=1)
    return float(np.mean((other - own) / np.maximum(np.maximum(own, other), 1e-9)))


def centroids(vectors: FloatArray, labels: IntArray) -> FloatArray:
    """Unit mean vector of every topic, shape (topics, dimensions); texts without a topic do not count."""
    has = labels != NO_TOPIC
    count = int(labels.max(initial=-1)) + 1
    members = sp.csr_matrix(
        (np.ones(int(has.sum()), np.float32), (labels[has], np.flatnonzero(has))), (count, len(labels))
    )
    return unit(np.asarray(members @ vectors))


def by_size(labels: IntArray, min_texts: int) -> IntArray:
    """Renumber topics from the largest down; those with under min_texts become NO_TOPIC."""
    found, first, counts = np.unique(labels, return_index=True, return_counts=True)
    keep = (found != NO_TOPIC) & (counts >= min_texts)
    order = np.lexsort((first[keep], -counts[keep]))
    renumbered = dict(zip(found[keep][order].tolist(), range(len(order)), strict=True))
    return np.array([renumbered.get(label, NO_TOPIC) for label in labels.tolist()], dtype=np.int64)
