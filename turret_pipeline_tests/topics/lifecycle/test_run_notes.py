"""Notes about the topics of a field in a run."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.topics.lifecycle.plan import Plan, Run
from turret_pipeline.topics.lifecycle.run_notes import describe_samples
from turret_pipeline.topics.lifecycle.state import update_topic_state
from turret_pipeline.topics.options import TopicOptions
from turret_pipeline_tests.topics.blobs import blobs, scattered
from turret_pipeline_tests.topics.lifecycle.first_run import (
    EMPTY,
    FIRST,
    NOON,
    PASSWORD,
    PLAN,
    REFUND,
    Vectors,
    name_variant,
    texts,
    vectors,
)


def note_of(*groups: Vectors, plan: Plan = PLAN) -> str | None:
    """Note of a first run over these texts."""
    state = update_topic_state(EMPTY, texts(*groups), vectors(*groups), plan, Run("r1", NOON))
    note: str | None = state.topic_runs["note"][0]
    return note


def named(words: str, given: FloatArray) -> Vectors:
    return {f"{words} {name_variant(number)}": vector for number, vector in enumerate(given)}


def test_sound_topics_need_no_note() -> None:
    assert FIRST.topic_runs["note"].to_list() == [None]


def test_copies_of_one_text_are_too_few_texts() -> None:
    copies = {f"Order {number} is late!": vector for number, vector in enumerate(blobs([4]))}
    assert note_of(copies, named("other", scattered(3))) == (
        "Too few distinct texts (4 of 7, the others differ in numbers or not at all): at least 10 are needed, twice "
        "the minimum size of a topic (5, setting topic_min_texts)."
    )


def test_an_incoherent_topic_with_most_events_is_noted() -> None:
    loose = named("loose", blobs([80], noise=0.45))
    plan = replace(PLAN, options=TopicOptions(floor=0.3, granularity=0.1))
    note = note_of(loose, plan=plan)
    assert note is not None
    assert note.startswith("One topic (prompt-1) has")
    assert "of the events, and its texts have little in common (cohesion 0.1" in note
    assert note.endswith("a higher topic_granularity divides it.")


def test_a_coherent_topic_with_most_events_needs_no_note() -> None:
    assert note_of(named("close", blobs([80], noise=0.2))) is None


def test_many_unassigned_texts_are_noted() -> None:
    note = note_of(REFUND, named("odd", scattered(14)), named("rare", -scattered(14, seed=2)))
    assert note == "58% of the texts have no topic: a lower topic_floor (now 0.67) assigns more."


def test_a_template_with_most_events_is_noted() -> None:
    copies = {f"Your order {number} has been shipped": vector for number, vector in enumerate(blobs([50], first=5))}
    assert note_of(REFUND, PASSWORD, copies) == (
        "60% of the events are copies of one text, apart from numbers, ids and punctuation."
    )


@pytest.mark.parametrize("alike", [2, 12])
def test_texts_that_look_alike_to_the_model_are_noted(alike: int) -> None:
    same = named("unread", np.repeat(blobs([1], first=6), alike, axis=0))
    expected = (
        f"The embedding model cannot tell {alike - 1} of the {34 + alike} texts from others with different words: it "
        "reads few scripts other than Latin."
    )
    assert note_of(REFUND, PASSWORD, same) == (expected if alike > 2 else None)


def test_copied_passages_and_cut_texts_are_noted() -> None:
    given = texts(REFUND, PASSWORD)
    flags = [pl.Series("is_copy_left_out", [True] * 20 + [None] * 14), pl.Series("is_cut", [True] * 3 + [None] * 31)]
    state = update_topic_state(EMPTY, given.with_columns(flags), vectors(REFUND, PASSWORD), PLAN, Run("r1", NOON))
    assert state.topic_runs["note"][0] == (
        "20 of 34 texts share copied passages, which were left out of their meaning. "
        "3 of 34 texts have more than 20 windows of about 150 words: only these were read."
    )


def test_a_field_with_more_texts_than_are_clustered_is_named_before_its_topics_are_found() -> None:
    texts = pl.DataFrame({"field": ["prompt"] * 4 + ["note"] * 2})

    assert list(describe_samples(texts, max_clustered=3)) == [
        "prompt has 4 distinct texts: topics are found from at most 3 of them (setting topic_max_clustered), and the "
        "others get the topic of the most similar ones."
    ]
    assert list(describe_samples(texts, max_clustered=4)) == []
