"""Conversion of an array of messages to a session of events."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from turret_pipeline.events.formats.event import Event, Rejection
from turret_pipeline.events.formats.exchanges import GENERATION_NAME, PROMPT_NAME
from turret_pipeline.events.formats.extraction import extract_columns, extract_metadata, hash_texts
from turret_pipeline.events.formats.format import Conversation, Format
from turret_pipeline.events.formats.row_values import (
    Row,
    drop_nulls,
    first_value,
    parse_identifier,
    parse_time,
    type_name,
)
from turret_pipeline.events.formats.texts import ASSISTANT, SYSTEM, USER, content_text, message_content, message_role

TOOL_NAME, TOOL_CALL_NAME, OTHER_NAME = "Tool message", "Tool call", "Other message"
_RESERVED_KEYS = {
    *("role", "from", "author", "type", "content", "value", "parts", "text"),
    *("tool_calls", "function_call", "tool_call_id", "call_id", "arguments", "output"),
}
"""Keys of a message that are not metadata: they are parsed, or belong to tool calls."""


def parse_conversation(row: Row, spec: Format, chat: Conversation) -> list[Event]:
    """One event for each message other than system messages, all in one session. Raises Rejection.

    The answer of a tool was written neither by a person nor by the model, so its event has no text.
    """
    path, messages = first_value(row, chat.messages)
    if not isinstance(messages, list | tuple):
        raise Rejection("invalid_messages", f"{path} is {type_name(messages)}: it must be an array of messages.")
    shared, used = extract_columns(row, spec)
    metadata = extract_metadata(row, spec, [*used, path])
    shared["session_id"] = shared["session_id"] or _derive_session_id(shared, messages)
    events = list(_message_events(shared, metadata, path, messages, chat))
    if not events:
        raise Rejection("no_messages", f"{path} has no user, assistant or tool message: at least one is needed.")
    return events


def _message_events(
    shared: dict[str, Any], metadata: dict[str, Any], path: str, messages: Sequence[object], chat: Conversation
) -> Iterator[Event]:
    at, is_zone_assumed = shared["event_at"], shared["is_zone_assumed"]
    for number, message in enumerate(messages, start=1):
        role = message_role(message) if isinstance(message, Mapping) else None
        if role is None or not isinstance(message, Mapping):
            problem = "has no role" if isinstance(message, Mapping) else f"is {type_name(message)}"
            reason = f"{path}[{number - 1}] {problem}: it must be an object with a role and a content."
            raise Rejection("invalid_message", reason)
        if role == SYSTEM:
            continue
        at, is_zone_assumed = _message_time(message, chat, at, is_zone_assumed)
        own_id = parse_identifier("event_id", *first_value(message, chat.message_id))
        name, texts = _name_and_texts(message, role, first_value(message, chat.text)[1])
        message_metadata = _message_metadata(message, chat)
        own = {
            "event_id": f"{shared['session_id']}-{own_id or f'{number}-{hash_texts(*_role_and_text(message))}'}",
            "event_at": at,
            "is_zone_assumed": is_zone_assumed,
        }
        yield Event(event_name=name, metadata={**metadata, **message_metadata, **texts}, **{**shared, **own})


def _message_time(
    message: Row, chat: Conversation, previous_at: dt.datetime | None, was_assumed: bool
) -> tuple[dt.datetime | None, bool]:
    """Time of a message, or else of the previous message or of the conversation; and whether its zone was assumed."""
    at, is_assumed = parse_time(*first_value(message, chat.message_at))
    return (previous_at, was_assumed) if at is None else (at, is_assumed)


def _name_and_texts(message: Row, role: str, content: object) -> tuple[str, dict[str, Any]]:
    """Name of the event of a message, and the metadata fields with its text and its tools."""
    text = content_text(content)
    tools = [*_called_tools(message), *_part_values(content, "name", "tool_use", "function", "tool_call")]
    if role == USER:
        is_answer = text is None and bool(_part_values(content, "type", "tool_result"))
        return (TOOL_NAME, {}) if is_answer else (PROMPT_NAME, drop_nulls({"prompt": text}))
    if role == ASSISTANT:
        is_call = text is None and bool(tools)
        return TOOL_CALL_NAME if is_call else GENERATION_NAME, drop_nulls({"generation": text, "tools": tools or None})
    given = message.get("role", message.get("from", message.get("type")))
    if given == "function_call":
        return TOOL_CALL_NAME, {}
    return (OTHER_NAME, drop_nulls({"role": given, "text": text})) if role == "other" else (TOOL_NAME, {})


def _called_tools(message: Row) -> list[str]:
    """Names of the tools that a message calls."""
    calls = message.get("tool_calls")
    single = message.get("function_call")
    functions = [call.get("function") for call in calls if isinstance(call, Mapping)] if isinstance(calls, list) else []
    names = [function.get("name") for function in (*functions, single) if isinstance(function, Mapping)]
    return [name for name in names if isinstance(name, str)]


def _part_values(content: object, key: str, *types: str) -> list[str]:
    """Strings under a key of the parts that have one of these types."""
    parts = [part for part in content if isinstance(part, Mapping)] if isinstance(content, list) else []
    found = [part.get(key) for part in parts if part.get("type") in types]
    return [value for value in found if isinstance(value, str)]


def _message_metadata(message: Row, chat: Conversation) -> dict[str, Any]:
    used = {path for paths in (chat.message_at, chat.message_id, chat.text) for path in paths}
    return drop_nulls({key: value for key, value in message.items() if key not in _RESERVED_KEYS | used})


def _derive_session_id(shared: dict[str, Any], messages: Sequence[object]) -> str:
    """Session id for a conversation without one: a hash of its content, the same in every run."""
    texts = [text for message in messages if isinstance(message, Mapping) for text in _role_and_text(message)]
    at = shared["event_at"].isoformat() if shared["event_at"] else None
    return f"chat-{hash_texts(shared['user_id'], at, *texts)}"


def _role_and_text(message: Row) -> tuple[str, str]:
    return str(message_role(message)), content_text(message_content(message)) or ""
