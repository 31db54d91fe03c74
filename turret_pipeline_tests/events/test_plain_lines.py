"""Plain lines give the same events column by column as one by one."""

import datetime as dt
import json
from typing import Any

import orjson
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from turret_pipeline.events.formats.times import find_zone
from turret_pipeline.events.parsing import EVENT_PART_SCHEMA, Parsed, ParseOptions, parse_block, parse_records
from turret_pipeline.events.plain_lines import parse_plain_lines
from turret_pipeline.events.rows import Lines

NOON = dt.datetime(2024, 5, 1, 12, tzinfo=dt.UTC)
OPTIONS = ParseOptions(NOON)
ASKED: dict[str, Any] = {"event_id": "e1", "name": "asked", "timestamp": "2024-05-01T12:00:00Z", "metadata": {"a": 1}}


def lines(*rows: object) -> Lines:
    """Block of JSON lines; a string becomes a line unchanged."""
    data = "".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows).encode()
    return Lines(1, data.count(b"\n"), data)


def plain_numbers(*rows: object) -> list[int]:
    """Numbers of the plain lines."""
    frame, others = parse_plain_lines(lines(*rows), is_time_optional=True)
    assert sorted([*frame["line_number"], *(number for number, _ in others)]) == list(range(1, len(rows) + 1))
    return frame["line_number"].to_list()


def assert_same_by_column_and_by_row(block: Lines, options: ParseOptions = OPTIONS) -> None:
    by_column, by_row = parse_block(block, options), parse_records(block.records(), options)
    assert_frame_equal(normalize(by_column), normalize(by_row))
    assert by_column.rejected["line_number"].to_list() == by_row.rejected["line_number"].to_list()
    assert by_column.row_count == by_row.row_count


def normalize(parsed: Parsed) -> pl.DataFrame:
    """Events with metadata serialized in the same way."""
    metadata = [orjson.dumps(orjson.loads(text)).decode() for text in parsed.events["metadata"]]
    return parsed.events.with_columns(pl.Series("metadata", metadata, pl.String)).select(EVENT_PART_SCHEMA.names())


def test_the_usual_line_is_plain() -> None:
    assert plain_numbers(ASKED, ASKED | {"session_id": "s", "user_id": 7, "metadata": {"deep": {"er": [1, None]}}}) == [
        1,
        2,
    ]
    assert plain_numbers(
        {"name": "asked", "session_id": "s"}, ASKED | {"session_id": None, "received_at": "2024-05-01T12:00:00"}
    ) == [
        1,
        2,
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    "row",
    [
        "",
        "  ",
        "not json",
        '{"name": "a", "metadata": {"n": NaN}}',
        '{"name": "a", "metadata": {},}',
        '{"name": "a", "metadata": {"half": "\\ud800"}}',
        '{"name": "a", "metadata": {"n": [1, -1e400]}}',
        '{"name": "a", "metadata": {"n":1E+0400}}',
        '{"name": "a", "metadata": {"n": ' + "9" * 250 + "e99}}",
        '{"name": "a", "metadata": {"n": ' + "9" * 400 + "}}",
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
        {"name": "a", "timestamp": "1970-01-01T00:00:00Z"},
        {"name": "a", "timestamp": "2024-05-01T12:00:00.1234567890Z"},
        {"name": "a", "timestamp": "9999-12-31T23:59:59Z"},
        {"name": "a", "timestamp": "yesterday"},
        {"name": "a", "metadata": None},
        {"name": "a", "metadata": "text"},
        {"name": "a", "metadata": [1]},
        {"event": "a", "user_id": "u", "timestamp": "2024-05-01T12:00:00Z"},
        {"user_id": "u", "prompt": "p", "generation": "g", "timestamp": "2024-05-01T12:00:00Z"},
    ],
)
def test_an_unusual_line_is_parsed_alone(row: object) -> None:
    assert plain_numbers(ASKED, row, ASKED) == [1, 3]
    assert_same_by_column_and_by_row(lines(ASKED, row, ASKED))
    assert_same_by_column_and_by_row(lines(row))


