"""Distinct texts and the events that have them."""

import polars as pl
from polars.testing import assert_frame_equal

from turret_pipeline.tables import EVENT_TEXTS, EVENT_VALUES, TEXTS
from turret_pipeline.topics.embedding.texts import collect_texts, normalize_text, restore_line_breaks, text_id

WITHOUT_LANGUAGE = TEXTS.empty().drop("language")


def values(*rows: tuple[str, str, str]) -> pl.DataFrame:
    """Table event_values from event, field and value."""
    full = [(event, field, "string", value, None) for event, field, value in rows]
    return pl.DataFrame(full, EVENT_VALUES.schema, orient="row")


def test_white_space_and_unicode_form_do_not_make_another_text() -> None:
    assert normalize_text("  Where is\n\tmy  cafe\u0301?\u00a0") == "Where is my caf\u00e9?"
    assert normalize_text(" \n") == ""


def test_case_and_punctuation_make_another_text() -> None:
    assert len({text_id(normalize_text(text)) for text in ["hi", "Hi", "hi!", "hi ?"]}) == 4


def test_an_id_has_24_hexadecimal_digits_and_is_stable() -> None:
    assert len(text_id("Hi?")) == 24
    assert int(text_id("Hi?"), 16) >= 0
    assert text_id("Hi?") == text_id("Hi?") != text_id("Hi")


def test_each_distinct_text_of_a_field_is_kept_once_with_the_count_of_its_events() -> None:
    given = values(
        ("e1", "prompt", "Where is it?"),
        ("e2", "prompt", " Where  is it?\n"),
        ("e3", "prompt", "  "),
        ("e4", "prompt", "Bye."),
        ("e1", "note", "Bye."),
        ("e1", "plan", "pro"),
    )
    where, bye = text_id("Where is it?"), text_id("Bye.")
    rows_of_events = [
        ("e1", "note", bye),
        ("e1", "prompt", where),
        ("e2", "prompt", where),
        ("e3", "prompt", None),
        ("e4", "prompt", bye),
    ]
    event_texts = pl.DataFrame(rows_of_events, EVENT_TEXTS.schema, orient="row")
    texts = pl.DataFrame(
        [("note", bye, "Bye.", 1), ("prompt", bye, "Bye.", 1), ("prompt", where, "Where is it?", 2)],
        WITHOUT_LANGUAGE.schema,
        orient="row",
    ).sort("field", "text_id")
    for order in (given, given.reverse(), given.sample(fraction=1, shuffle=True, seed=3)):
        found = collect_texts(order.lazy(), ["prompt", "note"])
        assert_frame_equal(found[0], event_texts)
        assert_frame_equal(found[1], texts)


def test_without_fields_or_values_there_are_no_texts() -> None:
    some = values(("e1", "prompt", "Hi?")).lazy()
    for found in (collect_texts(some, []), collect_texts(EVENT_VALUES.empty().lazy(), ["prompt"])):
        assert_frame_equal(found[0], EVENT_TEXTS.empty())
        assert_frame_equal(found[1], WITHOUT_LANGUAGE)


def test_line_breaks_are_restored_from_the_values() -> None:
    given = values(("e1", "prompt", " Where\nis it?"), ("e2", "prompt", "Where is it?"), ("e3", "prompt", "Bye."))
    event_texts, texts = collect_texts(given.lazy(), ["prompt"])
    for order in (given, given.reverse()):
        found = restore_line_breaks(texts, order.lazy(), event_texts.lazy())
        assert sorted(found["text"]) == ["Bye.", "Where\nis it?"]
        assert found["text_id"].to_list() == texts["text_id"].to_list()
