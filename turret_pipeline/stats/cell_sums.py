"""Comparison of the cells of wholes from sums over clusters, for events that are too many to hold in memory.

The comparison is that of ``groups.compare_groups``: a cell is a group of events, and is compared with the rest of its
whole. Here every cell has a whole of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.stats.effects import excess_variance
from turret_pipeline.stats.shares import Comparison, compare_shares


@dataclass(frozen=True)
class LevelSums:
    """Sums over the clusters of one level (for example sessions, or users), of shape (cells,).

    In a cluster, g is the number of events of the cell, t that of its whole, and c that of the counted ones of these.
    """

    cell_squares: FloatArray
    """Sum of g * g."""
    cell_crossed: FloatArray
    """Sum of g * t."""
    total_squares: FloatArray
    """Sum of t * t."""
    count_squares: FloatArray
    """Sum of c * c."""
    count_crossed: FloatArray
    """Sum of c * t."""


@dataclass(frozen=True)
class CellSums:
    """Counted and all events of each cell and of its whole, sums by level, and clusters, of shape (cells,).

    ``levels`` are those of clusters, the finest first and each within the next.
    """

    count: FloatArray
    total: FloatArray
    whole_count: FloatArray
    whole_total: FloatArray
    levels: Sequence[LevelSums]
    clusters: FloatArray
    """Clusters of the last level in the whole."""


def compare_cells(cells: CellSums) -> Comparison:
    """Comparison of the counted share of each cell with that of the rest of its whole, of shape (cells,).

    Neither a cell nor its rest may be without events.
    """
    return compare_shares(
        cells.count,
        cells.total,
        cells.whole_count - cells.count,
        cells.whole_total - cells.total,
        _find_design_effects(cells),
        np.maximum(cells.clusters - 1, 1),
    )


def _find_design_effects(cells: CellSums) -> FloatArray:
    """Design effect of each difference: the formula of ``effects.design_effects``, over disjoint sets of pairs."""
    effects = np.ones(len(cells.total))
    finer = np.zeros((3, len(cells.total)))
    for level in cells.levels:
        freedom = 1 - level.total_squares / cells.whole_total**2  # the share is estimated from the same events
        counted = level.count_squares, level.count_crossed, level.total_squares
        grouped = level.cell_squares, level.cell_crossed, level.total_squares
        found = np.stack(
            [
                _find_excess(*counted, cells.whole_count, cells.whole_total, freedom),
                _find_excess(*grouped, cells.total, cells.whole_total, np.ones_like(freedom)),
                level.total_squares / cells.whole_total - 1,
            ]
        )
        counts, groups, size = found - finer
        products = np.maximum(0, counts) * np.maximum(0, groups)
        effects += np.divide(products, size, out=np.zeros_like(size), where=size > 0)
        finer = found
    return effects


def _find_excess(
    squares: FloatArray,
    crossed: FloatArray,
    total_squares: FloatArray,
    part: FloatArray,
    whole: FloatArray,
    freedom: FloatArray,
) -> FloatArray:
    """Correlations over the pairs of events of a cluster, as multiples of the variance of independent events."""
    share = part / whole
    residual = squares - 2 * share * crossed + share**2 * total_squares
    return excess_variance(residual, freedom * part * (1 - share))
