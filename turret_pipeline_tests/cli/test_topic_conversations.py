"""`turret topics conversations` on a small published file."""

import datetime as dt
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from typer.testing import CliRunner

from turret_pipeline.cli import app
from turret_pipeline.errors import TurretError
from turret_pipeline.tables import MART_TABLES
from turret_pipeline_tests.commands import warehouse

NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
REFUND, PARCEL = "prompt-1", "prompt-2"
Exchange = tuple[str, str | None, float | None, float | None]
"""Text of the prompt, its topic, the similarity to it, and the rating."""


def write_table(connection: duckdb.DuckDBPyConnection, name: str, rows: Sequence[dict[str, object]]) -> None:
    """Write a mart with these rows, whose other columns are null."""
    frame = pl.DataFrame(rows, MART_TABLES[name].schema).to_arrow()
    connection.register("frame", frame)
    connection.execute(f"create table marts.{name} as from frame")
    connection.unregister("frame")


def publish(data_dir: Path, sessions: dict[str, tuple[str | None, list[Exchange]]], answer: object = None) -> Path:
    """A data folder with these sessions: user and exchanges. Texts without a topic, or with and, are follow-ups."""
    events: list[dict[str, object]] = []
    exchanges: list[dict[str, object]] = []
    topics: list[dict[str, object]] = []
    for day, (session, (user, rows)) in enumerate(sessions.items()):
        subject = None
        for number, (prompt, topic, similarity, rating) in enumerate(rows, 1):
            is_follow_up, prompt_id = topic is None or prompt.startswith("and "), f"{session}-{number}"
            subject = subject if is_follow_up else topic
            at = NOON + dt.timedelta(days=day, seconds=number)
            events.append({"event_id": prompt_id, "metadata": json.dumps({"in": {"prompt": prompt}}), "event_at": at})
            if answer is not None:
                events.append(
                    {"event_id": f"{prompt_id}-answer", "event_name": "reply", "metadata": json.dumps(answer)}
                )
            exchanges.append(
                {
                    "exchange_id": prompt_id,
                    "prompt_event_id": prompt_id,
                    "answer_event_id": answer and f"{prompt_id}-answer",
                    "session_id": session,
                    "user_id": user,
                    "exchange_number": number,
                    "prompt_at": at,
                    "field": "in.prompt",
                    "topic_id": topic,
                    "subject_topic_id": subject,
                    "rating": rating,
                }
            )
            topics.append({"event_id": prompt_id, "field": "in.prompt", "topic_id": topic, "similarity": similarity})
    names = {REFUND: "Refund", PARCEL: "Parcel", "prompt-3": "Other"}
    known: list[dict[str, object]] = [
        {"topic_id": topic_id, "field": "in.prompt", "label": label, "status": "active", "user_count": 3}
        | {"label_source": "privacy" if label == "Other" else "keywords", "role": "subject"}
        for topic_id, label in names.items()
    ]
    known.append({"topic_id": "feedback-1", "field": "feedback", "label": "Wrong", "status": "active", "user_count": 3})
    roles: list[dict[str, object]] = [
        {"role": "answer", "event_name": "reply", "field": field} for field in ("said", "")
    ]
    warehouse(data_dir).parent.mkdir(parents=True)
    with duckdb.connect(str(warehouse(data_dir))) as connection:
        connection.execute("create schema marts")
        write_table(connection, "events", events)
        write_table(connection, "exchanges", exchanges)
        write_table(connection, "event_topics", topics)
        write_table(connection, "topics", known)
        write_table(connection, "exchange_roles", roles)
    return data_dir