def test_metadata_that_may_be_nested_too_deep_are_checked() -> None:
    deep = {"name": "a", "metadata": {"a": [[[[[[[[[[1]]]]]]]]]]}}
    too_deep = '{"name":"a","metadata":{"a":' + "[" * 10_000 + "]" * 10_000 + "}}"
    assert plain_numbers(deep, too_deep) == [1]
    parsed = parse_block(lines(ASKED, too_deep, ASKED), OPTIONS)
    assert (parsed.events["line_number"].to_list(), parsed.rejected["line_number"].to_list()) == ([1, 3], [2])


def test_a_time_is_required_without_a_default_time() -> None:
    timeless = {"name": "a"}
    assert parse_plain_lines(lines(ASKED, timeless), is_time_optional=False)[0]["line_number"].to_list() == [1]
    rejected = parse_block(lines(ASKED, timeless), ParseOptions(None)).rejected
    assert rejected.select("line_number", "reason_code").rows() == [(2, "missing_timestamp")]
    accepted = parse_block(lines(timeless), OPTIONS).events
    assert accepted.select("event_at", "is_time_assumed").rows() == [(NOON, True)]


@pytest.mark.parametrize("name", ["timestamp", "received_at"])
def test_nanoseconds_and_times_without_a_zone_are_plain(name: str) -> None:
    texts = ["2024-05-01T12:00:00.123456789Z", "2024-05-01T12:00:00.1234567", "1901-01-01T00:00:00.0000009"]
    rows = [{"name": "a", name: text, "metadata": {}} for text in (*texts, "2024-05-01T12:00:00")]
    assert plain_numbers(*rows) == [1, 2, 3, 4]
    for zone in ("UTC", "Europe/Paris"):
        options = ParseOptions(NOON, time_zone=find_zone(zone))
        assert_same_by_column_and_by_row(lines(*rows), options)
        assert parse_block(lines(*rows), options).events["nanosecond"].to_list() == [789, 700, 900, 0]


@pytest.mark.parametrize("text", ["2024-03-31T02:30:00", "2024-10-27T02:30:00.5"])
def test_times_that_clocks_skip_or_repeat_are_read_one_by_one(text: str) -> None:
    rows = ({"name": "a", "timestamp": text}, ASKED | {"received_at": text}, ASKED, {"name": "no time", "metadata": {}})
    paris = find_zone("Europe/Paris")
    frame, others = parse_plain_lines(lines(*rows), is_time_optional=True, zone=paris)
    assert (frame["line_number"].to_list(), [number for number, _ in others]) == ([3, 4], [1, 2])
    assert_same_by_column_and_by_row(lines(*rows), ParseOptions(NOON, time_zone=paris))


def test_no_lines_give_no_events() -> None:
    frame, others = parse_plain_lines(Lines(1, 0, b""), is_time_optional=True)
    assert (frame.height, others) == (0, [])


def test_lines_that_are_not_utf8_are_not_plain() -> None:
    block = Lines(5, 4, b'{"name":"a"}\n{"name":"\xff"}\n{"name":"b","metadata":{"x":"\xff"}}\n{"name":"c"}')
    parsed = parse_block(block, OPTIONS)
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


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(st.lists(ROW | JSON, max_size=6), st.booleans(), st.sampled_from(["UTC", "America/St_Johns"]))
def test_any_rows_are_the_same_column_by_column_and_one_by_one(
    rows: list[object], is_time_optional: bool, zone: str
) -> None:
    data = b"".join(orjson.dumps(row, default=str) + b"\n" for row in rows if is_serializable(row))
    assert_same_by_column_and_by_row(
        Lines(1, data.count(b"\n"), data),
        ParseOptions(NOON if is_time_optional else None, time_zone=find_zone(zone)),
    )


def is_serializable(row: object) -> bool:
    """True if orjson can serialize the row: no lone surrogates, no integers beyond 64 bits."""
    try:
        orjson.dumps(row)
    except TypeError:
        return False
    return True
