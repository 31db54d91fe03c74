"""Types of fields with given values, and the reasons."""

import json
import uuid
from collections.abc import Sequence

import pytest

from turret_pipeline.fields.detection import detect_type
from turret_pipeline.fields.profiles import profile_fields
from turret_pipeline.fields.values import metadata_values
from turret_pipeline.tables import EVENT_VALUES
from turret_pipeline_tests.fields.rows import Value, numbers, strings, table


def detect(values: Sequence[Value], field: str = "x") -> tuple[str, str]:
    """Type and reason of a field with these values."""
    [profile] = profile_fields(table({field: values}))
    return detect_type(profile)[:2]


def kind(values: Sequence[Value], field: str = "x") -> str:
    return detect(values, field)[0]


def test_uuids_are_identifiers() -> None:
    values = strings(*(str(uuid.UUID(int=at * 7919)) for at in range(1, 9)))
    assert detect(values) == ("identifier", "100 % of the values are UUIDs.")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("9f86d081884c7d659a2feaa0c55ad015", "UUIDs"),
        ("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b", "long hexadecimal codes"),
        ("https://example.com/a?b=c", "web addresses"),
        ("ann@example.com", "e-mail addresses"),
    ],
)
def test_values_of_a_known_shape_are_identifiers_even_if_they_repeat(value: str, reason: str) -> None:
    assert detect(strings(value, f" {value} ") * 10) == ("identifier", f"100 % of the values are {reason}.")


def test_numbers_are_numbers() -> None:
    assert detect(numbers(1, 2.5, -3)) == ("number", "3 distinct values in 3 events, 100 % are numbers.")


def test_numbers_that_are_strings_are_numbers() -> None:
    assert kind(numbers(1, 2.5, -3, json_type="string")) == "number"


def test_a_few_words_among_numbers_do_not_change_the_type() -> None:
    many = numbers(*range(95))
    assert detect([*many, *strings(*["low"] * 5)]) == ("number", "96 distinct values in 100 events, 95 % are numbers.")
    assert kind([*many, *strings(*["low"] * 6)]) != "number"


@pytest.mark.parametrize("name", ["user_id", "id", "userId", "order.id", "api_key", "Phone"])
def test_whole_numbers_in_a_field_named_like_an_identifier_are_identifiers(name: str) -> None:
    found, reason = detect(numbers(*range(100, 200)), name)
    assert found == "identifier"
    assert reason.startswith("Whole numbers in a field whose name ends in ")
    assert kind(numbers(*range(100, 200), 0.5), name) == "identifier"
    assert kind(numbers(0.5, 1.5), name) == "number"


@pytest.mark.parametrize("name", ["amount_paid", "bid", "grid", "idle", "hashes", "tokens"])
def test_a_word_that_merely_ends_like_an_identifier_does_not_count(name: str) -> None:
    assert kind(numbers(*range(100, 200)), name) == "number"


def test_digits_with_leading_zeros_are_codes() -> None:
    reason = "The values are digits with leading zeros, so they are codes and not quantities."
    assert detect(strings(*(f"{at:05}" for at in range(50)))) == ("identifier", reason)
    assert detect(strings("007", "011") * 10) == ("enum", reason)


def test_booleans_are_an_enum() -> None:
    values: list[Value] = [("boolean", "true", None), ("boolean", "false", None)]
    assert detect(values) == ("enum", "The values are true or false.")


@pytest.mark.parametrize(
    "value",
    ["2024-05-01", "2024-05-01T12:00:00Z", "2024-05-01 12:00", "2024-05-01T12:00:00.123+02:00", " 2024-05-01 "],
)
def test_dates_and_times_are_datetimes(value: str) -> None:
    assert detect(strings(value) * 3) == ("datetime", "100 % of the values are dates or times.")


def test_half_of_the_values_being_lists_makes_a_field_structured() -> None:
    lists: list[Value] = [("list", '["a"]', None)]
    assert detect(lists + strings("a")) == ("structured", "50 % of the values are lists or objects.")
    assert kind(lists + strings("a", "b")) != "structured"


def test_phrases_of_varied_wording_are_text() -> None:
    values = strings(*(f"how do I return order number {at}" for at in range(30)))
    assert detect(values) == (
        "text",
        "30 distinct values in 30 events, 100 % occur once, 7.0 words on average: free text.",
    )


def test_short_phrases_that_never_repeat_are_text() -> None:
    assert kind(strings(*(f"refund {at}x" for at in range(40)))) == "text"


def test_a_menu_of_fixed_phrases_is_an_enum() -> None:
    values = strings("Ask a question", "Report a problem", "Talk to sales") * 20
    assert detect(values) == ("enum", "3 distinct values in 60 events: each occurs 20.0 times on average.")


def test_long_texts_that_repeat_are_text() -> None:
    values = strings(*(f"please tell me {at} how to get my money back from the shop" for at in range(3))) * 20
    assert kind(values) == "text"


