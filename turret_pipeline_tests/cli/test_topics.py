"""`turret topics` on a published file."""

import importlib
import io
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import polars as pl
import pytest
from rich.console import Console
from typer.testing import CliRunner

from turret_pipeline.cli import app
from turret_pipeline.cli.topic_views import topic_table
from turret_pipeline.errors import TurretError
from turret_pipeline.storage.topic_edits import TopicEditsFile
from turret_pipeline_tests.commands import turret, warehouse
from turret_pipeline_tests.conftest import Job


@pytest.fixture(scope="module")
def published(sample_job: Job, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The published file of the sample; prompt-5 was merged into prompt-4, feedback-1 is combined for privacy."""
    data_dir = tmp_path_factory.mktemp("topics")
    warehouse(data_dir).parent.mkdir()
    shutil.copy(warehouse(sample_job.data_dir), warehouse(data_dir))
    with duckdb.connect(str(warehouse(data_dir))) as connection:
        connection.execute(
            "update marts.topics set status = 'retired', merged_into_topic_id = 'prompt-4' where topic_id = 'prompt-5'"
        )
        connection.execute("update marts.topics set status = 'retired' where topic_id = 'prompt-7'")
        connection.execute("update marts.topics set label_source = 'privacy' where topic_id = 'feedback-1'")
        connection.execute("update marts.topics set label = 'Charts' where topic_id = 'prompt-2'")
        connection.execute("update marts.topics set text_count = 12 where topic_id = 'prompt-6'")
    return data_dir


@pytest.fixture
def folder(published: Path) -> Iterator[Path]:
    """That data folder, without edits before and after."""
    yield published
    (published / "topic_edits.jsonl").unlink(missing_ok=True)


LISTED = ("topics", "list", "--all", "--json", "--field", "prompt", "--data-dir")


def topics(folder: Path, *arguments: str) -> str:
    """The output of `turret topics` with these arguments."""
    done = CliRunner().invoke(app, ["topics", *arguments, "--data-dir", str(folder)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def error(folder: Path, *arguments: str) -> str:
    """The message of the error; nothing is written."""
    before = TopicEditsFile(folder / "topic_edits.jsonl").read()
    with pytest.raises(TurretError) as raised:
        topics(folder, *arguments)
    assert TopicEditsFile(folder / "topic_edits.jsonl").read() == before
    return str(raised.value)


def test_the_list_has_topics_and_the_result_of_the_last_run(folder: Path) -> None:
    printed = topics(folder, "list")
    lines = printed.splitlines()
    assert max(map(len, lines)) <= 120
    assert lines[0].startswith("Topics of feedback: ")
    assert "In the last run: " in lines[1]
    names = ["topic", "events", "users", "label", "theme", "cohesion", "separation"]
    heads = [line.split() for line in lines if line.startswith("topic ")]
    assert {tuple(head) for head in heads} <= {tuple(names), (*names, "remarks")}
    assert len(heads) == 2
    assert any(line.startswith("prompt-2 ") and " Charts " in line for line in lines)
    assert not any(line.startswith("prompt-5 ") for line in lines)
    assert "Waiting for the next run" not in printed
    (retired,) = (line for line in topics(folder, "list", "--all").splitlines() if line.startswith("prompt-5 "))
    assert " merged into" in retired


def test_a_long_list_has_the_fields_of_most_texts(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.import_module("turret_pipeline.cli.topics"), "MAX_FIELDS", 1)
    printed = topics(folder, "list")
    assert printed.startswith("Topics of prompt: ")
    assert "feedback" not in printed
    assert "\nFurther text fields, with fewer texts: 1 (option --field)\n" in printed
    assert topics(folder, "list", "--field", "feedback").startswith("Topics of feedback: ")


def test_a_narrow_terminal_has_whole_columns_and_all_remarks(folder: Path) -> None:
    topics = pl.DataFrame(json.loads(CliRunner().invoke(app, [*LISTED, str(folder)]).output), infer_schema_length=None)
    console = Console(width=80, file=io.StringIO())
    console.print(topic_table(topics, console.width))
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert lines[0].split() == ["topic", "events", "users", "label", "remarks"]
    assert max(map(len, lines)) <= 80
    retired = next(at for at, line in enumerate(lines) if line.startswith("prompt-5 "))
    remarks = " ".join(line[lines[0].index("remarks") :] for line in lines[retired : retired + 3])
    assert "merged into prompt-4" in " ".join(remarks.split())


def test_the_list_says_which_setting_waits_for_a_refit(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "were found with" not in topics(folder, "list")
    monkeypatch.setenv("TURRET_TOPIC_GRANULARITY", "2")
    assert (
        "Topics of prompt were found with topic_granularity 1 (now 2): run turret topics refit to apply the change to "
        "known topics."
    ) in topics(folder, "list")


def test_the_list_of_a_field_as_json_has_the_rows_of_the_table(folder: Path) -> None:
    rows = json.loads(topics(folder, "list", "--field", "feedback", "--json"))
    assert {row["field"] for row in rows} == {"feedback"}
    assert [row["event_count"] for row in rows] == sorted((row["event_count"] for row in rows), reverse=True)
    assert {"topic_id", "label", "keywords", "cohesion", "is_locked"} <= rows[0].keys()
    printed = topics(folder, "list", "--field", "feedback")
    assert "feedback-2" in printed
    assert "prompt-" not in printed


def test_a_topic_is_shown_with_its_texts_and_history(folder: Path) -> None:
    row = json.loads(topics(folder, "show", "prompt-2", "--json"))
    lines = topics(folder, "show", "prompt-2").splitlines()
    assert lines[0] == "prompt-2: Charts  (labelled by keywords)"
    assert lines[1] == row["description"]
    assert f"Keywords: {', '.join(row['keywords'])}" in lines
    assert [f"  {text}" for text in row["example_texts"]] == lines[lines.index("Examples:") + 1 : -2]
    assert lines[-2] == "History:"
    assert lines[-1].endswith("prompt-2 born")
    assert [change["change"] for change in row["lineage"]] == ["born"]
    assert topics(folder, "show", "prompt-5").startswith("prompt-5: ")
    assert "(merged into prompt-4, labelled by keywords)" in topics(folder, "show", "prompt-5")


def test_the_history_is_in_the_order_of_the_runs_whatever_the_clock_said(folder: Path, tmp_path: Path) -> None:
    warehouse(tmp_path).parent.mkdir()
    shutil.copy(warehouse(folder), warehouse(tmp_path))
    with duckdb.connect(str(warehouse(tmp_path))) as connection:
        connection.execute(
            "insert into marts.topic_runs by name select * replace ('later' as run_id, run_number + 1 as run_number) "
            "from marts.topic_runs where field = 'prompt'"
        )
        connection.execute(
            "insert into marts.topic_lineage by name select * replace ('later' as run_id, 'renamed' as change, "
            "changed_at - interval 1 year as changed_at) from marts.topic_lineage where topic_id = 'prompt-2'"
        )
    history = [line.split()[-1] for line in topics(tmp_path, "show", "prompt-2").splitlines()[-2:]]
    assert history == ["born", "renamed"]


def test_a_topic_is_found_by_its_label(folder: Path) -> None:
    assert topics(folder, "show", "cHARTS") == topics(folder, "show", "prompt-2")
    assert topics(folder, "rename", "charts", "Graphs").startswith('edit-1: rename prompt-2 to "Graphs". ')
    assert topics(folder, "merge", "prompt-3", "Charts").startswith("edit-2: merge prompt-3 into prompt-2. ")
    assert topics(folder, "split", "Charts").startswith("edit-3: split prompt-2 into 2 parts. ")
    assert topics(folder, "lock", "CHARTS").startswith("edit-4: lock prompt-2. ")
    assert topics(folder, "unlock", "CHARTS").startswith("edit-5: unlock prompt-2. ")
    assert topics(folder, "role", "Charts", "subject").startswith("edit-6: role prompt-2: subject. ")
    assert error(folder, "merge", "charts", "prompt-2") == (
        "Topic prompt-2 cannot be merged into itself: choose another topic."
    )
    assert error(folder, "rename", "Charts", " ") == "The new label is empty: use a label such as 'Refund requests'."


def test_an_ambiguous_label_is_rejected_with_the_ids(folder: Path, tmp_path: Path) -> None:
    warehouse(tmp_path).parent.mkdir()
    shutil.copy(warehouse(folder), warehouse(tmp_path))
    with duckdb.connect(str(warehouse(tmp_path))) as connection:
        connection.execute("update marts.topics set label = 'CHARTS' where topic_id = 'feedback-2'")
        connection.execute("update marts.topics set label = 'Charting' where topic_id = 'prompt-5'")
    message = "'charts' is ambiguous: it matches CHARTS (feedback-2), Charts (prompt-2). Use the full label or the id."
    for arguments in (("show", "charts"), ("lock", "charts"), ("merge", "prompt-1", "charts")):
        assert error(tmp_path, *arguments) == message
    assert topics(tmp_path, "show", "charts (prompt-2)").startswith("prompt-2: Charts ")
    assert topics(tmp_path, "show", "CHARTING").startswith("prompt-5: Charting  (merged into prompt-4, ")


def test_edits_are_stored_listed_and_undone(folder: Path) -> None:
    assert topics(folder, "edits") == "No edits.\n"
    where = f"It takes effect with the next run: turret run --data-dir {folder}\n"
    assert topics(folder, "rename", "prompt-1", "  Offers  and quotes ") == (
        f'edit-1: rename prompt-1 to "Offers and quotes". {where}'
    )
    assert topics(folder, "merge", "prompt-2", "prompt-3") == f"edit-2: merge prompt-2 into prompt-3. {where}"
    assert topics(folder, "split", "prompt-4", "--parts", "3") == f"edit-3: split prompt-4 into 3 parts. {where}"
    assert topics(folder, "lock", "prompt-1") == f"edit-4: lock prompt-1. {where}"
    assert topics(folder, "unlock", "prompt-1") == f"edit-5: unlock prompt-1. {where}"
    assert topics(folder, "role", "prompt-1", "continuation") == f"edit-6: role prompt-1: continuation. {where}"
    lines = [line.split("  ", maxsplit=2) for line in topics(folder, "edits").splitlines()]
    assert [(line[0], line[2]) for line in lines] == [
        ("edit-1", 'rename prompt-1 to "Offers and quotes"'),
        ("edit-2", "merge prompt-2 into prompt-3"),
        ("edit-3", "split prompt-4 into 3 parts"),
        ("edit-4", "lock prompt-1"),
        ("edit-5", "unlock prompt-1"),
        ("edit-6", "role prompt-1: continuation"),
    ]
    waiting = topics(folder, "list").split("Waiting for the next run:\n")[1].splitlines()
    assert [line.strip() for line in waiting] == ["  ".join(line) for line in lines]
    assert topics(folder, "undo", "edit-2") == (
        f"Undone: edit-2, merge prompt-2 into prompt-3. "
        f"It takes effect with the next run: turret run --data-dir {folder}\n"
    )
    assert topics(folder, "undo").startswith("Undone: edit-6, role prompt-1: continuation. ")


def test_an_unknown_topic_is_rejected_with_some_known_ones(folder: Path) -> None:
    for arguments in (
        ("show", "prompt-99"), ("rename", "prompt-99", "A"), ("merge", "prompt-99", "prompt-1"), ("lock", "prompt-99"),
        ("merge", "prompt-1", "prompt-99"), ("split", "prompt-99"), ("unlock", "prompt-99"),
    ):  # fmt: skip
        message = error(folder, *arguments)
        assert message.startswith(f"Unknown topic 'prompt-99' in {warehouse(folder)}. Available: prompt-")
        assert re.search(r"prompt-\d+ and \d+ more \(turret topics list\)\.$", message)
    for wrong in ("feedback-99", "feedback"):
        assert f"Unknown topic '{wrong}' in {warehouse(folder)}. Available: feedback-" in error(folder, "show", wrong)


def test_a_taken_label_is_rejected_in_any_case(folder: Path) -> None:
    taken = "already has the label 'cHARTS': choose another label, or merge the two."
    assert error(folder, "rename", "prompt-1", "cHARTS") == f"Topic prompt-2 {taken}"
    topics(folder, "rename", "prompt-3", "Posts")
    assert error(folder, "rename", "prompt-1", "posts") == (
        "Topic prompt-3 already has the label 'posts': choose another label, or merge the two."
    )
    gone = json.loads(topics(folder, "show", "prompt-7", "--json"))["label"]
    assert error(folder, "rename", "prompt-1", gone) == (
        f"Topic prompt-7 already has the label {gone!r}: choose another label (retired topics keep theirs)."
    )
    for topic_id, label in (("feedback-2", "Charts"), ("feedback-2", "Posts"), ("prompt-2", "CHARTS")):
        topics(folder, "rename", topic_id, label)


@pytest.mark.parametrize(
    ("label", "verdict"),
    [
        ("", "The new label is empty: use a label such as 'Refund requests'."),
        (" \t ", "The new label is empty: use a label such as 'Refund requests'."),
        ("\x1b[31mRed", "The new label '\\x1b[31mRed' contains unprintable characters: remove them."),
    ],
)
def test_an_unreadable_label_is_rejected(folder: Path, label: str, verdict: str) -> None:
    assert error(folder, "rename", "prompt-1", label) == verdict


def test_impossible_merges_are_rejected(folder: Path) -> None:
    assert (
        error(folder, "merge", "prompt-1", "prompt-1")
        == "Topic prompt-1 cannot be merged into itself: choose another topic."
    )
    assert error(folder, "merge", "prompt-1", "feedback-2") == (
        "Topics of different fields cannot be merged: prompt-1 (prompt), feedback-2 (feedback)."
    )
    topics(folder, "merge", "prompt-1", "prompt-2")
    topics(folder, "merge", "prompt-2", "prompt-3")
    assert error(folder, "merge", "prompt-3", "prompt-1").startswith("The merges of topics form a circle at prompt-")


def test_a_merged_retired_or_suppressed_topic_cannot_be_changed(folder: Path) -> None:
    gone, fix = "Topic prompt-5 was merged into prompt-4 and cannot be", "use prompt-4 instead."
    assert error(folder, "rename", "prompt-5", "A") == f"{gone} renamed: {fix}"
    assert error(folder, "merge", "prompt-1", "prompt-5") == f"{gone} merged into: {fix}"
    assert error(folder, "merge", "prompt-5", "prompt-1") == f"{gone} merged: {fix}"
    assert error(folder, "split", "prompt-5") == f"{gone} split: {fix}"
    assert error(folder, "lock", "prompt-5") == f"{gone} locked: {fix}"
    assert error(folder, "role", "prompt-5", "subject") == f"{gone} given a role: {fix}"
    retired = (
        "Topic prompt-7 has no texts any more (retired) and cannot be locked: use a topic of turret topics list. It "
        "becomes active again when such texts come in."
    )
    assert error(folder, "lock", "prompt-7") == retired
    combined = (
        "Topic feedback-1 combines all topics with too few users and cannot be renamed: lower the setting "
        "privacy_min_users, and the next run shows them separately."
    )
    assert error(folder, "rename", "feedback-1", "A") == combined


def test_impossible_edits_are_rejected(folder: Path) -> None:
    assert error(folder, "unlock", "prompt-1") == "Topic prompt-1 is not locked."
    message = error(folder, "split", "prompt-6", "--parts", "13")
    assert message == "Topic prompt-6 has 12 distinct texts: too few for 13 parts."
    message = error(folder, "role", "prompt-1", "act")
    assert message == "Unknown role 'act'. Available: subject, continuation."
    assert error(folder, "undo") == (f"Nothing to undo: no edit is in force in {folder / 'topic_edits.jsonl'}.")
    assert error(folder, "list", "--field", "mood") == "Unknown text field 'mood'. Available: feedback, prompt."


def test_without_a_published_file_the_message_says_what_to_run(tmp_path: Path) -> None:
    for arguments in (("list",), ("show", "prompt-1"), ("rename", "prompt-1", "A"), ("unlock", "prompt-1")):
        for folder, found in (
            (tmp_path, "Nothing is published in"),
            (tmp_path / "other", "No data folder at"),
        ):
            assert error(folder, *arguments) == (
                f"{found} {folder} yet: run turret run --data-dir {folder} first, "
                "or choose another folder with --data-dir."
            )


def test_a_file_of_another_version_is_rejected(tmp_path: Path) -> None:
    warehouse(tmp_path).parent.mkdir()
    with duckdb.connect(str(warehouse(tmp_path))) as connection:
        connection.execute("create schema marts; create table marts.topics (topic_id text, field text)")
    for arguments in (("list",), ("show", "prompt-1")):
        message = error(tmp_path, *arguments)
        remedy = f"publish it again with turret run --data-dir {tmp_path}."
        assert message == f"{warehouse(tmp_path)} was published by another version: {remedy}"


def test_an_error_is_one_sentence_and_exit_code_2(folder: Path) -> None:
    done = turret("topics", "merge", "prompt-1", "prompt-1", "--data-dir", folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "Topic prompt-1 cannot be merged into itself: choose another topic.\n"


def test_every_command_says_what_it_does_in_one_line() -> None:
    listed = CliRunner().invoke(app, ["topics", "--help"], terminal_width=80).output
    listed, examples = listed.split("Examples:")
    assert "turret topics list" in examples
    commands = [line.split()[0] for line in listed.split("Commands:")[1].splitlines() if line.strip()]
    shown = ["list", "show", "conversations"]
    assert commands == [*shown, "rename", "merge", "split", "lock", "unlock", "role", "undo", "edits", "refit"]
    assert "..." not in listed.split("Commands:")[1]
    for command in commands:
        helped = CliRunner().invoke(app, ["topics", command, "--help"]).output
        assert f"turret topics {command}" in helped.split("Example")[1]


def test_figures_of_a_period_and_segment_add_up(sample_job: Job) -> None:
    filters = ("--since", "2026-09-16", "--until", "2026-09-29", "--segment", "plan=free")
    rows = json.loads(turret("topics", "list", *filters, "--json", "--data-dir", sample_job.data_dir).stdout)
    total = rows[0]["total_count"]
    assert total == sum(row["unit_count"] for row in rows) > 100
    assert sum(row["before_count"] for row in rows) == rows[0]["before_total"]
    printed = turret("topics", "list", *filters, "--data-dir", sample_job.data_dir).stdout
    assert "by exchanges: sessions with plan = free first, from 2026-09-16 00:00" in printed
    assert "The change is from 2026-09-02 to 2026-09-16, exclusive." in printed
    assert "(no topic)" in printed
