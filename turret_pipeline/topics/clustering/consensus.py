"""Groups of texts: communities of the neighbour graph, their number found without being told.

Leiden runs a few times over the whole graph, at a fine resolution and with other seeds. Texts that are together in all
of these runs are one core (Ovelgoenne, Geyer-Schulz: An ensemble learning strategy for graph clustering, 2012), and
the graph of the cores, a fortieth of the size, is where resolutions are tried: the one is taken whose partitions have
the highest sum of modularity and mean silhouette, less a little for each topic. There every fine partition is
coarsened by itself, and texts move to where they add most. An edge weighs the more, the oftener its ends were together
in these (Poulin, Theberge: Ensemble clustering for graphs, 2018), and the cores are grouped once more by these
weights: what chance decides in one run is outvoted.
"""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import scipy.sparse as sp

from turret_pipeline.stats.array_types import FloatArray, IntArray
from turret_pipeline.topics.clustering.communities import centroids, edge_rows, leiden, modularity, silhouettes, sums_of

RESOLUTIONS = (0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0, 5.7, 8.0)
CORE_RESOLUTION = 8.0
"""Cores are to be finer than any group: they come from runs at the finest resolution, or the granularity times that."""

PARSIMONY = 0.01
"""What the logarithm of the number of groups costs: of partitions that say as much, fewer groups are better."""

GROUPED_TEXTS, CORE_RUNS, SEARCHES, BALLOTS = 36_000, (4, 24), (2, 16), (8, 24)
"""Of few texts chance has more of a say, and Leiden is quick: they are grouped as often as makes GROUPED_TEXTS, within
these bounds, for the cores, at each resolution and for the votes. The score of one partition varies by 0.01."""

ONE_KIND = 0.75
"""Partitions of texts of one kind, at random around one centre, score up to 0.6; those of the least clear sets of
real texts above 0.9. Below this score there is a single group."""

LEAST_TEXTS = 5
"""A smaller group says nothing of its texts, as its centre is hardly more than they are: their silhouette is 0."""

SILHOUETTE_TEXTS = 4_000
"""So many texts, evenly chosen, tell the mean silhouette well enough to choose a resolution by."""

FINAL_ROUNDS, MOVES = 3, 4
LEAST_WEIGHT = 0.05
"""What an edge keeps of its weight if its ends were never together: the graph stays connected."""

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
        within = _is_within(self.togetherness, self.labels)
        return float(self.togetherness.data[within].mean()) if within.any() else 1.0


def group_texts(graph: sp.csr_matrix, vectors: FloatArray, granularity: float, seed: int) -> Grouping:
    """Groups of the texts of a neighbour graph; ``vectors`` are their unit vectors."""
    fine = fine_partitions(graph, CORE_RESOLUTION * max(1.0, granularity), seed)
    core = meet(fine)
    found = find_resolution(condensed(graph, core), core, vectors, seed)
    if found is None:
        return Grouping(np.zeros(len(vectors), dtype=np.int64), _with_data(graph, np.ones(graph.nnz)))
    resolution = found * granularity
    together, ballots = np.zeros(graph.nnz), _repetitions(len(vectors), BALLOTS)
    for labels in _in_threads(lambda ballot: _vote(graph, fine, resolution, ballot, seed), range(ballots)):
        together += _is_within(graph, labels)
    together /= ballots
    weighted = _with_data(graph, graph.data * (LEAST_WEIGHT + (1 - LEAST_WEIGHT) * together))
    labels = leiden(condensed(weighted, core), resolution, seed, FINAL_ROUNDS)[core]
    return Grouping(settled(weighted, labels, resolution), _with_data(graph, together))


def _vote(graph: sp.csr_matrix, fine: list[IntArray], resolution: float, ballot: int, seed: int) -> IntArray:
    """A partition made of one of the fine ones only, so that the votes depend on each other as little as can be."""
    core = fine[ballot % len(fine)]
    labels = leiden(condensed(graph, core), resolution, seed * BALLOTS[1] + ballot + 1)[core]
    return settled(graph, labels, resolution)


