"""`turret signals` and `turret signals mark` on a small published file."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import duckdb
import pytest
from typer.testing import CliRunner

from turret_pipeline.cli import app
from turret_pipeline.errors import TurretError
from turret_pipeline_tests.cli.test_topic_conversations import NOON, write_table
from turret_pipeline_tests.commands import warehouse

PROMPTS = ["reset my password", "no, I meant the other one", "export a list", "make it shorter"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with one session: the first prompt was corrected, the third declined, and the last is open."""
    events: list[dict[str, object]] = []
    exchanges: list[dict[str, object]] = []
    for number, prompt in enumerate(PROMPTS, 1):
        at = NOON + dt.timedelta(minutes=number)
        events.append({"event_id": f"p{number}", "metadata": json.dumps({"prompt": prompt}), "event_at": at})
        answer: dict[str, object] = {
            "event_id": f"a{number}",
            "event_name": "reply",
            "metadata": json.dumps({"said": f"answer {number}"}),
        }
        events.append(answer)
        exchanges.append(
            {
                "exchange_id": f"p{number}",
                "prompt_event_id": f"p{number}",
                "answer_event_id": f"a{number}",
                "session_id": "s1",
                "exchange_number": number,
                "prompt_at": at,
                "field": "prompt",
                "subject_topic_id": "prompt-1" if number < 3 else "prompt-2" if number == 3 else None,
            }
        )
    found: list[dict[str, object]] = [
        {"exchange_id": "p1", "is_corrected": True, "corrected_reason": "The next prompt objects: 0.91."},
        {"exchange_id": "p2", "is_corrected": False, "is_declined": False},
        {"exchange_id": "p3", "is_corrected": False, "is_declined": True, "declined_reason": "It refuses."},
        {"exchange_id": "p4", "is_declined": False},
    ]
    topics: list[dict[str, object]] = [
        {"topic_id": f"prompt-{number}", "field": "prompt", "label": label, "status": "active", "user_count": 9}
        for number, label in ((1, "Password"), (2, "Lists"))
    ]
    warehouse(tmp_path).parent.mkdir(parents=True)
    with duckdb.connect(str(warehouse(tmp_path))) as connection:
        connection.execute("create schema marts")
        write_table(connection, "events", events)
        write_table(connection, "exchanges", exchanges)
        write_table(connection, "exchange_signals", found)
        write_table(connection, "topics", topics)
        roles: list[dict[str, object]] = [{"role": "answer", "event_name": "reply", "field": "said"}]
        write_table(connection, "exchange_roles", roles)
    return tmp_path


def call(folder: Path, *arguments: str) -> str:
    """The output of the command with these arguments."""
    done = CliRunner().invoke(app, ["signals", *arguments, "--data-dir", str(folder)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def read(folder: Path, *arguments: str) -> dict[str, Any]:
    """The document of --json."""
    document: dict[str, Any] = json.loads(call(folder, *arguments, "--json"))
    return document


def test_the_table_has_shares_of_what_was_decided_and_precision(folder: Path) -> None:
    lines = [line.split() for line in call(folder).splitlines()]
    assert ["corrected", "1", "33%", "43%", "(16%", "to", "75%)", "7"] in lines
    assert ["rephrased", "0", "not", "decided", "31%", "(13%", "to", "58%)", "13"] in lines
    assert ["abandoned", "0", "not", "decided", "not", "measured", "0"] in lines


def test_examples_have_reason_prompt_answer_and_next_prompt(folder: Path) -> None:
    output = call(folder)
    assert "  p1, 2026-03-01 12:01, Password: The next prompt objects: 0.91." in output
    assert "    Prompt: reset my password\n    Answer: answer 1\n    Next prompt: no, I meant the other one\n" in output
    assert "declined: The first answer refuses" in output
    assert "unanswered: " not in output, "no exchange has it"


def test_one_signal_or_topic_is_shown_alone(folder: Path) -> None:
    assert list(read(folder, "--signal", "declined")["examples"]) == ["declined"]
    assert "exchanges" not in call(folder, "--signal", "declined").splitlines()[0]
    by_topic = read(folder, "--topic", "lists")["examples"]
    assert [row["exchange_id"] for rows in by_topic.values() for row in rows] == ["p3"]
    assert read(folder, "--count", "0")["examples"]["corrected"] == []


def test_a_signal_that_no_exchange_has_is_said(folder: Path) -> None:
    assert call(folder, "--signal", "repeated_later") == "No exchange has the signal repeated_later.\n"
    assert call(folder, "--signal", "repeated_later", "--count", "0") == ""


def test_texts_without_a_published_topic_are_hidden_with_a_threshold(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TURRET_PRIVACY_MIN_USERS", "5")
    (declined,) = read(folder, "--signal", "declined")["examples"]["declined"]
    assert (declined["prompt"], declined["next_prompt"]) == ("export a list", None)


def test_marks_update_the_precision_and_replace_each_other(folder: Path) -> None:
    output = call(folder, "mark", "p1", "corrected", "--wrong")
    assert output.startswith("Marked corrected of p1 as wrong. The next run applies it: turret run")
    of_corrected = {row["signal"]: row for row in read(folder)["signals"]}["corrected"]
    assert (of_corrected["judged_count"], of_corrected["precision"]) == (8, 0.375)
    call(folder, "mark", "p1", "corrected", "--right")
    of_corrected = {row["signal"]: row for row in read(folder)["signals"]}["corrected"]
    assert (of_corrected["judged_count"], of_corrected["precision"]) == (8, 0.5)
    (line,) = (folder / "signal_marks.jsonl").read_text().splitlines()
    assert json.loads(line) | {"marked_at": ""} == {
        "exchange_id": "p1",
        "signal": "corrected",
        "is_right": True,
        "marked_at": "",
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["p9", "corrected", "--wrong"], "Unknown exchange 'p9'"),
        (["p2", "corrected", "--wrong"], "does not have the signal corrected"),
        (["p1", "corrected"], "add --right or --wrong"),
    ],
)
def test_what_cannot_be_marked_is_said(folder: Path, arguments: list[str], message: str) -> None:
    with pytest.raises(TurretError, match=message):
        call(folder, "mark", *arguments)
    assert not (folder / "signal_marks.jsonl").exists()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"exchange_id": "p1"}', "must have the keys"),
        ('{"exchange_id": "p1", "signal": "x", "is_right": true, "marked_at": ""}', "must have a signal"),
        ('{"exchange_id": "p1", "signal": "declined", "is_right": 1, "marked_at": ""}', "true or false"),
    ],
)
def test_an_invalid_line_of_the_file_is_named(folder: Path, line: str, message: str) -> None:
    (folder / "signal_marks.jsonl").write_text(f"\n{line}\n")
    with pytest.raises(TurretError, match=f"Line 2 .*{message}"):
        call(folder)
