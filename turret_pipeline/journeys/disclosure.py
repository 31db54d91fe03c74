"""Which cells of a table of things and groups may be told, where figures of few users may not be."""

import numpy as np
from numpy.typing import NDArray

from turret_pipeline.stats.array_types import IntArray


def may_be_told(
    thing: IntArray, group: IntArray, user: IntArray, shape: tuple[int, int], min_users: int
) -> NDArray[np.bool_]:
    """Whether each cell, shape (things, groups), is of no event or of ``min_users`` users, and gives no other away.

    ``thing`` and ``group`` say of each event which cell it is in, from 0, ``user`` who did it, below 0: not known,
    which counts as nobody. What is missing in a row or a column follows from its sum: where all that is missing there
    is of fewer users, nothing of that row or column is told.
    """
    if min_users <= 1:
        return np.ones(shape, dtype=bool)
    cell = thing * np.int64(shape[1]) + group
    is_few = (_users(cell, user, shape[0] * shape[1]) < min_users).reshape(shape)
    is_few &= np.bincount(cell, minlength=is_few.size).reshape(shape) > 0
    is_missing = is_few[thing, group]
    closed = [
        is_few.any(axis=1 - axis) & (_users(line[is_missing], user[is_missing], shape[axis]) < min_users)
        for axis, line in enumerate((thing, group))
    ]
    return ~(is_few | closed[0][:, None] | closed[1][None, :])


def _users(number: IntArray, user: IntArray, size: int) -> IntArray:
    """Distinct users of the events of each number."""
    is_known = user >= 0
    users = int(user.max(initial=0)) + 1
    return np.bincount(np.unique(number[is_known] * np.int64(users) + user[is_known]) // users, minlength=size)