def call(data_dir: Path, *arguments: str) -> str:
    """The output of the command with these arguments."""
    command = ["topics", "conversations", *arguments, "--data-dir", str(data_dir)]
    done = CliRunner().invoke(app, command, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def list_sessions(data_dir: Path, *arguments: str) -> list[str]:
    """The sessions of the conversations, in order."""
    return [row["session_id"] for row in json.loads(call(data_dir, *arguments, "--json"))]


SESSIONS: dict[str, tuple[str | None, list[Exchange]]] = {
    "far": ("u1", [("money back", REFUND, 0.5, None), ("thanks", None, None, 1.0)]),
    "near": ("u2", [("refund", REFUND, 0.9, 5.0), ("and now?", None, None, None), ("parcel", PARCEL, 0.9, 1.0)]),
    "same user": ("u2", [("refund!", REFUND, 0.8, None), ("now", None, None, None)]),
    "single": ("u3", [("refund me", REFUND, 0.95, 3.0)]),
    "half": ("u4", [("refund?", REFUND, 0.99, 2.0), ("parcel?", PARCEL, 0.9, None)]),
    "other text": ("u5", [("refund.", REFUND, 0.97, None), ("and my parcel?", PARCEL, 0.9, None)]),
    "unknown": (None, [("back", REFUND, 0.7, None), ("hm", None, None, None)]),
    "unknown too": (None, [("back", REFUND, 0.6, None), ("hm", None, None, None)]),
}


def test_the_best_are_mostly_about_the_topic_near_its_centroid_and_of_different_users(tmp_path: Path) -> None:
    expected = ["near", "unknown", "unknown too", "far", "other text", "single"]
    assert list_sessions(publish(tmp_path / "one", SESSIONS), REFUND, "--count", "9") == expected
    reverse = publish(tmp_path / "other", dict(reversed(SESSIONS.items())))
    assert list_sessions(reverse, REFUND) == expected[:5]
    assert list_sessions(reverse, REFUND, "--count", "2") == expected[:2]


def test_the_worst_have_the_lowest_rating_of_an_exchange_about_the_topic(tmp_path: Path) -> None:
    data_dir = publish(tmp_path, SESSIONS)
    assert list_sessions(data_dir, REFUND, "--worst") == ["far", "half", "single", "near"]
    assert list_sessions(data_dir, PARCEL, "--worst") == ["near"]


def test_a_conversation_is_printed_as_a_dialogue(tmp_path: Path) -> None:
    data_dir = publish(tmp_path, {"s": SESSIONS["near"]}, {"said": "Yes.\nToday.", "generation": "never"})
    assert call(data_dir, "refund").splitlines() == [
        "prompt-1: Refund: 1 conversation nearest to its centroid, each of another user",
        "",
        "2026-03-01, session s: 2 of 3 exchanges about it",
        "  12:00:01 Prompt: refund",
        "           Answer: Yes. Today.",
        "           Rating: 5",
        "  12:00:02 Prompt: and now?",
        "           Answer: Yes. Today.",
        "  12:00:03 Prompt (not about it): parcel",
        "           Answer: Yes. Today.",
        "           Rating: 1",
    ]


@pytest.mark.parametrize("answer", [{"generation": "Yes."}, {"answer": "Yes."}, {"said": " ", "response": "Yes."}])
def test_an_answer_that_is_known_by_its_name_has_its_text_in_a_usual_field(tmp_path: Path, answer: Any) -> None:  # noqa: ANN401
    data_dir = publish(tmp_path, {"s": ("u", [("refund", REFUND, 0.9, None)])}, answer)
    (found,) = json.loads(call(data_dir, REFUND, "--json"))
    assert [row["answer"] for row in found["exchanges"]] == ["Yes."]


def test_long_texts_and_conversations_are_shortened_but_not_in_json(tmp_path: Path) -> None:
    rows: list[Exchange] = [("x" * 1000, REFUND, 0.9, 4.0 if number != 14 else 1.0) for number in range(20)]
    data_dir = publish(tmp_path, {"s": ("u", rows)})
    printed = call(data_dir, REFUND)
    assert "(10 exchanges after)" in printed
    assert max(map(len, printed.splitlines())) < 330
    worst = call(data_dir, REFUND, "--worst")
    assert "(10 exchanges before)" in worst
    assert "Rating: 1" in worst
    (found,) = json.loads(call(data_dir, REFUND, "--json"))
    assert [row["prompt"] for row in found["exchanges"]] == ["x" * 1000] * 20


def test_without_such_conversations_a_line_says_so(tmp_path: Path) -> None:
    data_dir = publish(tmp_path, {"s": ("u", [("refund", REFUND, 0.9, None)])})
    assert call(data_dir, PARCEL) == "prompt-2: Parcel: no conversation is mostly about it.\n"
    assert call(data_dir, REFUND, "--worst") == "prompt-1: Refund: no exchange about it has a rating.\n"
    assert json.loads(call(data_dir, PARCEL, "--json")) == []


@pytest.mark.parametrize("options", [[], ["--worst"]])
def test_a_topic_of_a_field_without_prompts_says_so(tmp_path: Path, options: list[str]) -> None:
    data_dir = publish(tmp_path, {"s": ("u", [("refund", REFUND, 0.9, 1.0)])})
    expected = (
        "feedback-1: Wrong: no conversations, because the field feedback holds no prompts (setting prompt_events)."
    )
    assert call(data_dir, "feedback-1", *options).splitlines() == [expected]
    assert json.loads(call(data_dir, "feedback-1", *options, "--json")) == []


def test_with_a_privacy_threshold_texts_that_are_not_about_the_topic_are_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TURRET_PRIVACY_MIN_USERS", "3")
    data_dir = publish(tmp_path, {"s": SESSIONS["near"]}, {"said": "Yes."})
    (found,) = json.loads(call(data_dir, REFUND, "--json"))
    shown = [(row["prompt"], row["answer"]) for row in found["exchanges"]]
    assert shown == [("refund", "Yes."), ("and now?", "Yes."), (None, None)]
    assert "Prompt (not about it): (no text)" in call(data_dir, REFUND)


def test_topics_of_too_few_users_are_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data_dir = publish(tmp_path, {"s": ("u", [("secret", "prompt-3", 0.9, None)])})
    with pytest.raises(TurretError, match=r"Topic prompt-3 has no conversations that may be shown"):
        call(data_dir, "prompt-3")
    with pytest.raises(TurretError, match="Unknown topic 'prompt-9'"):
        call(data_dir, "prompt-9")
    monkeypatch.setenv("TURRET_PRIVACY_MIN_USERS", "4")
    with pytest.raises(TurretError, match=r"too few users"):
        call(data_dir, REFUND)
