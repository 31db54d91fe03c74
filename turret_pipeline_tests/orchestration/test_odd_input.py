"""Input that is missing, empty or without any text: a clear sentence, or an honest result."""

from pathlib import Path

import pytest

from turret_pipeline_tests.commands import count, published_tables, run_job, turret, write_events


def test_a_missing_input_is_named(tmp_path: Path) -> None:
    done = turret("run", "--input", tmp_path / "nothing.jsonl", "--data-dir", tmp_path / "data")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"The input {tmp_path}/nothing.jsonl does not exist: check the path.\n"


def test_a_glob_that_matches_nothing_is_named(tmp_path: Path) -> None:
    done = turret("run", "--input", f"{tmp_path}/*.jsonl", "--data-dir", tmp_path / "data")
    assert done.returncode == 2
    assert "matches no file" in done.stderr


def test_a_folder_without_event_files_is_named(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "notes.txt").write_text("not events")
    done = turret("run", "--input", tmp_path / "in", "--data-dir", tmp_path / "data")
    assert done.returncode == 2
    assert "has no event file" in done.stderr


def test_a_landing_folder_without_files_says_what_to_do(tmp_path: Path) -> None:
    done = turret("run", "--data-dir", tmp_path / "data")
    assert done.returncode == 1
    assert "Nothing to read: the landing folder" in done.stderr
    assert "TURRET_INPUTS" in done.stderr


def test_a_data_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    done = turret("run", "--input", write_events(tmp_path / "a.jsonl", []), "--data-dir", tmp_path / "data")
    assert done.returncode == 2
    assert "Cannot write to the data folder" in done.stderr


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        (
            "TURRET_TOPIC_MIN_TEXTS",
            "one",
            "Invalid topic_min_texts 'one' (variable TURRET_TOPIC_MIN_TEXTS)",
        ),
        ("TURRET_TOPIC_MIN_TEXT", "3", "Unknown environment variable TURRET_TOPIC_MIN_TEXT. Did you mean"),
        ("TURRET_SCHEDULE_CRON", "daily", "use a cron expression"),
    ],
)
def test_wrong_configuration_is_one_sentence(tmp_path: Path, name: str, value: str, sentence: str) -> None:
    file = write_events(tmp_path / "a.jsonl", [])
    done = turret("run", "--input", file, "--data-dir", tmp_path / "data", extra={name: value})
    assert done.returncode == 2
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1


def test_events_without_any_text_still_have_journeys(tmp_path: Path) -> None:
    steps = [("s1", "[/open]"), ("s1", "a:key:b"), ("s1", "buy")] + [
        ("s2", name) for name in ("[/open]", "a:key:b", "a:key:b")
    ]
    events = [
        {"name": name, "session_id": session, "timestamp": f"2026-01-01T00:00:0{at}Z", "metadata": {"plan": "free"}}
        for at, (session, name) in enumerate(steps)
    ]
    data = tmp_path / "it's [1] $x_$"  # names that mean something to globs, SQL, formulas and markup
    printed = run_job(data, write_events(tmp_path / "a[1].jsonl", events))
    assert "Journeys of event_name" in printed
    assert "[/open]" in printed
    assert "a:key:b" in printed
    tables = published_tables(data)
    edges = tables["journey_edges"].select("from_node_id", "to_node_id", "transition_count").rows()
    assert edges == [
        ("(start)", "[/open]", 2),
        ("[/open]", "a:key:b", 2),
        ("a:key:b", "(end)", 1),
        ("a:key:b", "a:key:b", 1),
        ("a:key:b", "buy", 1),
        ("buy", "(end)", 1),
    ]
    assert tables["topics"].is_empty()
    assert tables["event_topics"].is_empty()


def test_an_empty_file_and_one_of_bad_rows_publish_empty_tables_and_the_reasons(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_bytes(b"")
    (tmp_path / "bad.jsonl").write_text('not json\n{"name": ""}\n')
    printed = run_job(tmp_path / "data", tmp_path / "empty.jsonl", tmp_path / "bad.jsonl")
    assert "0 events" in printed
    assert "- 1 invalid_json, for example: Invalid JSON" in printed
    assert "No event was accepted." in printed
    assert count(tmp_path / "data", "events") == 0
    tables = published_tables(tmp_path / "data")
    assert tables["source_files"].select("row_count", "rejected_count").rows() == [(2, 2), (0, 0)]
    assert tables["rejected_events"]["reason_code"].to_list() == ["invalid_json", "invalid_name"]
