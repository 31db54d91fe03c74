"""Roles of topics: subjects, and follow-ups such as "yes please", "3100" or "make it shorter".

Words and labels are not used, only the position of a topic's texts in sessions. Stop words can likewise be found by
how they are distributed (Church, Gale: Poisson mixtures, 1995), and segments of discourse by the positions at which
new topics begin (Hearst: TextTiling, 1997).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from turret_pipeline.stats.array_types import BoolArray, FloatArray
from turret_pipeline.topics.edits import CONTINUATION, SUBJECT, Role
from turret_pipeline.topics.follow_ups.carryover import Carryover, measure_carryover
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

CARRYOVER_PER_OPENING_RATE = 2.0
"""A topic is a follow-up if its carry-over, relative to other turns, is this many times its opening rate."""

MIN_Z_SCORE, MIN_OVERALL_Z_SCORE = 3.0, 4.0
"""Significance of the carry-over of a topic, and of all turns together."""

MIN_TURNS_BETWEEN = 8
"""Turns between others that a topic must have for its carry-over to count."""

UBIQUITOUS_SHARE = 0.9
"""A topic in this share of the sessions does not tell them apart."""

GREETING_MIN_SESSIONS, GREETING_MIN_OPENING_SHARE, GREETING_MIN_Z_SCORE = 20, 0.75, 4.0
"""A greeting opens this many sessions, with this share of its turns, and they continue as others begin with this
significance. The share alone is not enough: in short sessions, subjects also open most of theirs."""

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

    - it opens far fewer sessions than chance would give it;
    - it opens fewer sessions than chance would give it, and has a high carry-over;
    - it is in nearly every session, and has a high carry-over;
    - it is a greeting: the sessions that it opens continue the way other sessions begin.

    Carry-over counts only if it is significant over all turns. If every turn is a subject of its own, it is not.
    """
    turns = turns.with_topic()
    by_role = {SUBJECT: 1 / HYSTERESIS, CONTINUATION: HYSTERESIS, None: 1.0}
    leniency = np.array([by_role[previous.get(topic_id)] for topic_id in turns.topic_ids])
    reasons = _greeting_reasons(turns, leniency)
    rest = turns.where(~np.isin(turns.topic, list(reasons)))
    openings, carryover, shares = count_openings(rest), measure_carryover(rest), topic_session_shares(turns)
    for topic in range(len(turns.topic_ids)):
        if topic in reasons:
            continue
        if reason := _follow_up_reason(topic, openings, carryover, shares[topic], leniency[topic]):
            reasons[topic] = reason
    return {
        topic_id: RoleDecision(CONTINUATION, reasons[topic])
        if topic in reasons
        else RoleDecision(SUBJECT, f"{_describe_openings(topic, openings)}.")
        for topic, topic_id in enumerate(turns.topic_ids)
    }


def _greeting_reasons(turns: Turns, leniency: FloatArray) -> dict[int, str]:
    """Reasons of the greetings, found one at a time: the most frequent first, then the next without its turns."""
    reasons: dict[int, str] = {}
    while True:
        rest = turns.where(~np.isin(turns.topic, list(reasons)))
        evidence = measure_greetings(rest)
        greetings = np.flatnonzero(_is_greeting(evidence, leniency))
        if not len(greetings):
            return reasons
        topic = int(greetings[evidence.count[greetings].argmax()])
        sessions = f"{evidence.count[topic]:,} sessions"
        reasons[topic] = f"Opens {sessions} that continue the way other sessions begin: a greeting."


def _is_greeting(evidence: GreetingEvidence, leniency: FloatArray) -> BoolArray:
    with np.errstate(invalid="ignore"):
        return np.asarray(
            (evidence.count >= GREETING_MIN_SESSIONS)
            & (evidence.opening_share > GREETING_MIN_OPENING_SHARE)
            & (evidence.z_score > GREETING_MIN_Z_SCORE / leniency)
            & (evidence.first_divergence < 0.5 * leniency * evidence.second_divergence)
        )


def _follow_up_reason(
    topic: int, openings: Openings, carryover: Carryover, session_share: float, leniency: float
) -> str | None:
    """Reason that a topic is a follow-up, None for a subject."""
    rate, relative = float(openings.rate[topic]), _relative_carryover(topic, carryover, leniency)
    if rate < MIN_OPENING_RATE * leniency:
        return f"{_describe_openings(topic, openings)}: too few for a subject."
    if relative is None:
        return None
    continues = f"Earlier topics continue after it, {relative:.1f} times as clearly as after other turns."
    if rate < leniency * min(1.0, relative / CARRYOVER_PER_OPENING_RATE):
        return f"{_describe_openings(topic, openings)}. {continues}"
    if session_share >= 1 - (1 - UBIQUITOUS_SHARE) * leniency and relative > 1 / leniency:
        return f"Occurs in {session_share:.0%} of the sessions. {continues}"
    return None


def _relative_carryover(topic: int, carryover: Carryover, leniency: float) -> float | None:
    """Carry-over of a topic relative to all turns, None if one of the two is not significant."""
    is_overall_clear = carryover.overall > MIN_OVERALL_Z_SCORE * carryover.overall_error
    is_clear = (
        carryover.count[topic] >= MIN_TURNS_BETWEEN
        and carryover.mean[topic] > MIN_Z_SCORE / leniency * carryover.error[topic]
    )
    return float(carryover.mean[topic]) / carryover.overall if is_overall_clear and is_clear else None


def _describe_openings(topic: int, openings: Openings) -> str:
    opened, expected = int(openings.opened[topic]), float(openings.expected[topic])
    sessions = "session" if opened == 1 else "sessions"
    return f"Opens {opened:,} {sessions}; chance would give {expected:,.{expected < 10:d}f}"
