"""Notes about the topics of a field in a run: why there are none, and signs that they say little.

A note names what was found, its size and the setting that changes it. Each is shown in the summary, stored in
``topic_runs.note`` and reported by the check ``topics_sound``. It quotes no text and no label, because the topic may be
too small to be disclosed.
"""

from collections.abc import Iterator

import numpy as np
import polars as pl

from turret_pipeline.stats.array_types import IntArray
from turret_pipeline.tables.topics import ACTIVE
from turret_pipeline.topics.embedding.near_duplicates import find_templates
from turret_pipeline.topics.embedding.readers import Reading
from turret_pipeline.topics.embedding.windows import MAX_WINDOWS
from turret_pipeline.topics.lifecycle.plan import Plan

TEXT = "text"
"""Type of the fields with topics."""

MOST = 0.5
"""Share of the events or texts of a field that must not be in one place without a note."""

MIN_COHESION = 0.2
"""Cohesion (mean cosine between two texts) of a topic with most events that needs no note. Texts of different subjects
mostly have less."""

MAX_UNREAD_SHARE = 0.05
"""Share of events in languages that no model reads that needs no note."""

MAX_MAIN_LANGUAGE_SHARE, MIN_PURE_SHARE = 0.8, 0.95
"""A field has several languages if the commonest has at most the first share of the texts. Its topics follow languages
if at least the second share of the texts is in the commonest language of its topic."""

MIN_AUTHORS = 5
"""Users of a field from which on one user with most events needs a note."""

MAX_ALIKE_SHARE = 0.05
"""Share of texts with different words but the same vector that needs no note."""

MIN_PREPARED_SHARE = 0.05
"""Share of texts with copied passages, or that are too long to be read, that is noted."""


def describe_samples(texts: pl.DataFrame, max_clustered: int) -> Iterator[str]:
    """A sentence about each field with more texts than are clustered."""
    counts = texts.group_by("field").len().filter(pl.col("len") > max_clustered).sort("field")
    for field, count in counts.iter_rows():
        yield (
            f"{field} has {count:,} distinct texts: topics are found from at most {max_clustered:,} of them "
            "(setting topic_max_clustered), and the others get the topic of the most similar ones."
        )


def describe_run(
    field: str, topics: pl.DataFrame, text_topics: pl.DataFrame, texts: pl.DataFrame, group: IntArray, plan: Plan
) -> str | None:
    """Notes about a field's topics as sentences, None if there is nothing to note.

    ``topics`` is its topic table. ``texts`` and ``text_topics`` have the texts in the same order, and ``group``, shape
    (texts,), numbers their near-duplicates. ``texts`` may have the flags of prepared texts, null for others.
    """
    active = topics.filter(pl.col("status") == ACTIVE)
    if active.is_empty():
        return _describe_lack_of_topics(field, texts, group, plan)
    found = [
        _describe_incoherent_topic(active, text_topics, texts),
        _describe_unassigned_texts(text_topics, plan),
        _describe_template(texts, group),
        _describe_topics_of_languages(text_topics, texts),
        _describe_unread_differences(texts, group),
        *_describe_preparation(texts),
    ]
    return " ".join(note for note in found if note) or None


def describe_unread_languages(texts: pl.DataFrame, reading: Reading) -> str | None:
    """Note about texts in languages that no model reads, from table ``texts`` of a field; None if they are few."""
    unread = texts.filter(~pl.Series(reading.is_read, dtype=pl.Boolean))
    share = int(unread["event_count"].sum()) / max(int(texts["event_count"].sum()), 1)
    if share <= MAX_UNREAD_SHARE:
        return None
    counts = unread.group_by("language").agg(pl.col("event_count").sum())
    names = counts.sort("event_count", "language", descending=[True, False])["language"].head(3)
    return (
        f"{share:.0%} of the events are unreadable: no model in use reads their language ({', '.join(names)}). Set "
        "embedding_model to auto, or to a sentence-transformers model that reads it, and run turret topics refit."
    )


def describe_main_author(field: str, events: pl.DataFrame, event_texts: pl.DataFrame) -> str | None:
    """Note about one user with most events of a field, from the tables ``events`` and ``event_texts``."""
    of_field = event_texts.filter((pl.col("field") == field) & pl.col("text_id").is_not_null())
    users = of_field.join(events.select("event_id", "user_id"), on="event_id")["user_id"]
    counts = users.drop_nulls().value_counts(name="events")["events"].to_list()
    share = max(counts, default=0) / max(len(users), 1)
    if len(counts) < MIN_AUTHORS or share <= MOST:
        return None
    return f"One of {len(counts):,} users has {share:.0%} of the events: the topics mostly say what that user wants."


