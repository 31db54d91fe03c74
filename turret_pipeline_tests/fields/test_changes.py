"""Changes of types and their causes, from run to run."""

from collections.abc import Mapping, Sequence

import polars as pl
from polars.testing import assert_frame_equal

from turret_pipeline.fields.changes import PublishedFields, build_type_changes
from turret_pipeline.fields.describe import describe_fields
from turret_pipeline.tables import FIELD_TYPE_CHANGES
from turret_pipeline_tests.fields.rows import NOON, Value, events, numbers, strings, table

COMPARED_COLUMNS = ["field", "change_number", "run_id", "previous_type", "type", "cause", "event_count"]


def publish_run(
    published: PublishedFields,
    run_id: str,
    fields: Mapping[str, Sequence[Value]],
    overrides: Mapping[str, str] | None = None,
    *,
    shuffle_seed: int | None = None,
) -> PublishedFields:
    """The tables published by a run with these values."""
    values, events_table = table(fields), events(max(map(len, fields.values()), default=0))
    described = describe_fields(values, events_table, overrides or {}, published.detected_types)
    shuffled = values if shuffle_seed is None else values.sample(fraction=1, shuffle=True, seed=shuffle_seed)
    return PublishedFields(described, build_type_changes(published, described, shuffled, events_table, run_id, NOON))


def change_rows(state: PublishedFields) -> list[tuple[object, ...]]:
    return state.changes.select(COMPARED_COLUMNS).rows()


def test_types_are_detected_on_the_first_event_on_a_hundred_and_on_all() -> None:
    values = [*numbers(0), *numbers(0, 1) * 50, *numbers(*range(2, 60))]
    first = publish_run(PublishedFields.empty(), "r1", {"plan": strings("free"), "x": values})
    assert change_rows(first) == [
        ("plan", 1, "r1", None, "enum", "first_event", 1),
        ("x", 1, "r1", None, "number", "first_event", 1),
        ("x", 2, "r1", "number", "enum", "hundred_events", 100),
        ("x", 3, "r1", "enum", "number", "more_values", 159),
    ]
    assert first.changes["reason"].to_list()[2:] == [
        "2 distinct values in 100 events: few numbers that repeat often are probably codes.",
        "60 distinct values in 159 events, 100 % are numbers.",
    ]
    assert first.changes["changed_at"].unique().to_list() == [NOON]


def test_the_first_events_are_the_earliest_in_any_order_of_values() -> None:
    values = {"x": [*numbers(*[0, 1] * 50), *strings(*(f"how do I pay bill {at}" for at in range(99)))]}
    expected = publish_run(PublishedFields.empty(), "r1", values).changes
    assert expected["type"].to_list() == ["number", "enum", "text"]
    assert_frame_equal(publish_run(PublishedFields.empty(), "r1", values, shuffle_seed=5).changes, expected)


def test_a_field_that_changes_between_runs_keeps_its_earlier_changes() -> None:
    first = publish_run(PublishedFields.empty(), "r1", {"note": strings("ok", "no") * 10})
    second = publish_run(first, "r2", {"note": strings("ok", "no") * 10})
    assert_frame_equal(second.changes, first.changes)
    phrases = strings(*(f"the parcel of order {at} is late" for at in range(70)))
    third = publish_run(second, "r3", {"note": [*strings("ok", "no") * 10, *phrases]})
    assert change_rows(third) == [
        ("note", 1, "r1", None, "enum", "first_event", 1),
        ("note", 2, "r3", "enum", "text", "more_values", 90),
    ]


def test_the_hundredth_event_counts_in_the_run_that_imports_it() -> None:
    ones = numbers(0, 1) * 3
    first = publish_run(PublishedFields.empty(), "r1", {"x": ones})
    second = publish_run(first, "r2", {"x": [*ones, *numbers(0, 1) * 47, *numbers(*range(2, 30))]})
    assert change_rows(second) == [
        ("x", 1, "r1", None, "number", "first_event", 1),
        ("x", 2, "r2", "number", "enum", "hundred_events", 100),
        ("x", 3, "r2", "enum", "number", "more_values", 128),
    ]


