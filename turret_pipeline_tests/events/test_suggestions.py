"""Suggested mappings for rows of unknown shape, and the rule that a suggested mapping reads the rows."""

import datetime as dt
import itertools
import json
import random
from collections.abc import Sequence
from typing import Any

import pytest

from turret_pipeline.events.formats.mapping import ColumnMapping
from turret_pipeline.events.parsing import ParseOptions, parse_records
from turret_pipeline.events.rows import Record
from turret_pipeline.events.suggestions import ACCEPTED_SHARE, Suggestion, suggest_mapping

OPTIONS = ParseOptions(dt.datetime(2026, 1, 1, tzinfo=dt.UTC), is_default_for_chats_only=True)


def at(minute: int) -> str:
    return f"2026-03-02T09:{minute:02}:00Z"


def suggest(rows: Sequence[object]) -> Suggestion | None:
    return suggest_mapping([Record(number, row) for number, row in enumerate(rows, start=1)], OPTIONS)


def suggest_roles(rows: Sequence[object]) -> dict[str, Any]:
    """The suggested mapping; a single path without its tuple."""
    found = suggest(rows)
    assert found is not None
    roles = found.mapping.model_dump(exclude_defaults=True)
    return {role: paths[0] if len(paths) == 1 else paths for role, paths in roles.items()}


EVENTS = [{"ctx": {"actionName": name}, "when": at(n), "customer": {"id": n % 2}} for n, name in enumerate("abcabc")]
CALLS = [
    {
        "request_id": f"r{n}",
        "asked_at": at(n),
        "end_user": "u1",
        "conv_id": "s1",
        "question": f"Why {n}?",
        "answer": f"Because {n}.",
        "modelName": "small-1",
        "prompt_tokens": n,
        "latency_ms": 20,
        "cost": 0.1,
    }
    for n in range(4)
]
HISTORY = [
    {
        "meta": {"thread": "s1", "user": {"id": "u1"}, "ts": 1772442900 + n},
        "body": {"turns": [{"role": "user", "content": "Hi?"}, {"role": "assistant", "content": "Yes?"}][: 1 + n % 2]}
        | {"turns": [{"role": "user", "content": f"And {n}?"}]},
        "llm": {"choices": [{"message": {"content": f"Well {n}."}}]},
    }
    for n in range(3)
]
CHATS = [
    {"conversation": f"s{n}", "turns": [{"role": "user", "content": "Hi?"}, {"role": "ai", "content": "Yes?"}]}
    for n in range(2)
]
OWN_CHATS = [
    {
        "dialog": "d1",
        "log": [{"who": "Customer", "said": "Hi there", "at": at(1)}, {"who": "Ava", "said": "Hello.", "at": at(2)}],
    }
]
MESSAGES = [
    {"conv": "c1", "who": who, "utterance": f"Hello {n}", "sent": at(n)} for n, who in enumerate(("user", "bot") * 3)
]
NAMED_MESSAGES = [row | {"who": {"user": "Customer", "bot": "Ava"}[row["who"]]} for row in MESSAGES]
FEEDBACK = [{"comment": f"It is the best {n}", "created": at(n), "stars": n} for n in range(5)]
UNKNOWN_NAMES = [{"aktion": ("Gekauft", "Gesehen")[n % 2], "zeit": at(n)} for n in range(20)]


