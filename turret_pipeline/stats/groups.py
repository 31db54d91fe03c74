"""Events in groups, compared: which thing is commoner in which group than elsewhere."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from turret_pipeline.stats.array_types import FloatArray, IntArray
from turret_pipeline.stats.effects import Pairs, count_matrix, design_effects, linearized, pairs_within
from turret_pipeline.stats.shares import Comparison, compare_shares

MIN_EVENTS, MIN_CLUSTERS = 10, 5
"""Events, and clusters such as users, that must be of a group, and of none: less says nothing of a group."""


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
    variance, clusters = linearized(counts, totals[:, kept], *of_clusters)
    independent = count * (total - count) / total**3 + other * (elsewhere - other) / elsewhere**3
    effects = np.divide(variance, independent, out=np.ones_like(variance), where=independent > 0)
    found = compare_shares(count, total, other, elsewhere, np.maximum(1, effects), np.maximum(clusters - 1, 1))
    return GroupShares(kept, count.astype(np.int64), count / total, other / elsewhere, found)


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
