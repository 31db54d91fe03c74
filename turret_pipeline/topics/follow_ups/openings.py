"""Openings of sessions: how often each topic opens one, and evidence that a topic is a greeting."""

from dataclasses import dataclass

import numpy as np

from turret_pipeline.stats.array_types import BoolArray, FloatArray, IntArray
from turret_pipeline.topics.clustering.communities import NO_TOPIC
from turret_pipeline.topics.follow_ups.turns import Turns

PRIOR = 5.0
"""Weight, in sessions, of the overall distribution of topics in the distributions of first and second topics."""


@dataclass(frozen=True)
class Openings:
    """Sessions that each topic opens, and the number expected if the turns of each session were shuffled; (topics,)."""

    opened: IntArray
    expected: FloatArray

    @property
    def rate(self) -> FloatArray:
        """Opened over expected sessions, with one added to both: 1 is chance, (topics,)."""
        return np.asarray((self.opened + 1) / (self.expected + 1))


def count_openings(turns: Turns) -> Openings:
    """Openings of each topic; all turns must have a topic. In a session of one turn, opened equals expected."""
    count = len(turns.topic_ids)
    lengths = np.bincount(turns.session)[turns.session]
    return Openings(
        np.bincount(turns.topic[turns.is_first()], minlength=count),
        np.bincount(turns.topic, np.reciprocal(lengths, dtype=np.float64), count).astype(np.float64),
    )


@dataclass(frozen=True)
class GreetingEvidence:
    """Second topics of the sessions that each topic opens; arrays (topics,), nan if it opens none.

    ``first_divergence`` and ``second_divergence`` compare their distribution with the first and with the second topics
    of other sessions (Kullback-Leibler divergence in nats, corrected for small samples): after a greeting they are like
    first topics. ``z_score`` is that of the difference, ``count`` the number of sessions, and ``opening_share`` the
    share of the topic's turns that open a session.
    """

    first_divergence: FloatArray
    second_divergence: FloatArray
    z_score: FloatArray
    count: IntArray
    opening_share: FloatArray


def measure_greetings(turns: Turns) -> GreetingEvidence:
    """Evidence that topics are greetings; all turns must have a topic."""
    count = len(turns.topic_ids)
    first, second = _first_two_topics(turns)
    overall = np.bincount(turns.topic, minlength=count) / max(len(turns.topic), 1)
    opened = np.bincount(first, minlength=count)
    has = second != NO_TOPIC
    pairs = np.bincount(first[has] * count + second[has], minlength=count * count).reshape(count, count)
    rows = [_compare_second_topics(topic, pairs, opened, overall) for topic in range(count)]
    first_divergence, second_divergence, z_score = np.array(rows).reshape(count, 3).T
    with np.errstate(invalid="ignore"):
        share = opened / np.bincount(turns.topic, minlength=count)
    return GreetingEvidence(first_divergence, second_divergence, z_score, pairs.sum(axis=1), share)


def _first_two_topics(turns: Turns) -> tuple[IntArray, IntArray]:
    """The first topic of each session, and the first different topic after it or NO_TOPIC."""
    is_first = turns.is_first()
    first = turns.topic[is_first]
    number = np.cumsum(is_first) - 1
    differs = np.flatnonzero(turns.topic != first[number]) if len(first) else np.empty(0, np.int64)
    second = np.full(len(first), NO_TOPIC, dtype=np.int64)
    second[number[differs][::-1]] = turns.topic[differs][::-1]  # reversed: the earliest is written last
    return first, second


def _compare_second_topics(
    topic: int, pairs: IntArray, opened: IntArray, overall: FloatArray
) -> tuple[float, float, float]:
    """Divergence of the topics after ``topic`` from first and from second topics, and z-score of the difference."""
    observed = pairs[topic]
    total = int(observed.sum())
    if not total:
        return np.nan, np.nan, np.nan
    others = np.arange(len(observed)) != topic
    first = _distribution(opened * others, overall * others)
    second = _distribution((pairs.sum(axis=0) - observed) * others, overall * others)
    has = observed > 0
    share = observed[has] / total
    bias = (int(has.sum()) - 1) / (2 * total)
    gain = np.log(first[has] / second[has])
    mean = float((share * gain).sum())
    error = float(np.sqrt((share * (gain - mean) ** 2).sum() / total))
    return (
        float((share * np.log(share / first[has])).sum()) - bias,
        float((share * np.log(share / second[has])).sum()) - bias,
        mean / error if error else 0.0,
    )


def _distribution(counts: FloatArray | IntArray, overall: FloatArray) -> FloatArray:
    weights = counts + PRIOR * overall
    return np.asarray(weights / weights.sum())


def topic_session_shares(turns: Turns) -> FloatArray:
    """Share of the sessions with at least two turns in which each topic occurs, (topics,)."""
    count = len(turns.topic_ids)
    lengths = np.bincount(turns.session) if len(turns.session) else np.empty(0, np.int64)
    has_several: BoolArray = lengths[turns.session] > 1 if len(lengths) else np.empty(0, np.bool_)
    occurring = np.unique(turns.session[has_several] * count + turns.topic[has_several])
    sessions = np.bincount(occurring % max(count, 1), minlength=count)
    return np.asarray(sessions / max(int((lengths > 1).sum()), 1))
