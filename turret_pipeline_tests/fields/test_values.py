"""Values of given metadata."""

import json
import uuid
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from turret_pipeline.fields.values import VALUE_SCHEMA, metadata_values


def values(metadata: object) -> list[tuple[Any, ...]]:
    """Field, JSON type, value and number of the values of one document."""
    return metadata_values([json.dumps(metadata)]).drop("row", "is_flat").rows()


def test_values_have_the_row_of_their_document() -> None:
    found = metadata_values(['{"plan":"pro","n":2}', "{}", '{"n":3,"plan":null}', '{"n":"4"}'])
    expected = [
        (0, "plan", "string", "pro", None),
        (0, "n", "number", "2", 2.0),
        (2, "n", "number", "3", 3.0),
        (3, "n", "string", "4", 4.0),
    ]
    schema = {name: kind for name, kind in VALUE_SCHEMA.items() if name != "is_flat"}
    assert_frame_equal(found.drop("is_flat"), pl.DataFrame(expected, schema, orient="row"), check_row_order=False)


def test_no_field_has_a_frame_of_its_own() -> None:
    documents = [json.dumps({f"key_{row}_{key}": key for key in range(10)}) for row in range(500)]
    found = metadata_values(documents)
    assert (found.height, found["field"].n_unique(), found["number"].sum()) == (5000, 5000, 500 * 45)
    assert found.n_chunks() == 1  # a frame per field takes a millisecond each, or minutes with 400,000 fields


@pytest.mark.parametrize("documents", [[], ["{}"], ["{}", '{"a":null,"b":{}}']])
def test_no_values_give_an_empty_frame(documents: list[str]) -> None:
    assert_frame_equal(metadata_values(documents), pl.DataFrame(schema=VALUE_SCHEMA))


def test_nested_keys_are_joined_by_dots_and_nulls_are_absent() -> None:
    metadata = {"a": {"b": {"c": 1}, "d": None, "e": {}}, "f": None, "g": "x"}
    assert values(metadata) == [("a.b.c", "number", "1", 1.0), ("g", "string", "x", None)]
    assert values({}) == []


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, ("boolean", "true", None)),
        (False, ("boolean", "false", None)),
        (0, ("number", "0", 0.0)),
        (-1.5, ("number", "-1.5", -1.5)),
        (2**70, ("number", "1.1805916207174113e+21", float(2**70))),
        ([1, {"a": None}], ("list", '[1,{"a":null}]', None)),
        ([], ("list", "[]", None)),
        ("", ("string", "", None)),
        ("12", ("string", "12", 12.0)),
        (" -1.5e3 ", ("string", " -1.5e3 ", -1500.0)),
        ("0.5", ("string", "0.5", 0.5)),
        ("007", ("string", "007", None)),
        ("nan", ("string", "nan", None)),
        ("inf", ("string", "inf", None)),
        ("1_000", ("string", "1_000", None)),
        ("0x10", ("string", "0x10", None)),
        (".4032", ("string", ".4032", 0.4032)),
        ("-.5", ("string", "-.5", -0.5)),
        ("5.", ("string", "5.", 5.0)),
        (".", ("string", ".", None)),
        ("1,234", ("string", "1,234", 1234.0)),
        ("-1,234,567.5", ("string", "-1,234,567.5", -1234567.5)),
        ("1,23,456", ("string", "1,23,456", None)),
        ("1,2", ("string", "1,2", 1.2)),
        ("0,125", ("string", "0,125", 0.125)),
        ("1.234,5", ("string", "1.234,5", 1234.5)),
        ("1.234.567", ("string", "1.234.567", None)),
        ("2 155,90", ("string", "2 155,90", 2155.9)),
        ("2\u202f155", ("string", "2\u202f155", 2155.0)),
        ("12 34", ("string", "12 34", None)),
        ("1, 2", ("string", "1, 2", None)),
        (" $1,200 ", ("string", " $1,200 ", 1200.0)),
        ("-$5", ("string", "-$5", -5.0)),
        ("12,50 €", ("string", "12,50 €", 12.5)),
        ("34.5%", ("string", "34.5%", 34.5)),
        ("\u22125", ("string", "\u22125", -5.0)),
        ("%", ("string", "%", None)),
        ("12 kg", ("string", "12 kg", None)),
        ("12 apples", ("string", "12 apples", None)),
        ("true", ("string", "true", None)),
    ],
)
def test_a_value_has_a_type_a_text_and_a_number_if_it_is_one(value: object, expected: tuple[Any, ...]) -> None:
    assert values({"x": value}) == [("x", *expected)]


