"""Standardized comparison of groups: each group's share against that of all other events in the same strata."""

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
    excess_variance,
    subtract_finer,
)
from turret_pipeline.stats.groups import MIN_CLUSTERS, MIN_EVENTS, GroupShares, is_comparable
from turret_pipeline.stats.shares import Comparison, compare_shares

if TYPE_CHECKING:
    import scipy.sparse as sp


@dataclass(frozen=True)
class _Level:
    """One level of clusters: cluster of each event, correlations of the groups, and pairs per event."""

    cluster: IntArray
    groups: FloatArray
    size: float
    freedom: float
    """Part of the variance that remains although the shares of the strata are estimated from the same events."""


@dataclass(frozen=True)
class Standards:
    """Groups of events with the strata in which they are compared. A cell is a group in a stratum."""

    groups: IntArray
    """Numbers of the groups that are large enough to compare."""
    total: IntArray
    """Events of each of these groups."""
    stratum: IntArray
    cell: IntArray
    """Cell of each event, -1 if its group is not compared."""
    cell_group: IntArray
    """Position in ``groups`` of the group of each cell."""
    cell_stratum: IntArray
    cell_size: IntArray
    others: IntArray
    """Events of other groups in the stratum of each cell."""
    compared: IntArray
    """Events of each group in strata that have other events."""
    effective_others: FloatArray
    """Effective number of the other events of each group."""
    levels: Sequence[_Level]
    degrees_of_freedom: int


def find_standards(
    group: IntArray, stratum: IntArray, clusters: Sequence[IntArray], min_clusters: int = MIN_CLUSTERS
) -> Standards:
    """The groups that can be compared within strata; all numbers are from 0.

    ``clusters`` are the numbers of each event's clusters, the finest first and each within the next, as in
    ``compare_groups``. Other events get the weights that give them the group's distribution over the strata (direct
    standardization). Their effective number is (sum of weights)^2 / sum of squared weights (Kish 1965). A group is
    compared if MIN_EVENTS of its events, and effectively as many others, are in strata that have both.
    """
    group_count, stratum_count = (int(numbers.max(initial=-1)) + 1 for numbers in (group, stratum))
    cluster_count = int(clusters[-1].max(initial=-1)) + 1
    of_clusters = count_matrix(clusters[-1], group, (cluster_count, group_count))
    is_kept = is_comparable(of_clusters, max(min_clusters, MIN_CLUSTERS))
    cells, cell, size = np.unique(group * np.int64(stratum_count) + stratum, return_inverse=True, return_counts=True)
    cell_group, cell_stratum = np.divmod(cells, max(stratum_count, 1))
    others = np.bincount(stratum, minlength=stratum_count)[cell_stratum] - size
    compared = np.bincount(cell_group[others > 0], size[others > 0], group_count)
    squares = np.bincount(cell_group[others > 0], (size**2 / np.maximum(others, 1))[others > 0], group_count)
    effective = np.divide(compared**2, squares, out=np.zeros(group_count), where=squares > 0)
    kept = np.flatnonzero(is_kept & (np.minimum(compared, effective) >= MIN_EVENTS))
    position = np.full(group_count, -1)
    position[kept] = np.arange(len(kept))
    is_cell_kept = position[cell_group] >= 0
    cell_number = np.where(is_cell_kept, np.cumsum(is_cell_kept) - 1, -1)
    cell_group, cell_stratum = position[cell_group[is_cell_kept]], cell_stratum[is_cell_kept]
    shape = (len(kept), stratum_count)
    return Standards(
        groups=kept,
        total=np.bincount(group, minlength=group_count)[kept],
        stratum=stratum,
        cell=cell_number[cell],
        cell_group=cell_group,
        cell_stratum=cell_stratum,
        cell_size=size[is_cell_kept],
        others=others[is_cell_kept],
        compared=compared[kept].astype(np.int64),
        effective_others=effective[kept],
        levels=[_measure_level(cluster, position[group], stratum, shape) for cluster in clusters],
        degrees_of_freedom=max(cluster_count - 1, 1),
    )