def test_an_override_and_its_end_are_changes() -> None:
    values = {"code": numbers(*range(10))}
    first = publish_run(PublishedFields.empty(), "r1", values)
    second = publish_run(first, "r2", values, {"code": "identifier"})
    third = publish_run(second, "r3", values, {"code": "enum"})
    fourth = publish_run(third, "r4", values)
    assert change_rows(fourth) == [
        ("code", 1, "r1", None, "enum", "first_event", 1),
        ("code", 2, "r2", "enum", "identifier", "override", 10),
        ("code", 3, "r3", "identifier", "enum", "override", 10),
    ]
    other = publish_run(second, "r3", values)
    assert change_rows(other)[-1] == ("code", 3, "r3", "identifier", "enum", "unset", 10)


def test_a_field_overridden_from_the_start_is_not_detected_first() -> None:
    values = {"x": numbers(0, 1) * 60}
    assert change_rows(publish_run(PublishedFields.empty(), "r1", values, {"x": "number"})) == [
        ("x", 1, "r1", None, "number", "override", 120)
    ]


def test_a_new_type_on_the_same_events_comes_from_new_rules() -> None:
    first = publish_run(PublishedFields.empty(), "r1", {"x": numbers(1, 2, 3)})
    changed = pl.when(pl.col("field") == "x").then(pl.lit("text")).alias("type")
    by_older_rules = PublishedFields(first.fields.with_columns(changed), first.changes.with_columns(changed))
    assert change_rows(publish_run(by_older_rules, "r2", {"x": numbers(1, 2, 3)}))[-1] == (
        "x", 2, "r2", "text", "number", "new_rules", 3,
    )  # fmt: skip


def test_fields_published_without_changes_get_them_from_the_start() -> None:
    values = {"plan": strings("free", "pro")}
    by_older_version = PublishedFields(
        publish_run(PublishedFields.empty(), "r1", values).fields, FIELD_TYPE_CHANGES.empty()
    )
    assert change_rows(publish_run(by_older_version, "r2", values)) == [
        ("plan", 1, "r2", None, "enum", "first_event", 1)
    ]


def test_a_close_call_keeps_its_type_until_it_is_clear() -> None:
    few, more, many = (numbers(*range(count)) * 8 for count in (5, 7, 30))
    first = publish_run(PublishedFields.empty(), "r1", {"x": few})
    second = publish_run(first, "r2", {"x": more})
    assert second.fields.select("type", "is_uncertain").rows() == [("enum", True)]
    assert second.fields["reason"].to_list() == [
        "7 distinct values in 56 events: whole numbers that repeat often may be codes. Nearly number (7 distinct "
        "values in 56 events, 100 % are numbers): if so, run turret fields set NAME number."
    ]
    assert [row[4] for row in change_rows(second)] == ["number", "enum"]
    assert publish_run(PublishedFields.empty(), "r1", {"x": more}).fields["type"].to_list() == ["number"]
    third = publish_run(second, "r3", {"x": many})
    assert third.fields.select("type", "is_uncertain").rows() == [("number", False)]


def test_an_override_wins_over_a_close_call_and_is_certain() -> None:
    first = publish_run(PublishedFields.empty(), "r1", {"x": numbers(*range(7)) * 8})
    assert first.fields["is_uncertain"].to_list() == [True]
    second = publish_run(first, "r2", {"x": numbers(*range(7)) * 8}, {"x": "enum"})
    assert second.fields.select("type", "is_uncertain").rows() == [("enum", False)]


def test_no_fields_have_no_changes() -> None:
    assert_frame_equal(publish_run(PublishedFields.empty(), "r1", {}).changes, FIELD_TYPE_CHANGES.empty())
