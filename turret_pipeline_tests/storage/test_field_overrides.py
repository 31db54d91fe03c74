"""The file of the types that a person set."""

from multiprocessing.pool import ThreadPool
from pathlib import Path

import pytest
from filelock import FileLock

from turret_pipeline.errors import TurretError
from turret_pipeline.storage.field_overrides import Override, OverridesFile

PLAN = Override("plan", "enum", "2026-05-01T12:00:00+00:00")


@pytest.fixture
def file(tmp_path: Path) -> OverridesFile:
    return OverridesFile(tmp_path / "data" / "field_types.jsonl")


def test_without_a_file_nothing_is_set(file: OverridesFile) -> None:
    assert file.read() == {}


def test_types_are_lines_by_field_that_a_person_can_review(file: OverridesFile) -> None:
    file.set(PLAN)
    file.set(Override("größe.x", "number", is_forced=True))
    file.set(Override("a", "text"))
    assert file.path.read_text(encoding="utf-8") == (
        '{"field": "a", "type": "text", "set_at": "", "is_forced": false}\n'
        '{"field": "größe.x", "type": "number", "set_at": "", "is_forced": true}\n'
        '{"field": "plan", "type": "enum", "set_at": "2026-05-01T12:00:00+00:00", "is_forced": false}\n'
    )
    assert list(file.read()) == ["a", "größe.x", "plan"]


def test_a_field_has_the_type_that_was_set_last(file: OverridesFile) -> None:
    file.set(Override("plan", "text"))
    file.set(PLAN)
    assert file.read() == {"plan": PLAN}


def test_what_is_unset_is_gone(file: OverridesFile) -> None:
    file.set(PLAN)
    assert file.unset("plan") == PLAN
    assert file.read() == {}
    with pytest.raises(TurretError, match=r"No type is set for 'plan' in .*; there are types for: none\.$"):
        file.unset("plan")


def test_blank_lines_and_missing_times_are_fine(file: OverridesFile) -> None:
    file.path.parent.mkdir()
    file.path.write_text('\n{"field": "plan", "type": "enum"}\n\n')
    assert file.read() == {"plan": Override("plan", "enum")}


@pytest.mark.parametrize(
    ("line", "verdict"),
    [
        ("{", "is no JSON object: mend it or remove the line"),
        ("[1]", "is no type of a field: it needs field and type, and knows field, type, set_at, is_forced"),
        ('{"field": "x"}', "is no type of a field"),
        ('{"field": "x", "type": "enum", "typo": 1}', "is no type of a field"),
        ('{"field": "x", "type": "txt"}', "sets 'x' to 'txt': a type is one of text, enum, number"),
        ('{"field": 1, "type": "enum"}', "sets 1 to 'enum'"),
        ('{"field": "plan", "type": ["enum"]}', "sets 'plan' to \\['enum'\\]"),
        ('{"field": "plan", "type": "text"}', "sets 'plan', which an earlier line sets: remove one"),
    ],
)
def test_a_line_that_is_none_is_named(file: OverridesFile, line: str, verdict: str) -> None:
    file.set(PLAN)
    with file.path.open("a") as lines:
        lines.write(line + "\n")
    before = file.path.read_bytes()
    for attempt in (file.read, lambda: file.set(Override("a", "text")), lambda: file.unset("plan")):
        with pytest.raises(TurretError, match=f"^Line 2 of .*field_types.jsonl {verdict}"):
            attempt()
    assert file.path.read_bytes() == before


def test_bytes_that_are_no_text_are_refused(file: OverridesFile) -> None:
    file.path.parent.mkdir()
    file.path.write_bytes(b"\xff\xfe")
    with pytest.raises(TurretError, match=r"^The types of fields in .* cannot be read: "):
        file.read()


def test_nothing_is_lost_where_many_set_at_once(file: OverridesFile) -> None:
    with ThreadPool(8) as pool:
        pool.map(lambda at: file.set(Override(f"f{at}", "enum")), range(40))
    assert file.read().keys() == {f"f{at}" for at in range(40)}


def test_who_waits_too_long_is_told_and_writes_nothing(file: OverridesFile, monkeypatch: pytest.MonkeyPatch) -> None:
    file.set(PLAN)
    monkeypatch.setattr("turret_pipeline.storage.atomic_files.LOCK_SECONDS", 0.1)
    with (
        FileLock(file.path.with_name(f".{file.path.name}.lock")),
        pytest.raises(TurretError, match=r"^Another command has been changing .*: wait for it, and try again.$"),
    ):
        file.unset("plan")
    assert file.read() == {"plan": PLAN}
