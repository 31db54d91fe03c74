"""`turret export`."""

import csv
import json
from pathlib import Path

from turret_pipeline_tests.commands import open_published, turret


def test_all_rows_about_a_person_are_written_with_their_table(small_job: Path, tmp_path: Path) -> None:
    done = turret("export", "--user", "u1", "--output", tmp_path / "u1.jsonl", "--data-dir", small_job)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in (tmp_path / "u1.jsonl").read_text().splitlines()]
    with open_published(small_job) as connection:
        wanted = connection.execute("select event_id from marts.events where user_id = 'u1' order by 1").fetchall()
    assert sorted(row["event_id"] for row in rows if row["table"] == "events") == [name for (name,) in wanted]
    assert {row["user_id"] for row in rows if "user_id" in row} == {"u1"}
    assert [row["sent_id"] for row in rows if row["table"] == "identities"] == ["u1"]
    tables = {row["table"] for row in rows}
    assert {"events", "sessions", "exchanges", "event_topics", "exchange_signals", "journey_steps"} <= tables
    printed = turret("export", "--user", "u1", "--data-dir", small_job)
    assert [json.loads(line) for line in printed.stdout.splitlines()] == rows
    done = turret("export", "--user", "u1", "--format", "csv", "--output", tmp_path / "u1", "--data-dir", small_job)
    assert done.returncode == 0, done.stderr
    assert {file.stem for file in (tmp_path / "u1").iterdir()} == tables
    with (tmp_path / "u1" / "events.csv").open() as file:
        assert len(list(csv.DictReader(file))) == len(wanted)


def test_an_unknown_user_and_csv_without_a_folder_are_explained(small_job: Path) -> None:
    done = turret("export", "--user", "nobody", "--data-dir", small_job)
    assert (done.returncode, done.stdout) == (2, "")
    assert "have no user 'nobody': check the id" in done.stderr
    done = turret("export", "--user", "u1", "--format", "csv", "--data-dir", small_job)
    assert "name a folder with --output" in done.stderr
