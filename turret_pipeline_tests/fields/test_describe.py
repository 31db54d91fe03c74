"""Table fields of given metadata values."""

import datetime as dt

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from turret_pipeline.fields.describe import describe_fields
from turret_pipeline.tables import EVENT_VALUES, FIELDS
from turret_pipeline_tests.fields.rows import NOON, Value, events, numbers, strings, table


def test_fields_are_described() -> None:
    values = table(
        {
            "plan": strings("pro", "free", "pro", ""),
            "prompt": strings("how do I pay", "where is my order", " "),
            "seconds": [*numbers(*range(1, 20)), *strings("n/a")],
        }
    )
    kinds = [
        (
            "plan",
            "enum",
            "enum",
            False,
            True,
            "2 distinct values in 3 events: few distinct values so far. Nearly identifier (2 distinct values in 3 "
            "events: hardly any value has repeated yet): if so, run turret fields set NAME identifier.",
        ),
        (
            "prompt",
            "text",
            "text",
            False,
            False,
            "2 distinct values in 2 events, 100 % occur once, 4.0 words on average: free text.",
        ),
        ("seconds", "number", "number", False, False, "20 distinct values in 20 events, 100 % are numbers."),
    ]
    summaries: list[tuple[object, ...]] = [
        (4, 0.2, 2, ["pro", "free"], None, None, None, NOON, 3),
        (3, 0.15, 2, [], None, None, None, NOON, 2),
        (20, 1.0, 20, ["1", "10", "11", "12", "13"], 1.0, 10.0, 19.0, NOON, 19),
    ]
    rows = [(*kind, *summary) for kind, summary in zip(kinds, summaries, strict=True)]
    expected = pl.DataFrame(rows, FIELDS.schema, orient="row")
    for order in (values, values.reverse(), values.sample(fraction=1, shuffle=True, seed=4)):
        found = describe_fields(order, events(20), {}).select(FIELDS.schema.names())
        assert_frame_equal(found, expected)


def test_a_field_is_first_seen_at_its_earliest_event() -> None:
    values = table({"x": strings("a", "b", "c")}).filter(pl.col("event_id") != "e0")
    [first_seen_at] = describe_fields(values, events(3), {})["first_seen_at"]
    assert first_seen_at == NOON + dt.timedelta(minutes=1)


def test_overridden_types_are_used_and_matching_values_counted() -> None:
    values = table({"code": [*numbers(1, 2, 3), *strings("x")], "plan": strings("pro")})
    columns = ["field", "type", "detected_type", "is_overridden", "validated_event_count", "number_mean"]
    found = describe_fields(values, events(4), {"code": "number", "unknown": "text"}).select(columns)
    assert found.rows() == [("code", "number", "enum", True, 3, 2.0), ("plan", "enum", "enum", False, 1, None)]


@pytest.mark.parametrize("field_type", ["text", "identifier"])
def test_personal_values_are_not_shown_as_examples(field_type: str) -> None:
    values = table({"x": strings("ann", "bob")})
    assert describe_fields(values, events(2), {"x": field_type})["example_values"].to_list() == [[]]


def test_the_most_frequent_values_are_the_examples() -> None:
    values = table({"x": strings(*"cabcaddefgc")})
    assert describe_fields(values, events(11), {})["example_values"].to_list() == [["c", "a", "d", "b", "e"]]


def test_values_that_made_a_field_a_datetime_match_it() -> None:
    values = table({"x": strings(" 2024-05-01 ", "2024-05-02")})
    found = describe_fields(values, events(2), {}).select("type", "validated_event_count")
    assert found.rows() == [("datetime", 2)]


def test_numbers_that_are_not_finite_do_not_spoil_the_summary() -> None:
    values = table({"x": [*numbers(1, 3), ("number", "null", float("nan")), ("string", "1e999", float("inf"))]})
    found = describe_fields(values, events(4), {"x": "number"})
    assert found.select("number_min", "number_mean", "number_max").rows() == [(1.0, 2.0, 3.0)]


def test_no_values_give_no_fields() -> None:
    assert_frame_equal(describe_fields(EVENT_VALUES.empty(), events(2), {}), FIELDS.empty())


def test_values_that_never_change_match_a_constant() -> None:
    values = table({"x": numbers(3) * 20, "y": strings(*["a"] * 3, "b")})
    found = describe_fields(values, events(20), {"y": "constant"}).select("field", "type", "validated_event_count")
    assert found.rows() == [("x", "constant", 20), ("y", "constant", 3)]


def test_lists_match_a_structured_field() -> None:
    lists: list[Value] = [("list", '["a","b"]', None), ("list", "[]", None)]
    found = describe_fields(table({"tags": [*lists, *strings("a")]}), events(3), {})
    assert found.select("type", "validated_event_count", "example_values").rows() == [("structured", 2, [])]
