"""Metadata values in; the type of each field and why out."""

import datetime as dt
import uuid
from collections.abc import Sequence

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from turret_pipeline.fields.detection import describe_fields, detect_type, field_facts
from turret_pipeline.tables import EVENT_VALUES, FIELDS

NOON = dt.datetime(2024, 5, 1, 12, tzinfo=dt.UTC)
Value = tuple[str, str, float | None]
"""JSON type, value and number of a metadata value."""


def strings(*values: str) -> list[Value]:
    return [("string", value, None) for value in values]


def numbers(*values: float, json_type: str = "number") -> list[Value]:
    return [(json_type, f"{value:g}", float(value)) for value in values]


def table(fields: dict[str, Sequence[Value]]) -> pl.DataFrame:
    """Table event_values; the first value of each field is on event e0."""
    rows = [(f"e{at}", field, *value) for field, values in fields.items() for at, value in enumerate(values)]
    return pl.DataFrame(rows, EVENT_VALUES.schema, orient="row")


def events(count: int) -> pl.DataFrame:
    """As many events, a minute apart."""
    times = [NOON + dt.timedelta(minutes=at) for at in range(count)]
    schema = {"event_id": pl.String(), "event_at": FIELDS.schema["first_seen_at"]}
    return pl.DataFrame({"event_id": [f"e{at}" for at in range(count)], "event_at": times}, schema)


def verdict(values: Sequence[Value], field: str = "x") -> tuple[str, str]:
    """Type and reason of a field of these values."""
    [facts] = field_facts(table({field: values}))
    return detect_type(facts)


def kind(values: Sequence[Value], field: str = "x") -> str:
    return verdict(values, field)[0]


def test_uuids_are_identifiers() -> None:
    values = strings(*(str(uuid.UUID(int=at * 7919)) for at in range(1, 9)))
    assert verdict(values) == ("identifier", "100% of the values are UUIDs.")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("9f86d081884c7d659a2feaa0c55ad015", "UUIDs"),
        ("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b", "long hexadecimal codes"),
        ("https://example.com/a?b=c", "web addresses"),
        ("ann@example.com", "e-mail addresses"),
    ],
)
def test_values_of_a_known_shape_are_identifiers_however_often_they_come(value: str, reason: str) -> None:
    assert verdict(strings(value, f" {value} ") * 10) == ("identifier", f"100% of the values are {reason}.")


def test_numbers_are_numbers() -> None:
    assert verdict(numbers(1, 2.5, -3)) == ("number", "100% of the values are numbers.")


def test_numbers_that_are_strings_are_numbers() -> None:
    assert kind(numbers(1, 2.5, -3, json_type="string")) == "number"


def test_few_values_that_are_no_numbers_do_not_change_a_number() -> None:
    many = numbers(*range(95))
    assert verdict([*many, *strings(*["n/a"] * 5)]) == ("number", "95% of the values are numbers.")
    assert kind([*many, *strings(*["n/a"] * 6)]) != "number"


@pytest.mark.parametrize("name", ["user_id", "id", "userId", "order.id", "api_key", "Phone"])
def test_whole_numbers_in_a_field_named_like_an_identifier_are_one(name: str) -> None:
    found, reason = verdict(numbers(*range(100, 200)), name)
    assert found == "identifier"
    assert reason.startswith("Whole numbers in a field named like an identifier")
    assert kind(numbers(*range(100, 200), 0.5), name) == "identifier"
    assert kind(numbers(0.5, 1.5), name) == "number"


@pytest.mark.parametrize("name", ["amount_paid", "bid", "grid", "idle", "hashes", "tokens"])
def test_a_word_that_merely_ends_like_an_identifier_is_none(name: str) -> None:
    assert kind(numbers(*range(100, 200)), name) == "number"


def test_digits_with_leading_zeros_are_codes() -> None:
    reason = "The values are digits with leading zeros: codes, not quantities."
    assert verdict(strings(*(f"{at:05}" for at in range(50)))) == ("identifier", reason)
    assert verdict(strings("007", "011") * 10) == ("enum", reason)


def test_booleans_are_an_enum() -> None:
    values: list[Value] = [("boolean", "true", None), ("boolean", "false", None)]
    assert verdict(values) == ("enum", "The values are true and false.")


@pytest.mark.parametrize(
    "value",
    ["2024-05-01", "2024-05-01T12:00:00Z", "2024-05-01 12:00", "2024-05-01T12:00:00.123+02:00", " 2024-05-01 "],
)
def test_dates_and_times_are_datetimes(value: str) -> None:
    assert verdict(strings(value) * 3) == ("datetime", "100% of the values are dates or times.")


def test_lists_are_lists_as_soon_as_they_are_half() -> None:
    lists: list[Value] = [("list", '["a"]', None)]
    assert verdict(lists + strings("a")) == ("list", "50% of the values are lists.")
    assert kind(lists + strings("a", "b")) != "list"


