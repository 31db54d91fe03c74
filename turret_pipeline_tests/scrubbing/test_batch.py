"""Scrubbing of many documents and texts before storage."""

import json
from typing import Any

import orjson
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from turret_pipeline.scrubbing import KINDS, SCRUBBED_COUNTS, scrub_documents, scrub_text, scrub_texts
from turret_pipeline.scrubbing.single_text import field_context
from turret_pipeline_tests.scrubbing.labelled import sentences


def counts(*rows: tuple[str, str, int]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), SCRUBBED_COUNTS, orient="row")


@pytest.mark.parametrize("signs", ["\u200b", "\u200b\u200c\u2060", "\u200b" * 5])
def test_invisible_signs_hide_nothing_and_stay_in_harmless_texts(signs: str) -> None:
    assert (
        scrub_text(f"{signs}mail jo{signs}@example.com{signs} now{signs}", KINDS)[0]
        == f"{signs}mail <EMAIL> now{signs}"
    )
    harmless = f"{signs}a{signs}{signs}b 5{signs}"
    for field in ("prompt", "phone", "password"):
        assert scrub_text(harmless, KINDS, field_context(field))[0] == harmless


def test_strings_at_any_depth_are_scrubbed_and_counted_under_their_field() -> None:
    documents = pl.Series(
        [
            '{"prompt":"mail jo@example.com or ann@example.com","user":{"contact":{"mail":"jo@example.com"}}}',
            '{"prompt":"hello","n":1.0}',
            '{"tags":["a",["jo@example.com"],{"ip":"203.0.113.7"}],"prompt":"from 203.0.113.7, jo@example.com"}',
        ]
    )
    scrubbed = scrub_documents(documents, KINDS)
    assert scrubbed.documents.to_list() == [
        '{"prompt":"mail <EMAIL> or <EMAIL>","user":{"contact":{"mail":"<EMAIL>"}}}',
        '{"prompt":"hello","n":1.0}',
        '{"tags":["a",["<EMAIL>"],{"ip":"<IP>"}],"prompt":"from <IP>, <EMAIL>"}',
    ]
    expected = counts(
        ("prompt", "email", 2),
        ("prompt", "ip", 1),
        ("tags", "email", 1),
        ("tags", "ip", 1),
        ("user.contact.mail", "email", 1),
    )
    assert_frame_equal(scrubbed.counts, expected)


@pytest.mark.parametrize(
    "document",
    [
        "{}",
        '{ "order_id" : "12345678901" , "total" : 12.50 }',
        '{"id":"550e8400-e29b-41d4-a716-446655440000","ms":1767225600000,"at":"2026-01-01T00:00:03.801826+00:00"}',
        '{"x":1e5,"x":1.10,"big":123456789012345678901234567890}',
        '{"text":"\\u0041 \\/ \\ud83d\\ude00 \\n"}',
        '{"jo@example.com":"a key stays"}',
        '{"app_version":"1.2.3.4","order_id":"0791234567","ref":"415-555-2671","lat":47.37690001234}',
        '{"device":"mobile","ms":1767225600000,"browser":"Chrome/120.0.0.0"}',
    ],
)
def test_a_document_without_marks_stays_byte_identical(document: str) -> None:
    scrubbed = scrub_documents(pl.Series([document]), KINDS)
    assert scrubbed.documents.to_list() == [document]
    assert scrubbed.counts.is_empty()
    assert scrubbed.counts.schema == SCRUBBED_COUNTS


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ('{"a":"jo\\u0040example.com"}', '{"a":"<EMAIL>"}'),
        ('{"a":"http:\\/\\/10.0.0.5\\/x"}', '{"a":"http://<IP>/x"}'),
        ('{"a":"call\\n079 123 45 67"}', '{"a":"call\\n<PHONE>"}'),
        ('{"a":"say \\"password\\": \\"hunter2!\\""}', '{"a":"say \\"password\\": <KEY>"}'),
        (
            '{"a": "jo@example.com", "n": 123456789012345678901234567890}',
            '{"a":"<EMAIL>","n":123456789012345678901234567890}',
        ),
        ('{"a":"jo@example.com","b":"\\ud800"}', '{"a":"<EMAIL>","b":"\\ud800"}'),
        ('{"phone":"0791234567","phones":["0791234567"]}', '{"phone":"<PHONE>","phones":["<PHONE>"]}'),
        ('{"password":"hunter2!","access_token":"a1b2c3d4"}', '{"password":"<KEY>","access_token":"<KEY>"}'),
        ('{"a":"\\\\u0040 jo@example.com"}', '{"a":"\\\\u0040 <EMAIL>"}'),
    ],
)
def test_texts_with_escapes_and_fields_with_telling_names_are_scrubbed(document: str, expected: str) -> None:
    assert scrub_documents(pl.Series([document]), KINDS).documents.to_list() == [expected]


