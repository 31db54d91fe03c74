"""Comparison of two shares over clusters that may be on both sides, from sums of products over the clusters.

Users are active in two periods, or in a segment and outside of it. The sums come from a database, so that no row per
event or per cluster is needed in memory.
"""

from dataclasses import dataclass

import numpy as np

from turret_pipeline.stats.array_types import FloatArray, IntArray
from turret_pipeline.stats.groups import MIN_CLUSTERS, MIN_EVENTS
from turret_pipeline.stats.shares import Comparison, compare_shares

PARTS = ("count", "other_count", "total", "other_total")
"""Of a cluster: its counted events on the first and on the second side, and all its events on either side."""


@dataclass(frozen=True)
class PairSums:
    """Sums over clusters for several pairs of shares, such as one pair per topic.

    ``sums`` has shape (pairs, 4): the sum of each of PARTS. ``products`` has shape (pairs, 4, 4): the sums of their
    products. ``clusters`` are the clusters with counted events on either side, of shape (pairs,).
    """

    sums: FloatArray
    products: FloatArray
    clusters: IntArray


def compare_pairs(pairs: PairSums) -> Comparison:
    """Comparison of count / total with other_count / other_total of each pair, of shape (pairs,).

    All totals are above 0. Pairs with fewer than MIN_EVENTS counted events on both sides together, or with fewer than
    MIN_CLUSTERS clusters of them, have no p-value (NaN): such tests find nothing, and only weaken the others.
    """
    count, other_count, total, other_total = pairs.sums.T
    variance, clusters = find_pair_variance(pairs)
    independent = count * (total - count) / total**3 + other_count * (other_total - other_count) / other_total**3
    effects = np.divide(variance, independent, out=np.ones_like(variance), where=independent > 0)
    found = compare_shares(count, total, other_count, other_total, np.maximum(1, effects), np.maximum(clusters - 1, 1))
    is_tested = (count + other_count >= MIN_EVENTS) & (pairs.clusters >= MIN_CLUSTERS)
    p_greater, p_value = (np.where(is_tested, values, np.nan) for values in (found.p_greater, found.p_value))
    return Comparison(found.difference, found.low, found.high, p_greater, p_value)


def find_pair_variance(pairs: PairSums) -> tuple[FloatArray, FloatArray]:
    """Variance of the difference of the shares of each pair, and the effective number of clusters, of shape (pairs,).

    The variance is that of sums over clusters, by linearization (Cochran 1977, 11.8), as in
    ``effects.linearized_variance``. The effective number is that of clusters of equal size, of the side with fewer.
    """
    count, other_count, total, other_total = pairs.sums.T
    weights = np.stack([1 / total, -1 / other_total, -count / total**2, other_count / other_total**2], axis=1)
    variance = np.maximum(0, np.einsum("pi,pij,pj->p", weights, pairs.products, weights))
    sizes = pairs.products[:, 2, 2], pairs.products[:, 3, 3]
    clusters = np.minimum(total**2 / sizes[0], other_total**2 / sizes[1])
    return variance * clusters / np.maximum(clusters - 1, 1), clusters
