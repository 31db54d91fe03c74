"""Sums over clusters for each cell of a whole, and each signal, from the exchanges of some clusters.

A *whole* is what a share is compared within, and a *cell* a part of it: a topic among the topics of its field, or a
week or segment among those of its topic. Sums over disjoint sets of clusters add up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turret_pipeline.stats.array_types import FloatArray, IntArray

Flags = NDArray[np.bool_]

COUNT, TOTAL, OWN_SQUARES, OWN_CROSSED = "count", "total", "own_squares", "own_crossed"
CLUSTERS, CLUSTERS_WITHIN, USERS_WITH, USERS_WITHOUT = "clusters", "clusters_within", "users_with", "users_without"
"""Sums of cells: exchanges with the signal, and in which it is decided; over users the squares of the first, and their
products with the second; users, those without exchanges elsewhere in the whole, and known users with exchanges that
have the signal, and that have it not."""

WHOLE_COUNT, WHOLE_TOTAL, ALL_CLUSTERS = "whole_count", "whole_total", "all_clusters"
"""Sums of the wholes of cells: exchanges with the signal, and in which it is decided, and users."""

SESSION, USER = "session ", "user "
CELL_SQUARES, CELL_CROSSED = "cell_squares", "cell_crossed"
TOTAL_SQUARES, COUNT_SQUARES, COUNT_CROSSED = "total_squares", "count_squares", "count_crossed"
"""Levels, and the sums of each level (``stats.cell_sums.LevelSums``)."""


@dataclass(frozen=True)
class Cells:
    """Cells with their wholes, both numbered from 0; the cells of a whole are next to each other."""

    whole: IntArray
    """Whole of each cell, in ascending order."""
    is_named: Flags
    """False for the cell of a whole's exchanges without a value: it is not compared, but follows from the sum."""

    @property
    def whole_count(self) -> int:
        """Number of wholes."""
        return int(self.whole[-1]) + 1 if len(self.whole) else 0


@dataclass(frozen=True)
class Exchanges:
    """Exchanges in order of their cluster, and within it of their session; ``cell`` is -1 for those in none."""

    cluster: IntArray
    session: IntArray
    cell: IntArray
    has_user: Flags
    is_decided: Flags
    """Of shape (signals, exchanges): loops over one signal at a time are twice as fast."""
    is_counted: Flags


@dataclass(frozen=True)
class _Groups:
    """The clusters of one level in their cells, and in their wholes: ``part`` is the position in ``whole`` of each."""

    rows: IntArray
    """Exchanges with a cell, those of a group together."""
    starts: IntArray
    cell: IntArray
    part: IntArray
    part_starts: IntArray
    whole: IntArray

    def count(self, flags: Flags) -> FloatArray:
        """Exchanges with a flag in each group."""
        return _add_runs(flags[self.rows], self.starts)

    def count_parts(self, flags: Flags) -> FloatArray:
        """Exchanges with a flag in each part."""
        return _add_runs(flags[self.rows], self.starts[self.part_starts])

    def add_parts(self, values: NDArray[Any]) -> FloatArray:
        """Sums of the values of the groups of each part."""
        return _add_runs(values, self.part_starts)


def sum_cells(exchanges: Exchanges, cells: Cells) -> dict[str, FloatArray]:
    """Sums by name, of shape (signals, cells); those of wholes are repeated for their cells."""
    named = replace(exchanges, cell=np.where(cells.is_named[exchanges.cell], exchanges.cell, -1))
    users, sessions = (_group(named, cluster, cells) for cluster in (exchanges.cluster, exchanges.session))
    by_signal: list[dict[str, FloatArray]] = []
    totals: dict[bytes, tuple[_Totals, _Totals]] = {}
    for is_decided, is_counted in zip(exchanges.is_decided, exchanges.is_counted, strict=True):
        mask = np.packbits(is_decided).tobytes()  # many signals are decided in the same exchanges
        if mask not in totals:
            totals[mask] = _Totals(SESSION, sessions, cells, is_decided), _Totals(USER, users, cells, is_decided)
        of_sessions, of_users = totals[mask]
        sums = {**of_sessions.sums, **of_users.sums}
        sums |= _sum_level(of_sessions, sessions.count_parts(is_counted))
        count = users.count(is_counted)
        whole_count = users.add_parts(count)
        sums |= _sum_level(of_users, whole_count)
        by_signal.append(sums | _sum_users(of_users, count, whole_count, exchanges.has_user))
    return {name: np.stack([sums[name] for sums in by_signal]) for name in by_signal[0]}


