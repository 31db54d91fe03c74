"""Whether two groups of events differ in a share: difference, interval, p-value, and q-values over many such questions.

Events of one user are not independent: a user comes back to the same subjects. Whatever hangs together is a cluster,
and a design effect says by how much the clusters inflate the variance of a difference. Counts divided by it are what
as many independent events would tell.

Belongs here: statistics of counts, for topics and journeys alike. Not here: which groups are compared.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

FloatArray: TypeAlias = NDArray[np.floating[Any]]
IntArray: TypeAlias = NDArray[np.integer[Any]]

CONFIDENCE = 0.95

MIN_EVENTS, MIN_CLUSTERS = 10, 5
"""Events, and clusters such as users, that must be of a group, and of none: less says nothing of a group."""


@dataclass(frozen=True)
class Comparison:
    """The share of a group minus that of the other, its confidence interval, and p-values; all of one shape.

    ``p_greater`` is one-sided (is the share of the group larger than chance explains?), ``p_value`` two-sided.
    """

    difference: FloatArray
    low: FloatArray
    high: FloatArray
    p_greater: FloatArray
    p_value: FloatArray


def compare_shares(
    count: ArrayLike,
    total: ArrayLike,
    other_count: ArrayLike,
    other_total: ArrayLike,
    design_effect: ArrayLike = 1.0,
    degrees: ArrayLike = np.inf,
) -> Comparison:
    """count / total against other_count / other_total, for arrays that broadcast; both totals are above 0.

    ``design_effect`` is at least 1. ``degrees`` are the degrees of freedom that it was estimated with (clusters - 1):
    with few, intervals and p-values are those of Student's t. A share of 0 or 1 has an interval of some width too.
    """
    from scipy import stats

    count, total, other_count, other_total, effect = np.broadcast_arrays(
        *(np.asarray(part, dtype=np.float64) for part in (count, total, other_count, other_total, design_effect))
    )
    low, high = _newcombe(
        count, total, other_count, other_total, effect, stats.t.ppf(0.5 + CONFIDENCE / 2, np.asarray(degrees))
    )
    greater, less = (
        stats.t.sf(stats.norm.isf(tail), degrees) for tail in _tails(count, total, other_count, other_total, effect)
    )
    return Comparison(
        difference=count / total - other_count / other_total,
        low=low,
        high=high,
        p_greater=greater,
        p_value=np.minimum(1.0, 2 * np.minimum(greater, less)),
    )


def share_interval(count: ArrayLike, total: ArrayLike, design_effect: ArrayLike = 1.0) -> tuple[FloatArray, FloatArray]:
    """Ends of the 95 % interval of count / total (Wilson 1927), for arrays that broadcast; totals are above 0.

    A share of 0 or 1 has an interval of some width too. ``design_effect`` is at least 1.
    """
    from scipy import stats

    count, total, effect = np.broadcast_arrays(
        *(np.asarray(part, dtype=np.float64) for part in (count, total, design_effect))
    )
    return _wilson(count / total, total / effect, np.asarray(stats.norm.ppf(0.5 + CONFIDENCE / 2)))


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


def _newcombe(
    count: FloatArray,
    total: FloatArray,
    other_count: FloatArray,
    other_total: FloatArray,
    effect: FloatArray,
    critical: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Interval of a difference from the Wilson intervals of both shares (Newcombe 1998, method 10)."""
    one, other = count / total, other_count / other_total
    low, high = _wilson(one, total / effect, critical)
    other_low, other_high = _wilson(other, other_total / effect, critical)
    return (
        one - other - np.hypot(one - low, other_high - other),
        one - other + np.hypot(high - one, other - other_low),
    )


