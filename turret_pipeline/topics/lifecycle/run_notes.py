"""Notes about the topics of a field in a run: why there are none, and signs that they say little.

A note names what was found, its size and the setting that changes it. Each is shown in the summary, stored in
``topic_runs.note`` and reported by the check ``topics_sound``. It quotes no text and no label, because the topic may be
too small to be disclosed.
"""

import numpy as np
import polars as pl

from turret_pipeline.stats.array_types import IntArray
from turret_pipeline.tables.topics import ACTIVE
from turret_pipeline.topics.embedding.near_duplicates import find_templates
from turret_pipeline.topics.embedding.windows import MAX_WINDOWS
from turret_pipeline.topics.lifecycle.plan import Plan

TEXT = "text"
"""Type of the fields with topics."""

MOST = 0.5
"""Share of the events or texts of a field that must not be in one place without a note."""

MIN_COHESION = 0.2
"""Cohesion (mean cosine between two texts) of a topic with most events that needs no note. Texts of different subjects
mostly have less."""

MAX_ALIKE_SHARE = 0.05
"""Share of texts with different words but the same vector that needs no note."""

MIN_PREPARED_SHARE = 0.05
"""Share of texts with copied passages, or that are too long to be read, that is noted."""


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
        _describe_unread_differences(texts, group),
        *_describe_preparation(texts),
    ]
    return " ".join(note for note in found if note) or None


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