def count_users(exchanges: Exchanges, cells: Cells, chosen: Sequence[Flags]) -> FloatArray:
    """Users of the chosen cells of a cell's whole, and the known ones of them, with the signal and without it.

    The result has shape (masks, 2, 2, signals, cells); each mask of ``chosen`` has shape (signals, cells). A user of
    several chosen cells of a whole counts once.
    """
    users = _group(exchanges, exchanges.cluster, cells)
    has_user = exchanges.has_user[users.rows[users.starts]]
    found = np.zeros((len(chosen), 2, 2, *chosen[0].shape))
    for signal, (is_decided, is_counted) in enumerate(zip(exchanges.is_decided, exchanges.is_counted, strict=True)):
        count = users.count(is_counted)
        for side, is_one in enumerate((count > 0, users.count(is_decided) > count)):
            for mask, is_chosen in enumerate(chosen):
                is_left = is_one & is_chosen[signal][users.cell]
                for kind, is_kind in enumerate((is_left, is_left & has_user)):
                    is_user = users.add_parts(is_kind) > 0
                    found[mask, kind, side, signal] = _add_up(users.whole, is_user, cells.whole_count)[cells.whole]
    return found


class _Totals:
    """Exchanges of the groups of a level in which a signal is decided, and ``sums`` of them."""

    def __init__(self, level: str, groups: _Groups, cells: Cells, is_decided: Flags) -> None:
        self.level, self.groups, self.cells = level, groups, cells
        self.total = groups.count(is_decided)
        self.whole_total = groups.add_parts(self.total)
        crossed = self.total * self.whole_total[groups.part]
        self.sums = {
            level + CELL_SQUARES: self.add_up(self.total**2),
            level + CELL_CROSSED: self.add_up(crossed),
            level + TOTAL_SQUARES: self.add_up_wholes(self.whole_total**2),
        }

    def add_up(self, values: NDArray[Any]) -> FloatArray:
        """Sums of the values of the groups of each cell."""
        return _add_up(self.groups.cell, values, len(self.cells.whole))

    def add_up_wholes(self, values: NDArray[Any]) -> FloatArray:
        """Sums of the values of the parts of each cell's whole."""
        return _add_up(self.groups.whole, values, self.cells.whole_count)[self.cells.whole]


def _sum_level(totals: _Totals, whole_count: FloatArray) -> dict[str, FloatArray]:
    """The sums of one signal over the clusters of a level, of shape (cells,)."""
    return {
        totals.level + COUNT_SQUARES: totals.add_up_wholes(whole_count**2),
        totals.level + COUNT_CROSSED: totals.add_up_wholes(whole_count * totals.whole_total),
    }


def _sum_users(totals: _Totals, count: FloatArray, whole_count: FloatArray, has_user: Flags) -> dict[str, FloatArray]:
    """The sums of one signal that are over users only, of shape (cells,)."""
    users, total = totals.groups, totals.total
    is_known = has_user[users.rows[users.starts]]
    of_cells = {
        COUNT: count,
        TOTAL: total,
        OWN_SQUARES: count**2,
        OWN_CROSSED: count * total,
        CLUSTERS: total > 0,
        CLUSTERS_WITHIN: (total > 0) & (total == totals.whole_total[users.part]),
        USERS_WITH: is_known & (count > 0),
        USERS_WITHOUT: is_known & (total > count),
    }
    of_wholes = {WHOLE_COUNT: whole_count, WHOLE_TOTAL: totals.whole_total, ALL_CLUSTERS: totals.whole_total > 0}
    return {
        **{name: totals.add_up(values) for name, values in of_cells.items()},
        **{name: totals.add_up_wholes(values) for name, values in of_wholes.items()},
    }


def _group(exchanges: Exchanges, cluster: IntArray, cells: Cells) -> _Groups:
    """The groups of exchanges of one cluster in one cell; ``cluster`` is in ascending order."""
    rows = np.flatnonzero(exchanges.cell >= 0)
    key = cluster[rows] * np.int64(len(cells.whole)) + exchanges.cell[rows]
    order = np.argsort(key, kind="stable")
    rows, key = rows[order], key[order]
    starts = np.flatnonzero(np.diff(key, prepend=-1))
    cell = exchanges.cell[rows[starts]]
    part_key = cluster[rows[starts]] * np.int64(cells.whole_count) + cells.whole[cell]
    is_first = np.diff(part_key, prepend=-1) != 0
    part_starts = np.flatnonzero(is_first)
    return _Groups(rows, starts, cell, np.cumsum(is_first) - 1, part_starts, cells.whole[cell][part_starts])


def _add_runs(values: NDArray[Any], starts: IntArray) -> FloatArray:
    """Sums of the values from each start, of which the first is 0, to the next."""
    if not len(starts):
        return np.zeros(0)
    sums = np.cumsum(values, dtype=np.int32 if values.dtype == np.bool_ else np.float64)
    return np.asarray(np.diff(sums[np.append(starts[1:], len(values)) - 1], prepend=0), dtype=np.float64)


def _add_up(places: IntArray, values: NDArray[Any], count: int) -> FloatArray:
    """Sums of the values by their place, from 0 to ``count`` - 1."""
    return np.asarray(np.bincount(places, values, count), dtype=np.float64)


def add_sums(one: Mapping[str, FloatArray], other: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """Sums over both sets of clusters."""
    return {name: values + other[name] for name, values in one.items()}
