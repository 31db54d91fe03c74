"""The file of a person's edits."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest
from filelock import FileLock

from turret_pipeline.errors import TurretError
from turret_pipeline.storage.topic_edits import TopicEditsFile
from turret_pipeline.topics.edits import NO_EDITS, Edit, Edits

NOON = "2024-05-01T12:00:00+00:00"
RENAME = {"edit_id": "edit-1", "edited_at": NOON, "action": "rename", "topic_id": "prompt-1", "label": "Refund"}


@pytest.fixture
def file(tmp_path: Path) -> TopicEditsFile:
    """No edits yet."""
    return TopicEditsFile(tmp_path / "data" / "topic_edits.jsonl")


def ids(file: TopicEditsFile) -> list[str]:
    return [edit.edit_id for edit in file.read().all]


def test_without_a_file_there_are_no_edits(file: TopicEditsFile) -> None:
    assert file.read() == NO_EDITS


def test_edits_are_read_as_they_were_added(file: TopicEditsFile) -> None:
    added = (
        file.add("rename", "prompt-1", NOON, label="Rückgabe “heute” 退款\u2028!"),
        file.add("merge", "prompt-2", NOON, into_topic_id="prompt-1"),
        file.add("split", "a-b-3", NOON, parts=3),
        file.add("lock", "prompt-1", NOON),
        file.add("unlock", "prompt-1", NOON),
    )
    assert added[1] == Edit("edit-2", NOON, "merge", "prompt-2", into_topic_id="prompt-1")
    assert file.read() == Edits(added)
    assert len(file.path.read_text().split("\n")) == len(added) + 1


def test_a_line_has_what_a_person_needs_and_no_more(file: TopicEditsFile) -> None:
    file.add("rename", "prompt-1", NOON, label="Refund")
    assert json.loads(file.path.read_text()) == RENAME


def test_a_line_says_in_which_run_its_topics_were_born_where_that_is_known(file: TopicEditsFile) -> None:
    born = {"born_run_id": "r1", "into_born_run_id": "r2"}
    added = file.add("merge", "prompt-2", NOON, into_topic_id="prompt-1", **born)
    file.add("lock", "prompt-2", NOON, born_run_id=None, into_born_run_id=None)
    merge, lock = map(json.loads, file.path.read_text().splitlines())
    known = {"edited_at": NOON, "topic_id": "prompt-2"}
    assert merge == known | {"edit_id": "edit-1", "action": "merge", "into_topic_id": "prompt-1"} | born
    assert lock == known | {"edit_id": "edit-2", "action": "lock"}
    assert file.read().all[0] == added


def test_the_last_edit_is_undone_or_the_one_that_is_named(file: TopicEditsFile) -> None:
    for number in (1, 2, 3):
        file.add("lock", f"prompt-{number}", NOON)
    assert file.undo("edit-1").topic_id == "prompt-1"
    assert ids(file) == ["edit-2", "edit-3"]
    assert file.undo().edit_id == "edit-3"
    assert ids(file) == ["edit-2"]


def test_no_edit_gets_the_id_of_one_that_was_undone(file: TopicEditsFile) -> None:
    file.add("split", "prompt-1", NOON, parts=2)
    file.undo()
    assert file.read() == NO_EDITS
    assert file.add("split", "prompt-2", NOON, parts=2).edit_id == "edit-2"
    assert ids(file) == ["edit-2"]


def test_what_is_not_there_cannot_be_undone(file: TopicEditsFile) -> None:
    with pytest.raises(TurretError, match=f"^Nothing to undo: no edit is in force in {file.path}.$"):
        file.undo()
    file.add("lock", "prompt-1", NOON)
    file.add("lock", "prompt-2", NOON)
    file.undo()
    for edit_id in ("edit-2", "edit-9"):
        with pytest.raises(TurretError, match=f"^Cannot undo '{edit_id}': the edits in force in .* are edit-1.$"):
            file.undo(edit_id)


def test_a_circle_is_not_written(file: TopicEditsFile) -> None:
    file.add("merge", "prompt-1", NOON, into_topic_id="prompt-2")
    before = file.path.read_bytes()
    with pytest.raises(TurretError, match="form a circle at prompt-1: undo one"):
        file.add("merge", "prompt-2", NOON, into_topic_id="prompt-1")
    assert file.path.read_bytes() == before
    file.undo()
    assert file.add("merge", "prompt-2", NOON, into_topic_id="prompt-1").edit_id == "edit-2"


def test_an_undo_that_would_make_a_circle_is_refused(file: TopicEditsFile) -> None:
    for topic_id, into in (("prompt-1", "prompt-2"), ("prompt-1", "prompt-3"), ("prompt-2", "prompt-1")):
        file.add("merge", topic_id, NOON, into_topic_id=into)
    with pytest.raises(TurretError, match="form a circle"):
        file.undo("edit-2")
    assert ids(file) == ["edit-1", "edit-2", "edit-3"]


def test_edits_of_a_persons_hand_need_no_time_and_may_have_empty_lines_between(file: TopicEditsFile) -> None:
    file.path.parent.mkdir()
    by_hand = {name: value for name, value in RENAME.items() if name != "edited_at"}
    file.path.write_text(f"\n{json.dumps(by_hand)}\r\n\n")
    assert file.read() == Edits((Edit("edit-1", "", "rename", "prompt-1", "Refund"),))


BROKEN: dict[str, tuple[object, str]] = {
    "half a line": ('{"edit_id": "edi', "must be a JSON object: fix the line or remove it."),
    "no object": (["edit-2"], "must be a JSON object: fix the line or remove it."),
    "nothing in it": ({}, "must have the keys edit_id, action and topic_id"),
    "a word too many": (
        RENAME | {"edit_id": "edit-2", "note": "x"},
        "known keys are action, born_run_id, edit_id, edited_at",
    ),
    "another action": (RENAME | {"action": "drop"}, "has the unknown action 'drop': use rename, merge, split"),
    "an action that is none": (RENAME | {"action": ["lock"]}, "has the unknown action ['lock']: use rename"),
    "no label": (RENAME | {"edit_id": "edit-2", "label": ""}, ": the action rename needs the key label."),
    "a label of blanks": (RENAME | {"edit_id": "edit-2", "label": "  "}, "has the label '  ': it must be text that"),
    "a number as a label": (RENAME | {"edit_id": "edit-2", "label": 5}, "has the label 5: it must be text"),
    "one part": ({"edit_id": "edit-2", "action": "split", "topic_id": "prompt-1", "parts": 1}, "splits into 1 parts"),
    "no parts": (
        {"edit_id": "edit-2", "action": "split", "topic_id": "prompt-1"},
        ": the action split needs the key parts.",
    ),
    "another role": (
        {"edit_id": "edit-2", "action": "role", "topic_id": "prompt-1", "role": "act"},
        "has the unknown role 'act': use subject or continuation.",
    ),
    "no role": (
        {"edit_id": "edit-2", "action": "role", "topic_id": "prompt-1"},
        ": the action role needs the key role.",
    ),
    "an id of another form": (
        RENAME | {"edit_id": "two"},
        "has the invalid edit_id 'two': write it like edit-1.",
    ),
    "a number as an id": (RENAME | {"edit_id": 2}, "has the invalid edit_id 2"),
    "no topic": (
        RENAME | {"edit_id": "edit-2", "topic_id": "prompt"},
        "has the invalid topic_id 'prompt': write it like prompt-3.",
    ),
    "merge into nothing": (
        {"edit_id": "edit-2", "action": "merge", "topic_id": "prompt-1"},
        "the action merge needs the key into_topic_id",
    ),
    "merge into itself": (
        {"edit_id": "edit-2", "action": "merge", "topic_id": "prompt-1", "into_topic_id": "prompt-1"},
        "merges prompt-1 into prompt-1: choose another topic of the same field.",
    ),
    "merge across fields": (
        {"edit_id": "edit-2", "action": "merge", "topic_id": "prompt-1", "into_topic_id": "note-1"},
        "merges prompt-1 into note-1: choose another topic of the same field.",
    ),
    "a number as a run": (
        RENAME | {"edit_id": "edit-2", "born_run_id": 1},
        "has the invalid born_run_id 1: use the id of a run",
    ),
    "an id twice": (RENAME, "repeats the id edit-1 of an earlier line: give it another id."),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_line_is_named_and_nothing_is_written_over_it(file: TopicEditsFile, kind: str) -> None:
    row, problem = BROKEN[kind]
    line = row if isinstance(row, str) else json.dumps(row)
    file.path.parent.mkdir()
    file.path.write_text(f"{json.dumps(RENAME)}\n{line}\n")
    for change in (file.read, file.undo, lambda: file.add("lock", "prompt-1", NOON)):
        with pytest.raises(TurretError) as error:
            change()
        assert str(error.value).startswith(f"Line 2 of {file.path}")
        assert problem in str(error.value)
    assert file.path.read_text() == f"{json.dumps(RENAME)}\n{line}\n"


def test_a_file_that_is_no_text_is_named(file: TopicEditsFile) -> None:
    file.path.parent.mkdir()
    file.path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(TurretError, match=r"Cannot read the topic edits in .*utf-8"):
        file.read()


WRITER = """
import sys
from pathlib import Path
from turret_pipeline.storage.topic_edits import TopicEditsFile
file = TopicEditsFile(Path(sys.argv[1]))
print(file.add("lock", "prompt-1", "").edit_id, flush=True)
while True:
    file.add("lock", "prompt-1", "")
