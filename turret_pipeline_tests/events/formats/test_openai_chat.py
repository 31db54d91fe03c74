"""Chats as arrays of messages in the form of OpenAI's API."""

import datetime as dt
from typing import Any

import orjson
import pytest

from turret_pipeline.events.formats import FORMATS, Event, parse_record
from turret_pipeline_tests.events.formats.rejections import rejection_of

NOON = dt.datetime(2024, 5, 1, 12, tzinfo=dt.UTC)
MESSAGES: list[dict[str, Any]] = [
    {"role": "system", "content": "Be kind."},
    {"role": "user", "content": "Hi?"},
    {"role": "assistant", "content": "Hello.", "model": "small-1", "refusal": None},
]
CHAT: dict[str, Any] = {
    "id": "c1",
    "created": 1714564800,
    "user": "u1",
    "messages": MESSAGES,
    "metadata": {"plan": "pro"},
}


def events_of(*messages: object) -> list[tuple[str, dict[str, Any]]]:
    """Names and metadata of the events of a chat of these messages."""
    return [(event.event_name, event.metadata) for event in parse_record({"id": "c1", "messages": messages})]


def prompt_of(content: object) -> str | None:
    """Prompt of a user's message with this content."""
    ((_, metadata),) = events_of({"role": "user", "content": content})
    return metadata.get("prompt")


def test_a_chat_becomes_a_session_with_an_event_for_each_message() -> None:
    prompt = {"plan": "pro", "prompt": "Hi?"}
    generation = {"plan": "pro", "model": "small-1", "generation": "Hello."}
    assert parse_record(CHAT) == [
        Event("c1-2-3d3f5d59b009e07e", "User prompt", "c1", "u1", NOON, None, "openai_chat", prompt),
        Event("c1-3-74aadaec1b5e86b5", "AI generation", "c1", "u1", NOON, None, "openai_chat", generation),
    ]


def test_a_chat_that_grows_keeps_the_ids_of_its_messages() -> None:
    grown = CHAT | {"messages": [*MESSAGES, {"role": "user", "content": "Bye."}]}
    before, after = ([event.event_id for event in parse_record(chat)] for chat in (CHAT, grown))
    assert after[: len(before)] == before
    assert len(set(after)) == 3


def test_a_chat_without_an_id_gets_a_session_of_its_content() -> None:
    bare = {"messages": MESSAGES}
    (session,) = {event.session_id for event in parse_record(bare)}
    assert session is not None
    assert session.startswith("chat-")
    assert {event.session_id for event in parse_record({"messages": [dict(message) for message in MESSAGES]})} == {
        session
    }
    others = (bare | {"user": "u1"}, bare | {"created": 1714564800}, {"messages": MESSAGES[:2]})
    assert session not in {event.session_id for other in others for event in parse_record(other)}


def test_a_chat_without_a_time_has_none() -> None:
    assert {event.event_at for event in parse_record({"messages": MESSAGES})} == {None}


def test_a_message_without_a_time_has_that_of_the_previous_message() -> None:
    later = (NOON + dt.timedelta(minutes=1)).timestamp()
    messages = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b", "create_time": later},
        {"role": "user", "content": "c"},
    ]
    found = [event.event_at for event in parse_record(CHAT | {"messages": messages})]
    assert found == [NOON, NOON + dt.timedelta(minutes=1), NOON + dt.timedelta(minutes=1)]


def test_is_zone_assumed_is_about_the_time_that_becomes_event_at() -> None:
    messages = [{"role": "user", "content": "a"}, {"role": "user", "content": "b", "created_at": "2024-05-01 12:00:00"}]
    assert [event.is_zone_assumed for event in parse_record(CHAT | {"messages": messages})] == [False, True]


def test_ids_of_messages_become_part_of_the_ids_of_events() -> None:
    messages = [{"id": "m1", "role": "user", "content": "a"}, {"id": 7, "role": "user", "content": "a"}]
    one, other = (parse_record(CHAT | {"id": name, "messages": messages}) for name in ("c1", "c2"))
    assert [event.event_id for event in one] == ["c1-m1", "c1-7"]
    assert not {event.event_id for event in one} & {
        event.event_id for event in other
    }  # message ids may repeat in other chats


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("Hi?", "Hi?"),
        ([{"type": "text", "text": "Hi?"}, {"type": "image_url", "image_url": {"url": "x"}}], "Hi?\n[image]"),
        ([{"type": "text", "text": {"value": "Hi?"}}, {"type": "input_text", "text": "You?"}], "Hi?\nYou?"),
        ({"content_type": "text", "parts": ["Hi?", "You?"]}, "Hi?\nYou?"),
        ([{"type": "image_url"}], "[image]"),
        (None, None),
        ("", None),
        ([], None),
        (3, None),
    ],
)
def test_content_may_be_text_or_parts(content: object, text: str | None) -> None:
    assert prompt_of(content) == text


