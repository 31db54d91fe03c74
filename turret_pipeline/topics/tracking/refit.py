"""A new start that keeps the ids: topics found anew take the id of the old topic whose texts they have."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from turret_pipeline.stats.array_types import IntArray
from turret_pipeline.topics.clustering.communities import NO_TOPIC
from turret_pipeline.topics.tracking.reconcile import Change

SAME_SHARE = 0.3
"""A new topic is an old one if the texts in both are so much of the texts in either (Jaccard)."""

PART_SHARE = 0.5
"""A topic came out of another, or went into it, if it has so much of its texts from there."""

LIVES_ON = 0.25
"""A new topic into which an old one went is that old one too, if it makes so much of it: where three topics are found
to be one, the largest lives on, as it does where an update merges them."""


@dataclass(frozen=True)
class Carried:
    """Topics under their lasting numbers, and how those that are not the same are related to the old ones."""

    topic: IntArray
    changes: list[Change]


def keep_held(old: IntArray, new: IntArray, held: frozenset[int]) -> IntArray:
    """``new``, shape (texts,), but topics in ``held`` have their texts of ``old``; new texts beside them join."""
    topic = new.copy()
    for name in sorted(held):
        members = old == name
        for group in np.unique(new[members & (new != NO_TOPIC)]):
            if members[new == group].mean() >= PART_SHARE:
                topic[(new == group) & (old == NO_TOPIC)] = name
    is_held = np.isin(old, list(held))
    topic[is_held] = old[is_held]
    return topic


def carry_ids(old: IntArray, new: IntArray, next_number: int, held: frozenset[int] = frozenset()) -> Carried:
    """Numbers for the topics in ``new`` from those in ``old``, both of shape (texts,), by most texts in common.

    Topics in ``held`` have one number in both, and keep it. The pairs of the others are those with most texts in
    common over all (Kuhn 1955: the Hungarian method).
    """
    old_names, new_names = np.unique(old[old != NO_TOPIC]), np.unique(new[new != NO_TOPIC])
    both = (old != NO_TOPIC) & (new != NO_TOPIC)
    shared = np.zeros((len(new_names), len(old_names)))
    np.add.at(shared, (np.searchsorted(new_names, new[both]), np.searchsorted(old_names, old[both])), 1)
    old_sizes = np.array([(old == name).sum() for name in old_names])
    new_sizes = np.array([((new == name) & (old != NO_TOPIC)).sum() for name in new_names])
    either = new_sizes[:, None] + old_sizes[None, :] - shared
    lives_on = (shared >= PART_SHARE * old_sizes[None, :]) & (shared >= LIVES_ON * new_sizes[:, None])
    is_same = (shared > 0) & ((shared >= SAME_SHARE * either) | lives_on)
    numbers = _paired(np.where(is_same, shared, 0), old_names, new_names, held)
    for row in range(len(new_names)):
        if row not in numbers:
            numbers[row] = next_number
            next_number += 1
    lasting = np.array([numbers[row] for row in range(len(new_names))], dtype=np.int64)
    topic = np.full(len(new), NO_TOPIC)
    topic[new != NO_TOPIC] = lasting[np.searchsorted(new_names, new[new != NO_TOPIC])]
    return Carried(topic, _related(shared, old_names, lasting, old_sizes, new_sizes))


def _paired(
    shared: "np.typing.NDArray[np.float64]", old_names: IntArray, new_names: IntArray, held: frozenset[int]
) -> dict[int, int]:
    """The old number of each new topic, by its row, that is an old one; ``shared`` is 0 where the two cannot be one."""
    free_rows = np.flatnonzero(~np.isin(new_names, list(held)))
    free_columns = np.flatnonzero(~np.isin(old_names, list(held)))
    rows, columns = linear_sum_assignment(-shared[np.ix_(free_rows, free_columns)])
    pairs = zip(free_rows[rows].tolist(), free_columns[columns].tolist(), strict=True)
    kept = {row: name for row, name in enumerate(new_names.tolist()) if name in held}
    return kept | {row: int(old_names[column]) for row, column in pairs if shared[row, column] > 0}


def _related(
    shared: "np.typing.NDArray[np.float64]",
    old_names: IntArray,
    lasting: IntArray,
    old_sizes: IntArray,
    new_sizes: IntArray,
) -> list[Change]:
    """Splits: new numbers whose texts are mostly of one old topic. Merges: old topics that went into one new topic."""
    changes: list[Change] = []
    for row, number in enumerate(lasting.tolist()):
        share = shared[row] / max(new_sizes[row], 1)
        if number not in old_names and len(share) and share.max() >= PART_SHARE:
            changes.append(Change("split", number, int(old_names[share.argmax()]), float(share.max())))
    for column, name in enumerate(old_names.tolist()):
        share = shared[:, column] / max(old_sizes[column], 1)
        if name not in lasting and len(share) and share.max() >= PART_SHARE:
            changes.append(Change("merged", name, int(lasting[share.argmax()]), float(share.max())))
    return changes