def test_words_that_repeat_are_an_enum() -> None:
    assert kind(strings("free", "pro", "team") * 3) == "enum"
    assert kind(strings(*(f"w{chr(97 + at)}" for at in range(26))) * 5) == "enum"


def test_single_words_that_rarely_repeat_are_an_identifier() -> None:
    assert detect(strings(*(f"w{at}" for at in range(40)))) == (
        "identifier",
        "40 distinct values in 40 events, 100 % occur once: single words that rarely repeat.",
    )


def test_few_words_in_a_field_named_like_an_identifier_are_identifiers() -> None:
    assert kind(strings(*(f"w{at}" for at in range(10))), "session_id") == "identifier"
    assert kind(strings(*(f"w{at}" for at in range(10))), "session") == "enum"


def test_blank_values_are_constant_and_do_not_count_among_others() -> None:
    assert detect(strings("", " ", "\n")) == ("constant", "All values are blank.")
    assert detect([*numbers(1, 2), *strings(*[""] * 98)]) == (
        "number",
        "2 distinct values in 2 events, 100 % are numbers.",
    )


@pytest.mark.parametrize(
    "prompt", ["如何取消第{}号订单的退款申请", "注文{}の返品方法を教えてください", "ฉันต้องการคืนสินค้าหมายเลข {}"]
)
def test_texts_of_scripts_without_spaces_are_text(prompt: str) -> None:
    assert kind(strings(*(prompt.format(number) for number in range(40)))) == "text"


def test_the_reason_for_text_counts_values_that_occur_once() -> None:
    values = strings(*(f"how do I return order number {at}" for at in range(30)), *["where is my parcel now"] * 10)
    assert detect(values) == (
        "text",
        "31 distinct values in 40 events, 97 % occur once, 6.5 words on average: free text.",
    )


@pytest.mark.parametrize("mark", ["n/a", "NULL", "None", "NaN", "-", "?", "unknown"])
def test_marks_of_missing_numbers_do_not_change_a_number(mark: str) -> None:
    assert kind([*numbers(*range(20)), *strings(*[mark] * 30)]) == "number"


def test_a_mark_of_a_missing_value_is_a_value_of_an_enum() -> None:
    assert detect(strings("none", "basic") * 20) == (
        "enum",
        "2 distinct values in 40 events: each occurs 20.0 times on average.",
    )


def test_few_numbers_that_repeat_often_are_codes() -> None:
    assert detect(numbers(0, 1) * 10, "churned") == (
        "enum",
        "2 distinct values in 20 events: few numbers that repeat often are probably codes.",
    )
    assert kind(numbers(0, 1), "churned") == "number"
    assert kind(numbers(1, 2, 3, 4, 5, 6, 7) * 10, "churned") == "number"


@pytest.mark.parametrize(
    "name",
    ["reply_count", "replyCount", "n_tools", "duration_s", "latency.ms", "price", "options_shown", "pages_viewed"],
)
def test_few_numbers_in_a_field_named_like_an_amount_are_amounts(name: str) -> None:
    assert kind(numbers(0, 1, 2) * 20, name) == "number"


@pytest.mark.parametrize("name", ["status_code", "fiscalYear", "month", "price.tier", "type2"])
def test_numbers_in_a_field_named_like_a_category_are_an_enum(name: str) -> None:
    assert kind(numbers(*range(1, 13)) * 10, name) == "enum"
    assert kind(numbers(0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5) * 10, name) == "number"


def test_codes_that_rarely_repeat_are_identifiers() -> None:
    assert kind(numbers(*range(20100, 20150)), "postal_code") == "identifier"


def test_running_numbers_are_identifiers() -> None:
    assert kind(numbers(*range(100, 200)), "order_number") == "identifier"
    assert kind(numbers(*range(10)) * 10, "message_number") == "number"


def test_a_number_that_never_changes_is_constant() -> None:
    assert detect(numbers(3) * 20) == ("constant", "1 value in 20 events: the number never changes.")
    assert kind(numbers(3) * 19) != "constant"


def test_a_phrase_that_never_changes_is_constant_and_a_word_an_enum_of_one_value() -> None:
    reason = "1 value in 20 events, 5.0 words on average: the phrase never changes."
    assert detect(strings("you are a helpful assistant") * 20) == ("constant", reason)
    assert kind(strings("complete") * 20) == "enum"


@pytest.mark.parametrize(
    "value",
    ["10/31/2017", "29/07/33", "2016/02/03", "24.11.2026", "4:51 AM", "14:30:00", "Feb 3, 2016", "3 Feb 2016 14:30",
     "2016-Feb-03", "Wed Feb 3 14:30:00 EST 2016", "2016/02/03 2:30:05 PM GMT+4",
     "Tue, 24 Nov 2026 20:17:20 GMT"],
)  # fmt: skip
def test_dates_and_times_as_people_write_them_are_datetimes(value: str) -> None:
    assert kind(strings(value) * 3) == "datetime"


