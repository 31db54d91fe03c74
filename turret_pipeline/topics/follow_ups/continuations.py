"""Which turns carry a subject of their session on, and which subject: a step of a journey lasts until it changes."""

import numpy as np
import polars as pl

from turret_pipeline.stats.array_types import BoolArray, IntArray
from turret_pipeline.tables import CONTINUATIONS
from turret_pipeline.topics.clustering.communities import NO_TOPIC
from turret_pipeline.topics.edits import CONTINUATION
from turret_pipeline.topics.follow_ups.turns import Turns, collect_turns, lifts

NEARLY = 0.02
"""A text whose topic leads by less than this cosine over one that carries on does not state a new subject."""
SESSIONS_AT_ONCE = 4096
MOST = 1.0
"""Nats of evidence that a change of subject costs at most."""
FIRST = 1e-6
"""What a change has the advantage of where all else is equal."""


def find_continuations(
    events: pl.DataFrame, event_texts: pl.DataFrame, text_topics: pl.DataFrame, definitions: pl.DataFrame
) -> pl.DataFrame:
    """Table ``continuations``: the turns of all text fields that carry a subject on; ``events`` come in their order."""
    carry_on = set(definitions.filter(pl.col("role") == CONTINUATION)["topic_id"])
    parts = [CONTINUATIONS.empty()]
    for field in event_texts["field"].unique().sort():
        turns = collect_turns(field, events, event_texts, text_topics)
        subject = subjects_of(turns, np.array([one not in carry_on for one in turns.topic_ids], dtype=np.bool_))
        names = pl.Series([*turns.topic_ids, None], dtype=pl.String).gather(subject % (len(turns.topic_ids) + 1))
        frame = pl.DataFrame({"event_id": turns.event_id, "continues_topic_id": names}).with_columns(
            pl.lit(field).alias("field")
        )
        goes_on = pl.Series((subject != NO_TOPIC) & (subject != turns.topic))
        parts.append(frame.filter(goes_on).select(CONTINUATIONS.schema.names()))
    return pl.concat(parts).sort("field", "event_id")


def subjects_of(turns: Turns, is_subject: BoolArray) -> IntArray:
    """The subject that the session is about at each turn, (turns,); NO_TOPIC in a session that states none.

    ``is_subject`` (topics,) says which topics are subjects. Of all ways to read a session, that is taken which the
    lifts between each turn's topic and the subject speak for most (Viterbi). A subject begins only at a turn that
    states it, and each change costs as much as changes are rarer than turns that carry on. Turns before the first
    subject that carry on lead up to it; those without a topic have none.
    """
    topical = turns.topical()
    read = np.full(len(topical.topic), NO_TOPIC, dtype=np.int64)
    if is_subject.any():
        scores = _Scores(topical, is_subject)
        starts = np.flatnonzero(topical.firsts())
        lengths = np.diff(starts, append=len(read))
        longest = np.argsort(-lengths, kind="stable")
        for at in range(0, len(longest), SESSIONS_AT_ONCE):
            sessions = longest[at : at + SESSIONS_AT_ONCE]
            _read(topical, starts[sessions], lengths[sessions], scores, read)
    subject = np.full(len(turns.topic), NO_TOPIC, dtype=np.int64)
    subject[turns.topic != NO_TOPIC] = read
    return _filled(turns, subject)


class _Scores:
    """What speaks for a subject at a turn.

    ``of_topic`` (topics, subjects) is the lift of a turn's topic with each subject, ``best`` (topics,) that with the
    subject that it goes with best, ``change`` (topics,) the cost of a change to it; ``is_vague`` (turns,) says which
    turns begin no subject where one is known.
    """

    def __init__(self, turns: Turns, is_subject: BoolArray) -> None:
        self.subjects = np.flatnonzero(is_subject)
        self.column = np.full(len(is_subject), NO_TOPIC, dtype=np.int64)
        self.column[self.subjects] = np.arange(len(self.subjects))
        self.of_topic = lifts(turns, 1)[:, self.subjects]
        self.best = self.of_topic.max(axis=1)
        self.change = np.clip(self.best, 0.0, _cost_of_change(turns, is_subject))  # what is rare is taken at its word
        is_near = (turns.runner_up != NO_TOPIC) & ~is_subject[turns.runner_up] & (turns.lead < NEARLY)
        self.is_vague = is_near & is_subject[turns.topic]


def _cost_of_change(turns: Turns, is_subject: BoolArray) -> float:
    """Log of how much more turns carry a subject on than state another one, 0 where they are no more, at most MOST."""
    states = is_subject[turns.topic]
    stated = turns.where(states)
    changes = int(((stated.topic[1:] != stated.topic[:-1]) & ~stated.firsts()[1:]).sum())
    known = np.cumsum(states)
    before_session: IntArray = (known - states)[
        np.maximum.accumulate(np.where(turns.firsts(), np.arange(len(known)), 0))
    ]
    carried = int((~states & (known > before_session)).sum())
    return float(np.clip(np.log((carried + 1) / (changes + 1)), 0.0, MOST))


def _read(turns: Turns, starts: IntArray, lengths: IntArray, scores: _Scores, read: IntArray) -> None:
    """Write the subject of each turn of some sessions, the longest first, into ``read``."""
    value = np.full((len(starts), len(scores.subjects)), -np.inf)
    has_begun = np.zeros(len(starts), dtype=np.bool_)
    changed = np.zeros((int(lengths[0]), len(starts)), dtype=np.bool_)
    came_from = np.full(changed.shape, NO_TOPIC, dtype=np.int32)
    for step in range(len(changed)):
        active = int((lengths > step).sum())
        rows = starts[:active] + step
        topic, column = turns.topic[rows], scores.column[turns.topic[rows]]
        top = np.where(has_begun[:active], value[:active].argmax(axis=1), NO_TOPIC)
        enter = np.where(top == NO_TOPIC, 0.0, value[:active].max(axis=1) - scores.change[topic] + FIRST)
        enter += scores.best[topic]
        value[:active] += scores.of_topic[topic]
        states = np.flatnonzero((column != NO_TOPIC) & ~(scores.is_vague[rows] & has_begun[:active]))
        moves = states[enter[states] >= value[states, column[states]]]
        value[moves, column[moves]] = enter[moves]
        changed[step, moves], came_from[step, moves] = True, top[moves]
        has_begun[states] = True
    state = np.where(has_begun, value.argmax(axis=1), NO_TOPIC)
    for step in reversed(range(len(changed))):
        active = int((lengths > step).sum())
        rows, now = starts[:active] + step, state[:active]
        read[rows] = np.where(now == NO_TOPIC, NO_TOPIC, scores.subjects[now])
        begins = changed[step, :active] & (scores.column[turns.topic[rows]] == now) & (now != NO_TOPIC)
        state[:active] = np.where(begins, came_from[step, :active], now)


def _filled(turns: Turns, subject: IntArray) -> IntArray:
    """Subjects of all turns: where there is none, the last one goes on; turns with a topic lead up to the first."""
    places = np.arange(len(subject))
    last = np.maximum.accumulate(np.where(subject != NO_TOPIC, places, -1))
    behind = len(subject) - 1 - np.maximum.accumulate(np.where(subject[::-1] != NO_TOPIC, places, -1))[::-1]
    has_last = (last >= 0) & (turns.session[last] == turns.session)
    following = np.minimum(behind, max(len(subject) - 1, 0))
    leads_up = (behind < len(subject)) & (turns.session[following] == turns.session) & (turns.topic != NO_TOPIC)
    return np.where(has_last, subject[last], np.where(leads_up, subject[following], NO_TOPIC))
