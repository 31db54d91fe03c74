"""Turns of sessions, and how often topics occur near each other in them."""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from turret_pipeline.stats.array_types import BoolArray, FloatArray, IntArray
from turret_pipeline.topics.clustering.communities import NO_TOPIC

SMOOTHING = 1.0
"""Added to the observed and the expected count of a pair, so that rare pairs have a lift near 0."""


@dataclass(frozen=True)
class Turns:
    """A row per event with a text of the field, ordered by session and position; all arrays have shape (turns,).

    ``session`` numbers the sessions. ``half`` splits the sessions into two halves, the same in every run. ``topic`` and
    ``runner_up`` are positions in ``topic_ids`` or NO_TOPIC. ``lead`` is the cosine to the topic minus the cosine to
    the runner-up, infinite without a runner-up.
    """

    event_id: pl.Series
    topic_ids: tuple[str, ...]
    session: IntArray
    half: IntArray
    topic: IntArray
    runner_up: IntArray
    lead: FloatArray

    def where(self, mask: BoolArray) -> "Turns":
        """The turns for which the mask is true."""
        arrays = {name: getattr(self, name)[mask] for name in ("session", "half", "topic", "runner_up", "lead")}
        return replace(self, event_id=self.event_id.filter(pl.Series(mask)), **arrays)

    def with_topic(self) -> "Turns":
        """The turns that have a topic."""
        return self.where(self.topic != NO_TOPIC)

    def is_first(self) -> BoolArray:
        """True for the first turn of each session, shape (turns,)."""
        return np.concatenate([[True], self.session[1:] != self.session[:-1]])[: len(self.session)]


def collect_turns(field: str, events: pl.DataFrame, event_texts: pl.DataFrame, text_topics: pl.DataFrame) -> Turns:
    """The turns of a text field; ``events`` must be in their canonical order. Events without a text are left out."""
    columns = ["text_id", "topic_id", "runner_up_topic_id", "similarity", "runner_up_similarity"]
    frame = (
        event_texts.filter((pl.col("field") == field) & pl.col("text_id").is_not_null())
        .join(text_topics.filter(pl.col("field") == field).select(columns), on="text_id", how="left")
        .join(events.select("event_id", "session_id").with_row_index("position"), on="event_id", validate="m:1")
        .sort("session_id", "position")
    )
    ids = frame["topic_id"].drop_nulls().unique().sort()
    lead = (frame["similarity"] - frame["runner_up_similarity"]).fill_null(float("inf"))
    return Turns(
        frame["event_id"],
        tuple(ids),
        (frame["session_id"].rle_id().cast(pl.Int64) if frame.height else pl.Series([], dtype=pl.Int64)).to_numpy(),
        (frame["session_id"].hash(seed=0) % 2).cast(pl.Int64).to_numpy(),
        _positions(frame["topic_id"], ids),
        _positions(frame["runner_up_topic_id"], ids),
        lead.to_numpy(),
    )


def _positions(names: pl.Series, ids: pl.Series) -> IntArray:
    """Position of each name among the ids, NO_TOPIC if it has none."""
    position_of = dict(zip(ids, range(len(ids)), strict=True))
    return names.replace_strict(position_of, default=NO_TOPIC, return_dtype=pl.Int64).fill_null(NO_TOPIC).to_numpy()


def shift_topics(turns: Turns, gap: int) -> IntArray:
    """The topic ``gap`` turns before each turn in its session (after it if negative), or NO_TOPIC; shape (turns,)."""
    shifted = np.full(len(turns.topic), NO_TOPIC, dtype=np.int64)
    size = abs(gap)
    later, earlier = np.arange(size, len(shifted)), np.arange(len(shifted) - size)
    same = turns.session[later] == turns.session[earlier]
    target, source = (later, earlier) if gap > 0 else (earlier, later)
    shifted[target[same]] = turns.topic[source[same]]
    return shifted


def pair_lifts(turns: Turns) -> FloatArray:
    """Log lift of each pair of topics of adjacent turns, shape (topics, topics), symmetric.

    The lift is the observed number of pairs over the number expected by chance. All turns must have a topic; two turns
    of the same topic are a pair, too.
    """
    count = len(turns.topic_ids)
    before = shift_topics(turns, 1)
    has = before != NO_TOPIC
    pairs = np.bincount(turns.topic[has] * count + before[has], minlength=count * count)
    observed = pairs.reshape(count, count) + pairs.reshape(count, count).T
    margins = observed.sum(axis=1)
    expected = np.outer(margins, margins) / max(margins.sum(), 1)
    return np.asarray(np.log((observed + SMOOTHING) / (expected + SMOOTHING)))