def compare_with_standards(is_counted: NDArray[np.bool_], standards: Standards) -> GroupShares:
    """Share of the counted events of each group, compared with its standard, of shape (groups,).

    The standard is the mean, over the strata of the group's events, of the share of all other events in the same
    stratum. In a stratum without other events, the group is its own standard and adds nothing to the difference.
    """
    cells = len(standards.cell_group)
    groups, has_others = len(standards.groups), standards.others > 0
    counted = np.bincount(standards.cell[is_counted & (standards.cell >= 0)], minlength=cells)
    of_stratum = np.bincount(standards.stratum[is_counted], minlength=int(standards.stratum.max(initial=-1)) + 1)
    elsewhere = (of_stratum[standards.cell_stratum] - counted) / np.maximum(standards.others, 1)
    count = np.bincount(standards.cell_group, counted, groups)
    inside = np.bincount(standards.cell_group[has_others], counted[has_others], groups)
    expected = np.bincount(standards.cell_group, np.where(has_others, standards.cell_size * elsewhere, 0), groups)
    expected = np.minimum(expected, standards.compared)  # rounding may exceed it
    effects = design_effects(*subtract_finer([_correlate(level, is_counted, standards) for level in standards.levels]))
    found = compare_shares(
        inside,
        standards.compared,
        expected / standards.compared * standards.effective_others,
        standards.effective_others,
        effects[0],
        standards.degrees_of_freedom,
    )
    coverage = standards.compared / standards.total
    share, standard = count / standards.total, (count - inside + expected) / standards.total
    return GroupShares(
        groups=standards.groups,
        count=count.astype(np.int64),
        share=share,
        other_share=standard,
        comparison=Comparison(
            share - standard, coverage * found.low, coverage * found.high, found.p_greater, found.p_value
        ),
    )


def _measure_level(cluster: IntArray, group: IntArray, stratum: IntArray, shape: tuple[int, int]) -> _Level:
    """The level of one kind of cluster; ``group`` is -1 if it is not compared, ``shape`` is (groups, strata)."""
    count = int(cluster.max(initial=-1)) + 1
    exposure = count_matrix(cluster, stratum, (count, shape[1]))
    groups = count_matrix(cluster, group, (count, shape[0]))
    within = (exposure.T @ exposure).tocsr()
    sizes = _sums(exposure, 0)
    cells = count_matrix(group, stratum, shape)
    shares = cells.multiply(1 / np.maximum(sizes, 1)[None, :]).tocsr()
    crossed = (groups.T @ exposure).tocsr().multiply(shares)
    squares = _sums(groups.multiply(groups), 0)
    residual = squares - 2 * _sums(crossed, 1) + _sums((shares @ within).multiply(shares), 1)
    expected = _sums(cells, 1) - _sums(cells.multiply(shares), 1)
    whole = max(float(sizes.sum()), 1.0)
    freedom = 1 - float((within.diagonal() / np.maximum(sizes, 1)).sum()) / whole
    per_cluster = _sums(exposure, 1)
    return _Level(cluster, excess_variance(residual, expected), float((per_cluster**2).sum() / whole - 1), freedom)


def _correlate(level: _Level, is_counted: NDArray[np.bool_], standards: Standards) -> PairCorrelations:
    """Correlations over the pairs of a level, of the deviations from the share of each stratum."""
    sizes = np.bincount(standards.stratum)
    share = np.bincount(standards.stratum, is_counted, len(sizes)) / np.maximum(sizes, 1)
    deviations = np.bincount(level.cluster, is_counted - share[standards.stratum])
    residual = (deviations**2).sum(keepdims=True)
    expected = (sizes * share * (1 - share)).sum(keepdims=True)
    return PairCorrelations(excess_variance(residual, level.freedom * expected), level.groups, level.size)


def _sums(matrix: "sp.spmatrix", axis: int) -> FloatArray:
    return np.asarray(matrix.sum(axis=axis), dtype=np.float64).ravel()
