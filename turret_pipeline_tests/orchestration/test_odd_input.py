"""Input that is missing, empty or without any text: a clear sentence, or an honest result."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from turret_pipeline.cli import app
from turret_pipeline.errors import TurretError
from turret_pipeline_tests.commands import count, published_tables, run_job, turret, write_events


def run_in_process(*arguments: str | Path) -> Result:
    """Result of `turret run` with these arguments in this process; a TurretError is raised."""
    return CliRunner().invoke(app, ["run", *map(str, arguments)], catch_exceptions=False)


def test_a_missing_input_is_named(tmp_path: Path) -> None:
    with pytest.raises(TurretError) as error:
        run_in_process("--input", tmp_path / "nothing.jsonl", "--data-dir", tmp_path / "data")
    assert str(error.value) == f"The input {tmp_path}/nothing.jsonl does not exist: check the path."


def test_a_glob_that_matches_nothing_is_named(tmp_path: Path) -> None:
    with pytest.raises(TurretError, match="matches no file"):
        run_in_process("--input", f"{tmp_path}/*.jsonl", "--data-dir", tmp_path / "data")


def test_a_folder_without_event_files_is_named(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "notes.txt").write_text("not events")
    with pytest.raises(TurretError, match="has no event file"):
        run_in_process("--input", tmp_path / "in", "--data-dir", tmp_path / "data")


@pytest.mark.slow
def test_a_landing_folder_without_files_says_what_to_do(tmp_path: Path) -> None:
    done = turret("run", "--data-dir", tmp_path / "data")
    assert done.returncode == 1
    assert "Nothing to read: the landing folder" in done.stderr
    assert "TURRET_INPUTS" in done.stderr


def test_a_data_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(TurretError, match="Cannot write to the data folder"):
        run_in_process("--input", write_events(tmp_path / "a.jsonl", []), "--data-dir", tmp_path / "data")


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
def test_wrong_configuration_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(TurretError) as error:
        run_in_process("--input", write_events(tmp_path / "a.jsonl", []), "--data-dir", tmp_path / "data")
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.slow
def test_events_without_any_text_still_have_journeys(tmp_path: Path) -> None:
    steps = [("s1", "[/open]"), ("s1", "a:key:b"), ("s1", "buy")] + [
        ("s2", name) for name in ("[/open]", "a:key:b", "a:key:b")
    ]
    events = [
        {"name": name, "session_id": session, "timestamp": f"2026-01-01T00:00:0{at}Z", "metadata": {"plan": "free"}}
        for at, (session, name) in enumerate(steps)
    ]
    events[-1]["metadata"] = {"plan": "\ud83d"}
    data = tmp_path / "it's [1] $x_$"  # names that mean something to globs, SQL, formulas and markup
    printed = run_job(data, write_events(tmp_path / "a[1].jsonl", events))
    assert "Journeys of event_name" in printed
    assert "Repaired 1 row: a broken character became U+FFFD" in printed
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


@pytest.mark.slow
def test_an_empty_file_and_one_of_bad_rows_publish_empty_tables_and_the_reasons(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_bytes(b"")
    (tmp_path / "bad.jsonl").write_text('not json\n{"name": ""}\n')
    printed = run_job(tmp_path / "data", tmp_path / "empty.jsonl", tmp_path / "bad.jsonl")
    assert "0 events" in printed
    assert "- 1 invalid_json, for example: Invalid JSON" in printed
    assert "No event was accepted." in printed
    assert "read these rows again with `turret replay`" in " ".join(printed.split())
    assert count(tmp_path / "data", "events") == 0
    tables = published_tables(tmp_path / "data")
    assert tables["source_files"].select("row_count", "rejected_count").rows() == [(2, 2), (0, 0)]
    assert tables["rejected_events"]["reason_code"].to_list() == ["invalid_json", "invalid_name"]