@pytest.mark.parametrize(
    ("rows", "roles"),
    [
        (EVENTS, {"event_name": "ctx.actionName", "event_at": "when", "user_id": "customer.id"}),
        (
            CALLS,
            {
                "event_id": "request_id",
                "event_at": "asked_at",
                "user_id": "end_user",
                "session_id": "conv_id",
                "prompt": "question",
                "generation": "answer",
                "model": "modelName",
                "input_tokens": "prompt_tokens",
                "latency_ms": "latency_ms",
                "cost_usd": "cost",
            },
        ),
        (
            HISTORY,
            {
                "event_at": "meta.ts",
                "session_id": "meta.thread",
                "user_id": "meta.user.id",
                "messages": "body.turns",
                "generation": "llm.choices",
            },
        ),
        (CHATS, {"session_id": "conversation", "messages": "turns"}),
        (
            OWN_CHATS,
            {
                "session_id": "dialog",
                "messages": "log",
                "message_author": "who",
                "message_text": "said",
                "message_at": "at",
                "user_authors": "customer",
            },
        ),
        (
            MESSAGES,
            {"event_at": "sent", "session_id": "conv", "message_author": "who", "message_text": "utterance"},
        ),
        (
            NAMED_MESSAGES,
            {
                "event_at": "sent",
                "session_id": "conv",
                "message_author": "who",
                "message_text": "utterance",
                "user_authors": "customer",
            },
        ),
        (FEEDBACK, {"event_name": "=Event", "event_at": "created"}),
        (UNKNOWN_NAMES, {"event_name": "aktion", "event_at": "zeit"}),
    ],
    ids=["events", "calls", "history", "chats", "own chats", "messages", "named messages", "texts", "unknown names"],
)
def test_the_roles_of_keys_are_found_by_their_names_and_values(rows: list[object], roles: dict[str, Any]) -> None:
    assert suggest_roles(rows) == roles


def test_json_text_in_columns_is_searched() -> None:
    rows = [{key: json.dumps(value) for key, value in row.items()} for row in HISTORY]
    assert suggest_roles(rows) == suggest_roles(HISTORY)


def test_keys_that_differ_between_rows_are_alternatives() -> None:
    rows = [{"action": "a", "ts": at(1)}, {"action": "b", "created_at": at(2)}] * 2
    assert suggest_roles(rows) == {"event_name": "action", "event_at": ("ts", "created_at")}


def test_an_id_that_several_rows_share_is_none() -> None:
    rows = [{"id": 1, "action": "a", "ts": at(n)} for n in range(3)]
    assert "event_id" not in suggest_roles(rows)


def test_an_order_of_the_rows_has_no_effect() -> None:
    assert [suggest_roles(list(rows)) for rows in itertools.permutations(EVENTS[:3])] == [suggest_roles(EVENTS[:3])] * 6


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [{}],
        [3, None, [], "a"],
        [{"a": 1, "b": 2}],
        [{"action": "clicked", "stars": 3}],
        [{"action": "clicked", "ts": "soon"}],
        [{"action": "clicked", "ts": 7}],
        [{"question": "Why?", "answer": "Because."}],
        [{"action": "clicked", "ts": at(1)}, *[{"other": 1}] * 9],
        [{"turns": [{"who": "Ava", "said": "Hello."}, {"who": "Tom", "said": "Hi."}], "ts": "never"}],
    ],
)
def test_nothing_is_suggested_if_the_rows_cannot_be_read(rows: list[object]) -> None:
    assert suggest(rows) is None


def test_a_suggested_mapping_reads_nine_of_ten_rows_whatever_the_rows_are() -> None:
    draw = random.Random(7)
    keys = ["action", "ts", "created", "user", "q", "answer", "turns", "who", "text", "id", "x.y", "=a", "", "session"]
    values = [
        *("clicked", "Why is it so?", at(3), 1772442900, 0, -1, 1e300, None, "", True, [], {}, "user", "Ava", "[1]"),
        *([{"role": "user", "content": "Hi?"}], {"id": "u1"}, [{"who": "user", "said": "Hi there"}], "x" * 400),
    ]
    suggested = 0
    for _ in range(1500):
        rows = [{key: draw.choice(values) for key in draw.sample(keys, 4)} for _ in range(draw.randint(1, 3))]
        found = suggest(rows)
        if found is not None:
            mapping = ColumnMapping.model_validate(found.mapping.model_dump(exclude_defaults=True))
            options = ParseOptions(OPTIONS.default_time, mapping.to_format(), is_default_for_chats_only=True)
            parsed = parse_records([Record(number, row) for number, row in enumerate(rows)], options)
            assert parsed.rejected.height <= (1 - ACCEPTED_SHARE) * len(rows)
            suggested += 1
    assert suggested > 50
