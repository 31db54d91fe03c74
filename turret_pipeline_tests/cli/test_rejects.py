"""`turret rejects` and `turret replay`: rejected rows shown, fixed and read again."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from turret_pipeline.cli import app
from turret_pipeline.errors import TurretError
from turret_pipeline.ingest.canonical import CanonicalOptions, write_canonical
from turret_pipeline.ingest.parts import PartStore
from turret_pipeline.storage.data_dir import DataDir
from turret_pipeline.storage.lake import Lake
from turret_pipeline_tests.ingest.imports import import_rows, row, row_counts

ROWS = [row("e1"), '{"name":', {"name": "", "timestamp": "2024-05-01"}, row("e4", timestamp="nope"), row("e5"), '{"nam']


def run_turret(*arguments: str) -> str:
    done = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert done.exit_code == 0
    return done.output


def import_rejected(folder: Path) -> Lake:
    """A lake with four rejected rows of six."""
    return import_rows(folder, {"a.jsonl": ROWS})


def run_again(folder: Path) -> Lake:
    """The lake after the next run."""
    data = DataDir(folder)
    write_canonical(PartStore(data.parts), data.lake, CanonicalOptions())
    return data.lake


def ids(lake: Lake) -> list[str]:
    return sorted(lake.read("events")["event_id"])


def test_rows_are_shown_by_reason_with_examples(tmp_path: Path) -> None:
    import_rejected(tmp_path)
    shown = run_turret("rejects", "--data-dir", str(tmp_path), "--examples", "1")
    assert [line.split()[:3] for line in shown.splitlines()[1:4]] == [
        ["2", "1", "invalid_json"],
        ["1", "1", "invalid_name"],
        ["1", "1", "invalid_timestamp"],
    ]
    assert f"invalid_json: {tmp_path / 'landing' / 'a.jsonl'}, line 2" in shown
    assert '{"name":\n' in shown
    assert "line 6" not in shown


def test_rows_of_one_reason_as_json(tmp_path: Path) -> None:
    import_rejected(tmp_path)
    rows: list[dict[str, Any]] = json.loads(
        run_turret("rejects", "--data-dir", str(tmp_path), "--reason", "invalid_name", "--json")
    )
    assert [(found["line_number"], found["is_mended"]) for found in rows] == [(3, False)]


def test_without_rejected_rows_a_message_says_so(tmp_path: Path) -> None:
    import_rows(tmp_path, {"a.jsonl": [row("e1")]})
    assert run_turret("rejects", "--data-dir", str(tmp_path)) == "No rejected rows.\n"
    assert "No rejected rows." in run_turret("replay", "--data-dir", str(tmp_path))


def test_an_unknown_reason_and_an_unread_folder_are_errors(tmp_path: Path) -> None:
    import_rejected(tmp_path / "1")
    with pytest.raises(
        TurretError, match=r"No rejected row has the reason 'typo'\. Available: invalid_json, invalid_name, inv"
    ):
        run_turret("rejects", "--data-dir", str(tmp_path / "1"), "--reason", "typo")
    with pytest.raises(TurretError, match=r"Nothing was read into .* yet: run turret run --input FILE"):
        run_turret("rejects", "--data-dir", str(tmp_path / "2"))


@pytest.mark.slow
def test_a_fixed_file_is_read_again_and_its_old_counts_stay(tmp_path: Path) -> None:
    import_rejected(tmp_path)
    path = tmp_path / "landing" / "a.jsonl"
    lines = path.read_text().splitlines()
    lines[1], lines[3] = json.dumps(row("e2")), json.dumps(row("e4"))
    path.write_text("\n".join(lines))
    assert "2 of 4 rejected rows are accepted now" in run_turret("replay", "--data-dir", str(tmp_path))
    lake = run_again(tmp_path)
    assert ids(lake) == ["e1", "e2", "e4", "e5"]
    assert sorted(rejected for *_, rejected in row_counts(lake)) == [2, 4]
    assert all(rows == accepted + duplicates + rejected for _, rows, accepted, duplicates, rejected in row_counts(lake))
    fixed = lake.read("rejected_events").filter("is_mended")["line_number"].to_list()
    assert fixed == [2, 4]
    assert "2      1  invalid_json" not in run_turret("rejects", "--data-dir", str(tmp_path))


def test_rows_are_read_again_when_a_setting_accepts_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import_rows(tmp_path, {"a.jsonl": [row("e1"), {"action": "b", "ts": "2024-05-01T12:00:00Z", "id": "e2"}]})
    assert "0 of 1 rejected rows are accepted now" in run_turret("replay", "--data-dir", str(tmp_path))
    monkeypatch.setenv(
        "TURRET_MAPPING", json.dumps({"event_name": ["action", "name"], "event_at": ["ts", "timestamp"]})
    )
    assert "1 of 1 rejected rows are accepted now" in run_turret("replay", "--data-dir", str(tmp_path))
    lake = run_again(tmp_path)
    assert row_counts(lake) == [("a.jsonl", 2, 2, 0, 0)]


def test_a_file_that_is_read_again_keeps_its_time_of_arrival(tmp_path: Path) -> None:
    before = import_rejected(tmp_path).read("source_files")
    run_turret("replay", "--data-dir", str(tmp_path))
    after = run_again(tmp_path).read("source_files")
    columns = ["ingested_at", "late_count", "accepted_count"]
    assert after.select(columns).rows() == before.select(columns).rows()
    assert "No further rows were accepted" in run_turret("replay", "--data-dir", str(tmp_path))


def test_fixed_rows_of_an_export_are_read_once(tmp_path: Path) -> None:
    import_rejected(tmp_path)
    export = tmp_path / "rejected.jsonl"
    assert "Wrote 4 rejected rows to" in run_turret("rejects", "--data-dir", str(tmp_path), "--export", str(export))
    rows = [json.loads(line) for line in export.read_text().splitlines()]
    rows[0]["raw_text"], rows[1]["raw_text"] = json.dumps(row("e2")), json.dumps(row("e3"), indent=2)
    export.write_text("".join(json.dumps(one) + "\n" for one in rows))
    for _ in range(2):
        shown = run_turret("replay", str(export), "--data-dir", str(tmp_path))
        assert "2 of 4 rejected rows are accepted now" in shown
        assert "a.jsonl line 4: timestamp is 'nope'" in shown
    lake = run_again(tmp_path)
    assert ids(lake) == ["e1", "e2", "e3", "e5"]
    assert lake.read("rejected_events").filter(~pl.col("is_mended"))["line_number"].to_list() == [4, 6]
    assert {rows for _, rows, *_ in row_counts(lake)} == {6, 2}


@pytest.mark.parametrize("content", ["not json", '{"raw_text": "{}"}', "[1]", '{"line_number": "1"}'])
def test_a_file_that_was_not_exported_is_rejected(tmp_path: Path, content: str) -> None:
    import_rejected(tmp_path)
    (tmp_path / "rejected.jsonl").write_text(content)
    with pytest.raises(TurretError, match=r"Line 1 of .*rejected.jsonl is not a row of turret rejects --export"):
        run_turret("replay", str(tmp_path / "rejected.jsonl"), "--data-dir", str(tmp_path))
    with pytest.raises(TurretError, match=r"none.jsonl does not exist: check the path"):
        run_turret("replay", str(tmp_path / "none.jsonl"), "--data-dir", str(tmp_path))


def test_for_a_missing_file_the_message_says_what_to_do(tmp_path: Path) -> None:
    import_rejected(tmp_path)
    (tmp_path / "landing" / "a.jsonl").unlink()
    assert "The file was not found from the folder" in run_turret("replay", "--data-dir", str(tmp_path))


def test_replayed_rows_are_new_to_the_next_run(tmp_path: Path) -> None:
    import_rejected(tmp_path)
    parts = PartStore(DataDir(tmp_path).parts)
    before = parts.fingerprint()
    run_turret("replay", "--data-dir", str(tmp_path))
    assert parts.fingerprint() != before
