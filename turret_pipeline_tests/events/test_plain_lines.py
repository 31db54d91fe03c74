"""Plain lines, column by column, are what reading them one by one gives."""

import datetime as dt
import json
from typing import Any

import orjson
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from turret_pipeline.events.parsing import EVENT_PART_SCHEMA, Parsed, ParseOptions, parse_block, parse_records
from turret_pipeline.events.plain_lines import plain_events
from turret_pipeline.events.rows import Lines

NOON = dt.datetime(2024, 5, 1, 12, tzinfo=dt.UTC)
READING = ParseOptions(NOON)
ASKED: dict[str, Any] = {"event_id": "e1", "name": "asked", "timestamp": "2024-05-01T12:00:00Z", "metadata": {"a": 1}}


def lines(*rows: object) -> Lines:
    """JSON lines; text is taken as it is."""
    data = "".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows).encode()
    return Lines(1, data.count(b"\n"), data)


def plain_numbers(*rows: object) -> list[int]:
    """The numbers of the lines that are plain."""
    frame, others = plain_events(lines(*rows), time_may_miss=True)
    assert sorted([*frame["line_number"], *(number for number, _ in others)]) == list(range(1, len(rows) + 1))
    return frame["line_number"].to_list()


def same(block: Lines, reading: ParseOptions = READING) -> None:
    """Both ways give the same events and refusals."""
    by_column, by_row = parse_block(block, reading), parse_records(block.records(), reading)
    assert_frame_equal(normal(by_column), normal(by_row))
    assert by_column.rejected["line_number"].to_list() == by_row.rejected["line_number"].to_list()
    assert by_column.row_count == by_row.row_count


def normal(parsed: Parsed) -> pl.DataFrame:
    """The events, metadata in one spelling."""
    metadata = [orjson.dumps(orjson.loads(text)).decode() for text in parsed.events["metadata"]]
    return parsed.events.with_columns(pl.Series("metadata", metadata, pl.String)).select(EVENT_PART_SCHEMA.names())


def test_the_usual_line_is_plain() -> None:
    assert plain_numbers(ASKED, ASKED | {"session_id": "s", "user_id": 7, "metadata": {"deep": {"er": [1, None]}}}) == [
        1,
        2,
    ]
    assert plain_numbers({"name": "asked"}, ASKED | {"session_id": None, "received_at": "2024-05-01T12:00:00"}) == [
        1,
        2,
    ]


@pytest.mark.parametrize(
    "row",
    [
        "",
        "  ",
        "not json",
        '{"name": "a", "metadata": {"n": NaN}}',
        '{"name": "a", "metadata": {},}',
        '{"name": "a", "metadata": {"half": "\\ud800"}}',
        [1],
        None,
        {"name": " spaced "},
        {"name": ""},
        {"name": "n" * 256},
        {"name": "(start)"},
        {"name": None},
        {"name": 3},
        {"name": "a", "extra": 1},
        {"name": "a", "event_id": True},
        {"name": "a", "event_id": 1.5},
        {"name": "a", "user_id": ["u"]},
        {"name": "a", "timestamp": 1714564800},
        {"name": "a", "timestamp": ""},
        {"name": "a", "timestamp": "2024-02-30T12:00:00Z"},
        {"name": "a", "timestamp": "2024-05-01"},
        {"name": "a", "timestamp": "2024-05-01T12:00:60Z"},
        {"name": "a", "timestamp": "0001-01-01T00:00:00Z"},
        {"name": "a", "timestamp": "9999-12-31T23:59:59Z"},
        {"name": "a", "timestamp": "yesterday"},
        {"name": "a", "metadata": None},
        {"name": "a", "metadata": "text"},
        {"name": "a", "metadata": [1]},
        {"event": "a", "user_id": "u", "timestamp": "2024-05-01T12:00:00Z"},
        {"user_id": "u", "prompt": "p", "generation": "g", "timestamp": "2024-05-01T12:00:00Z"},
    ],
)
def test_a_line_with_something_unusual_is_read_by_itself(row: object) -> None:
    assert plain_numbers(ASKED, row, ASKED) == [1, 3]
    same(lines(ASKED, row, ASKED))
    same(lines(row))


def test_metadata_that_may_be_nested_too_deep_are_looked_at() -> None:
    deep = {"name": "a", "metadata": {"a": [[[[[[[[[[1]]]]]]]]]]}}
    too_deep = '{"name":"a","metadata":{"a":' + "[" * 10_000 + "]" * 10_000 + "}}"
    assert plain_numbers(deep, too_deep) == [1]
    parsed = parse_block(lines(ASKED, too_deep, ASKED), READING)
    assert (parsed.events["line_number"].to_list(), parsed.rejected["line_number"].to_list()) == ([1, 3], [2])


def test_a_time_is_required_where_none_is_given_to_events_without_one() -> None:
    timeless = {"name": "a"}
    assert plain_events(lines(ASKED, timeless), time_may_miss=False)[0]["line_number"].to_list() == [1]
    refused = parse_block(lines(ASKED, timeless), ParseOptions(None)).rejected
    assert refused.select("line_number", "reason_code").rows() == [(2, "missing_timestamp")]
    taken = parse_block(lines(timeless), READING).events
    assert taken.select("event_at", "is_time_assumed").rows() == [(NOON, True)]


def test_no_lines_give_no_events() -> None:
    frame, others = plain_events(Lines(1, 0, b""), time_may_miss=True)
    assert (frame.height, others) == (0, [])


def test_bytes_that_are_no_text_are_no_plain_line() -> None:
    block = Lines(5, 4, b'{"name":"a"}\n{"name":"\xff"}\n{"name":"b","metadata":{"x":"\xff"}}\n{"name":"c"}')
    parsed = parse_block(block, READING)
    assert parsed.events["line_number"].to_list() == [5, 8]
    assert parsed.rejected.select("line_number", "reason_code").rows() == [
        (6, "invalid_encoding"),
        (7, "invalid_encoding"),
    ]


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
TIME = (
    st.datetimes(dt.datetime(1800, 1, 1), dt.datetime(2300, 1, 1)).map(dt.datetime.isoformat)
    | st.datetimes(timezones=st.timezones()).map(dt.datetime.isoformat)
    | st.sampled_from(["2024-05-01T12:00:00Z", "2024-05-01 12:00:00.25+05:30", "2024-05-01T12:00:00.1234567Z", ""])
    | JSON
)
ROW = st.fixed_dictionaries(
    {"name": st.text(min_size=1, max_size=8) | JSON},
    optional={
        "event_id": st.text(max_size=5) | JSON,
        "session_id": st.text(max_size=5) | JSON,
        "user_id": st.text(max_size=5) | st.integers(),
        "timestamp": TIME,
        "received_at": TIME,
        "metadata": st.dictionaries(st.text(max_size=5), JSON, max_size=4) | JSON,
        "extra": JSON,
    },
)


@settings(max_examples=150, deadline=None)
@given(st.lists(ROW | JSON, max_size=6), st.booleans())
def test_any_rows_are_the_same_column_by_column_and_one_by_one(rows: list[object], time_may_miss: bool) -> None:
    data = b"".join(orjson.dumps(row, default=str) + b"\n" for row in rows if fits(row))
    same(Lines(1, data.count(b"\n"), data), ParseOptions(NOON if time_may_miss else None))


def fits(row: object) -> bool:
    """Whether orjson can write it: no halves of characters, no numbers beyond 64 bits."""
    try:
        orjson.dumps(row)
    except TypeError:
        return False
    return True
