"""Roles of topics: subjects, and follow-ups such as "yes please", "3100" or "make it shorter".

Words and labels are not used, only the position of a topic's texts in sessions. Stop words can likewise be found by
how they are distributed (Church, Gale: Poisson mixtures, 1995), and segments of discourse by the positions at which
new topics begin (Hearst: TextTiling, 1997).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from turret_pipeline.stats.array_types import BoolArray, FloatArray
from turret_pipeline.topics.edits import CONTINUATION, SUBJECT, Role
from turret_pipeline.topics.follow_ups.carryover import measure_carryover
from turret_pipeline.topics.follow_ups.openings import (
    GreetingEvidence,
    Openings,
    count_openings,
    measure_greetings,
    topic_session_shares,
)
from turret_pipeline.topics.follow_ups.turns import Turns

MIN_OPENING_RATE = 0.25
"""A topic that opens a smaller share of the sessions that chance would give it is a follow-up."""

MIN_Z_SCORE, MIN_OVERALL_Z_SCORE = 3.0, 4.0
"""Significance of the evidence of a topic, and of the carry-over of all turns together."""

MIN_TURNS_BETWEEN = 8
"""Turns between others that a topic must have for its carry-over to count."""

UBIQUITOUS_SHARE = 0.5
"""A topic in this share of the sessions does not tell them apart."""

GREETING_MIN_SESSIONS, GREETING_MIN_OPENING_SHARE, GREETING_MIN_Z_SCORE = 20, 0.5, 6.0
"""A greeting opens this many sessions, with this share of its turns, and they continue as others begin with this
significance. The share alone is not enough: in short sessions, subjects also open most of theirs."""

GREETING_MAX_DIVERGENCE_RATIO = 0.25
"""Divergence of the topics after a greeting from first topics, relative to that from second topics."""

HYSTERESIS = 1.25
"""A topic keeps its role unless the evidence is this much stronger than a new topic would need."""


@dataclass(frozen=True)
class RoleDecision:
    """Role of a topic, and the reason as a sentence."""

    role: Role
    reason: str


def classify_roles(turns: Turns, previous: Mapping[str, Role]) -> dict[str, RoleDecision]:
    """Role of each topic that occurs in the turns, by topic id; ``previous`` has the roles of the last run.

    A topic is a follow-up if one of these holds:

    - the topic before it tells more about what comes next than it does itself, by more than the carry-over of an
      average turn. The fewer sessions it opens, the less is needed;
    - it is in most sessions, and has a higher carry-over than an average turn;
    - it is a greeting: the sessions that it opens continue the way other sessions begin;
    - it opens far fewer sessions than chance would give it.

    Carry-over counts only if it is significant over all turns. If every turn is a subject of its own, it is not.
    """
    turns = turns.with_topic()
    by_role = {SUBJECT: 1 / HYSTERESIS, CONTINUATION: HYSTERESIS, None: 1.0}
    leniency = np.array([by_role[previous.get(topic_id)] for topic_id in turns.topic_ids])
    greetings = _greeting_reasons(turns, leniency)
    rest = _without_topics(turns, greetings)
    openings = count_openings(rest)
    carried = _carryover_reasons(rest, openings, topic_session_shares(turns), leniency)
    rare = {
        int(topic): f"{_describe_openings(int(topic), openings)}: too few for a subject."
        for topic in np.flatnonzero(openings.rate < MIN_OPENING_RATE * leniency)
    }
    reasons = rare | carried | greetings
    return {
        topic_id: RoleDecision(CONTINUATION, reasons[topic])
        if topic in reasons
        else RoleDecision(SUBJECT, f"{_describe_openings(topic, openings)}.")
        for topic, topic_id in enumerate(turns.topic_ids)
    }


def _without_topics(turns: Turns, topics: Collection[int]) -> Turns:
    return turns.where(~np.isin(turns.topic, list(topics)))


def _carryover_reasons(turns: Turns, openings: Openings, shares: FloatArray, leniency: FloatArray) -> dict[int, str]:
    """Reasons of the topics through which earlier topics continue; ``shares`` are those of the sessions, (topics,)."""
    carryover = measure_carryover(turns)
    if not carryover.overall > MIN_OVERALL_Z_SCORE * carryover.overall_error:
        return {}
    has_enough = carryover.count >= MIN_TURNS_BETWEEN
    excess, mean = carryover.excess * leniency, carryover.mean * leniency
    tells_less = (excess > np.minimum(openings.rate, 1.0) * carryover.overall) & (
        excess > MIN_Z_SCORE * carryover.excess_error
    )
    is_ubiquitous = (
        (shares * leniency > UBIQUITOUS_SHARE) & (mean > carryover.overall) & (mean > MIN_Z_SCORE * carryover.error)
    )
    reasons = {
        int(topic): f"Occurs in {shares[topic]:.0%} of the sessions, and earlier topics continue after it."
        for topic in np.flatnonzero(has_enough & is_ubiquitous)
    }
    for topic in np.flatnonzero(has_enough & tells_less):
        reasons[int(topic)] = (
            f"{_describe_openings(int(topic), openings)}. "
            "The topic before it tells more about what comes next than it does."
        )
    return reasons


def _greeting_reasons(turns: Turns, leniency: FloatArray) -> dict[int, str]:
    """Reasons of the greetings, found one at a time: the most frequent first, then the next without its turns."""
    reasons: dict[int, str] = {}
    while True:
        evidence = measure_greetings(_without_topics(turns, reasons))
        greetings = np.flatnonzero(_is_greeting(evidence, leniency))
        if not len(greetings):
            return reasons
        topic = int(greetings[evidence.count[greetings].argmax()])
        sessions = f"{evidence.count[topic]:,} sessions"
        reasons[topic] = f"Starts {sessions} that continue the way other sessions begin: a greeting."


def _is_greeting(evidence: GreetingEvidence, leniency: FloatArray) -> BoolArray:
    with np.errstate(invalid="ignore"):
        return np.asarray(
            (evidence.count >= GREETING_MIN_SESSIONS)
            & (evidence.opening_share > GREETING_MIN_OPENING_SHARE)
            & (evidence.z_score > GREETING_MIN_Z_SCORE / leniency)
            & (evidence.first_divergence < GREETING_MAX_DIVERGENCE_RATIO * leniency * evidence.second_divergence)
        )


def _describe_openings(topic: int, openings: Openings) -> str:
    opened, expected = int(openings.opened[topic]), float(openings.expected[topic])
    sessions = "session" if opened == 1 else "sessions"
    usual = f"{expected:,.{expected < 10:d}f} would be usual for how often it comes later"
    return f"Starts {opened:,} {sessions}; {usual}"
