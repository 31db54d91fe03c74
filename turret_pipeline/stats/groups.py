"""Comparison of groups of events: items that are more or less frequent in a group than elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from turret_pipeline.stats.array_types import FloatArray, IntArray
from turret_pipeline.stats.effects import (
    PairCorrelations,
    count_matrix,
    design_effects,
    linearized_variance,
    pair_correlations,
    subtract_finer,
)
from turret_pipeline.stats.shares import Comparison, compare_shares

if TYPE_CHECKING:
    import scipy.sparse as sp

MIN_EVENTS, MIN_CLUSTERS = 10, 5
"""Events, and clusters (for example users), needed within a group and outside of it to compare it."""


@dataclass(frozen=True)
class GroupShares:
    """Count and share of each item in each group and in the rest, of shape (items, groups) except for ``groups``."""

    groups: IntArray
    """Numbers of the groups that are large enough to compare."""
    count: IntArray
    share: FloatArray
    other_share: FloatArray
    comparison: Comparison


def compare_groups(
    item: IntArray, group: IntArray, clusters: Sequence[IntArray], min_clusters: int = MIN_CLUSTERS
) -> GroupShares:
    """Share of each item among the events of each group, compared with its share among all other events.

    ``item`` and ``group`` are the numbers of each event's item and group, from 0; -1 means none. ``clusters`` are the
    numbers of its clusters, from 0, the finest first and each within the next: for example its session, then its user.
    """
    item_count, group_count, cluster_count = (
        int(numbers.max(initial=-1)) + 1 for numbers in (item, group, clusters[-1])
    )
    of_clusters = count_matrix(clusters[-1], group, (cluster_count, group_count))
    kept = np.flatnonzero(is_comparable(of_clusters, max(min_clusters, MIN_CLUSTERS)))
    positions = np.full(group_count + 1, -1)
    positions[kept] = np.arange(len(kept))
    group = positions[group]
    has_both = (item >= 0) & (group >= 0)
    cells = item[has_both] * np.int64(len(kept)) + group[has_both]
    inside = np.bincount(cells, minlength=item_count * len(kept)).reshape(item_count, len(kept))
    total = np.bincount(group[group >= 0], minlength=len(kept))[None, :]
    elsewhere = np.bincount(item[item >= 0], minlength=len(inside))[:, None] - inside
    correlations = [
        _correlations(cluster, item, count_matrix(cluster, group, (int(cluster.max(initial=-1)) + 1, len(kept))))
        for cluster in clusters[:-1]
    ]
    correlations.append(_correlations(clusters[-1], item, of_clusters[:, kept]))
    effects = design_effects(*subtract_finer(correlations))
    return GroupShares(
        groups=kept,
        count=inside,
        share=inside / total,
        other_share=elsewhere / (len(group) - total),
        comparison=compare_shares(inside, total, elsewhere, len(group) - total, effects, max(cluster_count - 1, 1)),
    )


def compare_with_rest(
    is_counted: NDArray[np.bool_], group: IntArray, cluster: IntArray, min_clusters: int = MIN_CLUSTERS
) -> GroupShares:
    """Share of the counted events of each group, compared with that of all other events, of shape (groups,).

    ``group`` and ``cluster`` are the numbers of each event's group and cluster, from 0. Unlike in ``compare_groups``,
    the effect of a group may differ between clusters: the variance of each difference is that of sums over clusters, by
    linearization (Cochran 1977, 11.8). Its degrees of freedom are those of clusters of equal size.
    """
    shape = (int(cluster.max(initial=-1)) + 1, int(group.max(initial=-1)) + 1)
    totals = count_matrix(cluster, group, shape)
    kept = np.flatnonzero(is_comparable(totals, max(min_clusters, MIN_CLUSTERS)))
    counts = count_matrix(cluster[is_counted], group[is_counted], shape)[:, kept]
    of_clusters = np.bincount(cluster, minlength=shape[0]), np.bincount(cluster[is_counted], minlength=shape[0])
    total, count = (np.asarray(matrix.sum(axis=0)).ravel() for matrix in (totals[:, kept], counts))
    elsewhere, other = len(group) - total, is_counted.sum() - count
    variance, clusters = linearized_variance(counts, totals[:, kept], *of_clusters)
    independent = count * (total - count) / total**3 + other * (elsewhere - other) / elsewhere**3
    effects = np.divide(variance, independent, out=np.ones_like(variance), where=independent > 0)
    comparison = compare_shares(count, total, other, elsewhere, np.maximum(1, effects), np.maximum(clusters - 1, 1))
    return GroupShares(kept, count.astype(np.int64), count / total, other / elsewhere, comparison)


def _correlations(cluster: IntArray, item: IntArray, groups: "sp.csr_matrix") -> PairCorrelations:
    """Correlations of events in one cluster; ``groups`` are counts of shape (clusters, groups)."""
    sizes = np.bincount(cluster).astype(np.float64)
    counts = count_matrix(cluster, item, (len(sizes), int(item.max(initial=-1)) + 1))
    totals = np.asarray(counts.sum(axis=0), dtype=np.float64).reshape(1, -1)
    return pair_correlations(counts, groups, sizes[:, None], totals)


def is_comparable(groups: "sp.csr_matrix", min_clusters: int) -> NDArray[np.bool_]:
    """True for groups with enough events and clusters both within and outside, shape (groups,)."""
    entries, sizes = groups.tocoo(), np.asarray(groups.sum(axis=1)).ravel()
    events = np.asarray(groups.sum(axis=0)).ravel()
    clusters_with = np.bincount(entries.col, minlength=groups.shape[1])
    clusters_within = np.bincount(entries.col[entries.data == sizes[entries.row]], minlength=groups.shape[1])
    enough_events = np.minimum(events, sizes.sum() - events) >= MIN_EVENTS
    return np.asarray(enough_events & (np.minimum(clusters_with, len(sizes) - clusters_within) >= min_clusters))