def _describe_lack_of_topics(field: str, texts: pl.DataFrame, group: IntArray, plan: Plan) -> str:
    """Reason why a field has no topics."""
    min_texts, now, count = plan.options.min_texts, plan.types.get(field, TEXT), texts.height
    if now != TEXT:
        return f"{field} is no longer a text field (now {now}). Setting field_types makes it one again."
    groups = int(group.max(initial=-1)) + 1
    if groups < 2 * min_texts:
        alike = f"{count}" if groups == count else f"{groups} of {count}, the others differ in numbers or not at all"
        return (
            f"Too few distinct texts ({alike}): at least {2 * min_texts} are needed, twice the minimum size of a topic "
            f"({min_texts}, setting topic_min_texts)."
        )
    return (
        f"No topic: fewer than {min_texts} of the {count} distinct texts are alike "
        "(settings topic_min_texts, topic_floor)."
    )


def _describe_incoherent_topic(active: pl.DataFrame, text_topics: pl.DataFrame, texts: pl.DataFrame) -> str | None:
    counted = texts.select("event_count").with_columns(text_topics["topic_id"])
    sizes = counted.drop_nulls().group_by("topic_id").agg(pl.col("event_count").sum())
    share = pl.col("event_count") / counted["event_count"].sum()
    large = active.join(sizes, on="topic_id").with_columns(share.alias("share")).filter(pl.col("share") > MOST)
    if large.is_empty() or large["cohesion"][0] >= MIN_COHESION:
        return None
    row = large.row(0, named=True)
    return (
        f"One topic ({row['topic_id']}) has {row['share']:.0%} of the events, and its texts have little in common "
        f"(cohesion {row['cohesion']:.2f}): a higher topic_granularity divides it."
    )


def _describe_unassigned_texts(text_topics: pl.DataFrame, plan: Plan) -> str | None:
    share = text_topics["topic_id"].null_count() / text_topics.height
    if share <= MOST:
        return None
    return f"{share:.0%} of the texts have no topic: a lower topic_floor (now {plan.options.floor:g}) assigns more."


def _describe_template(texts: pl.DataFrame, group: IntArray) -> str | None:
    events = np.bincount(group, texts["event_count"].to_numpy())
    largest = int(events.argmax())
    share = float(events[largest] / events.sum())
    if share <= MOST or int((group == largest).sum()) < 2:
        return None
    return f"{share:.0%} of the events are copies of one text, apart from numbers, ids and punctuation."


def _describe_topics_of_languages(text_topics: pl.DataFrame, texts: pl.DataFrame) -> str | None:
    """Note about a field with several languages in which each topic has only one."""
    spoken = texts.select("language").with_columns(text_topics["topic_id"]).drop_nulls()
    sizes = spoken.group_by("topic_id", "language").len()
    main = max(sizes.group_by("language").agg(pl.col("len").sum())["len"].to_list(), default=0)
    pure = int(sizes.group_by("topic_id").agg(pl.col("len").max())["len"].sum())
    if spoken.is_empty() or main > MAX_MAIN_LANGUAGE_SHARE * spoken.height or pure < MIN_PURE_SHARE * spoken.height:
        return None
    return (
        f"Topics follow languages: {pure / spoken.height:.0%} of the texts are in the commonest language of their "
        "topic. With embedding_model = auto or multilingual, turret topics refit finds topics across languages."
    )


def _describe_unread_differences(texts: pl.DataFrame, group: IntArray) -> str | None:
    """Note about texts with different words that the model does not tell apart, apart from what was left out."""
    templates = pl.DataFrame({"group": group, "template": find_templates(texts["text"].to_list())})
    if "is_copy_left_out" in texts.columns:
        templates = templates.filter(texts["is_copy_left_out"].is_null())
    alike = int((templates.group_by("group").agg(pl.col("template").n_unique())["template"] - 1).sum())
    if alike <= MAX_ALIKE_SHARE * texts.height:
        return None
    return (
        f"The embedding model cannot tell {alike:,} of the {texts.height:,} texts from others with different words: it "
        "reads few scripts other than Latin."
    )


def _describe_preparation(texts: pl.DataFrame) -> list[str]:
    """Notes about texts that were not embedded whole."""
    if "is_copy_left_out" not in texts.columns:
        return []
    sentences = {
        "is_copy_left_out": "share copied passages, which were left out of their meaning.",
        "is_cut": f"have more than {MAX_WINDOWS} windows of about 150 words: only these were read.",
    }
    counts = {name: int(texts[name].sum()) for name in sentences}
    return [
        f"{counts[name]:,} of {texts.height:,} texts {sentence}"
        for name, sentence in sentences.items()
        if counts[name] >= max(1, MIN_PREPARED_SHARE * texts.height)
    ]
