"""Labels and descriptions of known topics, after a person chose stricter privacy settings."""

from collections.abc import Collection
from dataclasses import replace

import polars as pl

from turret_pipeline.scrubbing.batch import scrub_texts
from turret_pipeline.topics.lifecycle.state import TopicState
from turret_pipeline.topics.lifecycle.topic_table import KEYWORDS

_TEXTS = ("label", "found_label", "theme_label", "description")
_LISTS = ("keywords", "example_texts")


def scrub_state(state: TopicState, kinds: Collection[str], *, has_salt: bool) -> TopicState:
    """The state with marks of these kinds in what its topics quote of their texts.

    With a salt, quotes may hold ids that nobody can recognise any more. Then ids of topics and themes stand for the
    labels, which the next update makes again; retired topics, whose texts are gone, keep the id.
    """
    topics = state.topic_definitions
    return replace(state, topic_definitions=_remove_quotes(topics) if has_salt else _mark_quotes(topics, kinds))


def _remove_quotes(topics: pl.DataFrame) -> pl.DataFrame:
    nothing = pl.lit([], pl.List(pl.String))
    return topics.with_columns(
        *(pl.col("topic_id").alias(name) for name in ("label", "found_label")),
        *(pl.lit(KEYWORDS).alias(name) for name in ("label_source", "found_label_source")),
        pl.col("theme_id").alias("theme_label"),
        pl.lit("").alias("description"),
        *(nothing.alias(name) for name in _LISTS),
    )


def _mark_quotes(topics: pl.DataFrame, kinds: Collection[str]) -> pl.DataFrame:
    lists = [
        pl.Series(name, [_scrub_list(values, kinds) for values in topics[name]], topics.schema[name]) for name in _LISTS
    ]
    texts = [scrub_texts(topics[name], kinds).alias(name) for name in _TEXTS]
    return topics.with_columns(*texts, *lists)


def _scrub_list(values: pl.Series | None, kinds: Collection[str]) -> list[str] | None:
    return None if values is None else scrub_texts(values, kinds).to_list()