def test_calls_of_tools_become_events_and_their_results_do_not() -> None:
    call = {"id": "x", "type": "function", "function": {"name": "search", "arguments": "{}"}}
    assert events_of(
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "name": "search", "tool_call_id": "x", "content": "A long page."},
        {"role": "assistant", "content": "Found.", "tool_calls": [call]},
        {"role": "assistant", "content": None, "function_call": {"name": "add", "arguments": "{}"}},
    ) == [
        ("tool:search", {}),
        ("AI generation", {"generation": "Found.", "tools": ["search"]}),
        ("tool:search", {}),
        ("tool:add", {}),
    ]


def test_tools_may_be_parts_or_items_of_their_own() -> None:
    assert events_of(
        {"role": "assistant", "content": [{"type": "tool_use", "id": "x", "name": "search", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "x", "content": "A long page."}]},
        {"type": "reasoning", "summary": []},
        {"type": "function_call", "name": "add", "arguments": "{}"},
        {"type": "function_call_output", "output": "4"},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Found."}]},
    ) == [
        ("tool:search", {}),
        ("tool:add", {"name": "add"}),
        ("AI generation", {"generation": "Found."}),
    ]


def test_an_unknown_role_is_kept_in_the_metadata() -> None:
    assert events_of({"role": "critic", "content": "Bad."}) == [("Other message", {"role": "critic", "text": "Bad."})]


def test_the_author_of_a_message_may_be_an_object() -> None:
    message = {"author": {"role": "user"}, "content": {"content_type": "text", "parts": ["Hi?"]}}
    assert events_of(message) == [("User prompt", {"prompt": "Hi?"})]


def test_the_user_may_be_an_object() -> None:
    assert {event.user_id for event in parse_record(CHAT | {"user": {"id": 7}})} == {"7"}


def test_messages_may_be_json_text_as_in_csv() -> None:
    assert parse_record(CHAT | {"messages": orjson.dumps(MESSAGES).decode()}) == parse_record(CHAT)


@pytest.mark.parametrize(
    ("record", "code", "reason"),
    [
        ({"messages": []}, "no_messages", "messages has no user or assistant message: at least one"),
        ({"messages": MESSAGES[:1]}, "no_messages", "messages has no user or assistant message"),
        ({"messages": "[Hi"}, "invalid_messages", "messages is a string: it must be an array of messages."),
        ({"messages": [*MESSAGES, "Hi"]}, "invalid_message", "messages[3] is a string: it must be an object with"),
        ({"messages": [{"content": "Hi"}]}, "invalid_message", "messages[0] has no role: it must be an object with"),
        ({"messages": [{"role": 3}]}, "invalid_message", "messages[0] has no role: it must be an object with"),
        (CHAT | {"user": []}, "invalid_user_id", "user is an array: it must be a string or a number."),
        (CHAT | {"id": True}, "invalid_session_id", "id is a boolean: it must be a string or a number."),
        (CHAT | {"created": "now"}, "invalid_timestamp", "created is 'now': it must be ISO 8601 or Unix time"),
        ({"messages": [MESSAGES[1] | {"created": []}]}, "invalid_timestamp", "created is an array: it must be"),
        ({"messages": [MESSAGES[1] | {"id": {}}]}, "invalid_event_id", "id is an object: it must be"),
    ],
)
def test_a_chat_that_breaks_a_rule_is_rejected_with_the_place(record: object, code: str, reason: str) -> None:
    found = rejection_of(record)
    assert (found[0], found[1][: len(reason)]) == (code, reason)


def test_a_turret_event_with_messages_is_not_a_chat() -> None:
    (event,) = parse_record(
        {"name": "asked", "timestamp": 1714564800, "metadata": {"plan": "pro"}, "messages": MESSAGES}
    )
    assert (event.source_format, event.metadata) == ("turret", {"plan": "pro", "messages": MESSAGES})


def test_a_row_of_another_shape_is_rejected_if_the_format_is_selected() -> None:
    assert rejection_of({"id": "c1", "messages": "Hi?"}, FORMATS["openai_chat"]) == (
        "not_of_format",
        "The row does not match format openai_chat: missing messages (an array); keys: id, messages.",
    )