def _wilson(share: FloatArray, total: FloatArray, critical: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Score interval of a share of ``total`` events, which need not be a whole number."""
    square = critical**2 / total
    middle = (share + square / 2) / (1 + square)
    half = np.sqrt(square * (share * (1 - share) + square / 4)) / (1 + square)
    return np.minimum(middle - half, share), np.maximum(middle + half, share)


def _tails(
    count: FloatArray, total: FloatArray, other_count: FloatArray, other_total: FloatArray, effect: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """P-values of "larger" and "smaller" where both groups have one share: binomial tails on effective counts.

    As Korn and Graubard (1998) do for small counts of surveys: the tail of the exact distribution, not of the normal
    one, with as many trials as the data are worth. The trials are the rarest of: a group, the events counted, those
    not counted; that they are drawn from a finite whole makes them worth more.
    """
    from scipy.special import betainc, betaincc

    whole, hits = total + other_total, count + other_count
    margins = np.stack([total, other_total, hits, whole - hits])
    rarest = np.argmin(margins, axis=0)[None]
    trials = np.take_along_axis(margins, rarest, 0)[0]
    cell = np.take_along_axis(np.stack([count, other_count, count, total - count]), rarest, 0)[0]
    chance = np.where(rarest[0] < 2, hits, total) / whole
    worth = 1 / ((1 - trials / whole) * effect)
    trials, cell = trials * worth, cell * worth
    with np.errstate(invalid="ignore"):
        upper = np.where(cell > 0, betainc(cell, trials - cell + 1, chance), 1.0)
        lower = np.where(cell < trials, betaincc(cell + 1, np.maximum(trials - cell, 0), chance), 1.0)
    is_turned = rarest[0] % 2 == 1  # fewer trials elsewhere, or fewer misses, speak for the group
    return np.where(is_turned, lower, upper), np.where(is_turned, upper, lower)


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


def q_values(p_values: FloatArray) -> FloatArray:
    """Benjamini and Hochberg's q-values of one family (1995); not a number stays so and does not count.

    Of all rows with a q-value of at most 0.05, 5 % are expected to be chance.
    """
    from scipy import stats

    found = np.full(len(p_values), np.nan)
    known = ~np.isnan(p_values)
    if known.any():
        found[known] = stats.false_discovery_control(p_values[known], method="bh")
    return found


@dataclass(frozen=True)
class GroupShares:
    """How often each thing is counted in each group, and in the rest; all but ``groups`` of shape (counts, groups)."""

    groups: IntArray
    """The groups that are large enough to be compared."""
    count: IntArray
    share: FloatArray
    other_share: FloatArray
    found: Comparison


def compare_groups(
    counted: IntArray, group: IntArray, clusters: Sequence[IntArray], min_clusters: int = MIN_CLUSTERS
) -> GroupShares:
    """The share of each thing among the events of each group, against its share among all other events.

    ``counted`` and ``group`` say of each event which thing and which group it is of, from 0, -1: of none. ``clusters``
    number what it hangs together with, from 0, finest first, each within the next: its session, then its user.
    """
    things, members, sizes = (int(codes.max(initial=-1)) + 1 for codes in (counted, group, clusters[-1]))
    of_clusters = count_matrix(clusters[-1], group, (sizes, members))
    kept = np.flatnonzero(_is_comparable(of_clusters, max(min_clusters, MIN_CLUSTERS)))
    positions = np.full(members + 1, -1)
    positions[kept] = np.arange(len(kept))
    group = positions[group]
    of_both = (counted >= 0) & (group >= 0)
    cells = counted[of_both] * np.int64(len(kept)) + group[of_both]
    inside = np.bincount(cells, minlength=things * len(kept)).reshape(things, len(kept))
    total = np.bincount(group[group >= 0], minlength=len(kept))[None, :]
    elsewhere = np.bincount(counted[counted >= 0], minlength=len(inside))[:, None] - inside
    pairs = [
        _pairs(cluster, counted, count_matrix(cluster, group, (int(cluster.max(initial=-1)) + 1, len(kept))))
        for cluster in clusters[:-1]
    ]
    pairs.append(_pairs(clusters[-1], counted, of_clusters[:, kept]))
    disjoint = [pairs[0], *(coarse - fine for fine, coarse in itertools.pairwise(pairs))]
    effects = design_effects(*disjoint)
    return GroupShares(
        groups=kept,
        count=inside,
        share=inside / total,
        other_share=elsewhere / (len(group) - total),
        found=compare_shares(inside, total, elsewhere, len(group) - total, effects, max(sizes - 1, 1)),
    )


def compare_with_rest(counted: NDArray[np.bool_], group: IntArray, cluster: IntArray) -> GroupShares:
    """The share of the events that are counted of each group, against that of all others; all of shape (groups,).

    ``group`` and ``cluster`` say of each event which it is of, from 0. Unlike in ``compare_groups`` the clusters may
    differ in what a group does to them: the variance of each difference is that of sums over clusters, by its
    linearization (Cochran 1977, 11.8). It has as many degrees of freedom as clusters of equal size would give it.
    """
    shape = (int(cluster.max(initial=-1)) + 1, int(group.max(initial=-1)) + 1)
    totals = count_matrix(cluster, group, shape)
    kept = np.flatnonzero(_is_comparable(totals, MIN_CLUSTERS))
    counts = count_matrix(cluster[counted], group[counted], shape)[:, kept]
    of_clusters = np.bincount(cluster, minlength=shape[0]), np.bincount(cluster[counted], minlength=shape[0])
    total, count = (np.asarray(part.sum(axis=0)).ravel() for part in (totals[:, kept], counts))
    elsewhere, other = len(group) - total, counted.sum() - count
    variance, clusters = _linearized(counts, totals[:, kept], *of_clusters)
    independent = count * (total - count) / total**3 + other * (elsewhere - other) / elsewhere**3
    effects = np.divide(variance, independent, out=np.ones_like(variance), where=independent > 0)
    found = compare_shares(count, total, other, elsewhere, np.maximum(1, effects), np.maximum(clusters - 1, 1))
    return GroupShares(kept, count.astype(np.int64), count / total, other / elsewhere, found)


def _linearized(
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


def count_matrix(rows: IntArray, columns: IntArray, shape: tuple[int, int]) -> sp.csr_matrix:
    """How often each pair of row and column occurs; pairs with -1 do not count."""
    has = (rows >= 0) & (columns >= 0)
    return sp.csr_matrix((np.ones(int(has.sum())), (rows[has], columns[has])), shape=shape)


def _pairs(cluster: IntArray, counted: IntArray, groups: sp.csr_matrix) -> Pairs:
    """Pairs of events in one cluster; ``groups`` has the events of each cluster (rows) that are in each group."""
    sizes = np.bincount(cluster).astype(np.float64)
    counts = count_matrix(cluster, counted, (len(sizes), int(counted.max(initial=-1)) + 1))
    totals = np.asarray(counts.sum(axis=0), dtype=np.float64).reshape(1, -1)
    return pairs_within(counts, groups, sizes[:, None], totals)


def _is_comparable(groups: sp.csr_matrix, min_clusters: int) -> NDArray[np.bool_]:
    """Whether enough events and clusters are of a group, and enough are not, shape (groups,)."""
    entries, sizes = groups.tocoo(), np.asarray(groups.sum(axis=1)).ravel()
    events = np.asarray(groups.sum(axis=0)).ravel()
    of_group = np.bincount(entries.col, minlength=groups.shape[1])
    entire = np.bincount(entries.col[entries.data == sizes[entries.row]], minlength=groups.shape[1])
    enough_events = np.minimum(events, sizes.sum() - events) >= MIN_EVENTS
    return np.asarray(enough_events & (np.minimum(of_group, len(sizes) - entire) >= min_clusters))
