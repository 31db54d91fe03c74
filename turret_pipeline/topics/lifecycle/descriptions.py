"""Descriptions of topics: phrases that differ, and a sentence of facts."""

import re
from collections.abc import Mapping, Sequence

import polars as pl

from turret_pipeline.stats.array_types import IntArray
from turret_pipeline.topics.labels.labels import TopicLabel

_FACTS = re.compile(r"\. [\d,]+ texts?, [\d.]+% of all\.$")


def describe_topics(
    names: Sequence[TopicLabel], ids: pl.Series, text_counts: IntArray, total: int, previous: pl.DataFrame
) -> pl.Series:
    """Description of each topic. A known topic keeps its phrases, and its facts are those of now.

    ``text_counts`` has the number of texts of each topic, ``total`` is the number of all texts.
    """
    known = dict(previous.select("topic_id", "description").iter_rows())
    descriptions = [
        _describe(_previous_phrases(known, topic_id) or _join_phrases(name.phrases), count, total)
        for name, topic_id, count in zip(names, ids, text_counts.tolist(), strict=True)
    ]
    return pl.Series(descriptions, dtype=pl.String)


def _previous_phrases(known: Mapping[str, str | None], topic_id: str) -> str | None:
    """Phrases of the previous description; None without one, or if an LLM or an older version wrote it."""
    description = known.get(topic_id) or ""
    return _FACTS.sub("", description) if _FACTS.search(description) else None


def _join_phrases(phrases: Sequence[str]) -> str:
    return " | ".join(phrases) or "Texts without distinctive words"


def _describe(phrases: str, count: int, total: int) -> str:
    return f"{phrases}. {count:,} {'text' if count == 1 else 'texts'}, {count / max(total, 1):.1%} of all."
