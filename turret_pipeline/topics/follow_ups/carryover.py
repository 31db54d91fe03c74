"""Whether what was spoken of before a turn is still spoken of after it: the mark of a turn that is no subject."""

from dataclasses import dataclass

import numpy as np

from turret_pipeline.stats.array_types import FloatArray, IntArray
from turret_pipeline.topics.clustering.communities import NO_TOPIC
from turret_pipeline.topics.follow_ups.turns import Turns, lifts, shifted

WINDOW = 3
"""Turns before and after that are compared."""


@dataclass(frozen=True)
class Carrying:
    """How much the turns around those of a topic hang together, in log lift beyond chance; arrays (topics,).

    ``mean`` and ``error`` (its standard error) are nan for topics that are seldom between others, ``count`` is how
    often each was. ``usual`` and ``usual_error`` are the same over the turns of all topics.
    """

    mean: FloatArray
    error: FloatArray
    count: IntArray
    usual: float
    usual_error: float


def carrying(turns: Turns) -> Carrying:
    """How much each topic lets pass of what a session was about.

    For a turn: the mean log lift between the topics of up to three turns before and of up to three after it, its own
    topic left out, less the mean of the same when the turns before are those of other turns of the topic. A subject
    is followed by what belongs to it, whatever was before: near 0. An answer or a request to go on is followed by
    what belongs to what was before. Lifts come from the other half of the sessions, so that chance cannot raise it.
    All turns must have a topic.
    """
    count = len(turns.topic_ids)
    before, after = _neighbours(turns, 1), _neighbours(turns, -1)
    between = (before != NO_TOPIC).any(axis=0) & (after != NO_TOPIC).any(axis=0)
    before, after, topic, half = before[:, between], after[:, between], turns.topic[between], turns.half[between]
    lift = np.stack([lifts(turns.where(turns.half != part), WINDOW) for part in (0, 1)])
    own = _beyond_chance(before, after, half, topic, lift)
    whole = _beyond_chance(before, after, half, np.zeros_like(topic), lift)
    mean, error, number = _averages(own, topic, count)
    usual, usual_error, _ = _averages(whole, np.zeros_like(topic), 1)
    return Carrying(mean, error, number, float(usual[0]), float(usual_error[0]))


def _neighbours(turns: Turns, direction: int) -> IntArray:
    """Topics of the turns before (1) or after (-1), NO_TOPIC for none and for the turn's own topic: (window, turns)."""
    rows = [shifted(turns, direction * gap) for gap in range(1, WINDOW + 1)]
    return np.stack([np.where(row == turns.topic, NO_TOPIC, row) for row in rows])


def _beyond_chance(before: IntArray, after: IntArray, half: IntArray, group: IntArray, lift: FloatArray) -> FloatArray:
    """Mean lift across each turn, less that to the neighbours of the other turns of its group and half, (turns,).

    ``lift`` has shape (2, topics, topics), symmetric. nan for a turn that is alone in its group and half.
    """
    count, groups = lift.shape[-1], int(group.max(initial=0)) + 1
    weight_before, weight_after = _weights(before), _weights(after)
    across = np.zeros(len(group))
    for early, early_weight in zip(before, weight_before, strict=True):
        for late, late_weight in zip(after, weight_after, strict=True):
            across += early_weight * late_weight * lift[half, early, late]
    place = half * groups + group
    shape = (2, groups, count)
    to_before = (_sums(before, weight_before, place, 2 * groups, count).reshape(shape) @ lift).reshape(
        2 * groups, count
    )
    to_after = (_sums(after, weight_after, place, 2 * groups, count).reshape(shape) @ lift).reshape(2 * groups, count)
    total = np.zeros(len(group))
    for late, late_weight in zip(after, weight_after, strict=True):
        total += late_weight * to_before[place, late] / 2
    for early, early_weight in zip(before, weight_before, strict=True):
        total += early_weight * to_after[place, early] / 2
    others = np.bincount(place, minlength=2 * groups)[place] - 1
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(across - np.where(others > 0, (total - across) / others, np.nan))


def _weights(rows: IntArray) -> FloatArray:
    """Equal weights of the neighbours that there are, which sum to one for each turn."""
    has = rows != NO_TOPIC
    return np.asarray(has / np.maximum(has.sum(axis=0), 1))


def _sums(rows: IntArray, weights: FloatArray, place: IntArray, places: int, count: int) -> FloatArray:
    """Weight of each topic among the neighbours of all turns of a place, shape (places, topics)."""
    sums = np.zeros(places * count)
    for row, weight in zip(rows, weights, strict=True):
        has = row != NO_TOPIC
        sums += np.bincount(place[has] * count + row[has], weight[has], places * count)
    return sums


def _averages(values: FloatArray, group: IntArray, groups: int) -> tuple[FloatArray, FloatArray, IntArray]:
    """Mean, its standard error and the number of finite values of each group; nan where there are too few."""
    has = np.isfinite(values)
    values, group = values[has], group[has]
    number = np.bincount(group, minlength=groups)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(group, values, groups) / number
        spread = np.bincount(group, (values - mean[group]) ** 2, groups) / (number - 1)
        return mean, np.sqrt(spread / number), number
