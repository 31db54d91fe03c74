"""Quotes in known topics, after privacy settings became stricter."""

from dataclasses import replace

import polars as pl

from turret_pipeline.topics.edits import Edit, Edits
from turret_pipeline.topics.lifecycle.scrub_state import scrub_state
from turret_pipeline.topics.lifecycle.state import TopicState
from turret_pipeline_tests.topics.lifecycle.first_run import (
    EMPTY,
    FIRST,
    ODD,
    PASSWORD,
    PLAN,
    REFUND,
    run,
    texts,
)

QUOTES = {
    "label": "Refund u7",
    "found_label": "Refund u7",
    "theme_label": "Orders of u7",
    "description": "refund of u7 | order",
}


def quote_an_id(state: TopicState) -> TopicState:
    """The state, all of whose labels and descriptions quote a user id."""
    quoted = state.topic_definitions.with_columns(
        *(pl.lit(text).alias(name) for name, text in QUOTES.items()),
        *(pl.lit(["u7", "refund"]).alias(name) for name in ("keywords", "example_texts")),
    )
    return replace(state, topic_definitions=quoted)


def test_with_a_salt_nothing_quotes_an_id_and_labels_are_made_again() -> None:
    clean = scrub_state(quote_an_id(FIRST), (), has_salt=True)
    assert "u7" not in clean.topic_definitions.write_json()
    again = run(clean, texts(REFUND, PASSWORD, ODD), "r2").topic_definitions
    kept = ["topic_id", "label", "theme_id", "theme_label", "keywords", "example_texts"]
    assert again.select(kept).rows() == FIRST.topic_definitions.select(kept).rows()


def test_a_retired_topic_keeps_its_id_and_a_person_s_label_stays() -> None:
    named = replace(PLAN, edits=Edits((Edit("edit-1", "", "rename", "prompt-2", label="Logins"),)))
    clean = scrub_state(quote_an_id(FIRST), (), has_salt=True)
    topics = run(clean, texts(PASSWORD), "r2", named).topic_definitions
    assert dict(topics.select("topic_id", "label").iter_rows()) == {"prompt-1": "prompt-1", "prompt-2": "Logins"}


def test_without_a_salt_personal_data_in_quotes_become_marks() -> None:
    mail = pl.lit("Write to jo@example.com")
    state = replace(FIRST, topic_definitions=FIRST.topic_definitions.with_columns(mail.alias("label")))
    clean = scrub_state(state, ["email"], has_salt=False).topic_definitions
    assert set(clean["label"]) == {"Write to <EMAIL>"}
    assert clean["theme_label"].to_list() == FIRST.topic_definitions["theme_label"].to_list()


def test_an_empty_state_stays_empty() -> None:
    assert scrub_state(EMPTY, ["email"], has_salt=True).topic_definitions.is_empty()