@pytest.mark.parametrize("text", ["1e999", "-1e999", "[1e999]", "9" * 400])
def test_infinite_numbers_are_absent_like_null(text: str) -> None:
    found = metadata_values([f'{{"x":{text}}}', '{"x":1}'])
    assert found.filter(pl.col("json_type") == "number")["value"].to_list() == ["1"]


@pytest.mark.parametrize(
    ("text", "json_type", "value"),
    [
        ("1.7e308", "number", "1.7e+308"),
        ("-1e300", "number", "-1e+300"),
        ("9" * 305, "number", "1e+305"),
        ('"1e999"', "string", "1e999"),
        ('"1e300"', "string", "1e300"),
    ],
)
def test_numbers_whose_sum_could_be_infinite_are_values_without_a_number(text: str, json_type: str, value: str) -> None:
    assert metadata_values([f'{{"x":{text}}}']).drop("row", "is_flat").rows() == [("x", json_type, value, None)]


@pytest.mark.parametrize(
    "text",
    [
        '{"a.b":1,"a":{"b":2}}',
        '{"a":{"b":2},"a.b":1}',
        '{"a.b":1,"a":{"b":2},"c":{"d":null},"c.d":null}',
        '{"a.b":null,"a":{"b":2,"c":{}},"a.b":1}',
    ],
)
def test_a_key_with_dots_and_a_nested_one_are_never_one_value(text: str) -> None:
    found = metadata_values([text]).sort("field").filter(pl.col("field").str.contains("b"))
    assert found.select("field", "value", "is_flat").rows() == [('"a.b"', "1", True), ("a.b", "2", False)]


def test_keys_with_dots_at_several_levels_are_kept_apart() -> None:
    text = '{"a.b":{"c":1},"a":{"b.c":2,"b":{"c":3}},"a.b.c":4}'
    found = metadata_values([text]).select("field", "value").sort("value").rows()
    assert found == [('"a.b".c', "1"), ('a."b.c"', "2"), ("a.b.c", "3"), ('"a.b.c"', "4")]


def test_a_key_with_dots_alone_keeps_its_name() -> None:
    found = metadata_values(['{"a.b":1}', '{"a":{"b":2}}', '{"a.b":3,"x":{"y":1}}']).filter(pl.col("field") == "a.b")
    assert sorted(found.select("value", "is_flat").rows()) == [("1", True), ("2", False), ("3", True)]


@pytest.mark.parametrize("text", ['{"a":1,"a":2}', '{"a":{"b":3},"a":{"b":2}}'])
def test_of_two_keys_with_one_path_the_later_counts(text: str) -> None:
    assert metadata_values([text])["value"].to_list() == ["2"]


@pytest.mark.parametrize(
    "key",
    [
        "21636369-8b52-9b4a-97b7-50923ceb3ffd",
        "216363698B529B4A97B750923CEB3FFD",
        "9f86d081884c7d65",
        "01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "msg_01XFDUDYJgAACzvnptvVoYEL",
        "user-48211",
        "4155550123",
        "kim@example.com",
        "2026-03-02",
        "2026-03-02T09:15:00Z",
    ],
)
def test_an_object_with_ids_as_keys_is_one_value(key: str) -> None:
    inner = {"role": "user", "at": 1}
    assert values({"history": {"messages": {key: inner}, "title": "Hi"}}) == [
        ("history.messages", "object", json.dumps({key: inner}, separators=(",", ":")), None),
        ("history.title", "string", "Hi", None),
    ]
    assert [field for field, *_ in values({key: 1})] == [key]
    mostly_names = {key: 1, "total": 2}
    assert [field for field, *_ in values({"a": mostly_names})] == [f"a.{key}", "a.total"]


@pytest.mark.parametrize(
    "key",
    ["deadline", "facade", "input_tokens", "gpt-4o", "p95", "top_100", "2026", "0", "", "utm_source", "Größe", "a1"],
)
def test_an_object_with_names_as_keys_is_a_field_for_each(key: str) -> None:
    assert values({"a": {key: 1}}) == [(f"a.{key}", "number", "1", 1.0)]


def test_chats_with_a_history_by_id_have_few_fields() -> None:
    ids = [[str(uuid.UUID(int=1000 * chat + at)) for at in range(8)] for chat in range(60)]
    chats = [
        json.dumps({"history": {"messages": {key: {"role": "user", "content": key} for key in keys}}, "chat": {"n": 1}})
        for keys in ids
    ]
    assert set(metadata_values(chats)["field"]) == {"history.messages", "chat.n"}


def test_deep_nesting_needs_no_recursion() -> None:
    deep = "".join('{"a":' for _ in range(500)) + "1" + "}" * 500
    assert metadata_values([deep])["field"].to_list() == [".".join("a" * 500)]