def fine_partitions(graph: sp.csr_matrix, resolution: float, seed: int) -> list[IntArray]:
    """Partitions by Leiden with several seeds, each of shape (texts,)."""
    runs = _repetitions(graph.shape[0], CORE_RUNS)
    return _in_threads(lambda run: leiden(graph, resolution, seed * CORE_RUNS[1] + run), range(runs))


def meet(partitions: list[IntArray]) -> IntArray:
    """The finest common grouping: texts of one core, numbered from 0, are together in all of the partitions."""
    core = np.zeros(len(partitions[0]), dtype=np.int64)
    for labels in partitions:
        core = np.unique(core * (labels.max(initial=0) + 1) + labels, return_inverse=True)[1]
    return core


def condensed(graph: sp.csr_matrix, core: IntArray) -> sp.csr_matrix:
    """The graph with one node for each core: its edges weigh what those of the texts do together, loops included."""
    member = _membership(core)
    return (member.T @ graph @ member).tocsr()


def find_resolution(cores: sp.csr_matrix, core: IntArray, vectors: FloatArray, seed: int) -> float | None:
    """The resolution whose partitions of the graph ``cores`` have the best score; ``core`` is that of each text.

    None where the texts are of one kind.
    """
    sums, sizes = sums_of(vectors, core), np.bincount(core)
    chosen = np.arange(0, len(vectors), max(1, len(vectors) // SILHOUETTE_TEXTS))
    sample, seeds = vectors[chosen], range(seed, seed + _repetitions(len(vectors), SEARCHES))

    def score(resolution: float) -> float:
        return float(np.mean([_score(leiden(cores, resolution, each)) for each in seeds]))

    def _score(labels: IntArray) -> float:
        of_sample = labels[core[chosen]]
        counts = np.bincount(labels, sizes)[of_sample] >= LEAST_TEXTS
        silhouette = float(np.mean(silhouettes(sample, of_sample, centroids(sums, labels)) * counts))
        return modularity(cores, labels) + silhouette - PARSIMONY * float(np.log(labels.max() + 1))

    scores = _in_threads(score, RESOLUTIONS)
    return RESOLUTIONS[int(np.argmax(scores))] if max(scores) >= ONE_KIND else None


def _repetitions(text_count: int, bounds: tuple[int, int]) -> int:
    return int(np.clip(GROUPED_TEXTS // max(text_count, 1), *bounds))


def settled(graph: sp.csr_matrix, labels: IntArray, resolution: float) -> IntArray:
    """The partition after MOVES times every text went to the group where modularity gains most by it, all at once."""
    degrees = np.asarray(graph.sum(axis=1)).ravel()
    for _ in range(MOVES):
        drawn = (graph @ _membership(labels)).tocsr()  # shape (texts, groups): weight of the edges from text to group
        rows, groups = edge_rows(drawn), drawn.indices
        others = np.bincount(labels, degrees)[groups] - degrees[rows] * (labels[rows] == groups)
        gain = drawn.data - resolution * degrees[rows] * others / degrees.sum()
        order = np.lexsort((-groups, gain, rows))  # the last of each row's is the best
        best = order[np.cumsum(np.diff(drawn.indptr))[np.diff(drawn.indptr) > 0] - 1]
        labels = labels.copy()
        labels[rows[best]] = groups[best]
    return np.unique(labels, return_inverse=True)[1]


def _membership(labels: IntArray) -> sp.csr_matrix:
    count = len(labels)
    return sp.csr_matrix((np.ones(count, np.float32), labels, np.arange(count + 1)), (count, int(labels.max()) + 1))


def _is_within(graph: sp.csr_matrix, labels: IntArray) -> "np.typing.NDArray[np.bool_]":
    """Which of the stored edges have both ends in one group."""
    return np.asarray(labels[edge_rows(graph)] == labels[graph.indices])


def _with_data(graph: sp.csr_matrix, data: FloatArray) -> sp.csr_matrix:
    return sp.csr_matrix((data, graph.indices, graph.indptr), shape=graph.shape)


def _in_threads(work: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """Results in the order of the items; Leiden lets go of the interpreter while it runs."""
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        return list(pool.map(work, items))
