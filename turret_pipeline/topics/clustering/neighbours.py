"""Nearest neighbours by cosine with faiss: exact for few texts, by an inverted file index for many."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp

from turret_pipeline.stats.array_types import FloatArray, IntArray

if TYPE_CHECKING:
    import faiss

EXACT_TEXTS = 6_000
"""Maximum number of references for the exact search. Above it, a query searches only nearby cells of the index, so
that the cost is not quadratic."""

PCA_DIMENSIONS, SEARCHED_CELLS, RERANK_FACTOR = 96, 16, 3
"""Principal components in the index, cells searched per query, and candidates per neighbour that are compared in full.

At 24,000 texts this takes an eighth of the time of the exact search and finds 95 % of the 15 nearest, with topics of
the same quality."""

GRAPH_FACTOR, FULL_WEIGHT_SHARE = 1.3, 0.5
"""Neighbours in the graph for each that ``neighbour_count`` asks for, and the share of them with full weight. From that
rank to the last the weight falls to 0, so that a small change of a vector is a small change of the graph."""

TRAINING_ROUNDS, TRAINING_TEXTS_PER_CELL = 6, 60
NOT_FOUND, NOT_FOUND_SIMILARITY = -1, -1.0


@dataclass(frozen=True)
class Neighbours:
    """The k most similar reference vectors of each query, most similar first.

    ``indices`` and ``similarities`` have shape (queries, k), where k is at most the number of references. If the index
    finds fewer, the rest of the row has index NOT_FOUND and similarity NOT_FOUND_SIMILARITY.
    """

    indices: IntArray
    similarities: FloatArray

    def nearest(self, count: int) -> "Neighbours":
        """At most ``count`` of the neighbours of each query."""
        return Neighbours(self.indices[:, :count], self.similarities[:, :count])

    def local_similarity(self, neighbour_counts: IntArray) -> FloatArray:
        """Mean cosine of each query to its nearest neighbours, shape (queries,), 0 without any.

        ``neighbour_counts`` has the number of neighbours for each query. At least 3 are used, if they were found.
        """
        count, k = self.similarities.shape
        is_found = self.indices != NOT_FOUND
        sums = np.cumsum(np.where(is_found, self.similarities, 0), axis=1, dtype=np.float64)
        means = sums / np.maximum(np.cumsum(is_found, axis=1), 1)
        return np.asarray(means[np.arange(count), np.clip(neighbour_counts, min(3, k), k) - 1], dtype=np.float32)


def neighbour_count(text_count: int) -> int:
    """Number of neighbours of a text in the graph: the logarithm to base 2 of the number of texts.

    This keeps the neighbour graph connected (Brito, Chavez, Quiroz, Yukich 1997). More would blur small topics.
    """
    return int(np.clip(round(np.log2(max(text_count, 1))), 3, 20))


def graph_neighbour_count(text_count: int) -> int:
    """Number of neighbours that a text has in the neighbour graph."""
    return round(GRAPH_FACTOR * neighbour_count(text_count))


def find_graph_neighbours(vectors: FloatArray) -> Neighbours:
    """The other vectors that are neighbours of each vector in the neighbour graph."""
    return find_nearest_others(vectors, graph_neighbour_count(len(vectors)))


def find_nearest(queries: FloatArray, references: FloatArray, k: int) -> Neighbours:
    """The k nearest references of each query. Rows of both are unit vectors."""
    k = min(k, len(references))
    if k == 0 or len(queries) == 0:
        return Neighbours(np.empty((len(queries), k), np.int64), np.empty((len(queries), k), np.float32))
    return search_index(build_index(references), queries, k)


def search_index(index: "faiss.Index", queries: FloatArray, k: int) -> Neighbours:
    """The k nearest references of each query, of an index of at least k references (``build_index``)."""
    similarities, indices = index.search(np.ascontiguousarray(queries, dtype=np.float32), k)
    return _sort_by_similarity(indices, similarities)


def find_nearest_others(vectors: FloatArray, k: int) -> Neighbours:
    """The k nearest other vectors of each vector."""
    k = min(k, max(len(vectors) - 1, 0))
    found = find_nearest(vectors, vectors, k + 1)
    if k == 0:
        return Neighbours(found.indices[:, :0], found.similarities[:, :0])
    is_itself = found.indices == np.arange(len(vectors))[:, None]
    is_itself[~is_itself.any(axis=1), -1] = True  # more than k equal vectors: drop the last one instead
    shape = (len(vectors), k)
    return Neighbours(found.indices[~is_itself].reshape(shape), found.similarities[~is_itself].reshape(shape))


def build_index(references: FloatArray) -> "faiss.Index":
    """An index of unit vectors for searches by cosine."""
    import faiss

    references = np.ascontiguousarray(references, dtype=np.float32)
    count, dimensions = references.shape
    if count <= EXACT_TEXTS:
        exact = faiss.IndexFlatIP(dimensions)
        exact.add(references)
        return exact
    reduced = min(PCA_DIMENSIONS, dimensions)
    description = f"PCA{reduced},IVF{int(count**0.5)},Flat,RFlat"
    index: Any = faiss.index_factory(dimensions, description, faiss.METRIC_INNER_PRODUCT)
    index.k_factor = RERANK_FACTOR
    cells: Any = faiss.extract_index_ivf(faiss.downcast_index(index.base_index))
    cells.nprobe = SEARCHED_CELLS
    cells.cp.niter, cells.cp.max_points_per_centroid = TRAINING_ROUNDS, TRAINING_TEXTS_PER_CELL
    index.train(references)
    index.add(references)
    return index  # type: ignore[no-any-return]


def _sort_by_similarity(indices: IntArray, similarities: FloatArray) -> Neighbours:
    """Neighbours with the most similar first and missing ones last. Equal similarities are sorted by index."""
    similarities = np.where(indices == NOT_FOUND, NOT_FOUND_SIMILARITY, similarities)
    order = np.lexsort((indices, -similarities), axis=1)
    return Neighbours(np.take_along_axis(indices, order, axis=1), np.take_along_axis(similarities, order, axis=1))


def neighbour_graph(neighbours: Neighbours) -> sp.csr_matrix:
    """Symmetric graph with an edge between texts if either is a neighbour of the other.

    Weights are the squared cosine, less for the last neighbours (FULL_WEIGHT_SHARE).
    """
    count, k = neighbours.indices.shape
    if not k:
        return sp.csr_matrix((count, count))
    similarities = neighbours.similarities.astype(np.float64)
    lowest = similarities[:, -1:]
    full = similarities[:, [int(np.ceil(FULL_WEIGHT_SHARE * k)) - 1]]
    share = np.where(similarities >= full, 1, (similarities - lowest) / np.maximum(full - lowest, 1e-9))
    is_edge = (neighbours.indices != NOT_FOUND) & (share > 0)
    weights = np.clip(similarities[is_edge], 1e-3, None) ** 2 * share[is_edge]
    directed = sp.csr_matrix((weights, (np.nonzero(is_edge)[0], neighbours.indices[is_edge])), shape=(count, count))
    graph = directed.maximum(directed.T).tocsr()
    graph.sort_indices()
    return graph
