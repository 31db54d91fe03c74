"""Carry-over: how much the topic before a turn tells about the topic after it, which marks follow-ups."""

from dataclasses import dataclass

import numpy as np

from turret_pipeline.stats.array_types import FloatArray, IntArray
from turret_pipeline.topics.clustering.communities import NO_TOPIC
from turret_pipeline.topics.follow_ups.turns import Turns, pair_lifts, shift_topics


@dataclass(frozen=True)
class Carryover:
    """Mean log lifts across the turns of each topic, as arrays (topics,), with the standard errors of the means.

    ``mean`` is the carry-over: the lift between the topics before and after a turn, beyond that of other turns of the
    topic. ``own`` is the lift between the topic itself and the one after it. Each is nan with too few turns. ``count``
    is the number of turns between others. ``overall`` is the carry-over of all turns, with its standard error.
    """

    mean: FloatArray
    error: FloatArray
    own: FloatArray
    own_error: FloatArray
    count: IntArray
    overall: float
    overall_error: float

    @property
    def excess(self) -> FloatArray:
        """Lift that the topic before has with what follows beyond that of the topic itself, (topics,)."""
        return np.asarray(self.mean - self.own)

    @property
    def excess_error(self) -> FloatArray:
        """Standard error of the excess, (topics,)."""
        return np.hypot(self.error, self.own_error)


def measure_carryover(turns: Turns) -> Carryover:
    """Carry-over of each topic; all turns must have a topic.

    The carry-over of a turn is the log lift between the topic before it and the topic after it, minus the mean lift
    between those before and after other turns of its topic. A subject tells itself what comes next, whatever came
    before it: its carry-over is near 0. What comes after an answer, or a request to continue, is related to what came
    before. A turn beside one of its own topic does not count. The lifts come from the other half of the sessions, so
    that chance cannot raise the result.
    """
    count = len(turns.topic_ids)
    before, after = _neighbour_topics(turns, 1), _neighbour_topics(turns, -1)
    lift = np.stack([pair_lifts(turns.where(turns.half != part)) for part in (0, 1)])
    leads = after != NO_TOPIC
    own_lift = lift[turns.half[leads], turns.topic[leads], after[leads]]
    between = leads & (before != NO_TOPIC)
    before, after, topic, half = before[between], after[between], turns.topic[between], turns.half[between]
    by_topic = _excess_lift(before, after, half, topic, lift)
    overall = _excess_lift(before, after, half, np.zeros_like(topic), lift)
    mean, error, number = _group_means(by_topic, topic, count)
    own, own_error, _ = _group_means(own_lift, turns.topic[leads], count)
    overall_mean, overall_error, _ = _group_means(overall, np.zeros_like(topic), 1)
    return Carryover(mean, error, own, own_error, number, float(overall_mean[0]), float(overall_error[0]))


def _neighbour_topics(turns: Turns, gap: int) -> IntArray:
    """Topic of the turn before (1) or after (-1) each turn, shape (turns,).

    NO_TOPIC if there is no such turn or it has the turn's own topic.
    """
    topic = shift_topics(turns, gap)
    return np.where(topic == turns.topic, NO_TOPIC, topic)


def _excess_lift(before: IntArray, after: IntArray, half: IntArray, group: IntArray, lift: FloatArray) -> FloatArray:
    """Lift across each turn minus the mean lift to the neighbours of the other turns of its group and half, (turns,).

    ``lift`` has shape (2, topics, topics), symmetric. The result is nan for a turn that is alone in its group and half.
    """
    count, groups = lift.shape[-1], int(group.max(initial=0)) + 1
    across, cell = lift[half, before, after], half * groups + group
    sums = [
        (np.bincount(cell * count + topic, minlength=2 * groups * count).reshape(2, groups, count) @ lift).reshape(
            2 * groups, count
        )
        for topic in (before, after)
    ]  # of the lifts of each topic with the neighbours of the turns of a cell, shape (cells, topics)
    total = (sums[0][cell, after] + sums[1][cell, before]) / 2
    others = np.bincount(cell, minlength=2 * groups)[cell] - 1
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(across - np.where(others > 0, (total - across) / others, np.nan))


def _group_means(values: FloatArray, group: IntArray, groups: int) -> tuple[FloatArray, FloatArray, IntArray]:
    """Mean, standard error and number of the finite values of each group; nan if there are too few."""
    has = np.isfinite(values)
    values, group = values[has], group[has]
    number = np.bincount(group, minlength=groups)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(group, values, groups) / number
        variance = np.bincount(group, (values - mean[group]) ** 2, groups) / (number - 1)
        return mean, np.sqrt(variance / number), number
