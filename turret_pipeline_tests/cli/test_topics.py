"""`turret topics` on a published file."""

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
from turret_pipeline.storage.topic_edits import EditsFile
from turret_pipeline_tests.commands import turret, warehouse
from turret_pipeline_tests.conftest import Job


@pytest.fixture(scope="module")
def published(sample_job: Job, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The published file of the sample; prompt-5 was merged into prompt-4, feedback-1 is what privacy folds."""
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
    """What `turret topics` prints with these arguments."""
    done = CliRunner().invoke(app, ["topics", *arguments, "--data-dir", str(folder)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def refusal(folder: Path, *arguments: str) -> str:
    """The sentence with which it refuses; nothing is written."""
    before = EditsFile(folder / "topic_edits.jsonl").read()
    with pytest.raises(TurretError) as refused:
        topics(folder, *arguments)
    assert EditsFile(folder / "topic_edits.jsonl").read() == before
    return str(refused.value)


def test_the_list_has_topics_and_how_the_last_run_went(folder: Path) -> None:
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


def test_a_narrow_terminal_has_whole_columns_and_all_remarks(folder: Path) -> None:
    topics = pl.DataFrame(json.loads(CliRunner().invoke(app, [*LISTED, str(folder)]).output), infer_schema_length=None)
    console = Console(width=80, file=io.StringIO())
    console.print(topic_table(topics, console.width))
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert lines[0].split() == ["topic", "events", "users", "label", "remarks"]
    assert max(map(len, lines)) <= 80
    retired = next(at for at, line in enumerate(lines) if line.startswith("prompt-5 "))
    assert "merged into prompt-4" in " ".join(" ".join(line[60:] for line in lines[retired : retired + 3]).split())


def test_the_list_says_which_setting_waits_for_a_refit(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "were found with" not in topics(folder, "list")
    monkeypatch.setenv("TURRET_TOPIC_GRANULARITY", "2")
    assert (
        "The topics of prompt were found with topic_granularity 1 (now 2): those known stay as they are until turret "
        "topics refit."
    ) in topics(folder, "list")


def test_the_list_of_a_field_as_json_has_the_rows_of_the_table(folder: Path) -> None:
    rows = json.loads(topics(folder, "list", "--field", "feedback", "--json"))
    assert {row["field"] for row in rows} == {"feedback"}
    assert [row["event_count"] for row in rows] == sorted((row["event_count"] for row in rows), reverse=True)
    assert {"topic_id", "label", "keywords", "cohesion", "is_locked"} <= rows[0].keys()
    printed = topics(folder, "list", "--field", "feedback")
    assert "feedback-2" in printed
    assert "prompt-" not in printed


def test_a_topic_is_shown_with_what_is_said_in_it(folder: Path) -> None:
    row = json.loads(topics(folder, "show", "prompt-2", "--json"))
    lines = topics(folder, "show", "prompt-2").splitlines()
    assert lines[0] == "prompt-2: Charts  (named by keywords)"
    assert lines[1] == row["description"]
    assert f"Keywords: {', '.join(row['keywords'])}" in lines
    assert [f"  {text}" for text in row["example_texts"]] == lines[lines.index("Examples:") + 1 : -2]
    assert lines[-2] == "History:"
    assert lines[-1].endswith("prompt-2 born")
    assert [change["change"] for change in row["lineage"]] == ["born"]
    assert topics(folder, "show", "prompt-5").startswith("prompt-5: ")
    assert "(merged into prompt-4, named by keywords)" in topics(folder, "show", "prompt-5")


def test_a_topic_is_named_by_its_label_too(folder: Path) -> None:
    assert topics(folder, "show", "cHARTS") == topics(folder, "show", "prompt-2")
    assert topics(folder, "rename", "charts", "Graphs").startswith('edit-1: rename prompt-2 to "Graphs". ')
    assert topics(folder, "merge", "prompt-3", "Charts").startswith("edit-2: merge prompt-3 into prompt-2. ")
    assert topics(folder, "split", "Charts").startswith("edit-3: split prompt-2 into 2 parts. ")
    assert topics(folder, "lock", "CHARTS").startswith("edit-4: lock prompt-2. ")
    assert topics(folder, "unlock", "CHARTS").startswith("edit-5: unlock prompt-2. ")
    assert topics(folder, "role", "Charts", "subject").startswith("edit-6: role prompt-2: subject. ")
    assert refusal(folder, "merge", "charts", "prompt-2") == (
        "Topic prompt-2 cannot be merged into itself: name another one to take it in."
    )
    assert refusal(folder, "rename", "Charts", " ") == "The new name is empty: give one, such as 'Refund requests'."


def test_a_label_of_topics_of_several_fields_is_refused_with_their_ids(folder: Path, tmp_path: Path) -> None:
    warehouse(tmp_path).parent.mkdir()
    shutil.copy(warehouse(folder), warehouse(tmp_path))
    with duckdb.connect(str(warehouse(tmp_path))) as connection:
        connection.execute("update marts.topics set label = 'CHARTS' where topic_id = 'feedback-2'")
        connection.execute("update marts.topics set label = 'Chart' where topic_id = 'prompt-5'")
    said = "'charts' may be several: CHARTS (feedback-2), Charts (prompt-2). Give the name in full, or the id."
    for arguments in (("show", "charts"), ("lock", "charts"), ("merge", "prompt-1", "charts")):
        assert refusal(tmp_path, *arguments) == said
    assert topics(tmp_path, "show", "charts (prompt-2)").startswith("prompt-2: Charts ")
    assert topics(tmp_path, "show", "CHART").startswith("prompt-5: Chart  (merged into prompt-4, ")


def test_edits_are_kept_told_and_undone(folder: Path) -> None:
    assert topics(folder, "edits") == "There are no edits.\n"
    where = f"It takes effect with the next run: turret run --data-dir {folder}\n"
    assert topics(folder, "rename", "prompt-1", "  Offers  and quotes ") == (
        f'edit-1: rename prompt-1 to "Offers and quotes". {where}'
    )
    assert topics(folder, "merge", "prompt-2", "prompt-3") == f"edit-2: merge prompt-2 into prompt-3. {where}"
    assert topics(folder, "split", "prompt-4", "--parts", "3") == f"edit-3: split prompt-4 into 3 parts. {where}"
    assert topics(folder, "lock", "prompt-1") == f"edit-4: lock prompt-1. {where}"
    assert topics(folder, "unlock", "prompt-1") == f"edit-5: unlock prompt-1. {where}"
    assert topics(folder, "role", "prompt-1", "continuation") == f"edit-6: role prompt-1: continuation. {where}"
    said = [line.split("  ", maxsplit=2) for line in topics(folder, "edits").splitlines()]
    assert [(line[0], line[2]) for line in said] == [
        ("edit-1", 'rename prompt-1 to "Offers and quotes"'),
        ("edit-2", "merge prompt-2 into prompt-3"),
        ("edit-3", "split prompt-4 into 3 parts"),
        ("edit-4", "lock prompt-1"),
        ("edit-5", "unlock prompt-1"),
        ("edit-6", "role prompt-1: continuation"),
    ]
    waiting = topics(folder, "list").split("Waiting for the next run:\n")[1].splitlines()
    assert [line.strip() for line in waiting] == ["  ".join(line) for line in said]
    assert topics(folder, "undo", "edit-2") == (
        f"Undone: edit-2, merge prompt-2 into prompt-3. It is gone with the next run: turret run --data-dir {folder}\n"
    )
    assert topics(folder, "undo").startswith("Undone: edit-6, role prompt-1: continuation. ")


def test_a_topic_that_is_not_there_is_refused_with_some_that_are(folder: Path) -> None:
    for arguments in (
        ("show", "prompt-99"), ("rename", "prompt-99", "A"), ("merge", "prompt-99", "prompt-1"), ("lock", "prompt-99"),
        ("merge", "prompt-1", "prompt-99"), ("split", "prompt-99"), ("unlock", "prompt-99"),
    ):  # fmt: skip
        said = refusal(folder, *arguments)
        assert said.startswith(f"There is no topic 'prompt-99' in {warehouse(folder)}; there are prompt-")
        assert re.search(r"prompt-\d+ and \d+ more, which turret topics list tells\.$", said)
    for wrong in ("feedback-99", "feedback"):
        assert f"There is no topic '{wrong}' in {warehouse(folder)}; there are feedback-" in refusal(
            folder, "show", wrong
        )


def test_a_label_that_is_taken_is_refused_in_any_case(folder: Path) -> None:
    taken = "is called 'cHARTS' already: choose another, or merge the two."
    assert refusal(folder, "rename", "prompt-1", "cHARTS") == f"prompt-2 {taken}"
    topics(folder, "rename", "prompt-3", "Posts")
    assert refusal(folder, "rename", "prompt-1", "posts") == (
        "prompt-3 is called 'posts' already: choose another, or merge the two."
    )
    gone = json.loads(topics(folder, "show", "prompt-7", "--json"))["label"]
    assert refusal(folder, "rename", "prompt-1", gone) == (
        f"prompt-7 is called {gone!r} already: it is retired, but keeps its name: choose another."
    )
    for topic_id, label in (("feedback-2", "Charts"), ("feedback-2", "Posts"), ("prompt-2", "CHARTS")):
        topics(folder, "rename", topic_id, label)


@pytest.mark.parametrize(
    ("label", "verdict"),
    [
        ("", "The new name is empty: give one, such as 'Refund requests'."),
        (" \t ", "The new name is empty: give one, such as 'Refund requests'."),
        ("\x1b[31mRed", "The new name '\\x1b[31mRed' has characters that cannot be printed: leave them out."),
    ],
)
def test_a_label_that_cannot_be_read_is_refused(folder: Path, label: str, verdict: str) -> None:
    assert refusal(folder, "rename", "prompt-1", label) == verdict


def test_merges_that_make_no_sense_are_refused(folder: Path) -> None:
    assert (
        refusal(folder, "merge", "prompt-1", "prompt-1")
        == "Topic prompt-1 cannot be merged into itself: name another one to take it in."
    )
    assert refusal(folder, "merge", "prompt-1", "feedback-2") == (
        "prompt-1 is a topic of prompt, feedback-2 one of feedback: they cannot merge."
    )
    topics(folder, "merge", "prompt-1", "prompt-2")
    topics(folder, "merge", "prompt-2", "prompt-3")
    assert refusal(folder, "merge", "prompt-3", "prompt-1").startswith("The merges go round in a circle at prompt-")


def test_a_topic_that_is_gone_or_folded_cannot_be_changed(folder: Path) -> None:
    gone, remedy = "Topic prompt-5 was merged into prompt-4: it cannot be", "Take prompt-4."
    assert refusal(folder, "rename", "prompt-5", "A") == f"{gone} renamed. {remedy}"
    assert refusal(folder, "merge", "prompt-1", "prompt-5") == f"{gone} merged into. {remedy}"
    assert refusal(folder, "merge", "prompt-5", "prompt-1") == f"{gone} merged. {remedy}"
    assert refusal(folder, "split", "prompt-5") == f"{gone} split. {remedy}"
    assert refusal(folder, "lock", "prompt-5") == f"{gone} locked. {remedy}"
    assert refusal(folder, "role", "prompt-5", "subject") == f"{gone} given a role. {remedy}"
    retired = (
        "Topic prompt-7 has no texts any more (retired): it cannot be locked. Take one that turret topics list has; it "
        "comes back when texts of it do."
    )
    assert refusal(folder, "lock", "prompt-7") == retired
    folded = (
        "feedback-1 stands for all topics of too few users: it cannot be renamed. With a lower setting "
        "privacy_min_users, the next run shows those topics themselves."
    )
    assert refusal(folder, "rename", "feedback-1", "A") == folded


def test_what_is_not_locked_not_splittable_or_not_decided_is_refused(folder: Path) -> None:
    assert refusal(folder, "unlock", "prompt-1") == (
        "Topic prompt-1 is not locked: there is no lock to take away; turret topics lock sets one."
    )
    said = refusal(folder, "split", "prompt-6", "--parts", "13")
    assert said == "Topic prompt-6 has 12 distinct texts: too few for 13 parts."
    said = refusal(folder, "role", "prompt-1", "act")
    assert said == "There is no role 'act'; a topic is one of: subject, continuation."
    assert refusal(folder, "undo") == f"There is no edit to undo in {folder / 'topic_edits.jsonl'}."
    assert refusal(folder, "list", "--field", "mood") == "There is no text field 'mood'; there are: feedback, prompt."


def test_where_nothing_is_published_the_remedy_is_named(tmp_path: Path) -> None:
    for arguments in (("list",), ("show", "prompt-1"), ("rename", "prompt-1", "A"), ("unlock", "prompt-1")):
        for folder, found in (
            (tmp_path, "Nothing is published in"),
            (tmp_path / "other", "There is no data folder"),
        ):
            assert refusal(folder, *arguments) == (
                f"{found} {folder} yet: give another one with --data-dir, or run turret run --data-dir {folder} first."
            )


def test_a_file_of_another_version_is_said_to_be_one(tmp_path: Path) -> None:
    warehouse(tmp_path).parent.mkdir()
    with duckdb.connect(str(warehouse(tmp_path))) as connection:
        connection.execute("create schema marts; create table marts.topics (topic_id text, field text)")
    for arguments in (("list",), ("show", "prompt-1")):
        said = refusal(tmp_path, *arguments)
        assert said == f"{warehouse(tmp_path)} was published by another version: turret run makes it anew."


def test_a_refusal_is_a_sentence_and_exit_code_2(folder: Path) -> None:
    done = turret("topics", "merge", "prompt-1", "prompt-1", "--data-dir", folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "Topic prompt-1 cannot be merged into itself: name another one to take it in.\n"


def test_every_command_says_what_it_does_in_one_line() -> None:
    listed = CliRunner().invoke(app, ["topics", "--help"], terminal_width=80).output
    listed, examples = listed.split("Examples:")
    assert "turret topics list" in examples
    commands = [line.split()[0] for line in listed.split("Commands:")[1].splitlines() if line.strip()]
    assert commands == ["list", "show", "rename", "merge", "split", "lock", "unlock", "role", "undo", "edits", "refit"]
    assert "..." not in listed.split("Commands:")[1]
    for command in commands:
        helped = CliRunner().invoke(app, ["topics", command, "--help"]).output
        assert f"turret topics {command}" in helped.split("Example")[1]