def test_phrases_of_varied_wording_are_text() -> None:
    values = strings(*(f"how do I return order number {at}" for at in range(30)))
    assert verdict(values) == ("text", "Phrases: 7.0 words on average, 30 distinct in 30.")


def test_short_phrases_that_never_come_back_are_text() -> None:
    assert kind(strings(*(f"refund {at}x" for at in range(40)))) == "text"


def test_a_menu_of_fixed_phrases_is_an_enum() -> None:
    values = strings("Ask a question", "Report a problem", "Talk to sales") * 20
    assert verdict(values) == ("enum", "Few values that come back: 3 distinct in 60.")


def test_long_texts_that_come_back_are_still_text() -> None:
    values = strings(*(f"please tell me {at} how to get my money back from the shop" for at in range(3))) * 20
    assert kind(values) == "text"


def test_words_that_come_back_are_an_enum() -> None:
    assert kind(strings("free", "pro", "team") * 3) == "enum"
    assert kind(strings(*(f"w{chr(97 + at)}" for at in range(26))) * 5) == "enum"


def test_single_words_that_hardly_come_back_are_an_identifier() -> None:
    assert verdict(strings(*(f"w{at}" for at in range(40)))) == (
        "identifier",
        "Single words that hardly come back: 40 distinct in 40.",
    )


def test_single_words_in_a_field_named_like_an_identifier_are_one_even_if_few() -> None:
    assert kind(strings(*(f"w{at}" for at in range(10))), "session_id") == "identifier"
    assert kind(strings(*(f"w{at}" for at in range(10))), "session") == "enum"


def test_blank_values_are_empty_and_do_not_count_beside_others() -> None:
    assert verdict(strings("", " ", "\n")) == ("empty", "Every value is blank.")
    assert verdict([*numbers(1, 2), *strings(*[""] * 98)]) == ("number", "100% of the values are numbers.")


def test_fields_are_described_whole() -> None:
    values = table(
        {
            "plan": strings("pro", "free", "pro", ""),
            "prompt": strings("how do I pay", "where is my order", " "),
            "seconds": [*numbers(*range(1, 20)), *strings("n/a")],
        }
    )
    kinds = [
        ("plan", "enum", "enum", False, "Few values that come back: 2 distinct in 3."),
        ("prompt", "text", "text", False, "Phrases: 4.0 words on average, 2 distinct in 2."),
        ("seconds", "number", "number", False, "95% of the values are numbers."),
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


def test_a_person_can_set_the_type_and_the_values_that_fit_it_are_counted() -> None:
    values = table({"code": [*numbers(1, 2, 3), *strings("x")], "plan": strings("pro")})
    columns = ["field", "type", "detected_type", "is_overridden", "validated_event_count", "number_mean"]
    found = describe_fields(values, events(4), {"code": "number", "unknown": "text"}).select(columns)
    assert found.rows() == [("code", "number", "enum", True, 3, 2.0), ("plan", "enum", "enum", False, 1, None)]


@pytest.mark.parametrize("field_type", ["text", "identifier"])
def test_personal_values_are_no_examples(field_type: str) -> None:
    values = table({"x": strings("ann", "bob")})
    assert describe_fields(values, events(2), {"x": field_type})["example_values"].to_list() == [[]]


def test_the_commonest_values_are_the_examples() -> None:
    values = table({"x": strings(*"cabcaddefgc")})
    assert describe_fields(values, events(11), {})["example_values"].to_list() == [["c", "a", "d", "b", "e"]]


def test_a_value_that_made_a_field_a_datetime_fits_it() -> None:
    values = table({"x": strings(" 2024-05-01 ", "2024-05-02")})
    found = describe_fields(values, events(2), {}).select("type", "validated_event_count")
    assert found.rows() == [("datetime", 2)]


def test_numbers_that_are_not_finite_do_not_spoil_the_summary() -> None:
    values = table({"x": [*numbers(1, 3), ("number", "null", float("nan")), ("string", "1e999", float("inf"))]})
    found = describe_fields(values, events(4), {"x": "number"})
    assert found.select("number_min", "number_mean", "number_max").rows() == [(1.0, 2.0, 3.0)]


def test_no_values_give_no_fields() -> None:
    assert_frame_equal(describe_fields(EVENT_VALUES.empty(), events(2), {}), FIELDS.empty())
    assert field_facts(EVENT_VALUES.empty()) == []


@pytest.mark.parametrize(
    "prompt", ["如何取消第{}号订单的退款申请", "注文{}の返品方法を教えてください", "ฉันต้องการคืนสินค้าหมายเลข {}"]
)
def test_texts_of_scripts_without_spaces_are_text(prompt: str) -> None:
    shown = [(f"e{number}", "prompt", "string", prompt.format(number), None) for number in range(40)]
    frame = pl.DataFrame(shown, EVENT_VALUES.schema, orient="row")
    (facts,) = field_facts(frame)
    assert detect_type(facts)[0] == "text"
