"""Topics of fields whose texts are in several languages."""

from dataclasses import replace

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.topics.embedding.model_names import ENGLISH, MULTILINGUAL
from turret_pipeline.topics.lifecycle.plan import Run
from turret_pipeline.topics.lifecycle.run_notes import describe_main_author
from turret_pipeline.topics.lifecycle.state import TopicState, list_embeddings, update_topic_state
from turret_pipeline_tests.topics.lifecycle.first_run import (
    EMPTY,
    FIRST,
    LOOK_UP,
    NOON,
    ODD,
    PARCEL,
    PASSWORD,
    PLAN,
    REFUND,
    make_texts,
    run,
    texts,
    topic_of,
    vectors,
)

RUECKGABE = make_texts("ware zurueck", 12, first=0, seed=7)
"""Texts in German about what REFUND is about."""

HYVITYS = make_texts("palauta tilaus", 9, first=5)
"""Texts in Finnish, which no model reads."""

ALL = vectors(REFUND, PASSWORD, PARCEL, ODD, RUECKGABE, HYVITYS)


def look_up(text_ids: pl.Series, model: str) -> FloatArray:
    """Vectors whose dimensions the multilingual model has in another order."""
    found = ALL(text_ids, model)
    return found[:, ::-1].copy() if model == MULTILINGUAL else found


def in_language(language: str, *groups: dict[str, FloatArray]) -> pl.DataFrame:
    return texts(*groups).with_columns(pl.lit(language).alias("language"))


MIXED = pl.concat(
    [texts(REFUND, PASSWORD, ODD, PARCEL), in_language("de", RUECKGABE), in_language("fi", HYVITYS)]
).sort("text_id")


def run_mixed(previous: TopicState, given: pl.DataFrame = MIXED, run_id: str = "r1") -> TopicState:
    return update_topic_state(previous, given, look_up, PLAN, Run(run_id, NOON))


def test_texts_of_another_language_join_the_topics_of_their_subject() -> None:
    state = run_mixed(EMPTY)
    (refund,) = topic_of(state, REFUND)
    assert topic_of(state, RUECKGABE) == {refund}
    models = MIXED.join(state.text_topics, on="text_id", validate="1:1").group_by("language").agg(
        pl.col("embedding_model").unique(), pl.col("topic_id").count()
    ).sort("language")  # fmt: skip
    assert models["embedding_model"].to_list() == [[MULTILINGUAL], [ENGLISH], [None]]
    assert models["topic_id"].to_list()[2] == 0


def test_a_run_says_which_models_read_the_texts_and_what_no_model_reads() -> None:
    (row,) = run_mixed(EMPTY).topic_runs.iter_rows(named=True)
    assert row["embedding_models"] == f"{ENGLISH} + {MULTILINGUAL}"
    read = MIXED.height - len(HYVITYS)
    assert row["coverage"] == pytest.approx(row["readable_coverage"] * read / MIXED.height, abs=1e-5)
    share = len(HYVITYS) / MIXED.height
    assert row["note"] == (
        f"{share:.0%} of the events are unreadable: no model in use reads their language (fi). "
        "Set embedding_model to auto, or to a sentence-transformers model that reads it, and run turret topics refit."
    )


def test_a_language_that_arrives_late_disturbs_no_topic() -> None:
    english = texts(REFUND, PASSWORD, ODD)
    late = pl.concat([english, in_language("de", RUECKGABE), in_language("fi", HYVITYS)])
    after = run_mixed(FIRST, late, "r2")
    known = english.select("text_id")
    columns = ["text_id", "topic_id", "found_topic_id"]
    assert_frame_equal(
        known.join(after.text_topics, on="text_id", maintain_order="left").select(columns),
        known.join(FIRST.text_topics, on="text_id", maintain_order="left").select(columns),
    )
    assert topic_of(after, RUECKGABE) == topic_of(FIRST, REFUND)
    assert after.topic_definitions["label"].to_list() == FIRST.topic_definitions["label"].to_list()


def test_without_a_readable_text_there_is_no_topic_but_a_row_for_each_text() -> None:
    state = run_mixed(EMPTY, in_language("fi", HYVITYS))
    assert state.topic_definitions.is_empty()
    assert state.text_topics.select("topic_id", "embedding_model").unique().rows() == [(None, None)]
    assert state.topic_runs["note"][0].startswith("100% of the events are unreadable: ")


def test_the_main_model_of_a_field_is_kept_and_its_texts_are_embedded_by_both_choices() -> None:
    german = in_language("de", REFUND, PASSWORD)
    first = update_topic_state(EMPTY, german, LOOK_UP, PLAN, Run("r1", NOON))
    assert first.topic_runs["embedding_models"].to_list() == [MULTILINGUAL]
    english = texts(PARCEL, ODD)
    later = pl.concat([german, english])
    needed = list_embeddings(later, "auto", first)
    assert set(needed[MULTILINGUAL]) == set(later["text_id"])
    assert set(needed[ENGLISH]) == set(english["text_id"])
    second = update_topic_state(first, later, LOOK_UP, PLAN, Run("r2", NOON))
    assert second.topic_runs["embedding_models"].to_list() == [MULTILINGUAL] * 2


def test_topics_that_are_languages_are_noted() -> None:
    given = pl.concat([in_language("en", REFUND), in_language("de", PASSWORD)])
    (note,) = run(EMPTY, given, plan=replace(PLAN, embedding_model="another-model")).topic_runs["note"]
    assert note.startswith("Topics follow languages: 100% of the texts are in the commonest language of their topic.")


@pytest.mark.parametrize(("others", "share"), [(4, "60%"), (3, None), (6, None)])
def test_one_user_with_most_events_is_noted(others: int, share: str | None) -> None:
    users = ["a"] * 6 + [f"u{number}" for number in range(others)]
    events = pl.DataFrame({"event_id": [f"e{at}" for at in range(len(users))], "user_id": users})
    event_texts = events.select("event_id", pl.lit("prompt").alias("field"), pl.lit("t").alias("text_id"))
    note = describe_main_author("prompt", events, event_texts)
    expected = f"One of 5 users has {share} of the events: the topics mostly say what that user wants."
    assert note == (expected if share else None)
