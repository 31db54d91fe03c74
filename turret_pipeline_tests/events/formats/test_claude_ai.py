"""Conversations of a data export of Claude."""

from typing import Any

import orjson
import pytest

from turret_pipeline.events.formats import FORMATS, parse_record
from turret_pipeline_tests.events.formats.rejections import rejection_of

ROOT = "00000000-0000-4000-8000-000000000000"
BASE: dict[str, Any] = dict(FORMATS["claude_ai"].example)


def message(name: str, sender: str, *blocks: object, **more: object) -> dict[str, Any]:
    """A message that was written as many seconds after nine as its name says."""
    at = f"2026-03-02T09:00:{int(name[1:]):02d}.000000Z"
    content = [{"type": "text", "text": block} if isinstance(block, str) else block for block in blocks]
    return {"uuid": name, "sender": sender, "text": "", "content": content, "created_at": at, **more}


def facts_of(*messages: object, **more: object) -> list[tuple[str, object]]:
    """Names of events, and their texts."""
    events = parse_record(BASE | {"chat_messages": messages} | more)
    return [(event.event_name, event.metadata.get("prompt", event.metadata.get("generation"))) for event in events]


def test_a_conversation_becomes_a_session_of_its_account() -> None:
    asked, answered = parse_record(BASE)
    assert (asked.event_id, asked.session_id, asked.user_id) == ("c-1-m-1", "c-1", "u-1")
    assert (answered.event_id, answered.session_id, answered.user_id) == ("c-1-m-2", "c-1", "u-1")
    assert asked.metadata == {"title": "Password", "prompt": "How do I reset my password?"}


def test_thinking_is_no_text_and_a_call_of_a_tool_is_an_event() -> None:
    blocks = (
        {"type": "thinking", "thinking": "Hm."},
        {"type": "tool_use", "id": "t1", "name": "web_search", "input": {}},
        {"type": "tool_result", "tool_use_id": "t1", "name": "web_search", "content": [], "is_error": True},
        {"type": "token_budget"},
    )
    events = parse_record(BASE | {"chat_messages": [message("m1", "assistant", *blocks, "Found.")]})
    assert [event.event_name for event in events] == ["tool:web_search", "AI generation"]
    assert events[0].metadata == {"title": "Password", "status": "error", "is_error": True}
    assert events[1].metadata["generation"] == "Found."


@pytest.mark.parametrize("more", [{}, {"content": []}, {"content": None}])
def test_the_text_counts_if_there_are_no_blocks(more: dict[str, Any]) -> None:
    old = {key: value for key, value in message("m1", "human").items() if key != "content"} | {"text": "Hi?"}
    assert facts_of(old | more) == [("User prompt", "Hi?")]


@pytest.mark.parametrize(
    ("files", "text"),
    [
        ({"attachments": [{"file_name": "a.txt", "extracted_content": "Long"}]}, "[file]\nHi?"),
        ({"attachments": [], "files": [{"file_name": "a.PNG"}]}, "[image]\nHi?"),
        ({"files": [{"file_kind": "image", "file_name": "x"}], "files_v2": [{"file_kind": "image"}]}, "[image]\nHi?"),
        ({"attachments": None, "files": None, "files_v2": [{"file_kind": "document"}]}, "[file]\nHi?"),
    ],
)
def test_attachments_are_named(files: dict[str, Any], text: str) -> None:
    assert facts_of(message("m1", "human", "Hi?", **files)) == [("User prompt", text)]


def test_a_prompt_may_be_only_an_attachment() -> None:
    pasted = {"file_name": "", "extracted_content": "Long"}
    assert facts_of(message("m1", "human", attachments=[pasted])) == [("User prompt", "[file]")]


def test_only_the_branch_of_the_current_or_latest_leaf_counts() -> None:
    messages = [
        message("m1", "human", "Hi?", parent_message_uuid=ROOT),
        message("m2", "assistant", "Old.", parent_message_uuid="m1"),
        message("m3", "assistant", "New.", parent_message_uuid="m1"),
    ]
    new, old = [("User prompt", "Hi?"), ("AI generation", "New.")], [("User prompt", "Hi?"), ("AI generation", "Old.")]
    assert facts_of(*messages) == facts_of(*messages[::-1]) == new
    assert facts_of(*messages, current_leaf_message_uuid="m2") == old


def test_an_answer_has_the_model_of_its_message_or_of_its_conversation() -> None:
    messages = [message("m1", "human", "Hi?"), message("m2", "assistant", "Yes.", stop_reason="end_turn")]
    asked, answered = parse_record(BASE | {"chat_messages": messages, "model": "small-1"})
    assert "model" not in asked.metadata
    assert (answered.metadata["model"], answered.metadata["finish_reason"]) == ("small-1", "end_turn")


def test_messages_may_be_json_text() -> None:
    texts = {key: orjson.dumps(BASE[key]).decode() for key in ("chat_messages", "account")}
    assert parse_record(BASE | texts) == parse_record(BASE)


@pytest.mark.parametrize("messages", [[], [message("m1", "human")], [3], [message("m1", "nobody", "Hi?")]])
def test_a_conversation_without_messages_is_rejected(messages: object) -> None:
    assert rejection_of(BASE | {"chat_messages": messages})[0] == "no_messages"


@pytest.mark.parametrize(
    ("called_at", "ended_at", "seconds"),
    [
        ("2026-03-02T09:00:01Z", "2026-03-02T09:00:03.5Z", 2.5),
        ("2026-03-02T09:00:03Z", "2026-03-02T09:00:01Z", None),
        (None, "2026-03-02T09:00:01Z", None),
        ("2026-03-02T09:00:01Z", None, None),
        ("soon", 3, None),
    ],
)
def test_a_tool_took_the_time_until_its_result_was_complete(
    called_at: object, ended_at: object, seconds: float | None
) -> None:
    call = {"type": "tool_use", "id": "t1", "name": "web_search", "input": {}, "stop_timestamp": called_at}
    result = {"type": "tool_result", "tool_use_id": "t1", "is_error": False, "stop_timestamp": ended_at}
    tool, _ = parse_record(BASE | {"chat_messages": [message("m1", "assistant", call, result, "Found.")]})
    assert (tool.metadata["status"], tool.metadata.get("latency_seconds")) == ("success", seconds)
