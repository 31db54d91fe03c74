"""Texts of a few topics with their vectors, the state after a first run over them, and further runs."""

import datetime as dt
from collections.abc import Iterable
from typing import TypeAlias

import numpy as np
import polars as pl
from polars.testing import assert_frame_equal

from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.tables import TEXTS
from turret_pipeline.topics.embedding.readers import VectorLookup
from turret_pipeline.topics.embedding.texts import text_id
from turret_pipeline.topics.lifecycle.plan import Plan, Run
from turret_pipeline.topics.lifecycle.state import TopicState, update_topic_state
from turret_pipeline.topics.options import TopicOptions
from turret_pipeline_tests.topics.blobs import blobs, scattered

NOON = dt.datetime(2024, 5, 1, 12, tzinfo=dt.UTC)
Vectors: TypeAlias = dict[str, FloatArray]
"""Vectors by text."""


def name_variant(number: int) -> str:
    """A word for each number. Texts that differ in numbers alone would be near-duplicates."""
    return f"q{chr(97 + number // 26)}{chr(97 + number % 26)}"


def make_texts(words: str, count: int, first: int, seed: int = 0, noise: float = 0.06) -> Vectors:
    """Texts that begin with these words, with vectors around one direction."""
    vectors = blobs([count], first=first, seed=seed, noise=noise)
    return {f"{words} {name_variant(number)}": vector for number, vector in enumerate(vectors)}


REFUND = make_texts("refund order", 20, first=0)
PASSWORD = make_texts("reset password", 14, first=1)
PARCEL = make_texts("track parcel", 16, first=2, noise=0.03)
INVOICE = make_texts("send invoice", 12, first=3, noise=0.03)
ODD = {f"oddity {name_variant(number)}": vector for number, vector in enumerate(scattered(6))}
EMPTY = TopicState.empty()


def texts(*groups: Vectors, field: str = "prompt") -> pl.DataFrame:
    """Table texts."""
    rows = [(field, text_id(text), text, 1, "en") for group in groups for text in group]
    return pl.DataFrame(rows, TEXTS.schema, orient="row").sort("field", "text_id")


def vectors(*groups: Vectors) -> VectorLookup:
    """Lookup of the vectors of these texts by id."""
    known = {text_id(text): vector for group in groups for text, vector in group.items()}

    def look_up(text_ids: pl.Series, _model: str) -> FloatArray:
        found = [known[one] for one in text_ids]
        return np.array(found, np.float32) if found else np.empty((0, 0), np.float32)

    return look_up


LOOK_UP = vectors(REFUND, PASSWORD, PARCEL, INVOICE, ODD)


PLAN = Plan(TopicOptions())


def run(previous: TopicState, given: pl.DataFrame, run_id: str = "r1", plan: Plan = PLAN) -> TopicState:
    return update_topic_state(previous, given, LOOK_UP, plan, Run(run_id, NOON))


def topic_of(state: TopicState, words: Iterable[str], field: str = "prompt") -> set[str | None]:
    """The topics of some texts."""
    ids = [text_id(text) for text in words]
    of_field = state.text_topics.filter((pl.col("field") == field) & pl.col("text_id").is_in(ids))
    assert of_field.height == len(ids)
    return set(of_field["topic_id"])


def changes(state: TopicState, run_id: str) -> list[tuple[str, str]]:
    return state.topic_lineage.filter(pl.col("run_id") == run_id).select("topic_id", "change").rows()


def statuses(state: TopicState) -> dict[str, str]:
    return dict(state.topic_definitions.select("topic_id", "status").iter_rows())


def assert_same(one: TopicState, other: TopicState) -> None:
    for table in TopicState.tables():
        assert_frame_equal(getattr(one, table), getattr(other, table), check_exact=True)


FIRST = run(EMPTY, texts(REFUND, PASSWORD, ODD))
