"""Turns: the texts of a field in the order of their sessions, and which topics keep company in them."""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from turret_pipeline.stats.array_types import BoolArray, FloatArray, IntArray
from turret_pipeline.topics.clustering.communities import NO_TOPIC

SMOOTHING = 1.0
"""Added to the counts of a pair, seen and expected, so that rare pairs say little."""


@dataclass(frozen=True)
class Turns:
    """A row per event that carries a text of the field, ordered by session and position; all arrays (turns,).

    ``session`` numbers the sessions, ``half`` deals them into two halves that stay the same from run to run, ``topic``
    and ``runner_up`` are positions in ``topic_ids`` or NO_TOPIC, ``lead`` is the cosine to the topic less that to the
    runner-up (infinite without one).
    """

    event_id: pl.Series
    topic_ids: tuple[str, ...]
    session: IntArray
    half: IntArray
    topic: IntArray
    runner_up: IntArray
    lead: FloatArray

    def where(self, mask: BoolArray) -> "Turns":
        """The turns of a mask, in their order."""
        arrays = {name: getattr(self, name)[mask] for name in ("session", "half", "topic", "runner_up", "lead")}
        return replace(self, event_id=self.event_id.filter(pl.Series(mask)), **arrays)

    def topical(self) -> "Turns":
        """The turns that have a topic."""
        return self.where(self.topic != NO_TOPIC)

    def firsts(self) -> BoolArray:
        """Whether a turn is the first of its session, shape (turns,)."""
        return np.concatenate([[True], self.session[1:] != self.session[:-1]])[: len(self.session)]


def collect_turns(field: str, events: pl.DataFrame, event_texts: pl.DataFrame, text_topics: pl.DataFrame) -> Turns:
    """The turns of a text field; ``events`` come in their order, an event without a text is no turn."""
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
    places = dict(zip(ids, range(len(ids)), strict=True))
    return names.replace_strict(places, default=NO_TOPIC, return_dtype=pl.Int64).fill_null(NO_TOPIC).to_numpy()


def shifted(turns: Turns, gap: int) -> IntArray:
    """The topic so many turns before (negative: after) in the same session, NO_TOPIC where there is none."""
    other = np.full(len(turns.topic), NO_TOPIC, dtype=np.int64)
    size = abs(gap)
    late, early = np.arange(size, len(other)), np.arange(len(other) - size)
    same = turns.session[late] == turns.session[early]
    into, source = (late, early) if gap > 0 else (early, late)
    other[into[same]] = turns.topic[source[same]]
    return other


def lifts(turns: Turns, window: int) -> FloatArray:
    """How much oftener than by chance two topics are at most ``window`` turns apart: log lift, (topics, topics).

    All turns must have a topic. Two turns of one topic are a pair, too.
    """
    count = len(turns.topic_ids)
    pairs = np.zeros(count * count)
    for gap in range(1, window + 1):
        before = shifted(turns, gap)
        has = before != NO_TOPIC
        pairs += np.bincount(turns.topic[has] * count + before[has], minlength=count * count)
    seen = pairs.reshape(count, count) + pairs.reshape(count, count).T
    margins = seen.sum(axis=1)
    expected = np.outer(margins, margins) / max(margins.sum(), 1)
    return np.asarray(np.log((seen + SMOOTHING) / (expected + SMOOTHING)))
