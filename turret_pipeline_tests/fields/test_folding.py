"""Objects with so many keys that they become one field."""

import json
from pathlib import Path

import pytest

from turret_pipeline.fields.folding import (
    EVENT_FIELD_LIMIT,
    Folds,
    choose_folds,
    describe_folds,
    describe_wide_events,
)
from turret_pipeline.storage.lake import Lake
from turret_pipeline_tests.ingest.imports import import_rows, row


def count_events(*fields: str) -> dict[str, int]:
    """Number of events by field; later fields are on more events."""
    return {field: number for number, field in enumerate(fields, start=1)}


def test_up_to_the_limit_nothing_is_folded() -> None:
    fields = count_events("a.b", "a.c", "d")
    assert choose_folds(fields, 3) == choose_folds({}, 1) == Folds()
    assert describe_folds(Folds(), 3, 3) == ""


@pytest.mark.parametrize(
    ("limit", "prefixes"),
    [
        (9, {"wide": 4}),
        (6, {"wide": 4, "inner.deep": 3}),
        (5, {"wide": 4, "inner": 2}),
        (4, {"wide": 4, "inner": 2, "pair": 2}),
    ],
)
def test_objects_with_most_keys_are_folded_first(limit: int, prefixes: dict[str, int]) -> None:
    fields = (
        [f"wide.{key}" for key in "abcd"] + [f"inner.deep.{key}" for key in "abc"] + ["inner.x", "pair.a", "pair.b"]
    )
    counts = count_events(*fields, "plain")
    expected = Folds(prefixes)
    assert choose_folds(counts, limit) == expected
    assert choose_folds(dict(reversed(counts.items())), limit) == expected


def test_the_rarest_fields_outside_of_objects_come_last() -> None:
    counts = count_events("rare", "unusual", "some.a", "some.b", "often", "always")
    assert choose_folds(counts, 3) == Folds({"some": 2}, frozenset({"rare", "unusual", "often"}))
    assert choose_folds({"b": 1, "a": 1, "c": 1}, 2) == Folds({}, frozenset({"a", "b"}))
    assert choose_folds({"a.b": 1, "a.c": 1, "plain": 1}, 1) == Folds({"a": 2})  # one field alone stays as it is


def test_the_message_names_the_objects_and_the_setting() -> None:
    folds = Folds({f"users{number}": 10 - number for number in range(7)}, frozenset({"x", "y"}))
    assert describe_folds(folds, 5003, 2000) == (
        "The metadata have 5,003 fields, more than field_limit (2,000). One structured field each became: "
        "users0 (10 keys), users1 (9 keys), users2 (8 keys), users3 (7 keys), users4 (6 keys), 2 more objects, "
        "(other) (2 rare fields). To keep their keys apart, raise field_limit (TURRET_FIELD_LIMIT)."
    )


def read_values(lake: Lake) -> list[tuple[object, ...]]:
    return lake.read("event_values").select("event_id", "field", "json_type", "value", "number").rows()


def test_values_of_folded_objects_are_one_value_per_event_in_any_order_of_files(tmp_path: Path) -> None:
    first = row("e1", metadata={"by": {"kim": 1, "al": {"x": [1, None], "y": 'a "b"'}, "no": None}, "plan": "pro"})
    second = row("e2", 1, metadata={"by": {"lee": True}, "plan": "free"})
    third = row("e3", 2, metadata={"by": 7, "by.kim": 8, "plan": "free"})
    expected = [
        ("e1", "by", "object", '{"al.x":[1,null],"al.y":"a \\"b\\"","kim":1}', None),
        ("e2", "by", "object", '{"lee":true}', None),
        ("e3", "by", "number", "7", 7.0),
        ("e1", "plan", "string", "pro", None),
        ("e2", "plan", "string", "free", None),
        ("e3", "plan", "string", "free", None),
    ]
    for number, files in enumerate(
        ({"a.jsonl": [first], "b.jsonl": [second, third]}, {"a.jsonl": [first, second, third]})
    ):
        found = read_values(import_rows(tmp_path / str(number), files, field_limit=2))
        assert found == expected
    assert json.loads(str(expected[0][3]))["al.y"] == 'a "b"'


def test_many_names_as_keys_become_one_field(tmp_path: Path) -> None:
    rows = [
        row(f"e{number}", number, metadata={"votes": {f"member {number} {part}": 1 for part in "abcde"}, "n": number})
        for number in range(1000)
    ]
    lake = import_rows(tmp_path, {"a.jsonl": rows})
    found = lake.read("event_values")
    assert sorted(found["field"].unique()) == ["n", "votes"]
    assert found.height == 2000


def number_keys(name: str, count: int) -> dict[str, int]:
    return {f"{name} {number}": number for number in range(count)}


def test_the_widest_objects_of_an_event_with_too_many_fields_are_one_value_each(tmp_path: Path) -> None:
    widest, wide = number_keys("w", EVENT_FIELD_LIMIT), number_keys("v", 300)
    events = [
        row("e1", metadata={"a": {"widest": widest}, "wide": wide, "plan": "pro"}),
        row("e2", 1, metadata={"a": {"widest": {"w 0": 1}}, "wide": {"v 0": 2}}),
    ]
    found = read_values(import_rows(tmp_path, {"a.jsonl": events}, field_limit=5000))
    of_first = {str(field): (kind, value) for event, field, kind, value, _ in found if event == "e1"}
    assert set(of_first) == {"a.widest", "plan", *(f"wide.{key}" for key in wide)}
    assert of_first["a.widest"] == ("object", json.dumps(widest, separators=(",", ":")))
    assert [row for row in found if row[0] == "e2"] == [
        ("e2", "a.widest.w 0", "number", "1", 1.0),
        ("e2", "wide.v 0", "number", "2", 2.0),
    ]


def test_keys_of_an_event_outside_of_objects_are_bounded_too(tmp_path: Path) -> None:
    event = row("e1", metadata=number_keys("key", EVENT_FIELD_LIMIT + 1) | {"none": None})
    found = read_values(import_rows(tmp_path / "1", {"a.jsonl": [event]}))
    assert len(found) == EVENT_FIELD_LIMIT
    assert found[0] == ("e1", "(other)", "object", '{"key 0":0,"key 1":1}', None)
    ((_, field, kind, value, _), *rest) = read_values(import_rows(tmp_path / "2", {"a.jsonl": [event]}, field_limit=2))
    assert (field, kind, len(rest)) == ("(other)", "object", 1)
    assert '{"key 0":0,"key 1":1}' in str(value)


def test_the_message_counts_events_with_too_many_fields() -> None:
    assert describe_wide_events(0) == ""
    assert describe_wide_events(1).startswith("1 event has more than 1,000 metadata fields: ")
    assert describe_wide_events(2000).startswith("2,000 events have more than 1,000 metadata fields: ")
