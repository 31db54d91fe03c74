"""Follow-ups and the subject that each of them continues. A step of a journey lasts until its subject changes."""

import numpy as np
import polars as pl

from turret_pipeline.stats.array_types import BoolArray, IntArray
from turret_pipeline.tables import CONTINUATIONS
from turret_pipeline.topics.clustering.communities import NO_TOPIC
from turret_pipeline.topics.edits import CONTINUATION
from turret_pipeline.topics.follow_ups.turns import Turns, collect_turns, pair_lifts

MIN_LEAD = 0.02
"""Cosine by which the topic of a text must lead over a follow-up topic for the text to state a new subject."""

CERTAIN_LEAD = 0.1
"""Lead from which on a text states its topic for certain: a change of subject to it costs nothing."""

BATCH_SESSIONS = 4096
MAX_CHANGE_COST = 1.0
"""Highest cost of a change of subject, in nats."""

TIE_BREAK = 1e-6
"""Advantage of a change if all else is equal."""


def find_continuations(
    events: pl.DataFrame, event_texts: pl.DataFrame, text_topics: pl.DataFrame, definitions: pl.DataFrame
) -> pl.DataFrame:
    """Table ``continuations``: the follow-ups of all text fields; ``events`` must be in their canonical order."""
    follow_ups = set(definitions.filter(pl.col("role") == CONTINUATION)["topic_id"])
    parts = [CONTINUATIONS.empty()]
    for field in event_texts["field"].unique().sort():
        turns = collect_turns(field, events, event_texts, text_topics)
        is_subject = np.array([topic_id not in follow_ups for topic_id in turns.topic_ids], dtype=np.bool_)
        subject = find_subjects(turns, is_subject)
        names = pl.Series([*turns.topic_ids, None], dtype=pl.String).gather(subject % (len(turns.topic_ids) + 1))
        frame = pl.DataFrame({"event_id": turns.event_id, "continues_topic_id": names}).with_columns(
            pl.lit(field).alias("field")
        )
        is_follow_up = pl.Series((subject != NO_TOPIC) & (subject != turns.topic))
        parts.append(frame.filter(is_follow_up).select(CONTINUATIONS.schema.names()))
    return pl.concat(parts).sort("field", "event_id")


def find_subjects(turns: Turns, is_subject: BoolArray) -> IntArray:
    """Subject of the session at each turn, shape (turns,); NO_TOPIC in a session without a subject.

    ``is_subject`` has shape (topics,). The subjects of a session are the sequence with the highest sum of the lifts
    between each turn's topic and its subject (Viterbi). A subject begins only at a turn that states it. Each change has
    a cost, which grows with the ratio of follow-ups to changes, and falls with the certainty that the turn states its
    topic. Follow-ups before the first subject belong to it, but turns without a topic have no subject there.
    """
    topical = turns.with_topic()
    found = np.full(len(topical.topic), NO_TOPIC, dtype=np.int64)
    if is_subject.any():
        scores = _Scores(topical, is_subject)
        starts = np.flatnonzero(topical.is_first())
        lengths = np.diff(starts, append=len(found))
        longest = np.argsort(-lengths, kind="stable")
        for at in range(0, len(longest), BATCH_SESSIONS):
            sessions = longest[at : at + BATCH_SESSIONS]
            _decode_sessions(topical, starts[sessions], lengths[sessions], scores, found)
    subject = np.full(len(turns.topic), NO_TOPIC, dtype=np.int64)
    subject[turns.topic != NO_TOPIC] = found
    return _fill_gaps(turns, subject)


