"""Nearest neighbours by cosine, exact, in blocks of matrix products."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from turret_pipeline.topics.arrays import FloatArray, IntArray

BLOCK_ELEMENTS = 2**25
"""Similarities that are held at a time: 128 MB, and twice that while the largest are picked."""


@dataclass(frozen=True)
class Neighbours:
    """The k most similar reference vectors of each query, most similar first.

    ``indices`` and ``similarities`` have shape (queries, k); k is smaller than asked for where there are
    fewer references.
    """

    indices: IntArray
    similarities: FloatArray

    def mean_similarity(self) -> FloatArray:
        """Mean cosine to the neighbours, shape (queries,): low where a text has no company."""
        if self.similarities.shape[1] == 0:
            return np.zeros(len(self.similarities), dtype=np.float32)
        return np.asarray(self.similarities.mean(axis=1, dtype=np.float64), dtype=np.float32)


def neighbour_count(text_count: int) -> int:
    """How many neighbours speak for a text: 15, fewer where there are fewer than 225 texts."""
    return int(np.clip(round(text_count**0.5), 3, 15))


def nearest(queries: FloatArray, references: FloatArray, k: int) -> Neighbours:
    """The k nearest references of each query. Rows of both are unit vectors."""
    k = min(k, len(references))
    indices = np.empty((len(queries), k), dtype=np.int64)
    similarities = np.empty((len(queries), k), dtype=np.float32)
    if k == 0:
        return Neighbours(indices, similarities)
    step = max(1, BLOCK_ELEMENTS // len(references))
    for start in range(0, len(queries), step):
        rows = slice(start, start + step)
        indices[rows], similarities[rows] = _top(queries[rows] @ references.T, k)
    return Neighbours(indices, similarities)


def nearest_others(vectors: FloatArray, k: int) -> Neighbours:
    """The k nearest of each vector among the others."""
    k = min(k, max(len(vectors) - 1, 0))
    indices = np.empty((len(vectors), k), dtype=np.int64)
    similarities = np.empty((len(vectors), k), dtype=np.float32)
    if k == 0:
        return Neighbours(indices, similarities)
    step = max(1, BLOCK_ELEMENTS // len(vectors))
    for start in range(0, len(vectors), step):
        block = vectors[start : start + step] @ vectors.T
        rows = np.arange(len(block))
        block[rows, start + rows] = -np.inf
        indices[start : start + len(block)], similarities[start : start + len(block)] = _top(block, k)
    return Neighbours(indices, similarities)


def _top(similarities: FloatArray, k: int) -> tuple[IntArray, FloatArray]:
    candidates = np.argpartition(similarities, -k, axis=1)[:, -k:]
    values = np.take_along_axis(similarities, candidates, axis=1)
    order = np.lexsort((candidates, -values), axis=1)
    return np.take_along_axis(candidates, order, axis=1), np.take_along_axis(values, order, axis=1)


def neighbour_graph(neighbours: Neighbours) -> sp.csr_matrix:
    """Symmetric graph over the texts: an edge where either is a neighbour of the other, weight the cosine."""
    count, k = neighbours.indices.shape
    rows = np.repeat(np.arange(count), k)
    weights = np.clip(neighbours.similarities.ravel().astype(np.float64), 1e-6, None)
    directed = sp.csr_matrix((weights, (rows, neighbours.indices.ravel())), shape=(count, count))
    graph = directed.maximum(directed.T).tocsr()
    graph.sort_indices()
    return graph
