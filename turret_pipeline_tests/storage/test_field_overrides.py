"""The file of the types that a person set."""

from multiprocessing.pool import ThreadPool
from pathlib import Path

import pytest
from filelock import FileLock

from turret_pipeline.errors import TurretError
from turret_pipeline.storage.field_overrides import FieldOverride, FieldOverridesFile

PLAN = FieldOverride("plan", "enum", "2026-05-01T12:00:00+00:00")


@pytest.fixture
def file(tmp_path: Path) -> FieldOverridesFile:
    return FieldOverridesFile(tmp_path / "data" / "field_types.jsonl")


def test_without_a_file_nothing_is_set(file: FieldOverridesFile) -> None:
    assert file.read() == {}


def test_types_are_lines_by_field_that_a_person_can_review(file: FieldOverridesFile) -> None:
    file.set(PLAN)
    file.set(FieldOverride("größe.x", "number", is_forced=True))
    file.set(FieldOverride("a", "text"))
    assert file.path.read_text(encoding="utf-8") == (
        '{"field": "a", "type": "text", "set_at": "", "is_forced": false}\n'
        '{"field": "größe.x", "type": "number", "set_at": "", "is_forced": true}\n'
        '{"field": "plan", "type": "enum", "set_at": "2026-05-01T12:00:00+00:00", "is_forced": false}\n'
    )
    assert list(file.read()) == ["a", "größe.x", "plan"]


def test_a_field_has_the_type_that_was_set_last(file: FieldOverridesFile) -> None:
    file.set(FieldOverride("plan", "text"))
    file.set(PLAN)
    assert file.read() == {"plan": PLAN}


def test_what_is_unset_is_gone(file: FieldOverridesFile) -> None:
    file.set(PLAN)
    assert file.unset("plan") == PLAN
    assert file.read() == {}
    with pytest.raises(TurretError, match=r"Field 'plan' has no type set in .*\. Fields with a type set: none\.$"):
        file.unset("plan")


def test_blank_lines_and_missing_times_are_fine(file: FieldOverridesFile) -> None:
    file.path.parent.mkdir()
    file.path.write_text('\n{"field": "plan", "type": "enum"}\n\n')
    assert file.read() == {"plan": FieldOverride("plan", "enum")}


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{", "must be a JSON object: fix the line or remove it"),
        ("[1]", "must be a JSON object: fix the line or remove it"),
        ('{"field": "x"}', "must have the keys field and type, and may have set_at, is_forced"),
        ('{"field": "x", "type": "enum", "typo": 1}', "must have the keys field and type"),
        ('{"field": "x", "type": "txt"}', "sets 'x' to the unknown type 'txt': use text, enum, number"),
        ('{"field": 1, "type": "enum"}', "sets 1 to the unknown type 'enum'"),
        ('{"field": "plan", "type": ["enum"]}', "sets 'plan' to the unknown type \\['enum'\\]"),
        ('{"field": "plan", "type": "text"}', "sets 'plan' again: keep one line per field"),
    ],
)
def test_an_invalid_line_is_named(file: FieldOverridesFile, line: str, problem: str) -> None:
    file.set(PLAN)
    with file.path.open("a") as lines:
        lines.write(line + "\n")
    before = file.path.read_bytes()
    for attempt in (file.read, lambda: file.set(FieldOverride("a", "text")), lambda: file.unset("plan")):
        with pytest.raises(TurretError, match=f"^Line 2 of .*field_types.jsonl {problem}"):
            attempt()
    assert file.path.read_bytes() == before


def test_bytes_that_are_not_text_are_rejected(file: FieldOverridesFile) -> None:
    file.path.parent.mkdir()
    file.path.write_bytes(b"\xff\xfe")
    with pytest.raises(TurretError, match=r"^Cannot read the field types in .*: "):
        file.read()


def test_nothing_is_lost_where_many_set_at_once(file: FieldOverridesFile) -> None:
    with ThreadPool(8) as pool:
        pool.map(lambda at: file.set(FieldOverride(f"f{at}", "enum")), range(40))
    assert file.read().keys() == {f"f{at}" for at in range(40)}


def test_a_change_that_waits_too_long_writes_nothing(file: FieldOverridesFile, monkeypatch: pytest.MonkeyPatch) -> None:
    file.set(PLAN)
    monkeypatch.setattr("turret_pipeline.storage.atomic_files.LOCK_SECONDS", 0.1)
    with (
        FileLock(file.path.with_name(f".{file.path.name}.lock")),
        pytest.raises(TurretError, match=r"^Another command has been changing .*: wait for it and try again.$"),
    ):
        file.unset("plan")
    assert file.read() == {"plan": PLAN}
