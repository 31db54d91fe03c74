"""Design effects: how much correlated events inflate the variance, compared with independent ones.

Events of one user are not independent, because a user returns to the same subjects. Here a cluster is a set of events
that may be correlated.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from turret_pipeline.stats.array_types import FloatArray, IntArray

if TYPE_CHECKING:
    import scipy.sparse as sp


def share_design_effects(
    count: FloatArray, total: FloatArray, squares: FloatArray, crossed: FloatArray, total_squares: FloatArray
) -> FloatArray:
    """Design effect of each share count / total, at least 1.

    It is the variance of a ratio by linearization (Cochran 1977, 11.8), divided by that of independent events.
    ``squares``, ``crossed`` and ``total_squares`` are sums over clusters: of the count squared, the count times the
    total, and the total squared. The effect is 1 for a single cluster and if nothing varies.
    """
    share = count / total
    residual = squares - 2 * share * crossed + share**2 * total_squares
    freedom = 1 - total_squares / total**2  # the share is estimated from the same events
    expected = freedom * count * (1 - share) * total / np.maximum(total - 1, 1)
    known = expected > 1e-9
    return np.maximum(1, np.divide(residual, expected, out=np.ones_like(share), where=known))


def linearized_variance(
    counts: "sp.csr_matrix", totals: "sp.csr_matrix", total: IntArray, count: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Variance of the difference between each group's share and that of the rest, and the effective number of clusters.

    ``counts`` and ``totals`` have shape (clusters, groups); ``total`` and ``count`` are those of all groups together,
    of shape (clusters,). The effective number is that of clusters of equal size. Both results have shape (groups,).
    """
    inside, counted = (np.asarray(matrix.sum(axis=0)).ravel() for matrix in (totals, counts))
    outside, other = total.sum() - inside, count.sum() - counted
    parts = (counts, 1 / inside + 1 / outside), (totals, -(counted / inside**2 + other / outside**2))
    whole = (count, -1 / outside), (total, other / outside**2)
    variance = np.zeros(len(inside))
    for one, weight in parts:
        variance += sum(weight * also * np.asarray(one.multiply(two).sum(axis=0)).ravel() for two, also in parts)
        variance += sum(2 * weight * also * np.asarray(one.T @ sums).ravel() for sums, also in whole)
    variance += sum(weight * also * float(one @ two) for one, weight in whole for two, also in whole)
    squares = np.asarray(totals.multiply(totals).sum(axis=0)).ravel()
    rest = float(total @ total) - 2 * np.asarray(totals.T @ total).ravel() + squares
    clusters = np.minimum(inside**2 / squares, outside**2 / rest)
    return variance * clusters / np.maximum(clusters - 1, 1), clusters


@dataclass(frozen=True)
class PairCorrelations:
    """Correlations of events over a set of pairs: their sums, as multiples of the variance of independent events.

    ``counts`` are those of the counted items, shape (counts,), ``groups`` those of group membership, shape (groups,),
    and ``size`` is the number of pairs per event.
    """

    counts: FloatArray
    groups: FloatArray
    size: float

    def __sub__(self, finer: "PairCorrelations") -> "PairCorrelations":
        """Correlations over the pairs that share a cluster but not one of the finer clusters."""
        return PairCorrelations(self.counts - finer.counts, self.groups - finer.groups, self.size - finer.size)


def pair_correlations(
    counts: "sp.csr_matrix", groups: "sp.csr_matrix", exposure: FloatArray, totals: FloatArray
) -> PairCorrelations:
    """Correlations over all pairs of events that share a cluster.

    ``counts`` has shape (clusters, counts) and ``groups`` shape (clusters, groups). ``exposure`` are the events of each
    cluster in each period, shape (clusters, periods), ``totals`` the counted events of each period, shape (periods,
    counts). Shares may differ between periods: deviations are taken from the share of the period.
    """
    sizes = exposure.sum(axis=1)
    whole = sizes.sum()
    return PairCorrelations(
        _count_correlations(counts, exposure, totals),
        _group_correlations(groups, sizes),
        float((sizes**2).sum() / whole - 1),
    )


def _count_correlations(counts: "sp.csr_matrix", exposure: FloatArray, totals: FloatArray) -> FloatArray:
    sizes = exposure.sum(axis=0)
    shares = totals / sizes[:, None]
    within = exposure.T @ exposure
    squares = np.bincount(counts.indices, counts.data**2, counts.shape[1])
    crossed = (shares * np.asarray(counts.T @ exposure).T).sum(axis=0)
    residual = squares - 2 * crossed + np.einsum("pc,pq,qc->c", shares, within, shares)
    freedom = 1 - (np.diag(within) / sizes).sum() / sizes.sum()  # the shares are estimated from the same events
    return excess_variance(residual, freedom * (totals * (1 - shares)).sum(axis=0))


def _group_correlations(groups: "sp.csr_matrix", sizes: FloatArray) -> FloatArray:
    totals = np.asarray(groups.sum(axis=0), dtype=np.float64).ravel()
    shares = totals / sizes.sum()
    squares = np.bincount(groups.indices, groups.data**2, groups.shape[1])
    residual = squares - 2 * shares * np.asarray(groups.T @ sizes).ravel() + shares**2 * (sizes**2).sum()
    return excess_variance(residual, totals * (1 - shares))


def excess_variance(residual: FloatArray, expected: FloatArray) -> FloatArray:
    """residual / expected - 1, and 0 if nothing varies or there is only one cluster."""
    known = expected > 1e-9
    return np.asarray(np.divide(residual, expected, out=np.ones_like(expected), where=known) - 1)


def subtract_finer(levels: Sequence[PairCorrelations]) -> list[PairCorrelations]:
    """Correlations over disjoint sets of pairs, from those of clusters of which each is within the next."""
    return [levels[0], *(coarse - fine for fine, coarse in itertools.pairwise(levels))]


def design_effects(*disjoint: PairCorrelations) -> FloatArray:
    """Design effect of the difference of each count's share between each group and the rest, shape (counts, groups).

    Pairs inflate the variance if both the counted items and the group membership are correlated in them (Moulton 1986):
    the effect is 1 for a group drawn at random for every event. The arguments must be about disjoint sets of pairs.
    """
    excess = sum(
        np.maximum(0, part.counts)[:, None] * np.maximum(0, part.groups)[None, :] / part.size
        for part in disjoint
        if part.size > 0
    )
    return 1 + excess * np.ones((len(disjoint[0].counts), len(disjoint[0].groups)))


def count_matrix(rows: IntArray, columns: IntArray, shape: tuple[int, int]) -> "sp.csr_matrix":
    """Number of occurrences of each pair of row and column. Pairs with -1 do not count."""
    import scipy.sparse as sp  # costs half a second, which commands that only read tables save

    is_known = (rows >= 0) & (columns >= 0)
    return sp.csr_matrix((np.ones(int(is_known.sum())), (rows[is_known], columns[is_known])), shape=shape)
