"""Types that are close calls, and the types that they nearly are."""

from collections.abc import Sequence

import pytest

from turret_pipeline.fields.close_calls import decide_type
from turret_pipeline.fields.profiles import profile_fields
from turret_pipeline_tests.fields.rows import Value, numbers, strings, table


def decide(values: Sequence[Value], field: str = "x", known_type: str | None = None) -> tuple[str, bool, str]:
    """The decision on a field with these values."""
    [profile] = profile_fields(table({field: values}))
    return decide_type(profile, known_type)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (numbers(*range(100)), "number"),
        (numbers(0.5, *range(30)) * 4, "number"),
        (numbers(0, 1) * 50, "enum"),
        (strings("free", "pro") * 50, "enum"),
        (strings(*(f"how do I return order number {at}" for at in range(100))), "text"),
        (strings("2024-05-01", "2024-05-02"), "datetime"),
        (strings("", " "), "constant"),
    ],
)
def test_clear_values_have_a_certain_type(values: Sequence[Value], kind: str) -> None:
    found = decide(values)
    assert (found[0], found[1], "Nearly" in found[2]) == (kind, False, False)


@pytest.mark.parametrize(
    ("values", "kind", "rival"),
    [
        (numbers(*range(7)) * 10, "number", "enum"),
        (numbers(*range(6)) * 10, "enum", "number"),
        (numbers(*range(1, 16)) * 10, "number", "enum"),
        ([*numbers(*range(93)), *strings(*(f"w{at}" for at in range(7)))], "identifier", "number"),
        ([*numbers(*range(96)), *strings(*["low"] * 4)], "number", "identifier"),
        (strings("a", "b", "c"), "enum", "identifier"),
        (
            strings(*(f"New Haven {at % 25}" for at in range(150)), *(f"La Plata {at}" for at in range(10))),
            "enum",
            "text",
        ),
    ],
)
def test_values_near_a_threshold_and_values_that_two_rules_claim_are_close_calls(
    values: Sequence[Value], kind: str, rival: str
) -> None:
    found, is_uncertain, reason = decide(values)
    assert (found, is_uncertain) == (kind, True)
    assert f" Nearly {rival} (" in reason
    assert reason.endswith(f": if so, run turret fields set NAME {rival}.")


def test_few_numbers_in_a_field_named_like_an_amount_are_a_close_call() -> None:
    found, is_uncertain, reason = decide(numbers(0, 1) * 20, "reply_count")
    assert (found, is_uncertain) == ("number", True)
    assert reason.startswith(
        "2 distinct values in 40 events, 100 % are numbers. Nearly enum (2 distinct values in 40 events"
    )


def test_a_known_type_is_kept_in_a_close_call_only() -> None:
    close = numbers(*range(7)) * 10
    assert decide(close, known_type="enum")[:2] == ("enum", True)
    assert decide(close, known_type="text")[:2] == ("number", True)
    assert decide(numbers(*range(100)), known_type="enum")[:2] == ("number", False)
