"""Conversations exported by ShareGPT."""

import datetime as dt
from typing import Any

import pytest

from turret_pipeline.events.formats import FORMATS, Event, parse_record
from turret_pipeline_tests.events.formats.rejections import rejection_of

NOON = dt.datetime(2024, 5, 1, 12, tzinfo=dt.UTC)
TURNS: list[dict[str, Any]] = [
    {"from": "system", "value": "Be kind."},
    {"from": "human", "value": "Hi?"},
    {"from": "gpt", "value": "Hello.", "weight": 1},
    {"from": "function_call", "value": '{"name": "add"}'},
    {"from": "observation", "value": "4"},
]
CONVERSATION: dict[str, Any] = {
    "id": "k1",
    "conversations": TURNS,
    "language": "en",
    "created_at": "2024-05-01T12:00:00Z",
}


def test_a_conversation_becomes_a_session_with_an_event_for_each_turn() -> None:
    shared = {"language": "en"}
    source = "sharegpt"
    assert parse_record(CONVERSATION) == [
        Event("k1-2-3d3f5d59b009e07e", "User prompt", "k1", None, NOON, None, source, shared | {"prompt": "Hi?"}),
        Event(
            event_id="k1-3-74aadaec1b5e86b5",
            event_name="AI generation",
            session_id="k1",
            user_id=None,
            event_at=NOON,
            received_at=None,
            source_format=source,
            metadata=shared | {"weight": 1, "generation": "Hello."},
        ),
        Event(
            "k1-4-9c994c755648d10e-tool-1-add", "tool:add", "k1", None, NOON, None, source, shared, is_tool_call=True
        ),
    ]


@pytest.mark.parametrize("speaker", ["gpt", "chatgpt", "assistant", "model", "AI", "bing"])
def test_an_assistant_has_many_names(speaker: str) -> None:
    (event,) = parse_record({"conversations": [{"from": speaker, "value": "Hello."}]})
    assert (event.event_name, event.metadata) == ("AI generation", {"generation": "Hello."})


def test_turns_may_be_messages_under_another_key() -> None:
    (event,) = parse_record({"conversation": [{"role": "user", "content": "Hi?"}]})
    assert (event.event_name, event.metadata) == ("User prompt", {"prompt": "Hi?"})


def test_conversations_with_the_same_content_and_no_id_are_the_same() -> None:
    first, second = ([event.event_id for event in parse_record({"conversations": TURNS})] for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("turns", "code"),
    [
        ([], "no_messages"),
        (TURNS[:1], "no_messages"),
        ([None], "invalid_message"),
        ([{"value": "Hi?"}], "invalid_message"),
        ([{"from": None, "value": "Hi?"}], "invalid_message"),
    ],
)
def test_a_conversation_that_breaks_a_rule_is_rejected_with_its_code(turns: object, code: str) -> None:
    assert rejection_of({"conversations": turns})[0] == code


def test_a_row_of_another_shape_is_rejected_if_the_format_is_selected() -> None:
    assert rejection_of({"conversations": None}, FORMATS["sharegpt"])[1] == (
        "The row does not match format sharegpt: missing conversations or conversation (an array); keys: conversations."
    )
