"""How sessions begin: how often each topic opens one, and which topics are mere greetings."""

from dataclasses import dataclass

import numpy as np

from turret_pipeline.stats.array_types import BoolArray, FloatArray, IntArray
from turret_pipeline.topics.clustering.communities import NO_TOPIC
from turret_pipeline.topics.follow_ups.turns import Turns

PRIOR = 5.0
"""Sessions that are thought to begin, or to go on, as turns are spread over the topics at large."""


@dataclass(frozen=True)
class Openings:
    """Sessions that each topic opens, and how many it would were the turns of each session shuffled; (topics,)."""

    opened: IntArray
    expected: FloatArray

    @property
    def rate(self) -> FloatArray:
        """Opened over expected, both with one session more: 1 is what chance would give, (topics,)."""
        return np.asarray((self.opened + 1) / (self.expected + 1))


def openings(turns: Turns) -> Openings:
    """How often topics open sessions; all turns must have a topic. A session of one turn is opened as expected."""
    count = len(turns.topic_ids)
    lengths = np.bincount(turns.session)[turns.session]
    return Openings(
        np.bincount(turns.topic[turns.firsts()], minlength=count),
        np.bincount(turns.topic, np.reciprocal(lengths, dtype=np.float64), count).astype(np.float64),
    )


@dataclass(frozen=True)
class Greetings:
    """How sessions go on that a topic opens; arrays (topics,), nan where it opens none.

    ``begins`` and ``goes_on`` are how far the next topic's distribution is from that of the first topics of other
    sessions and from that of their second ones (Kullback-Leibler divergence, in nats, bias of small samples taken off);
    ``clearness`` is the z-score of their difference, ``count`` the sessions, ``first_share`` the share of its turns
    that open one.
    """

    begins: FloatArray
    goes_on: FloatArray
    clearness: FloatArray
    count: IntArray
    first_share: FloatArray


def greetings(turns: Turns) -> Greetings:
    """Whether sessions begin only after a topic that opens them; all turns must have a topic."""
    count = len(turns.topic_ids)
    first, following = _first_two(turns)
    spread = np.bincount(turns.topic, minlength=count) / max(len(turns.topic), 1)
    opens = np.bincount(first, minlength=count)
    has = following != NO_TOPIC
    pairs = np.bincount(first[has] * count + following[has], minlength=count * count).reshape(count, count)
    rows = [_compared(topic, pairs, opens, spread) for topic in range(count)]
    begins, goes_on, clearness = np.array(rows).reshape(count, 3).T
    with np.errstate(invalid="ignore"):
        share = opens / np.bincount(turns.topic, minlength=count)
    return Greetings(begins, goes_on, clearness, pairs.sum(axis=1), share)


def _first_two(turns: Turns) -> tuple[IntArray, IntArray]:
    """The first topic of each session, and the first other one after it, NO_TOPIC without one."""
    firsts = turns.firsts()
    first = turns.topic[firsts]
    place = np.cumsum(firsts) - 1
    differs = np.flatnonzero(turns.topic != first[place]) if len(first) else np.empty(0, np.int64)
    following = np.full(len(first), NO_TOPIC, dtype=np.int64)
    following[place[differs][::-1]] = turns.topic[differs][::-1]  # the earliest is written last
    return first, following


def _compared(topic: int, pairs: IntArray, opens: IntArray, spread: FloatArray) -> tuple[float, float, float]:
    seen = pairs[topic]
    total = int(seen.sum())
    if not total:
        return np.nan, np.nan, np.nan
    others = np.arange(len(seen)) != topic
    beginning = _distribution(opens * others, spread * others)
    second = _distribution((pairs.sum(axis=0) - seen) * others, spread * others)
    has = seen > 0
    share = seen[has] / total
    bias = (int(has.sum()) - 1) / (2 * total)
    gain = np.log(beginning[has] / second[has])
    mean = float((share * gain).sum())
    error = float(np.sqrt((share * (gain - mean) ** 2).sum() / total))
    return (
        float((share * np.log(share / beginning[has])).sum()) - bias,
        float((share * np.log(share / second[has])).sum()) - bias,
        mean / error if error else 0.0,
    )


def _distribution(counts: FloatArray | IntArray, spread: FloatArray) -> FloatArray:
    weights = counts + PRIOR * spread
    return np.asarray(weights / weights.sum())


def session_shares(turns: Turns) -> FloatArray:
    """Share of the sessions of two turns or more in which each topic occurs, (topics,)."""
    count = len(turns.topic_ids)
    lengths = np.bincount(turns.session) if len(turns.session) else np.empty(0, np.int64)
    longer: BoolArray = lengths[turns.session] > 1 if len(lengths) else np.empty(0, np.bool_)
    met = np.unique(turns.session[longer] * count + turns.topic[longer])
    return np.asarray(np.bincount(met % max(count, 1), minlength=count) / max(int((lengths > 1).sum()), 1))
