"""Which topics are subjects, and which only carry one on ("yes please", "3100", "make it shorter").

Nothing is read of the words, and no label is known: what tells is where the texts of a topic stand in sessions. The
idea is that of finding stop words by how they are spread (Church and Gale: Poisson mixtures, 1995) and of
segmenting discourse at what begins anew (Hearst: TextTiling, 1997).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from turret_pipeline.stats.array_types import BoolArray, FloatArray
from turret_pipeline.topics.edits import CONTINUATION, SUBJECT, Role
from turret_pipeline.topics.follow_ups.carryover import Carrying, carrying
from turret_pipeline.topics.follow_ups.openings import Greetings, Openings, greetings, openings, session_shares
from turret_pipeline.topics.follow_ups.turns import Turns

RARELY = 0.25
"""A topic that opens fewer than this share of the sessions that chance would give it is no subject."""
CARRIES = 2.0
"""So many times as much must a topic carry on, against other turns, as it opens sessions, against chance."""
CLEAR, USUALLY_CLEAR = 3.0, 4.0
"""Standard errors by which carrying on must differ from nothing: that of a topic, and that of all turns together."""
MET = 8
"""Turns between others from which on a topic is said to carry on."""
EVERYWHERE = 0.9
"""Share of the sessions in which a topic must be found to say nothing of what one of them is about."""
GREETINGS, AT_THE_START, CLEAR_GREETING = 20, 0.75, 4.0
"""Sessions that a topic must open to be found a greeting, the share of its turns that do, and the standard errors by
which those sessions must go on as others begin: in short sessions a subject too stands first in most of its own."""
HELD = 1.25
"""A role that a topic had stays unless the evidence is this much clearer than is asked of a new topic."""


@dataclass(frozen=True)
class Verdict:
    """What a topic is, and why, as a sentence."""

    role: Role
    reason: str


def judge(turns: Turns, before: Mapping[str, Role]) -> dict[str, Verdict]:
    """The role of each topic of a field that occurs, by topic_id; ``before`` has the roles of the run before.

    A topic carries on where it opens far fewer sessions than chance would give it; or fewer, and what was spoken of
    before is spoken of after it; or where it is in nearly every session; or where sessions begin only after it. Where
    no turn hangs together with those around it, as where every turn states a subject of its own, only the first holds.
    """
    turns = turns.topical()
    held = {SUBJECT: 1 / HELD, CONTINUATION: HELD, None: 1.0}
    ease = np.array([held[before.get(one)] for one in turns.topic_ids])
    reasons = _greeting_reasons(turns, ease)
    rest = turns.where(~np.isin(turns.topic, list(reasons)))
    opening, carried, shares = openings(rest), carrying(rest), session_shares(turns)
    for topic in range(len(turns.topic_ids)):
        if topic not in reasons and (reason := _reason(topic, opening, carried, shares[topic], ease[topic])):
            reasons[topic] = reason
    return {
        topic_id: Verdict(CONTINUATION, reasons[topic])
        if topic in reasons
        else Verdict(SUBJECT, f"{_opens(topic, opening)}.")
        for topic, topic_id in enumerate(turns.topic_ids)
    }


def _greeting_reasons(turns: Turns, ease: FloatArray) -> dict[int, str]:
    """Topics after which sessions go on as others begin, the most frequent opener first, each without those found."""
    reasons: dict[int, str] = {}
    while True:
        rest = turns.where(~np.isin(turns.topic, list(reasons)))
        found = greetings(rest)
        opens = np.flatnonzero(_is_greeting(found, ease))
        if not len(opens):
            return reasons
        topic = int(opens[found.count[opens].argmax()])
        reasons[topic] = (
            f"Opens {found.count[topic]:,} sessions, which go on as others begin: a greeting, and no subject."
        )


def _is_greeting(found: Greetings, ease: FloatArray) -> BoolArray:
    with np.errstate(invalid="ignore"):
        return np.asarray(
            (found.count >= GREETINGS)
            & (found.first_share > AT_THE_START)
            & (found.clearness > CLEAR_GREETING / ease)
            & (found.begins < 0.5 * ease * found.goes_on)
        )


def _reason(topic: int, opening: Openings, carried: Carrying, share: float, ease: float) -> str | None:
    """Why a topic is no subject; none where it is one."""
    rate, carry = float(opening.rate[topic]), _carry(topic, carried, ease)
    if rate < RARELY * ease:
        return f"{_opens(topic, opening)}: it answers or goes on, and is no subject."
    if carry is None:
        return None
    goes_on = f"what was spoken of before goes on after it, {carry:.1f} times as clearly as around other turns"
    if rate < ease * min(1.0, carry / CARRIES):
        return f"{_opens(topic, opening)}, and {goes_on}: it carries a subject on."
    if share >= 1 - (1 - EVERYWHERE) * ease and carry > 1 / ease:
        return f"Is in {share:.0%} of the sessions, and {goes_on}: it tells none from another."
    return None


def _carry(topic: int, carried: Carrying, ease: float) -> float | None:
    """How much a topic carries on, 1 as the turns of all topics do; none where that is not clear."""
    is_usual_clear = carried.usual > USUALLY_CLEAR * carried.usual_error
    is_clear = carried.count[topic] >= MET and carried.mean[topic] > CLEAR / ease * carried.error[topic]
    return float(carried.mean[topic]) / carried.usual if is_usual_clear and is_clear else None


def _opens(topic: int, opening: Openings) -> str:
    opened, expected = int(opening.opened[topic]), float(opening.expected[topic])
    return (
        f"Opens {opened:,} session{'' if opened == 1 else 's'} where chance would have {expected:,.{expected < 10:d}f}"
    )
