"""Contradictions between values and a wanted type."""

from collections.abc import Sequence

import pytest

from turret_pipeline.fields.overrides import find_contradiction
from turret_pipeline.fields.profiles import profile_fields
from turret_pipeline.tables import FIELD_TYPES
from turret_pipeline_tests.fields.rows import Value, numbers, strings, table

PHRASES = strings(*(f"how do I return order number {at}" for at in range(30)))
TRUTHS: list[Value] = [("boolean", "true", None), ("boolean", "false", None)]
LISTS: list[Value] = [("list", '["a"]', None)] * 3


@pytest.mark.parametrize(
    ("values", "wanted", "reason"),
    [
        (PHRASES, "number", "only 0 % of its values are numbers"),
        ([*PHRASES, *numbers(*range(10))], "number", "only 25 % of its values are numbers"),
        (PHRASES, "datetime", "only 0 % of its values are dates or times"),
        (PHRASES, "structured", "only 0 % of its values are lists or objects"),
        (PHRASES, "enum", "it has 30 distinct values in 30 events"),
        (PHRASES, "constant", "it has 30 distinct values in 30 events"),
        (numbers(1, 2), "text", "100 % of its values are numbers"),
        (TRUTHS, "text", "100 % of its values are true or false"),
        (LISTS, "text", "100 % of its values are lists"),
        (strings("2024-05-01"), "text", "100 % of its values are dates or times"),
    ],
)
def test_values_contradict_a_wrong_type(values: Sequence[Value], wanted: str, reason: str) -> None:
    (profile,) = profile_fields(table({"x": values}))
    assert find_contradiction(profile, wanted) == reason


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ([*numbers(1, 2), *strings("low", "high")], "number"),
        (numbers(1, 2, 3), "enum"),
        (numbers(*range(30)) * 2, "enum"),
        (PHRASES, "identifier"),
        (strings("ok", "late") * 20, "text"),
        (strings("ok") * 3, "constant"),
        (LISTS, "structured"),
    ],
)
def test_values_do_not_contradict_a_possible_type(values: Sequence[Value], wanted: str) -> None:
    (profile,) = profile_fields(table({"x": values}))
    assert find_contradiction(profile, wanted) is None


@pytest.mark.parametrize("wanted", FIELD_TYPES)
def test_blank_values_contradict_nothing(wanted: str) -> None:
    (profile,) = profile_fields(table({"x": strings("", " ")}))
    assert find_contradiction(profile, wanted) is None
