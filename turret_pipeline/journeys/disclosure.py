"""Disclosure control: suppress cells of few users, and cells that would reveal them through row and column sums.

The second step is complementary cell suppression (Hundepool et al.: Statistical Disclosure Control, 2012).
"""

import numpy as np
from numpy.typing import NDArray

from turret_pipeline.stats.array_types import IntArray


def is_disclosable(
    row: IntArray, column: IntArray, user: IntArray, shape: tuple[int, int], min_users: int
) -> NDArray[np.bool_]:
    """Mask of the cells that may be shown, shape (rows, columns).

    A cell may be shown if it is empty or has ``min_users`` users, and does not reveal a cell of fewer: the missing
    cells of a row or column follow from its sum, so if they have fewer users together, the whole row or column is
    suppressed. ``row`` and ``column`` place each event in a cell; ``user`` is its user, and -1 an unknown user, who
    does not count.
    """
    if min_users <= 1:
        return np.ones(shape, dtype=bool)
    cell = row * np.int64(shape[1]) + column
    is_rare = (_count_users(cell, user, shape[0] * shape[1]) < min_users).reshape(shape)
    is_rare &= np.bincount(cell, minlength=is_rare.size).reshape(shape) > 0
    is_missing = is_rare[row, column]
    is_row_suppressed, is_column_suppressed = (
        is_rare.any(axis=1 - axis) & (_count_users(line[is_missing], user[is_missing], shape[axis]) < min_users)
        for axis, line in enumerate((row, column))
    )
    return ~(is_rare | is_row_suppressed[:, None] | is_column_suppressed[None, :])


def _count_users(code: IntArray, user: IntArray, size: int) -> IntArray:
    """Distinct known users of the events of each code, shape (size,)."""
    is_known = user >= 0
    users = int(user.max(initial=0)) + 1
    return np.bincount(np.unique(code[is_known] * np.int64(users) + user[is_known]) // users, minlength=size)
