"""Refit: topics that were found from scratch get the ids of the old topics with mostly the same texts."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from turret_pipeline.stats.array_types import IntArray
from turret_pipeline.topics.clustering.communities import NO_TOPIC
from turret_pipeline.topics.tracking.reconcile import Change

MIN_JACCARD = 0.3
"""Minimum Jaccard index of the texts of an old and a new topic that are the same topic."""

MIN_PART_SHARE = 0.5
"""Minimum share of a topic's texts that come from another topic it split from, or go to one it merged into."""

MIN_SURVIVOR_SHARE = 0.25
"""Minimum share of a new topic that comes from an old one, for the old one to survive in it if most of its texts went
there. If three topics are found to be one, the largest survives, as in a merge by an update."""


@dataclass(frozen=True)
class MatchedTopics:
    """Topic of every text under its lasting number, and the splits and merges among topics."""

    topic: IntArray
    changes: list[Change]


def restore_protected_topics(old: IntArray, new: IntArray, protected: frozenset[int]) -> IntArray:
    """Topics in ``new``, shape (texts,), except that ``protected`` topics have their texts from ``old``.

    New texts that were found together with most texts of a protected topic join it.
    """
    topic = new.copy()
    for name in sorted(protected):
        members = old == name
        for cluster in np.unique(new[members & (new != NO_TOPIC)]):
            if members[new == cluster].mean() >= MIN_PART_SHARE:
                topic[(new == cluster) & (old == NO_TOPIC)] = name
    is_protected = np.isin(old, list(protected))
    topic[is_protected] = old[is_protected]
    return topic


def match_topic_numbers(
    old: IntArray, new: IntArray, next_number: int, protected: frozenset[int] = frozenset()
) -> MatchedTopics:
    """Topics in ``new`` with the numbers of the matching topics in ``old``, both of shape (texts,).

    Topics are paired so that the texts in common are most over all pairs (Kuhn 1955: the Hungarian method). Topics
    without a match are numbered from ``next_number``. ``protected`` topics have the same number in both and keep it.
    """
    old_names, new_names = np.unique(old[old != NO_TOPIC]), np.unique(new[new != NO_TOPIC])
    both = (old != NO_TOPIC) & (new != NO_TOPIC)
    shared = np.zeros((len(new_names), len(old_names)))
    np.add.at(shared, (np.searchsorted(new_names, new[both]), np.searchsorted(old_names, old[both])), 1)
    old_sizes = np.array([(old == name).sum() for name in old_names])
    new_sizes = np.array([((new == name) & (old != NO_TOPIC)).sum() for name in new_names])
    union = new_sizes[:, None] + old_sizes[None, :] - shared
    survives = (shared >= MIN_PART_SHARE * old_sizes[None, :]) & (shared >= MIN_SURVIVOR_SHARE * new_sizes[:, None])
    is_same = (shared > 0) & ((shared >= MIN_JACCARD * union) | survives)
    numbers = _match_pairs(np.where(is_same, shared, 0), old_names, new_names, protected)
    for row in range(len(new_names)):
        if row not in numbers:
            numbers[row] = next_number
            next_number += 1
    lasting = np.array([numbers[row] for row in range(len(new_names))], dtype=np.int64)
    topic = np.full(len(new), NO_TOPIC)
    topic[new != NO_TOPIC] = lasting[np.searchsorted(new_names, new[new != NO_TOPIC])]
    return MatchedTopics(topic, _derive_changes(shared, old_names, lasting, old_sizes, new_sizes))


def _match_pairs(
    shared: "np.typing.NDArray[np.float64]", old_names: IntArray, new_names: IntArray, protected: frozenset[int]
) -> dict[int, int]:
    """Old number of the new topics with a match, by row; ``shared`` is 0 for pairs that cannot match."""
    free_rows = np.flatnonzero(~np.isin(new_names, list(protected)))
    free_columns = np.flatnonzero(~np.isin(old_names, list(protected)))
    rows, columns = linear_sum_assignment(-shared[np.ix_(free_rows, free_columns)])
    pairs = zip(free_rows[rows].tolist(), free_columns[columns].tolist(), strict=True)
    kept = {row: name for row, name in enumerate(new_names.tolist()) if name in protected}
    return kept | {row: int(old_names[column]) for row, column in pairs if shared[row, column] > 0}


def _derive_changes(
    shared: "np.typing.NDArray[np.float64]",
    old_names: IntArray,
    lasting: IntArray,
    old_sizes: IntArray,
    new_sizes: IntArray,
) -> list[Change]:
    """Splits (new numbers with most texts from one old topic) and merges (old topics with most texts in a new one)."""
    changes: list[Change] = []
    for row, number in enumerate(lasting.tolist()):
        share = shared[row] / max(new_sizes[row], 1)
        if number not in old_names and len(share) and share.max() >= MIN_PART_SHARE:
            changes.append(Change("split", number, int(old_names[share.argmax()]), float(share.max())))
    for column, name in enumerate(old_names.tolist()):
        share = shared[:, column] / max(old_sizes[column], 1)
        if name not in lasting and len(share) and share.max() >= MIN_PART_SHARE:
            changes.append(Change("merged", name, int(lasting[share.argmax()]), float(share.max())))
    return changes
