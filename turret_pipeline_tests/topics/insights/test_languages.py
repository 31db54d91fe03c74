"""Languages of the texts of each field."""

import polars as pl
from polars.testing import assert_frame_equal

from turret_pipeline.tables import FIELD_LANGUAGES, TEXT_TOPICS, TEXTS
from turret_pipeline.topics.embedding.model_names import ENGLISH, MULTILINGUAL
from turret_pipeline.topics.insights.languages import summarize_languages

ROWS = [
    ("note", "t1", "a", 1, "de"),
    ("prompt", "t1", "a", 6, "en"),
    ("prompt", "t2", "b", 2, "en"),
    ("prompt", "t3", "c", 1, "fi"),
    ("prompt", "t4", "1", 1, None),
]
TOPICS = {"t1": ("x", ENGLISH), "t2": (None, ENGLISH), "t3": (None, None), "t4": ("x", ENGLISH)}


def tables(order: int = 1) -> tuple[pl.DataFrame, pl.DataFrame]:
    texts = pl.DataFrame(ROWS[::order], TEXTS.schema, orient="row")
    rows = [(field, name, TOPICS[name][0], None, None, None, None, TOPICS[name][1]) for field, name, *_ in ROWS[1:]]
    note = ("note", "t1", None, None, None, None, None, MULTILINGUAL)
    return texts, pl.DataFrame([note, *rows], TEXT_TOPICS.schema, orient="row")


def test_languages_are_counted_with_their_model_and_topics() -> None:
    found = summarize_languages(*tables())
    assert found.rows() == [
        ("note", "de", 1, 1, 1.0, MULTILINGUAL, 0.8, 0.0),
        ("prompt", "en", 2, 8, 0.8, ENGLISH, 1.0, 0.75),
        ("prompt", "fi", 1, 1, 0.1, None, None, 0.0),
        ("prompt", "unknown", 1, 1, 0.1, ENGLISH, None, 1.0),
    ]
    assert_frame_equal(summarize_languages(*tables(-1)), found)


def test_without_texts_there_are_no_languages() -> None:
    assert_frame_equal(summarize_languages(TEXTS.empty(), TEXT_TOPICS.empty()), FIELD_LANGUAGES.empty())
