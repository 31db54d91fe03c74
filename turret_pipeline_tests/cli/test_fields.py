"""`turret fields` on a published file."""

import importlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from turret_pipeline.cli import app
from turret_pipeline.errors import TurretError
from turret_pipeline.storage.field_overrides import FieldOverridesFile
from turret_pipeline_tests.commands import warehouse
from turret_pipeline_tests.conftest import Job


@pytest.fixture(scope="module")
def published(sample_job: Job, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The published file of the sample, and the values of its fields."""
    data_dir = tmp_path_factory.mktemp("fields")
    for file in (warehouse(Path()), Path("lake/event_values.parquet")):
        (data_dir / file).parent.mkdir()
        shutil.copy(sample_job.data_dir / file, data_dir / file)
    return data_dir


@pytest.fixture
def folder(published: Path) -> Iterator[Path]:
    """That data folder, with nothing set before and after."""
    yield published
    (published / "field_types.jsonl").unlink(missing_ok=True)


def run_fields(folder: Path, *arguments: str) -> str:
    """The output of `turret fields` with these arguments."""
    done = CliRunner().invoke(app, ["fields", *arguments, "--data-dir", str(folder)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def error(folder: Path, *arguments: str) -> str:
    """The message of the error; nothing is written."""
    before = types(folder)
    with pytest.raises(TurretError) as raised:
        run_fields(folder, *arguments)
    assert types(folder) == before
    return str(raised.value)


def types(folder: Path) -> dict[str, str]:
    file = FieldOverridesFile(folder / "field_types.jsonl")
    return {field: override.type for field, override in file.read().items()}


def test_the_list_has_every_field_with_its_type_and_the_reason(folder: Path) -> None:
    printed = run_fields(folder)
    assert max(map(len, printed.splitlines())) <= 120
    lines = {line.split()[0]: " ".join(line.split()) for line in printed.splitlines() if line}
    assert lines["field"] == "field type events distinct reason"
    assert lines["is_cached"].startswith("is_cached enum ")  # without a question mark
    assert lines["is_cached"].endswith(" The values are true or false.")
    assert "Waiting" not in printed


def test_a_long_list_has_the_fields_of_most_events(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = json.loads(run_fields(folder, "--json"))
    monkeypatch.setattr(importlib.import_module("turret_pipeline.cli.fields"), "MAX_FIELDS", 3)
    _, *lines, last = run_fields(folder).splitlines()
    shown = sorted(sorted(rows, key=lambda row: (-row["event_count"], row["field"]))[:3], key=by_doubt)
    fields = [row["field"] for row in rows]
    assert [name for line in lines for name in line.split(" ")[:1] if name in fields] == [row["field"] for row in shown]
    assert last == f"Further fields, with fewer events: {len(rows) - 3} (turret fields --json)"


def test_the_list_as_json_has_a_row_per_field(folder: Path) -> None:
    rows = json.loads(run_fields(folder, "--json"))
    assert {row["field"]: row["type"] for row in rows}["request_id"] == "identifier"
    assert rows == sorted(rows, key=by_doubt)


def by_doubt(row: dict[str, object]) -> tuple[bool, str]:
    """Sort key: uncertain types first, by field."""
    return not row["is_uncertain"], str(row["field"])


def test_fields_of_uncertain_type_come_first_and_are_marked(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    with duckdb.connect(str(tmp_path / warehouse(Path()))) as connection:
        connection.execute("update marts.fields set is_uncertain = field in ('part', 'plan')")
    rows = json.loads(run_fields(tmp_path, "--json"))
    assert [row["field"] for row in rows[:2]] == ["part", "plan"]
    assert rows == sorted(rows, key=by_doubt)
    printed = run_fields(tmp_path).splitlines()
    assert [line.split()[:3] for line in printed[1:3]] == [["part", "enum", "?"], ["plan", "enum", "?"]]
    assert printed[-1] == "A type with a question mark is uncertain: the values nearly have another type."
    with duckdb.connect(str(tmp_path / warehouse(Path()))) as connection:
        connection.execute("update marts.fields set is_uncertain = false")
    assert "?" not in run_fields(tmp_path)


def test_a_type_is_set_and_waits_for_the_next_run_until_it_is_unset(folder: Path) -> None:
    assert run_fields(folder, "set", "part", "identifier") == (
        f"part is set to identifier. It takes effect with the next run: turret run --data-dir {folder}\n"
    )
    assert types(folder) == {"part": "identifier"}
    assert "Waiting for the next run:\n  part becomes identifier\n" in run_fields(folder)
    assert run_fields(folder, "unset", "part").startswith(
        "part is no longer set to identifier. Its type is detected again"
    )
    assert types(folder) == {}
    assert "Waiting" not in run_fields(folder)


def test_a_type_that_the_values_contradict_is_rejected_or_forced(folder: Path) -> None:
    reason = "The field prompt cannot be number: only 0 % of its values are numbers."
    assert error(folder, "set", "prompt", "number") == f"{reason} To set the type anyway, use --force."
    assert run_fields(folder, "set", "prompt", "number", "--force").startswith(
        f"prompt is set to number. Forced: {reason} It"
    )
    kept = FieldOverridesFile(folder / "field_types.jsonl").read()["prompt"]
    assert (kept.type, kept.is_forced) == ("number", True)
    run_fields(folder, "set", "prompt", "text", "--force")
    assert not FieldOverridesFile(folder / "field_types.jsonl").read()["prompt"].is_forced


def test_a_field_that_no_event_has_is_rejected_or_forced(folder: Path) -> None:
    found = error(folder, "set", "plam", "enum")
    assert found.startswith("No event has a field 'plam'. Available: answer_tokens, feedback, ")
    run_fields(folder, "set", "plam", "enum", "--force")
    assert types(folder) == {"plam": "enum"}


def test_an_unknown_type_and_a_field_without_a_type_are_rejected(folder: Path) -> None:
    assert error(folder, "set", "plan", "list") == (
        "Unknown type 'list'. Available: text, enum, number, identifier, datetime, structured, constant."
    )
    assert error(folder, "unset", "plan").startswith("Field 'plan' has no type set in ")


def test_the_setting_takes_precedence(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_fields(folder, "set", "plan", "text")
    monkeypatch.setenv("TURRET_FIELD_TYPES", '{"plan": "identifier"}')
    assert "  plan becomes identifier\n" in run_fields(folder)
    assert error(folder, "set", "plan", "enum", "--force") == (
        "The setting field_types (TURRET_FIELD_TYPES) sets plan to identifier and takes precedence: change it there."
    )


def test_without_a_published_file_there_is_an_error(tmp_path: Path) -> None:
    for arguments in ((), ("set", "plan", "enum")):
        assert error(tmp_path, *arguments).startswith(f"Nothing is published in {tmp_path} yet: ")


def test_options_before_a_command_are_rejected(folder: Path) -> None:
    with pytest.raises(TurretError, match=r"^Put options after the command: turret fields unset \.\.\.$"):
        CliRunner().invoke(app, ["fields", "--data-dir", str(folder), "unset", "plan"], catch_exceptions=False)
