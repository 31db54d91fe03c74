"""Carry-over: how clearly the topics before a turn are related to those after it, which marks follow-ups."""

from dataclasses import dataclass

import numpy as np

from turret_pipeline.stats.array_types import FloatArray, IntArray
from turret_pipeline.topics.clustering.communities import NO_TOPIC
from turret_pipeline.topics.follow_ups.turns import Turns, pair_lifts, shift_topics

WINDOW = 3
"""Turns before and after that are compared."""


@dataclass(frozen=True)
class Carryover:
    """Mean log lift between the turns before and after the turns of each topic, beyond chance; arrays (topics,).

    ``error`` is the standard error of ``mean``; both are nan for topics that are too seldom between others. ``count``
    is the number of turns between others. ``overall`` and ``overall_error`` are the same for the turns of all topics.
    """

    mean: FloatArray
    error: FloatArray
    count: IntArray
    overall: float
    overall_error: float


def measure_carryover(turns: Turns) -> Carryover:
    """Carry-over of each topic; all turns must have a topic.

    The carry-over of a turn is the mean log lift between the topics before it and those after it, up to WINDOW turns on
    each side and without its own topic, minus the same mean for the turns before other turns of its topic. A subject is
    followed by its own follow-ups, whatever came before it: the difference is near 0. An answer, or a request to
    continue, is followed by topics related to those before it. The lifts come from the other half of the sessions, so
    that chance cannot raise the result.
    """
    count = len(turns.topic_ids)
    before, after = _neighbour_topics(turns, 1), _neighbour_topics(turns, -1)
    between = (before != NO_TOPIC).any(axis=0) & (after != NO_TOPIC).any(axis=0)
    before, after, topic, half = before[:, between], after[:, between], turns.topic[between], turns.half[between]
    lift = np.stack([pair_lifts(turns.where(turns.half != part), WINDOW) for part in (0, 1)])
    by_topic = _excess_lift(before, after, half, topic, lift)
    overall = _excess_lift(before, after, half, np.zeros_like(topic), lift)
    mean, error, number = _group_means(by_topic, topic, count)
    overall_mean, overall_error, _ = _group_means(overall, np.zeros_like(topic), 1)
    return Carryover(mean, error, number, float(overall_mean[0]), float(overall_error[0]))


def _neighbour_topics(turns: Turns, direction: int) -> IntArray:
    """Topics of the turns before (1) or after (-1), shape (window, turns).

    NO_TOPIC if there is no such turn or it has the turn's own topic.
    """
    rows = [shift_topics(turns, direction * gap) for gap in range(1, WINDOW + 1)]
    return np.stack([np.where(row == turns.topic, NO_TOPIC, row) for row in rows])


def _excess_lift(before: IntArray, after: IntArray, half: IntArray, group: IntArray, lift: FloatArray) -> FloatArray:
    """Mean lift across each turn minus that to the neighbours of the other turns of its group and half, (turns,).

    ``lift`` has shape (2, topics, topics), symmetric. The result is nan for a turn that is alone in its group and half.
    """
    count, groups = lift.shape[-1], int(group.max(initial=0)) + 1
    weight_before, weight_after = _weights(before), _weights(after)
    across = np.zeros(len(group))
    for earlier, earlier_weight in zip(before, weight_before, strict=True):
        for later, later_weight in zip(after, weight_after, strict=True):
            across += earlier_weight * later_weight * lift[half, earlier, later]
    cell = half * groups + group
    shape = (2, groups, count)
    to_before = (_topic_weights(before, weight_before, cell, 2 * groups, count).reshape(shape) @ lift).reshape(
        2 * groups, count
    )
    to_after = (_topic_weights(after, weight_after, cell, 2 * groups, count).reshape(shape) @ lift).reshape(
        2 * groups, count
    )
    total = np.zeros(len(group))
    for later, later_weight in zip(after, weight_after, strict=True):
        total += later_weight * to_before[cell, later] / 2
    for earlier, earlier_weight in zip(before, weight_before, strict=True):
        total += earlier_weight * to_after[cell, earlier] / 2
    others = np.bincount(cell, minlength=2 * groups)[cell] - 1
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(across - np.where(others > 0, (total - across) / others, np.nan))


def _weights(rows: IntArray) -> FloatArray:
    """Equal weights of the neighbours that have a topic; the weights of a turn sum to 1."""
    has = rows != NO_TOPIC
    return np.asarray(has / np.maximum(has.sum(axis=0), 1))


def _topic_weights(rows: IntArray, weights: FloatArray, cell: IntArray, cells: int, count: int) -> FloatArray:
    """Total weight of each topic among the neighbours of all turns of a cell, shape (cells, topics)."""
    sums = np.zeros(cells * count)
    for row, weight in zip(rows, weights, strict=True):
        has = row != NO_TOPIC
        sums += np.bincount(cell[has] * count + row[has], weight[has], cells * count)
    return sums


def _group_means(values: FloatArray, group: IntArray, groups: int) -> tuple[FloatArray, FloatArray, IntArray]:
    """Mean, standard error and number of the finite values of each group; nan if there are too few."""
    has = np.isfinite(values)
    values, group = values[has], group[has]
    number = np.bincount(group, minlength=groups)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(group, values, groups) / number
        variance = np.bincount(group, (values - mean[group]) ** 2, groups) / (number - 1)
        return mean, np.sqrt(variance / number), number
