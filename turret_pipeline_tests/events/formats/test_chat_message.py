"""Messages of chats, one a row, and messages of the Vercel AI SDK in the row of their chat."""

from typing import Any

import orjson
import pytest

from turret_pipeline.events.formats import FORMATS, parse_record
from turret_pipeline_tests.events.formats.rejections import rejection_of

ROW: dict[str, Any] = dict(FORMATS["chat_message"].example)


def events_of(*messages: object) -> list[tuple[str, dict[str, Any]]]:
    """Names and metadata of the events of a chat of these messages."""
    return [(event.event_name, event.metadata) for event in parse_record({"id": "c1", "messages": messages})]


def answer(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"id": "m2", "role": "assistant", "parts": [*parts, {"type": "text", "text": "Yes."}]}


@pytest.mark.parametrize(
    "part",
    [
        {"type": "step-start"},
        {"type": "reasoning", "text": "Hm.", "state": "done"},
        {"type": "data-weather", "data": {"text": "x"}},
        {"type": "source-url", "url": "x", "title": "y"},
        {"type": "source-document", "title": "y"},
    ],
)
def test_parts_that_hold_no_text_are_dropped(part: dict[str, Any]) -> None:
    assert events_of(answer(part)) == [("AI generation", {"generation": "Yes."})]


@pytest.mark.parametrize(
    ("part", "is_error"),
    [
        ({"type": "tool-search", "toolCallId": "t1", "state": "output-available", "input": {}, "output": {}}, False),
        ({"type": "tool-search", "toolCallId": "t1", "state": "output-error", "errorText": "x"}, True),
        ({"type": "tool-search", "toolCallId": "t1", "state": "input-available"}, None),
        ({"type": "dynamic-tool", "toolName": "search", "toolCallId": "t1", "state": "output-denied"}, True),
        ({"type": "tool-invocation", "toolInvocation": {"toolName": "search", "state": "result"}}, False),
    ],
)
def test_parts_of_versions_4_and_5_call_tools(part: dict[str, Any], is_error: bool | None) -> None:
    (name, metadata), (_, answered) = events_of(answer(part))
    assert (name, metadata.get("is_error")) == ("tool:search", is_error)
    assert answered == {"generation": "Yes.", "tools": ["search"]}


def test_a_message_may_be_a_row() -> None:
    (event,) = parse_record(ROW | {"userId": "u-1"})
    assert (event.event_id, event.session_id, event.user_id) == ("c-1-m-1", "c-1", "u-1")
    assert event.metadata == {"prompt": "How do I reset my password?"}
    snake = {"id": "m-1", "chat_id": "c-1", "user_id": "u-1", "created_at": ROW["createdAt"]}
    assert [event] == parse_record({**snake, "role": "user", "parts": orjson.dumps(ROW["parts"]).decode()})


def test_a_row_may_hold_content_and_attachments() -> None:
    files = {"attachments": '[{"name": "a.png", "contentType": "image/png", "url": "x"}]'}
    old = {key: value for key, value in ROW.items() if key != "parts"} | {
        "content": '[{"type": "text", "text": "Hi?"}]'
    }
    (event,) = parse_record(old | files)
    assert event.metadata == {"prompt": "[image]\nHi?"}


def test_a_row_of_an_answer_has_its_tokens_and_tools() -> None:
    metadata = {"model": "small-1", "usage": {"inputTokens": 9, "outputTokens": 3}}
    parts = [{"type": "tool-search", "toolCallId": "t1", "state": "output-available"}, *ROW["parts"]]
    call, answered = parse_record(ROW | {"role": "assistant", "parts": parts, "metadata": metadata})
    assert (call.event_name, call.metadata) == ("tool:search", {"status": "success", "is_error": False})
    facts = {"model": "small-1", "input_tokens": 9, "output_tokens": 3, "tools": ["search"]}
    assert answered.metadata == {**facts, "generation": "How do I reset my password?"}


@pytest.mark.parametrize(
    "change",
    [{"role": "system"}, {"parts": []}, {"role": "tool", "parts": [{"type": "tool-result", "toolCallId": "t1"}]}],
)
def test_a_row_that_says_nothing_is_no_event(change: dict[str, Any]) -> None:
    assert rejection_of(ROW | change)[0] == "not_an_event"


@pytest.mark.parametrize("content", ["Hi?", '"Hi?"', '[{"type": "text", "text": {"value": "Hi?"}}]'])
def test_the_content_of_a_row_may_be_a_text(content: str) -> None:
    row = {"id": "m-1", "thread_id": "c-1", "role": "user", "content": content, "created_at": 1772442900}
    (event,) = parse_record(row)
    assert (event.event_id, event.session_id, event.metadata) == ("c-1-m-1", "c-1", {"prompt": "Hi?"})


@pytest.mark.parametrize("content", ["[1, 2]", '{"a": 1}', "[Hi", '"Hi" she said'])
def test_a_text_that_only_looks_like_json_stays_as_it_is(content: str) -> None:
    (event,) = parse_record({"session_id": "c-1", "role": "user", "content": content})
    assert event.metadata == {"prompt": content}


def test_messages_of_a_chat_have_times_in_their_metadata() -> None:
    times = (1714564800000, 1714564803000)
    messages = [
        {"id": str(time), "role": role, "parts": ROW["parts"], "metadata": {"createdAt": time}}
        for role, time in zip(("user", "assistant"), times, strict=True)
    ]
    found = parse_record({"id": "c-1", "messages": messages})
    assert [event.event_at and event.event_at.timestamp() * 1000 for event in found] == [*times]
    assert not any("createdAt" in event.metadata for event in found)


def test_attachments_of_version_4_are_named() -> None:
    files = [{"name": "a.png", "contentType": "image/png", "url": "x"}, {"name": "b", "contentType": "text/csv"}, None]
    (event,) = parse_record(
        {"id": "c-1", "messages": [{"role": "user", "content": "Hi?", "experimental_attachments": files}]}
    )
    assert event.metadata == {"prompt": "[image]\n[file]\nHi?"}
