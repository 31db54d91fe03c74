"""Table fields of one run after another in; the changes of types and their causes out."""

from collections.abc import Mapping, Sequence

import polars as pl
from polars.testing import assert_frame_equal

from turret_pipeline.fields.changes import Before, type_changes
from turret_pipeline.fields.describe import describe_fields
from turret_pipeline.tables import FIELD_TYPE_CHANGES
from turret_pipeline_tests.fields.rows import NOON, Value, events, numbers, strings, table

SHOWN = ["field", "change_number", "run_id", "previous_type", "type", "cause", "event_count"]


def after(
    before: Before,
    run_id: str,
    fields: Mapping[str, Sequence[Value]],
    overrides: Mapping[str, str] | None = None,
    *,
    order: int | None = None,
) -> Before:
    """What is published after a run over these values."""
    values, happened = table(fields), events(max(map(len, fields.values()), default=0))
    now = describe_fields(values, happened, overrides or {})
    seen = values if order is None else values.sample(fraction=1, shuffle=True, seed=order)
    return Before(now, type_changes(before, now, seen, happened, run_id, NOON))


def shown(state: Before) -> list[tuple[object, ...]]:
    return state.changes.select(SHOWN).rows()


def test_a_type_is_detected_on_the_first_event_on_a_hundred_and_on_all() -> None:
    values = [*numbers(0), *numbers(0, 1) * 50, *numbers(*range(2, 60))]
    first = after(Before.nothing(), "r1", {"plan": strings("free"), "x": values})
    assert shown(first) == [
        ("plan", 1, "r1", None, "enum", "first_event", 1),
        ("x", 1, "r1", None, "number", "first_event", 1),
        ("x", 2, "r1", "number", "enum", "hundred_events", 100),
        ("x", 3, "r1", "enum", "number", "more_values", 159),
    ]
    assert first.changes["reason"].to_list()[2:] == [
        "2 distinct values in 100 events: numbers so few that they stand for something.",
        "60 distinct values in 159 events, 100 % are numbers.",
    ]
    assert first.changes["changed_at"].unique().to_list() == [NOON]


def test_the_first_events_are_those_that_happened_first_whatever_the_order_of_values() -> None:
    values = {"x": [*numbers(*[0, 1] * 50), *strings(*(f"how do I pay bill {at}" for at in range(99)))]}
    expected = after(Before.nothing(), "r1", values).changes
    assert expected["type"].to_list() == ["number", "enum", "text"]
    assert_frame_equal(after(Before.nothing(), "r1", values, order=5).changes, expected)


def test_a_field_that_changes_between_runs_keeps_its_earlier_changes() -> None:
    first = after(Before.nothing(), "r1", {"note": strings("ok", "no") * 10})
    second = after(first, "r2", {"note": strings("ok", "no") * 10})
    assert_frame_equal(second.changes, first.changes)
    phrases = strings(*(f"the parcel of order {at} is late" for at in range(70)))
    third = after(second, "r3", {"note": [*strings("ok", "no") * 10, *phrases]})
    assert shown(third) == [
        ("note", 1, "r1", None, "enum", "first_event", 1),
        ("note", 2, "r3", "enum", "text", "more_values", 90),
    ]


def test_the_hundredth_event_is_looked_at_in_the_run_that_brings_it() -> None:
    ones = numbers(0, 1) * 4
    first = after(Before.nothing(), "r1", {"x": ones})
    second = after(first, "r2", {"x": [*ones, *numbers(0, 1) * 46, *numbers(*range(2, 30))]})
    assert shown(second) == [
        ("x", 1, "r1", None, "number", "first_event", 1),
        ("x", 2, "r2", "number", "enum", "hundred_events", 100),
        ("x", 3, "r2", "enum", "number", "more_values", 128),
    ]


def test_an_override_and_its_end_are_changes() -> None:
    values = {"code": numbers(*range(10))}
    first = after(Before.nothing(), "r1", values)
    second = after(first, "r2", values, {"code": "identifier"})
    third = after(second, "r3", values, {"code": "enum"})
    fourth = after(third, "r4", values)
    assert shown(fourth) == [
        ("code", 1, "r1", None, "enum", "first_event", 1),
        ("code", 2, "r2", "enum", "identifier", "override", 10),
        ("code", 3, "r3", "identifier", "enum", "override", 10),
    ]
    other = after(second, "r3", values)
    assert shown(other)[-1] == ("code", 3, "r3", "identifier", "enum", "unset", 10)


def test_a_field_that_a_person_decides_about_from_the_start_is_not_detected_first() -> None:
    values = {"x": numbers(0, 1) * 60}
    assert shown(after(Before.nothing(), "r1", values, {"x": "number"})) == [
        ("x", 1, "r1", None, "number", "override", 120)
    ]


def test_another_type_on_the_same_events_comes_from_other_rules() -> None:
    first = after(Before.nothing(), "r1", {"x": numbers(1, 2, 3)})
    changed = pl.when(pl.col("field") == "x").then(pl.lit("text")).alias("type")
    by_older_rules = Before(first.fields.with_columns(changed), first.changes.with_columns(changed))
    assert shown(after(by_older_rules, "r2", {"x": numbers(1, 2, 3)}))[-1] == (
        "x", 2, "r2", "text", "number", "new_rules", 3,
    )  # fmt: skip


def test_fields_published_without_their_changes_get_them_from_the_start() -> None:
    values = {"plan": strings("free", "pro")}
    by_older_version = Before(after(Before.nothing(), "r1", values).fields, FIELD_TYPE_CHANGES.empty())
    assert shown(after(by_older_version, "r2", values)) == [("plan", 1, "r2", None, "enum", "first_event", 1)]


def test_no_fields_have_no_changes() -> None:
    assert_frame_equal(after(Before.nothing(), "r1", {}).changes, FIELD_TYPE_CHANGES.empty())