@pytest.mark.parametrize("value", ["2024-01", "1.2.3", "10/31", "12-14", "may", "1:2"])
def test_values_that_merely_resemble_dates_are_an_enum(value: str) -> None:
    assert kind(strings(value) * 30) == "enum"


def test_seconds_since_1970_are_datetimes_if_the_name_suggests_a_time() -> None:
    exact: list[Value] = [("number", str(at), float(at)) for at in range(1_700_000_000, 1_700_000_100)]
    assert kind(exact, "sent_at") == "datetime"
    assert kind(exact, "size") == "number"


@pytest.mark.parametrize("value", ["['a', 'b']", '{"a": 1}', "[]"])
def test_lists_and_objects_written_as_text_are_structured(value: str) -> None:
    assert kind(strings(value) * 3) == "structured"


@pytest.mark.parametrize("values", [range(1990, 2020), [1850, *range(1990, 2019)]])
def test_years_that_repeat_are_an_enum_whatever_their_name(values: Sequence[int]) -> None:
    found = detect(numbers(*values) * 4)
    if min(values) < 1900:
        assert found == ("number", "30 distinct values in 120 events, 100 % are numbers.")
    else:
        reason = "30 distinct values in 120 events: whole numbers from 1990 to 2019 are years."
        assert found == ("enum", reason)
    assert kind(numbers(*values)) == "number"


def test_ids_of_categories_that_repeat_are_an_enum() -> None:
    assert kind(numbers(*range(30)) * 4, "category_id") == "enum"
    assert kind(numbers(*range(30)), "category_id") == "identifier"
    assert kind(numbers(*range(30)) * 4, "order_id") == "identifier"


POLLSTERS = [f"{town} {kind}" for town in ("New Haven", "Des Moines", "Santa Fe", "La Plata", "Port Elm") for kind in
             ("Times/College", "News", "Research Group", "Strategies", "Opinion Polls")]  # fmt: skip


def test_a_complete_list_of_names_is_an_enum() -> None:
    names = [*POLLSTERS * 5, "Old Town Weekly"]
    assert detect(strings(*names)) == ("enum", "26 distinct values in 126 events: each occurs 4.8 times on average.")


def test_phrases_of_which_new_ones_keep_coming_are_text() -> None:
    assert kind(strings(*POLLSTERS * 8, *(f"Old Town Weekly {at}" for at in range(20)))) == "enum"
    assert kind(strings(*POLLSTERS * 8, *(f"Old Town Weekly {at}" for at in range(30)))) == "text"


def test_a_list_of_phrases_in_a_field_of_what_people_write_is_text_unless_it_is_a_menu() -> None:
    assert kind(strings(*POLLSTERS * 8), "answer.comment") == "text"
    assert kind(strings(*POLLSTERS[:20] * 8), "answer.comment") == "enum"


def parsed(*values: str) -> list[Value]:
    """Strings with the numbers that the reader of events finds in them."""
    found = metadata_values(json.dumps({"x": value}) for value in values)
    return [(row["json_type"], row["value"], row["number"]) for row in found.sort("row").to_dicts()]


@pytest.mark.parametrize(
    "values",
    [
        [".4032", ".281", "1.000"],
        ["1,234", "987", "12,345,678.5"],
        ["12,50", "3,5", "1.200,75", "0,125"],
        ["2 155,90", "17 109,00"],
        ["45 %", "3.5%", "0"],
        ["$1,200.50", "-$3", "7"],
        ["1e-3", "2E5", "5.", "+7"],
    ],
)
def test_numbers_as_people_write_them_are_numbers(values: Sequence[str]) -> None:
    assert detect(parsed(*values)) == (
        "number",
        f"{len(values)} distinct values in {len(values)} events, 100 % are numbers.",
    )


@pytest.mark.parametrize(
    ("usual", "other"),
    [("$1{}", "€2{}"), ("1{} %", "$2{}"), ("1,5{}", "2,5{}0")],
    ids=["currencies", "percent and currency", "decimal and thousands comma"],
)
def test_numbers_that_do_not_compare_make_no_number_field(usual: str, other: str) -> None:
    many = [usual.format(at) for at in range(10)]
    assert kind(parsed(*many)) == "number"
    assert kind(parsed(*many, other.format(1))) != "number"
    assert kind(parsed(*many * 2, other.format(1))) == "number"


def test_a_share_just_below_one_is_not_shown_as_100_percent() -> None:
    values = [*strings(*(f"https://example.com/{at}" for at in range(999))), *strings("no")]
    assert detect(values)[1] == "99 % of the values are web addresses."


def test_the_order_of_values_does_not_matter() -> None:
    values = table({"x": [*strings("a b c", "d e f"), *numbers(1, 2)], "y": numbers(1, 2, 2)})
    expected = profile_fields(values)
    assert [profile.field for profile in expected] == ["x", "y"]
    assert profile_fields(values.reverse()) == expected
    assert profile_fields(values.sample(fraction=1, shuffle=True, seed=4)) == expected


def test_no_values_have_no_profiles() -> None:
    assert profile_fields(EVENT_VALUES.empty()) == []
