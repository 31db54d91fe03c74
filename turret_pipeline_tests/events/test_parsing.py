"""Conversion of records to frames of events and rejected rows."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from turret_pipeline.events.formats import Rejection
from turret_pipeline.events.parsing import EVENT_PART_SCHEMA, REJECTED_PART_SCHEMA, Parsed, ParseOptions, parse_records
from turret_pipeline.events.rows import RAW_LIMIT, Record

NOON = dt.datetime(2024, 5, 1, 12, tzinfo=dt.UTC)
ASKED: dict[str, Any] = {"name": "asked", "timestamp": "2024-05-01T12:00:00Z"}
LLM = {"user_id": "u1", "prompt": "Hi?", "generation": "Hello.", "timestamp": "2024-05-01T12:00:00Z"}


def parse(*rows: object, default_time: dt.datetime | None = None) -> Parsed:
    """Frames of these rows."""
    return parse_records([Record(number, row) for number, row in enumerate(rows, start=1)], ParseOptions(default_time))


def ids(*rows: object) -> list[str]:
    return parse(*rows).events["content_id"].to_list()


def test_an_event_becomes_a_row_with_its_line_number() -> None:
    row = ASKED | {"event_id": "e1", "session_id": "s1", "user_id": "u1", "metadata": {"plan": "pro", "n": 2}}
    batch = parse(row)
    source = ("turret", *[False] * 6)
    events = [(1, 1, 1, "e1", None, "asked", "s1", "u1", None, NOON, None, 0, *source, '{"plan":"pro","n":2}')]
    assert_frame_equal(batch.events, pl.DataFrame(events, EVENT_PART_SCHEMA, orient="row"))
    assert_frame_equal(batch.rejected, pl.DataFrame(schema=REJECTED_PART_SCHEMA))
    assert batch.row_count == 1


def test_an_llm_event_becomes_two_items_of_one_line() -> None:
    batch = parse(ASKED, LLM | {"event_id": "x", "latency": 1})
    found = batch.events.select("event_id", "line_number", "item_number").rows()[1:]
    assert found == [("x-prompt", 2, 1), ("x-generation", 2, 2)]
    assert batch.events["metadata"].to_list()[1:] == [
        '{"prompt":"Hi?"}',
        '{"generation":"Hello.","latency_seconds":1.0}',
    ]
    assert batch.row_count == 2


def test_rejected_rows_keep_line_number_reason_and_text() -> None:
    records = [
        Record(3, Rejection("invalid_json", "Invalid JSON."), '{"name":\r\n'),
        Record(5, {"name": "", "session_id": 1}),
        Record(6, ["é"], '["é"]'),
    ]
    batch = parse_records(records, ParseOptions())
    expected = [
        (3, "invalid_json", "Invalid JSON.", '{"name":'),
        (5, "invalid_name", "name has 0 characters: it must have 1 to 255.", '{"name":"","session_id":1}'),
        (6, "not_an_object", "The row is an array: it must be a JSON object.", '["é"]'),
    ]
    assert_frame_equal(batch.rejected, pl.DataFrame(expected, REJECTED_PART_SCHEMA, orient="row"))
    assert (batch.events.height, batch.row_count) == (0, 3)


def test_the_text_of_a_rejected_row_is_truncated() -> None:
    assert parse("x" * 5000).rejected["raw_text"].str.len_chars().to_list() == [RAW_LIMIT] == [4000]


def test_no_rows_give_empty_frames() -> None:
    batch = parse()
    assert_frame_equal(batch.events, pl.DataFrame(schema=EVENT_PART_SCHEMA))
    assert_frame_equal(batch.rejected, pl.DataFrame(schema=REJECTED_PART_SCHEMA))
    assert batch.row_count == 0


def test_an_event_without_a_time_gets_the_default_and_an_id_that_does_not_depend_on_it() -> None:
    timeless = {"name": "asked"}
    assert parse(timeless).rejected["reason_code"].to_list() == ["missing_timestamp"]
    first, later = (parse(timeless, default_time=time).events for time in (NOON, NOON + dt.timedelta(days=1)))
    assert first.select("event_at", "is_time_assumed").rows() == [(NOON, True)]
    assert first["content_id"].to_list() == later["content_id"].to_list()


def test_the_default_time_may_apply_to_messages_of_chats_only() -> None:
    chat = {"messages": [{"role": "user", "content": "Hi?"}, {"role": "assistant", "content": "Hello."}]}
    records = [Record(1, {"name": "asked"}), Record(2, chat), Record(3, ASKED)]
    found = parse_records(records, ParseOptions(NOON, is_default_for_chats_only=True))
    assert found.rejected.select("line_number", "reason_code").rows() == [(1, "missing_timestamp")]
    assert found.events.select("line_number", "is_time_assumed").rows() == [(2, True), (2, True), (3, False)]


def test_events_without_an_id_get_the_same_one_in_any_order() -> None:
    rows: Sequence[object] = [ASKED, ASKED | {"user_id": "u1"}, LLM]
    assert ids(*rows) == ids(*rows)
    assert sorted(ids(*reversed(rows))) == sorted(ids(*rows))
    assert ids(ASKED, ASKED)[0] == ids(ASKED, ASKED)[1]
    assert parse(ASKED | {"event_id": "e1"}).events["content_id"].to_list() == [None]


def test_the_order_of_keys_does_not_change_the_id() -> None:
    one, other = {"a": 1, "b": {"c": 1, "d": 2}}, {"b": {"d": 2, "c": 1}, "a": 1}
    assert ids(ASKED | {"metadata": one}) == ids({"metadata": other} | ASKED)


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


def test_an_id_from_content_distinguishes_user_and_session() -> None:
    assert ids(ASKED | {"session_id": "x"}) != ids(ASKED | {"user_id": "x"})


@pytest.mark.parametrize("depth", [10, 200, 1000])
def test_deep_metadata_does_not_crash(depth: int) -> None:
    nested: object = 1
    for _ in range(depth):
        nested = {"a": nested}
    batch = parse(ASKED, ASKED | {"metadata": nested}, ASKED)
    assert batch.events.filter(pl.col("line_number") != 2)["line_number"].to_list() == [1, 3]
    assert batch.events.height + batch.rejected.height == 3


def test_a_number_too_large_for_a_float_does_not_crash() -> None:
    batch = parse(ASKED | {"metadata": {"n": 10**400}}, ASKED)
    assert batch.events["line_number"].to_list()[-1] == 2
    assert batch.row_count == 2