class _Scores:
    """Scores of subjects at a turn.

    ``of_topic`` (topics, subjects) is the lift of a turn's topic with each subject, and ``best`` (topics,) its maximum.
    ``change`` (turns,) is the cost of a change to the topic of a turn. ``is_vague`` (turns,) marks turns that begin no
    new subject, because a follow-up topic is nearly as close.
    """

    def __init__(self, turns: Turns, is_subject: BoolArray) -> None:
        self.subjects = np.flatnonzero(is_subject)
        self.column = np.full(len(is_subject), NO_TOPIC, dtype=np.int64)
        self.column[self.subjects] = np.arange(len(self.subjects))
        self.of_topic = pair_lifts(turns)[:, self.subjects]
        self.best = self.of_topic.max(axis=1)
        cost = np.clip(self.best, 0.0, _change_cost(turns, is_subject))  # a change to a rare topic costs little
        self.change = cost[turns.topic] * (1 - np.clip(turns.lead / CERTAIN_LEAD, 0.0, 1.0))
        is_close = (turns.runner_up != NO_TOPIC) & ~is_subject[turns.runner_up] & (turns.lead < MIN_LEAD)
        self.is_vague = is_close & is_subject[turns.topic]


def _change_cost(turns: Turns, is_subject: BoolArray) -> float:
    """Log ratio of follow-ups to changes of subject, between 0 and MAX_CHANGE_COST."""
    is_stated = is_subject[turns.topic]
    stated = turns.where(is_stated)
    changes = int(((stated.topic[1:] != stated.topic[:-1]) & ~stated.is_first()[1:]).sum())
    stated_so_far = np.cumsum(is_stated)
    before_session: IntArray = (stated_so_far - is_stated)[
        np.maximum.accumulate(np.where(turns.is_first(), np.arange(len(stated_so_far)), 0))
    ]
    follow_ups = int((~is_stated & (stated_so_far > before_session)).sum())
    return float(np.clip(np.log((follow_ups + 1) / (changes + 1)), 0.0, MAX_CHANGE_COST))


def _decode_sessions(turns: Turns, starts: IntArray, lengths: IntArray, scores: _Scores, found: IntArray) -> None:
    """Write the subjects of some sessions, sorted from longest to shortest, into ``found`` (Viterbi)."""
    value = np.full((len(starts), len(scores.subjects)), -np.inf)
    has_begun = np.zeros(len(starts), dtype=np.bool_)
    changed = np.zeros((int(lengths[0]), len(starts)), dtype=np.bool_)
    came_from = np.full(changed.shape, NO_TOPIC, dtype=np.int32)
    for step in range(len(changed)):
        active = int((lengths > step).sum())
        rows = starts[:active] + step
        topic, column = turns.topic[rows], scores.column[turns.topic[rows]]
        top = np.where(has_begun[:active], value[:active].argmax(axis=1), NO_TOPIC)
        enter = np.where(top == NO_TOPIC, 0.0, value[:active].max(axis=1) - scores.change[rows] + TIE_BREAK)
        enter += scores.best[topic]
        value[:active] += scores.of_topic[topic]
        stated = np.flatnonzero((column != NO_TOPIC) & ~(scores.is_vague[rows] & has_begun[:active]))
        moves = stated[enter[stated] >= value[stated, column[stated]]]
        value[moves, column[moves]] = enter[moves]
        changed[step, moves], came_from[step, moves] = True, top[moves]
        has_begun[stated] = True
    state = np.where(has_begun, value.argmax(axis=1), NO_TOPIC)
    for step in reversed(range(len(changed))):
        active = int((lengths > step).sum())
        rows, now = starts[:active] + step, state[:active]
        found[rows] = np.where(now == NO_TOPIC, NO_TOPIC, scores.subjects[now])
        begins = changed[step, :active] & (scores.column[turns.topic[rows]] == now) & (now != NO_TOPIC)
        state[:active] = np.where(begins, came_from[step, :active], now)


def _fill_gaps(turns: Turns, subject: IntArray) -> IntArray:
    """Subjects of all turns: a gap gets the last subject of its session, or else, if it has a topic, the first."""
    rows = np.arange(len(subject))
    last = np.maximum.accumulate(np.where(subject != NO_TOPIC, rows, -1))
    following = len(subject) - 1 - np.maximum.accumulate(np.where(subject[::-1] != NO_TOPIC, rows, -1))[::-1]
    has_last = (last >= 0) & (turns.session[last] == turns.session)
    next_row = np.minimum(following, max(len(subject) - 1, 0))
    has_next = (following < len(subject)) & (turns.session[next_row] == turns.session) & (turns.topic != NO_TOPIC)
    return np.where(has_last, subject[last], np.where(has_next, subject[next_row], NO_TOPIC))
