"""`turret inspect`: what rows become before anything is stored, and the mapping that it suggests and writes."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from turret_pipeline.cli import app
from turret_pipeline.config.pipeline import load_settings
from turret_pipeline.errors import TurretError
from turret_pipeline_tests.ingest.imports import read_files, row, write_files

CALLS = "no,asked,customer,visit,question,reply\n" + "".join(
    f"{n},2026-03-02T09:{n:02}:00Z,u1,s1,Why is it {n}?,Because {n}.\n" for n in range(12)
)
MAPPING = """[mapping]
event_at = "asked"
session_id = "visit"
user_id = "customer"
prompt = "question"
generation = "reply"
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a file of events and one of unknown rows."""
    monkeypatch.chdir(tmp_path)
    write_files(
        tmp_path,
        {"a.jsonl": [row("e1"), row(None, 3, metadata={"text": "Hi there"}), '{"name":', row("e4", user_id=None)]},
    )
    (tmp_path / "calls.csv").write_text(CALLS)
    return tmp_path


def run(*arguments: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, ["inspect", *arguments], catch_exceptions=False)
    assert done.exit_code == code, done.output
    return done.output


def read_json(*arguments: str, code: int = 0) -> list[dict[str, Any]]:
    done = CliRunner().invoke(app, ["inspect", *arguments, "--json"], catch_exceptions=False)
    assert done.exit_code == code, done.output
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_formats_events_missing_values_and_rejected_rows_are_shown() -> None:
    lines = run("a.jsonl").splitlines()
    assert lines[:7] == [
        "a.jsonl: 4 rows, 3 can be read (75.0%)",
        "  formats   turret (3 rows)",
        "  events    3, from 2024-05-01 12:00:00 to 2024-05-01 12:03:00 UTC",
        "  ids       1 user, 0 sessions named by the source",
        "  missing   events without a session: 3; it is derived from the user and gaps of time",
        "            events without a user: 1",
        "            events without an id: 1; it is derived from their content, so equal events count once",
    ]
    assert lines[7] == "  metadata  text (1)"
    table = [line.split() for line in lines[9:13]]
    assert table[0] == ["time", "name", "session", "user", "text"]
    assert table[2] == ["2024-05-01", "12:03:00", "asked", "u1", "Hi", "there"]
    assert lines[14].startswith("  Rejected as invalid_json: 1. Line 3: Invalid JSON")
    assert lines[15] == '    {"name":'


def test_the_counts_are_those_of_a_run(folder: Path) -> None:
    (found,) = read_json("a.jsonl")
    parts, row_count = read_files(folder / "data", [folder / "a.jsonl"])
    stored = parts.line_numbers("events", parts.content_hashes()[0])
    assert (found["row_count"], found["accepted_count"], found["event_count"]) == (row_count, len(stored), 3)
    assert found["rows_by_format"] == {"turret": 3}
    assert [(rejected["code"], rejected["line_number"]) for rejected in found["rejected"]] == [("invalid_json", 3)]
    assert found["missing"] == {"session_id": 3, "user_id": 1, "event_id": 1}


def test_nothing_is_written(folder: Path) -> None:
    before = sorted(folder.rglob("*"))
    run("a.jsonl", "calls.csv")
    assert sorted(folder.rglob("*")) == before


def test_the_first_rows_of_a_large_file_are_read(folder: Path) -> None:
    rows = [row(f"e{n}") for n in range(2500)]
    (folder / "big.jsonl.gz").write_bytes(gzip.compress("\n".join(map(json.dumps, rows)).encode()))
    assert "big.jsonl.gz: the first 2,300 rows, 2,300 can be read" in run("big.jsonl.gz", "--rows", "2300")
    assert "big.jsonl.gz: 2,500 rows, 2,500 can be read" in run("big.jsonl.gz", "--rows", "2500")
    (found,) = read_json("big.jsonl.gz", "--events", "3")
    assert [event["event_at"] for event in found["first_events"]] == ["2024-05-01 12:00:00+00:00"] * 3
    assert found["is_complete"]


def test_a_mapping_is_suggested_with_the_events_that_it_gives() -> None:
    (found,) = read_json("calls.csv", code=1)
    suggestion = found["suggestion"]
    assert suggestion["toml"] == MAPPING
    assert (suggestion["accepted_count"], suggestion["row_count"]) == (12, 12)
    assert [(event["event_name"], event["text"]) for event in suggestion["first_events"][:2]] == [
        ("User prompt", "Why is it 0?"),
        ("AI generation", "Because 0."),
    ]
    shown = run("calls.csv", code=1)
    assert "  Suggested for turret.toml; it reads 12 of 12 such rows:" in shown
    assert '    prompt = "question"' in shown


def test_the_written_mapping_reads_the_rows_and_keeps_the_rest_of_the_file(folder: Path) -> None:
    (folder / "turret.toml").write_text("seed = 3  # lucky\n")
    (folder / "turret.toml").chmod(0o600)
    assert "Wrote [mapping] into turret.toml" in run("calls.csv", "--write")
    assert (folder / "turret.toml").read_text() == f"seed = 3  # lucky\n\n{MAPPING}"
    assert (folder / "turret.toml").stat().st_mode & 0o777 == 0o600
    assert load_settings().seed == 3
    (calls,) = read_json("calls.csv")
    assert (calls["accepted_count"], calls["rows_by_format"], calls["suggestion"]) == (12, {"mapping": 12}, None)
    assert read_json("a.jsonl")[0]["rows_by_format"] == {"turret": 3}
    assert "Nothing to write" in run("calls.csv", "--write")


def test_a_mapping_is_replaced_only_by_force(folder: Path) -> None:
    (folder / "turret.toml").write_text('[mapping]\nevent_name = "other"\n')
    with pytest.raises(TurretError, match=r"turret.toml already has \[mapping\]: use --force"):
        run("calls.csv", "--write")
    assert (folder / "turret.toml").read_text() == '[mapping]\nevent_name = "other"\n'
    run("calls.csv", "--write", "--force")
    assert (folder / "turret.toml").read_text() == MAPPING


def test_files_that_need_different_mappings_are_not_written(folder: Path) -> None:
    write_files(folder, {"b.jsonl": [{"action": "clicked", "when": "2026-03-02T09:00:00Z"}]})
    with pytest.raises(TurretError, match=r"need 2 different mappings, .*: inspect one file at a time"):
        run("calls.csv", "b.jsonl", "--write")
    assert not (folder / "turret.toml").exists()


def test_a_mapping_in_the_environment_is_not_overridden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TURRET_MAPPING", '{"event_name": "other"}')
    with pytest.raises(TurretError, match=r"TURRET_MAPPING overrides turret.toml .*: unset it first"):
        run("calls.csv", "--write")


def test_a_mapping_that_also_fits_rows_that_are_read_says_so(folder: Path) -> None:
    known = row("e1", created="2026-03-02T09:00:00Z", action="clicked")
    unknown = [{"action": "clicked", "created": f"2026-03-02T09:0{n}:00Z"} for n in range(3)]
    write_files(folder, {"mixed.jsonl": [known, *unknown]})
    assert read_json("mixed.jsonl")[0]["suggestion"]["changed_count"] == 1
    assert "It also fits 1 row read without it" in run("mixed.jsonl")


def test_settings_and_a_selected_format_apply(monkeypatch: pytest.MonkeyPatch) -> None:
    (found,) = read_json("a.jsonl", "--format", "posthog", code=1)
    assert {rejected["code"] for rejected in found["rejected"]} == {"not_of_format", "invalid_json"}
    monkeypatch.setenv("TURRET_USER_ID_SALT", "a long salt")
    monkeypatch.setenv("TURRET_MISSING_TIMES", "refuse")
    (event, *_) = read_json("a.jsonl")[0]["first_events"]
    assert event["user_id"] not in (None, "u1")


def test_personal_data_is_masked(folder: Path) -> None:
    write_files(
        folder, {"p.jsonl": [row("e1", metadata={"text": "I am ann@example.com here"}), {"x": "ann@example.com"}]}
    )
    shown = run("p.jsonl")
    assert "I am <EMAIL> here" in shown
    assert "ann@" not in shown


@pytest.mark.parametrize("content", ["", "\n\n", "not json\n", "[]", '{"a": 1}\n'])
def test_a_file_without_readable_rows_exits_with_1(folder: Path, content: str) -> None:
    (folder / "c.jsonl").write_text(content)
    run("c.jsonl", code=1)
    assert read_json("c.jsonl", code=1)[0]["accepted_count"] == 0
    assert "Nothing to write" in run("c.jsonl", "--write", code=1)


def test_a_folder_and_a_glob_show_each_file(folder: Path) -> None:
    assert [Path(found["file"]).name for found in read_json(str(folder))] == ["a.jsonl", "calls.csv"]
    assert [found["file"] for found in read_json("*.jsonl")] == ["a.jsonl"]
    with pytest.raises(TurretError, match=r"The input none.jsonl does not exist: check the path"):
        run("none.jsonl")


def test_the_help_has_examples() -> None:
    assert "turret inspect calls.csv --write" in " ".join(run("--help").split())
