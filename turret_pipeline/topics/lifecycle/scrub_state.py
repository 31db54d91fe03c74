"""Marks in the labels and descriptions of known topics, after a person chose to replace more personal data."""

from collections.abc import Collection
from dataclasses import replace

import polars as pl

from turret_pipeline.scrubbing.batch import scrub_texts
from turret_pipeline.topics.lifecycle.state import TopicState

_TEXTS = ("label", "found_label", "theme_label", "description")
_LISTS = ("keywords", "example_texts")


def scrub_state(state: TopicState, kinds: Collection[str]) -> TopicState:
    """The state with marks of these kinds in what its topics quote of their texts."""
    topics = state.topic_definitions
    lists = [
        pl.Series(name, [_scrub_list(values, kinds) for values in topics[name]], topics.schema[name]) for name in _LISTS
    ]
    texts = [scrub_texts(topics[name], kinds).alias(name) for name in _TEXTS]
    return replace(state, topic_definitions=topics.with_columns(*texts, *lists))


def _scrub_list(values: pl.Series | None, kinds: Collection[str]) -> list[str] | None:
    return None if values is None else scrub_texts(values, kinds).to_list()
