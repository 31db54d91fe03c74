"""Objects with so many keys that they become one field."""

import json
from pathlib import Path

import pytest

from turret_pipeline.fields.folding import Folds, choose_folds, describe_folds
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