"""


def test_a_kill_leaves_the_file_whole(file: TopicEditsFile) -> None:
    for _ in range(3):
        command = [sys.executable, "-c", WRITER, str(file.path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("edit-")
            process.send_signal(signal.SIGKILL)
        assert ids(file) == [f"edit-{number}" for number in range(1, len(ids(file)) + 1)]
    assert len(ids(file)) >= 3


CROWD = """
import sys
from pathlib import Path
from turret_pipeline.storage.topic_edits import TopicEditsFile
file = TopicEditsFile(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
for _ in range(20):
    file.add("lock", f"prompt-{sys.argv[2]}", "")
file.undo(file.add("unlock", f"prompt-{sys.argv[2]}", "").edit_id)
"""


@pytest.mark.slow
def test_no_edit_is_lost_where_many_processes_edit_at_once(file: TopicEditsFile) -> None:
    with ExitStack() as stack:
        crowd = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", CROWD, str(file.path), str(number)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    env=os.environ,
                    text=True,
                )
            )
            for number in range(1, 5)
        ]
        for process in crowd:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in crowd:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        assert [process.wait(60) for process in crowd] == [0] * 4
    in_force = file.read().all
    assert Counter((edit.action, edit.topic_id) for edit in in_force) == {
        ("lock", f"prompt-{number}"): 20 for number in range(1, 5)
    }
    written = [json.loads(line)["edit_id"] for line in file.path.read_text().splitlines()]
    assert written == [f"edit-{number}" for number in range(1, 85)]


def test_who_waits_too_long_is_told_and_writes_nothing(file: TopicEditsFile, monkeypatch: pytest.MonkeyPatch) -> None:
    file.add("lock", "prompt-1", NOON)
    before = file.path.read_bytes()
    monkeypatch.setattr("turret_pipeline.storage.atomic_files.LOCK_SECONDS", 0.1)
    with FileLock(file.path.with_name(f".{file.path.name}.lock")):
        problem = r"^Another command has been changing .*: wait for it and try again.$"
        with pytest.raises(TurretError, match=problem):
            file.add("lock", "prompt-2", NOON)
        with pytest.raises(TurretError, match=problem):
            file.undo()
        assert ids(file) == ["edit-1"]
    assert file.path.read_bytes() == before