@pytest.mark.slow
@pytest.mark.parametrize(("text", "expected"), sentences())
def test_sentences_are_scrubbed_the_same_alone_and_in_documents(text: str, expected: str) -> None:
    assert scrub_text(text, KINDS)[0] == expected
    assert scrub_texts(pl.Series([text]), KINDS).to_list() == [expected]
    document = orjson.dumps({"prompt": text}).decode()
    assert orjson.loads(scrub_documents(pl.Series([document]), KINDS).documents[0]) == {"prompt": expected}


def test_each_kind_can_be_scrubbed_alone() -> None:
    text = (
        "jo@example.com 203.0.113.7 +41 79 123 45 67, 4111 1111 1111 1111 CH93 0076 2011 6238 5295 7 password=hunter2!"
        " SSN 219-09-9999"
    )
    for kind in KINDS:
        (clean,) = scrub_texts(pl.Series([text]), {kind})
        assert [mark for mark in KINDS if f"<{mark.upper()}>" in clean] == [kind]
    assert scrub_texts(pl.Series([text, None]), ()).to_list() == [text, None]
    assert scrub_documents(pl.Series([json.dumps({"a": text})]), ()).counts.is_empty()


def test_an_unknown_kind_is_rejected() -> None:
    with pytest.raises(ValueError, match="Unknown kind 'mail': use card, email"):
        scrub_texts(pl.Series(["a"]), {"mail"})


def test_empty_input_and_nulls_stay() -> None:
    assert scrub_documents(pl.Series([], dtype=pl.String), KINDS).documents.to_list() == []
    assert scrub_texts(pl.Series([None, "jo@example.com", ""], dtype=pl.String), KINDS).to_list() == [
        None,
        "<EMAIL>",
        "",
    ]


def test_scrubbing_is_idempotent() -> None:
    texts = pl.Series([text for text, _ in sentences()])
    once = scrub_texts(texts, KINDS)
    assert scrub_texts(once, KINDS).to_list() == once.to_list()


PIECES = st.sampled_from(
    [word for text, _ in sentences() for word in (text, *text.split())]
    + [
        "+",
        "00",
        "0",
        "@",
        "::",
        ".",
        "/",
        '"',
        "\\",
        "\n",
        "\t",
        " ",
        "-",
        "(",
        ")",
        ":",
        "=",
        "é",
        "的",
        "\u00a0",
        "\u017fecret",
        "1.2.3.4",
    ]
)
TEXTS = st.lists(st.one_of(PIECES, PIECES, st.text(max_size=3)), max_size=5).map("".join)
NAMES = st.one_of(
    st.sampled_from(["phone", "Tel", "mobile_no", "api_key", "userPassword", "version", "order_id", 'x"phone', "a.b"]),
    st.text(max_size=3),
)
VALUES = st.recursive(
    st.one_of(TEXTS, TEXTS, st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.booleans(), st.none()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=6,
)
DOCUMENTS = st.dictionaries(NAMES, VALUES, max_size=4)


def scrub_without_hints(value: object, kinds: set[str], prefix: str = "") -> object:
    """The value, scrubbed by the precise patterns alone."""
    if isinstance(value, str):
        return scrub_text(value, kinds, prefix)[0]
    if isinstance(value, dict):
        return {key: scrub_without_hints(inner, kinds, field_context(key)) for key, inner in value.items()}
    return [scrub_without_hints(inner, kinds, prefix) for inner in value] if isinstance(value, list) else value


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(st.lists(DOCUMENTS, max_size=3), st.sets(st.sampled_from(KINDS)), st.booleans(), st.sampled_from([None, 1]))
def test_documents_are_scrubbed_the_same_with_and_without_hints(
    documents: list[dict[str, Any]], kinds: set[str], is_ascii: bool, indent: int | None
) -> None:
    given_texts = [json.dumps(document, ensure_ascii=is_ascii, indent=indent) for document in documents]
    scrubbed = scrub_documents(pl.Series(given_texts, dtype=pl.String), kinds).documents.to_list()
    for before, document, after in zip(given_texts, documents, scrubbed, strict=True):
        expected = scrub_without_hints(document, kinds)
        assert json.loads(after) == expected
        assert (after == before) or expected != document


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(st.lists(TEXTS, max_size=5), st.sets(st.sampled_from(KINDS)))
def test_texts_are_scrubbed_the_same_with_and_without_hints(texts: list[str], kinds: set[str]) -> None:
    expected = [scrub_text(text, kinds)[0] for text in texts]
    assert scrub_texts(pl.Series(texts, dtype=pl.String), kinds).to_list() == expected
