"""`turret fields` on a published file."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from turret_pipeline.cli import app
from turret_pipeline.errors import TurretError
from turret_pipeline.storage.field_overrides import OverridesFile
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


def told(folder: Path, *arguments: str) -> str:
    """What `turret fields` prints with these arguments."""
    done = CliRunner().invoke(app, ["fields", *arguments, "--data-dir", str(folder)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def refusal(folder: Path, *arguments: str) -> str:
    """The sentence with which it refuses; nothing is written."""
    before = types(folder)
    with pytest.raises(TurretError) as refused:
        told(folder, *arguments)
    assert types(folder) == before
    return str(refused.value)


def types(folder: Path) -> dict[str, str]:
    file = OverridesFile(folder / "field_types.jsonl")
    return {field: override.type for field, override in file.read().items()}


def test_the_list_has_every_field_with_its_type_and_the_reason(folder: Path) -> None:
    printed = told(folder)
    assert max(map(len, printed.splitlines())) <= 120
    lines = {line.split()[0]: " ".join(line.split()) for line in printed.splitlines()}
    assert lines["field"] == "field type events distinct why"
    assert lines["is_cached"].startswith("is_cached enum ")
    assert lines["is_cached"].endswith(" The values are true or false.")
    assert "Waiting" not in printed


def test_the_list_as_json_has_a_row_per_field(folder: Path) -> None:
    rows = json.loads(told(folder, "--json"))
    assert {row["field"]: row["type"] for row in rows}["request_id"] == "identifier"
    assert [row["field"] for row in rows] == sorted(row["field"] for row in rows)


def test_a_type_is_set_and_waits_for_the_next_run_until_it_is_unset(folder: Path) -> None:
    assert told(folder, "set", "part", "identifier") == (
        f"part is set to identifier. It takes effect with the next run: turret run --data-dir {folder}\n"
    )
    assert types(folder) == {"part": "identifier"}
    assert "Waiting for the next run:\n  part becomes identifier\n" in told(folder)
    assert told(folder, "unset", "part").startswith("part is no longer set to identifier. Its type is detected again")
    assert types(folder) == {}
    assert "Waiting" not in told(folder)


def test_a_type_that_the_values_contradict_is_refused_or_forced(folder: Path) -> None:
    reason = "The field prompt cannot be number: only 0 % of its values are numbers."
    assert refusal(folder, "set", "prompt", "number") == f"{reason} Set another type, or add --force."
    assert told(folder, "set", "prompt", "number", "--force").startswith(
        f"prompt is set to number. Forced: {reason} It"
    )
    kept = OverridesFile(folder / "field_types.jsonl").read()["prompt"]
    assert (kept.type, kept.is_forced) == ("number", True)
    told(folder, "set", "prompt", "text", "--force")
    assert not OverridesFile(folder / "field_types.jsonl").read()["prompt"].is_forced


def test_a_field_that_no_event_has_is_refused_or_forced(folder: Path) -> None:
    found = refusal(folder, "set", "plam", "enum")
    assert found.startswith("No event has a field 'plam'; there are: answer_tokens, feedback, ")
    told(folder, "set", "plam", "enum", "--force")
    assert types(folder) == {"plam": "enum"}


def test_an_unknown_type_and_a_field_without_a_type_are_refused(folder: Path) -> None:
    assert refusal(folder, "set", "plan", "list") == (
        "There is no type 'list'; a field is one of: text, enum, number, identifier, datetime, structured, constant."
    )
    assert refusal(folder, "unset", "plan").startswith("No type is set for 'plan' in ")


def test_the_setting_wins_and_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told(folder, "set", "plan", "text")
    monkeypatch.setenv("TURRET_FIELD_TYPES", '{"plan": "identifier"}')
    assert "  plan becomes identifier\n" in told(folder)
    assert refusal(folder, "set", "plan", "enum", "--force") == (
        "The setting field_types (TURRET_FIELD_TYPES) says that plan is identifier, and it wins: change it there."
    )


def test_where_nothing_is_published_that_is_said(tmp_path: Path) -> None:
    for arguments in ((), ("set", "plan", "enum")):
        assert refusal(tmp_path, *arguments).startswith(f"Nothing is published in {tmp_path} yet: ")


def test_options_before_a_command_are_refused(folder: Path) -> None:
    with pytest.raises(TurretError, match=r"^Options belong behind the command: turret fields unset \.\.\.$"):
        CliRunner().invoke(app, ["fields", "--data-dir", str(folder), "unset", "plan"], catch_exceptions=False)
