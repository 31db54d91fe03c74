"""Texts whose vectors a student made, in the tables of a run."""

from dataclasses import replace

import polars as pl

from turret_pipeline.topics.embedding.model_names import ENGLISH, name_student
from turret_pipeline.topics.insights.languages import summarize_languages
from turret_pipeline.topics.lifecycle.plan import Run
from turret_pipeline.topics.lifecycle.state import TopicState, update_topic_state
from turret_pipeline.topics.lifecycle.students import with_students
from turret_pipeline_tests.topics.lifecycle.first_run import LOOK_UP, NOON, PASSWORD, PLAN, REFUND, texts

RUN = Run("r1", NOON)
TEXTS = texts(REFUND, PASSWORD)
STATE = update_topic_state(TopicState.empty(), TEXTS, LOOK_UP, PLAN, RUN)
NOBODY = pl.DataFrame(schema={"text_id": pl.String, "embedding_model": pl.String})


def by_students(count: int) -> pl.DataFrame:
    ids = STATE.text_topics["text_id"].sort().head(count)
    return pl.DataFrame({"text_id": ids, "embedding_model": ENGLISH})


def test_texts_name_the_student_and_the_run_has_their_share() -> None:
    found = with_students(STATE, by_students(3), RUN)
    models = found.text_topics.sort("text_id")["embedding_model"].to_list()
    assert models == [name_student(ENGLISH)] * 3 + [ENGLISH] * (len(models) - 3)
    assert found.topic_runs["student_share"].to_list() == [round(3 / len(models), 6)]
    assert found.topic_runs["embedding_models"].to_list() == [ENGLISH]
    assert found.text_topics.drop("embedding_model").equals(STATE.text_topics.drop("embedding_model"))


def test_without_students_the_share_is_0_and_names_of_an_earlier_run_are_replaced() -> None:
    before = with_students(STATE, by_students(3), RUN)
    found = with_students(before, NOBODY, RUN)
    assert set(found.text_topics["embedding_model"]) == {ENGLISH}
    assert found.topic_runs["student_share"].to_list() == [0]
    later = with_students(replace(STATE, topic_runs=before.topic_runs), NOBODY, Run("r2", NOON))
    assert later.topic_runs.equals(before.topic_runs)
    assert with_students(TopicState.empty(), NOBODY, RUN).text_topics.is_empty()


def test_a_student_reads_the_languages_of_its_model() -> None:
    languages = summarize_languages(TEXTS, with_students(STATE, by_students(99), RUN).text_topics)
    assert languages.equals(summarize_languages(TEXTS, STATE.text_topics))
