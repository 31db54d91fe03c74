"""Groups of texts: communities of the neighbour graph, their number found without being told.

Leiden (Traag, Waltman, van Eck: From Louvain to Leiden, 2019) at several resolutions; the one whose partition has the
highest sum of modularity and mean silhouette is taken. At that resolution Leiden runs several times with other seeds,
and once more on the graph in which an edge weighs the more, the oftener its ends were together (Poulin, Theberge:
Ensemble clustering for graphs, 2018): what chance decides in one run is outvoted.
"""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import graspologic_native
import numpy as np
import scipy.sparse as sp

from turret_pipeline.topics.arrays import FloatArray, IntArray
from turret_pipeline.topics.embedding import unit

RESOLUTIONS = (0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0, 5.7, 8.0)
FINAL_ROUNDS = 3
FEW_TEXTS = 6_000
"""Up to so many texts chance has more of a say and Leiden is quick: it runs more often, and for more rounds."""

SEARCHED_TEXTS, LEAST_SEARCHES, MOST_SEARCHES = 36_000, 3, 24
"""Few texts are grouped so many times at each resolution, until about SEARCHED_TEXTS were grouped: the score of one
partition varies by 0.01, more than good resolutions differ, and with three runs the order of the texts decided."""

NEARLY_BEST, NEARLY_BEST_OF_TWO = 0.004, 0.006
"""Of resolutions whose scores differ by less the coarsest is taken: fewer topics that say as much. The score of two
partitions is known less well."""

BALLOTS, FEWER_BALLOTS = 8, 4
LEAST_WEIGHT = 0.05
"""What an edge keeps of its weight if its ends were never together: the graph stays connected."""

NO_TOPIC = -1
T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Grouping:
    """``labels`` has the group of every text, shape (texts,).

    ``togetherness`` is a graph like the one that was grouped; its edges say in which share of the runs their ends were
    in one group.
    """

    labels: IntArray
    togetherness: sp.csr_matrix

    def stability(self) -> float:
        """Mean togetherness of the neighbours that are in one group: 1 where chance decided nothing."""
        rows = np.repeat(np.arange(len(self.labels)), np.diff(self.togetherness.indptr))
        within = self.labels[rows] == self.labels[self.togetherness.indices]
        return float(self.togetherness.data[within].mean()) if within.any() else 1.0


def group_texts(graph: sp.csr_matrix, vectors: FloatArray, granularity: float, seed: int) -> Grouping:
    """Groups of the texts of a neighbour graph; ``vectors`` are their unit vectors."""
    is_small = len(vectors) <= FEW_TEXTS
    rounds, ballots = (FINAL_ROUNDS, BALLOTS) if is_small else (1, FEWER_BALLOTS)
    resolution = find_resolution(graph, vectors, seed) * granularity
    seeds = [seed * BALLOTS + ballot + 1 for ballot in range(ballots)]
    together = np.zeros(graph.nnz)
    rows = np.repeat(np.arange(graph.shape[0]), np.diff(graph.indptr))
    for labels in _in_threads(lambda each: leiden(graph, resolution, each, rounds), seeds):
        together += labels[rows] == labels[graph.indices]
    together /= ballots
    weighted = _with_data(graph, graph.data * (LEAST_WEIGHT + (1 - LEAST_WEIGHT) * together))
    return Grouping(leiden(weighted, resolution, seed, FINAL_ROUNDS), _with_data(graph, together))


def find_resolution(graph: sp.csr_matrix, vectors: FloatArray, seed: int) -> float:
    """The coarsest resolution whose partitions nearly have the highest sum of modularity and mean silhouette."""
    is_small = len(vectors) <= FEW_TEXTS
    seeds = range(seed, seed + _searches(len(vectors))) if is_small else [seed, seed + 1]
    resolutions = RESOLUTIONS if is_small else RESOLUTIONS[::2]

    def score(resolution: float) -> float:
        partitions = [leiden(graph, resolution, each) for each in seeds]
        return float(np.mean([modularity(graph, labels) + mean_silhouette(vectors, labels) for labels in partitions]))

    scores = np.array(_in_threads(score, resolutions))
    margin = NEARLY_BEST if is_small else NEARLY_BEST_OF_TWO
    return resolutions[int(np.argmax(scores >= scores.max() - margin))]


def _searches(text_count: int) -> int:
    return int(np.clip(SEARCHED_TEXTS // max(text_count, 1), LEAST_SEARCHES, MOST_SEARCHES))


def _in_threads(work: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """Results in the order of the items; Leiden lets go of the interpreter while it runs."""
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        return list(pool.map(work, items))


def _with_data(graph: sp.csr_matrix, data: FloatArray) -> sp.csr_matrix:
    return sp.csr_matrix((data, graph.indices, graph.indptr), shape=graph.shape)


def leiden(graph: sp.csr_matrix, resolution: float, seed: int, rounds: int = 1) -> IntArray:
    """Community of every node, numbered from 0."""
    _, community = graspologic_native.leiden_csr(
        graph.indptr.astype(np.int64),
        graph.indices.astype(np.int32),
        graph.data.astype(np.float64),
        graph.shape[0],
        resolution=resolution,
        iterations=rounds,
        seed=seed,
    )
    alone = len(community)  # a node without an edge is in no community: it gets one of its own
    count = graph.shape[0]
    return np.fromiter((community.get(node, alone + node) for node in range(count)), np.int64, count)


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
