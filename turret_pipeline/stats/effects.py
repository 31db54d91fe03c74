"""Design effects: by how much events that hang together tell less than as many independent ones.

Events of one user are not independent: a user comes back to the same subjects. Whatever hangs together is a cluster.
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from turret_pipeline.stats.array_types import FloatArray, IntArray


def share_effects(
    count: FloatArray, total: FloatArray, squares: FloatArray, crossed: FloatArray, total_squares: FloatArray
) -> FloatArray:
    """Design effect of each share count / total, from how both are spread over clusters; at least 1.

    ``squares`` are the sums over the clusters of their count squared, ``crossed`` of their count times their total, and
    ``total_squares`` of their total squared: the variance of a ratio, by its linearization (Cochran 1977, 11.8), over
    that of independent events. Where only one cluster is known, or nothing varies, it is 1.
    """
    share = count / total
    residual = squares - 2 * share * crossed + share**2 * total_squares
    freedom = 1 - total_squares / total**2  # the share is fitted to the same events, here and in its variance
    expected = freedom * count * (1 - share) * total / np.maximum(total - 1, 1)
    known = expected > 1e-9
    return np.maximum(1, np.divide(residual, expected, out=np.ones_like(share), where=known))


def linearized(
    counts: sp.csr_matrix, totals: sp.csr_matrix, total: IntArray, count: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Variance of each group's share less that of the rest, and the clusters of equal size that would tell as much.

    ``counts`` and ``totals`` are of shape (clusters, groups), ``total`` and ``count`` of all groups together.
    """
    inside, done = (np.asarray(part.sum(axis=0)).ravel() for part in (totals, counts))
    outside, other = total.sum() - inside, count.sum() - done
    parts = (counts, 1 / inside + 1 / outside), (totals, -(done / inside**2 + other / outside**2))
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
class Pairs:
    """How far the events of some pairs go together: sums over the pairs, as a multiple of independent events' variance.

    ``counts`` is about what is counted, shape (counts,), ``groups`` about who is in a group, shape (groups,), and
    ``size`` is the number of pairs per event.
    """

    counts: FloatArray
    groups: FloatArray
    size: float

    def __sub__(self, finer: "Pairs") -> "Pairs":
        """The pairs of one cluster that are not of one cluster of a finer kind."""
        return Pairs(self.counts - finer.counts, self.groups - finer.groups, self.size - finer.size)


def pairs_within(counts: sp.csr_matrix, groups: sp.csr_matrix, exposure: FloatArray, totals: FloatArray) -> Pairs:
    """The pairs of events within clusters.

    ``counts`` and ``groups`` have for each cluster (rows) its events that are counted, or are in the group.
    ``exposure`` has all its events in each period, shape (clusters, periods), ``totals`` the counted events of each
    period, shape (periods, counts): where a share differs between periods, events go together as far as both are off
    the share of their period.
    """
    sizes = exposure.sum(axis=1)
    whole = sizes.sum()
    return Pairs(_of_counts(counts, exposure, totals), _of_groups(groups, sizes), float((sizes**2).sum() / whole - 1))


def _of_counts(counts: sp.csr_matrix, exposure: FloatArray, totals: FloatArray) -> FloatArray:
    sizes = exposure.sum(axis=0)
    shares = totals / sizes[:, None]
    within = exposure.T @ exposure
    squares = np.bincount(counts.indices, counts.data**2, counts.shape[1])
    crossed = (shares * np.asarray(counts.T @ exposure).T).sum(axis=0)
    residual = squares - 2 * crossed + np.einsum("pc,pq,qc->c", shares, within, shares)
    freedom = 1 - (np.diag(within) / sizes).sum() / sizes.sum()  # the shares are fitted to the same events
    return _excess(residual, freedom * (totals * (1 - shares)).sum(axis=0))


def _of_groups(groups: sp.csr_matrix, sizes: FloatArray) -> FloatArray:
    totals = np.asarray(groups.sum(axis=0), dtype=np.float64).ravel()
    shares = totals / sizes.sum()
    squares = np.bincount(groups.indices, groups.data**2, groups.shape[1])
    residual = squares - 2 * shares * np.asarray(groups.T @ sizes).ravel() + shares**2 * (sizes**2).sum()
    return _excess(residual, totals * (1 - shares))


def _excess(residual: FloatArray, expected: FloatArray) -> FloatArray:
    """residual / expected - 1, and 0 where nothing varies or there is only one cluster to see it in."""
    known = expected > 1e-9
    return np.asarray(np.divide(residual, expected, out=np.ones_like(expected), where=known) - 1)


def design_effects(*disjoint: Pairs) -> FloatArray:
    """Inflation of the variance of each count's difference between each group and the rest, shape (counts, groups).

    Pairs inflate it as far as both what is counted and the group go together in them (Moulton 1986): for a group that
    is drawn anew for every event it is 1. The pairs of different kinds must be different ones.
    """
    excess = sum(
        np.maximum(0, pairs.counts)[:, None] * np.maximum(0, pairs.groups)[None, :] / pairs.size
        for pairs in disjoint
        if pairs.size > 0
    )
    return 1 + excess * np.ones((len(disjoint[0].counts), len(disjoint[0].groups)))


def count_matrix(rows: IntArray, columns: IntArray, shape: tuple[int, int]) -> sp.csr_matrix:
    """How often each pair of row and column occurs; pairs with -1 do not count."""
    has = (rows >= 0) & (columns >= 0)
    return sp.csr_matrix((np.ones(int(has.sum())), (rows[has], columns[has])), shape=shape)
