"""Consensus clustering of texts on their neighbour graph. The number of clusters is found from the data.

1. The resolution is found (resolution.py).
2. At this resolution the graph is partitioned many times with different seeds. The co-association of two neighbours is
   the share of these partitions in which they share a cluster (Strehl, Ghosh: Cluster ensembles, 2002).
3. Edges are weighted by co-association, and the graph is partitioned once more (Lancichinetti, Fortunato: Consensus
   clustering in complex networks, 2012; Poulin, Theberge: Ensemble clustering for graphs, 2018).

A single partition depends on its seed and on the last digits of the vectors, which differ between processors. The
result depends little on either.
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from turret_pipeline.stats.array_types import FloatArray, IntArray
from turret_pipeline.topics.clustering.ensemble import count_runs, is_within_cluster, partition
from turret_pipeline.topics.clustering.resolution import find_resolution

RUN_BUDGET, RUNS = 60_000, (8, 24)
"""Texts to cluster over all partitions, and the minimum and maximum number of these."""

MIN_WEIGHT_SHARE = 0.05
"""Share of its weight that an edge keeps at co-association 0, so that the graph stays connected."""


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
        within = is_within_cluster(self.co_association, self.labels)
        return float(self.co_association.data[within].mean()) if within.any() else 1.0


def cluster_texts(graph: sp.csr_matrix, vectors: FloatArray, granularity: float, seed: int) -> Clustering:
    """Clusters of the texts of a neighbour graph. ``vectors`` are the unit vectors of the texts."""
    best = find_resolution(graph, vectors, seed)
    if best is None:
        return Clustering(np.zeros(len(vectors), dtype=np.int64), _replace_weights(graph, np.ones(graph.nnz)))
    resolution, count = best * granularity, len(vectors)
    runs = count_runs(count, RUN_BUDGET, RUNS)
    votes = np.zeros(graph.nnz)
    for run in range(runs):
        votes += is_within_cluster(graph, partition(graph, resolution, seed * RUNS[1] + run))
    share = votes / runs
    weighted = _replace_weights(graph, graph.data * (MIN_WEIGHT_SHARE + (1 - MIN_WEIGHT_SHARE) * share))
    return Clustering(partition(weighted, resolution, seed), _replace_weights(graph, share))


def _replace_weights(graph: sp.csr_matrix, weights: FloatArray) -> sp.csr_matrix:
    return sp.csr_matrix((weights, graph.indices, graph.indptr), shape=graph.shape)
