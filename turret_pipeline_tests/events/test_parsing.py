"""Records in; frames of events, their values and refusals out."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from turret_pipeline.events.formats import Refused
from turret_pipeline.events.parsing import EVENT_PART_SCHEMA, VALUE_PART_SCHEMA, Parsed, parse_records
from turret_pipeline.events.reading import Record
from turret_pipeline.tables import REJECTED_EVENTS

NOON = dt.datetime(2024, 5, 1, 12, tzinfo=dt.UTC)
ASKED: dict[str, Any] = {"name": "asked", "timestamp": "2024-05-01T12:00:00Z"}
LLM = {"user_id": "u1", "prompt": "Hi?", "generation": "Hello.", "timestamp": "2024-05-01T12:00:00Z"}


def parsed(*rows: object) -> Parsed:
    """The one batch of a file of these rows."""
    [batch] = parse_records([Record(number, row) for number, row in enumerate(rows, start=1)], "a.jsonl", "sha")
    return batch


def ids(*rows: object) -> list[str]:
    return parsed(*rows).events["event_id"].to_list()


def values(metadata: object) -> list[tuple[Any, ...]]:
    """Field, JSON type, value and number of the values of an event with this metadata."""
    return parsed(ASKED | {"metadata": metadata}).values.select("field", "json_type", "value", "number").rows()


def test_an_event_becomes_a_row_with_its_place() -> None:
    row = ASKED | {"event_id": "e1", "session_id": "s1", "user_id": "u1", "metadata": {"plan": "pro", "n": 2}}
    batch = parsed(row)
    place = ("turret", "a.jsonl", 1, 1)
    events = [("e1", "asked", "s1", "u1", NOON, None, *place, '{"plan":"pro","n":2}', "sha")]
    found = [("e1", "plan", "string", "pro", None, "sha", 1, 1), ("e1", "n", "number", "2", 2.0, "sha", 1, 1)]
    assert_frame_equal(batch.events, pl.DataFrame(events, EVENT_PART_SCHEMA, orient="row"))
    assert_frame_equal(batch.values, pl.DataFrame(found, VALUE_PART_SCHEMA, orient="row"))
    assert_frame_equal(batch.rejected, REJECTED_EVENTS.empty())
    assert batch.row_count == 1


def test_an_llm_event_becomes_two_items_of_one_line() -> None:
    batch = parsed(ASKED, LLM | {"event_id": "x", "latency": 1})
    found = batch.events.select("event_id", "line_number", "item_number").rows()[1:]
    assert found == [("x-prompt", 2, 1), ("x-generation", 2, 2)]
    said = batch.values.filter(pl.col("field").is_in(["prompt", "generation"])).select("event_id", "field", "value")
    assert said.rows() == [("x-prompt", "prompt", "Hi?"), ("x-generation", "generation", "Hello.")]
    assert batch.row_count == 2


def test_refused_rows_keep_their_place_reason_and_text() -> None:
    records = [
        Record(3, Refused("invalid_json", "This is not JSON."), '{"name":\r\n'),
        Record(5, {"name": "", "n": 1}),
        Record(6, ["é"], '["é"]'),
    ]
    [batch] = parse_records(records, "a.jsonl", "sha")
    expected = [
        ("a.jsonl", "sha", 3, "invalid_json", "This is not JSON.", '{"name":'),
        ("a.jsonl", "sha", 5, "invalid_name", "name has 0 characters: it must have 1 to 255.", '{"name":"","n":1}'),
        ("a.jsonl", "sha", 6, "not_an_object", "A row must be a JSON object with a name; this is an array.", '["é"]'),
    ]
    assert_frame_equal(batch.rejected, pl.DataFrame(expected, REJECTED_EVENTS.schema, orient="row"))
    assert (batch.events.height, batch.values.height, batch.row_count) == (0, 0, 3)


def test_the_text_of_a_refused_row_is_cut() -> None:
    assert parsed("x" * 3000).rejected["raw_text"].str.len_chars().to_list() == [2000]


def test_a_file_without_rows_gives_one_empty_batch() -> None:
    [batch] = parse_records([], "a.jsonl", "sha")
    assert_frame_equal(batch.events, pl.DataFrame(schema=EVENT_PART_SCHEMA))
    assert_frame_equal(batch.values, pl.DataFrame(schema=VALUE_PART_SCHEMA))
    assert_frame_equal(batch.rejected, REJECTED_EVENTS.empty())
    assert batch.row_count == 0


@pytest.mark.parametrize("batch_rows", [1, 2, 3, 50])
def test_batches_together_are_the_whole_file(batch_rows: int) -> None:
    rows: Sequence[object] = [ASKED, LLM, None, ASKED, ASKED | {"metadata": {"a": 1}}]
    records = [Record(number, row) for number, row in enumerate(rows, start=1)]
    batches = list(parse_records(records, "a.jsonl", "sha", batch_rows))
    whole = parsed(*rows)
    assert_frame_equal(pl.concat([batch.events for batch in batches]), whole.events)
    assert_frame_equal(pl.concat([batch.values for batch in batches]), whole.values)
    assert_frame_equal(pl.concat([batch.rejected for batch in batches]), whole.rejected)
    assert sum(batch.row_count for batch in batches) == whole.row_count == 5


def test_events_without_an_id_get_the_same_one_when_read_again_or_grown() -> None:
    rows = [ASKED, ASKED | {"user_id": "u1"}, LLM, ASKED]
    first = ids(*rows)
    assert ids(*rows) == first
    assert ids(*rows, ASKED, LLM)[: len(first)] == first


def test_equal_rows_without_an_id_stay_different_events() -> None:
    found = ids(ASKED, ASKED, ASKED, LLM, LLM)
    assert len(set(found)) == len(found) == 7


@pytest.mark.parametrize(
    "change",
    [
        {"name": "answered"},
        {"session_id": "s1"},
        {"user_id": "s1"},
        {"timestamp": "2024-05-01T12:00:00.000001Z"},
        {"metadata": {"a": 1}},
    ],
)
def test_events_without_an_id_that_differ_in_content_differ_in_id(change: dict[str, Any]) -> None:
    assert ids(ASKED) != ids(ASKED | change)


def test_an_id_from_content_knows_user_from_session() -> None:
    assert ids(ASKED | {"session_id": "x"}) != ids(ASKED | {"user_id": "x"})


def test_nested_keys_are_joined_by_dots_and_nulls_are_absent() -> None:
    metadata = {"a": {"b": {"c": 1}, "d": None, "e": {}}, "f": None, "g": "x"}
    assert values(metadata) == [("a.b.c", "number", "1", 1.0), ("g", "string", "x", None)]
    assert values({}) == values(None) == []


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, ("boolean", "true", None)),
        (False, ("boolean", "false", None)),
        (0, ("number", "0", 0.0)),
        (-1.5, ("number", "-1.5", -1.5)),
        (2**70, ("number", str(2**70), float(2**70))),
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
        ("12 apples", ("string", "12 apples", None)),
        ("true", ("string", "true", None)),
    ],
)
def test_a_value_has_a_type_a_text_and_where_it_is_one_a_number(value: object, expected: tuple[Any, ...]) -> None:
    assert values({"x": value}) == [("x", *expected)]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "1e999"])
def test_what_is_no_finite_number_has_no_number(value: object) -> None:
    assert [found[-1] for found in values({"x": value})] in ([], [None])


def test_a_field_is_on_an_event_once() -> None:
    found = [field for field, *_ in values({"a.b": 1, "a": {"b": 2}})]
    assert len(found) == len(set(found))


@pytest.mark.parametrize("depth", [10, 200, 1000])
def test_deep_metadata_does_not_stop_the_run(depth: int) -> None:
    nested: object = 1
    for _ in range(depth):
        nested = {"a": nested}
    batch = parsed(ASKED, ASKED | {"metadata": nested}, ASKED)
    assert batch.events.filter(pl.col("line_number") != 2)["line_number"].to_list() == [1, 3]
    assert batch.events.height + batch.rejected.height == 3


def test_a_number_beyond_any_float_does_not_stop_the_run() -> None:
    batch = parsed(ASKED | {"metadata": {"n": 10**400}}, ASKED)
    assert batch.events["line_number"].to_list()[-1] == 2
    assert batch.row_count == 2
