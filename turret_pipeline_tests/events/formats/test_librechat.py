"""Conversations and messages of LibreChat."""

from typing import Any

import orjson
import pytest

from turret_pipeline.events.formats import FORMATS, parse_record
from turret_pipeline_tests.events.formats.rejections import rejection_of

CHAT: dict[str, Any] = dict(FORMATS["librechat_conversation"].example)
ROW: dict[str, Any] = dict(FORMATS["librechat_message"].example)


def message(name: str, parent: str, text: str, *, is_user: bool = False, **more: object) -> dict[str, Any]:
    at = f"2026-03-02T09:15:{int(name[1:]):02d}.000Z"
    own = {"messageId": name, "parentMessageId": parent, "text": text, "isCreatedByUser": is_user, "createdAt": at}
    return {**own, "sender": "User" if is_user else "Small", **more}


ASKED = message("m1", "0-0", "Hi?", is_user=True)


def texts_of(**chat: object) -> list[object]:
    events = parse_record({key: value for key, value in CHAT.items() if key != "messages"} | chat)
    return [event.metadata.get("prompt", event.metadata.get("generation")) for event in events]


def answer_of(**change: object) -> list[tuple[str, dict[str, Any]]]:
    """Names and metadata of the events of an answer."""
    shared = ("title", "endpoint")
    events = parse_record(CHAT | {"messages": [ASKED, message("m2", "m1", "Yes.") | change]})[1:]
    return [(event.event_name, {k: v for k, v in event.metadata.items() if k not in shared}) for event in events]


def test_a_conversation_becomes_a_session_of_nobody() -> None:
    asked, answered = parse_record(CHAT)
    assert (asked.event_id, asked.session_id, asked.user_id) == ("c-1-m-1", "c-1", None)
    assert asked.metadata == {"title": "Password", "endpoint": "openAI", "prompt": "How do I reset my password?"}
    assert answered.metadata["model"] == "small-1"


def test_only_the_branch_of_the_latest_message_counts() -> None:
    messages = [ASKED, message("m2", "m1", "Old."), message("m3", "m1", "New.")]
    assert texts_of(messages=messages) == ["Hi?", "New."]


def test_a_recursive_export_is_a_tree() -> None:
    answers = [message("m2", "m1", "Old.", children=[]), message("m3", "m1", "New.", children=[])]
    assert texts_of(messagesTree=[ASKED | {"children": answers}]) == ["Hi?", "New."]


@pytest.mark.parametrize(
    ("change", "facts"),
    [
        ({"text": "", "content": [{"type": "text", "text": {"value": "Yes."}}]}, {"generation": "Yes."}),
        ({"content": [{"type": "think", "think": "Hm."}, {"type": "text", "text": "Yes."}]}, {"generation": "Yes."}),
        ({"text": ":::thinking\nHm.\n:::\nYes."}, {"generation": "Yes."}),
        ({"model": None, "tokenCount": 3, "finish_reason": "stop"}, {"output_tokens": 3, "finish_reason": "stop"}),
        ({"feedback": {"rating": "thumbsDown", "tag": {"key": "wrong"}}}, {"rating": "thumbsDown"}),
    ],
)
def test_an_answer_may_be_a_text_or_parts(change: dict[str, Any], facts: dict[str, Any]) -> None:
    ((name, metadata),) = answer_of(**change)
    assert name == "AI generation"
    assert metadata["generation"] == "Yes."
    assert facts.items() <= metadata.items()


def test_a_part_may_call_a_tool() -> None:
    call = {"type": "tool_call", "tool_call": {"id": "t1", "name": "search", "args": "{}", "output": "Long"}}
    assert answer_of(text="", content=[call, {"type": "text", "text": "Yes."}]) == [
        ("tool:search", {}),
        ("AI generation", {"generation": "Yes.", "tools": ["search"]}),
    ]


def test_the_text_of_an_error_is_no_answer() -> None:
    assert answer_of(error=True, text="Something went wrong.") == [("AI generation", {"is_error": True})]


def test_a_message_of_the_database_is_extended_json() -> None:
    (event,) = parse_record(ROW | {"user": {"$oid": "u-1"}, "createdAt": {"$date": {"$numberLong": "1772442900000"}}})
    assert (event.event_id, event.session_id, event.user_id) == ("c-1-m-1", "c-1", "u-1")
    assert [event] == parse_record(ROW)


def test_a_message_may_be_a_row_of_csv() -> None:
    files = '[{"type": "image/png"}]'
    (event,) = parse_record(ROW | {"isCreatedByUser": "true", "createdAt": '{"$date": 1772442900000}', "files": files})
    assert event.metadata == {"prompt": "[image]\nHow do I reset my password?"}
    (event,) = parse_record(ROW | {"isCreatedByUser": "false"})
    assert event.event_name == "AI generation"


def test_messages_may_be_json_text() -> None:
    assert parse_record(CHAT | {"messages": orjson.dumps(CHAT["messages"]).decode()}) == parse_record(CHAT)


def test_a_conversation_of_the_database_has_only_ids() -> None:
    assert rejection_of(CHAT | {"messages": [{"$oid": "a"}]})[0] == "not_an_event"
    assert rejection_of(CHAT | {"messages": ["a"]})[0] == "not_an_event"
    assert rejection_of(CHAT | {"messages": []})[0] == "no_messages"


def test_a_message_without_a_text_is_no_event() -> None:
    assert rejection_of(ROW | {"text": ""})[0] == "not_an_event"


@pytest.mark.parametrize("key", ["messages", "messagesTree"])
def test_a_tree_may_be_deep_and_its_messages_name_the_user(key: str) -> None:
    tree: list[dict[str, Any]] = []
    for number in range(300, 0, -1):
        text = {"messageId": f"m{number}", "text": f"Text {number}", "isCreatedByUser": number % 2 == 1}
        tree = [{**text, "user": "u-1", "children": tree}]
    events = parse_record({"conversationId": "c-1", "endpoint": "openAI", "recursive": True, key: tree})
    assert [event.metadata.get("prompt", event.metadata.get("generation")) for event in events] == [
        f"Text {number}" for number in range(1, 301)
    ]
    assert {event.user_id for event in events} == {"u-1"}
    assert {event.user_id for event in parse_record(CHAT | {"user": "u-2", "messages": tree})} == {"u-2"}


def test_messages_without_parents_have_those_of_their_tree() -> None:
    def nest(name: str, text: str, **more: object) -> dict[str, Any]:
        own = message(name, "", text, **more)  # type: ignore[arg-type]
        return {key: value for key, value in own.items() if key != "parentMessageId"}

    tree = nest("m1", "Hi?", is_user=True, children=[nest("m2", "Old."), nest("m3", "New.")])
    assert texts_of(messages=[tree]) == ["Hi?", "New."]
    events = parse_record({"conversationId": "c-1", **tree})
    assert [event.event_id for event in events] == ["c-1-m1", "c-1-m3"]
