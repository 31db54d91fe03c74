"""An array of messages to a session of events."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from turret_pipeline.events.formats import columns as read
from turret_pipeline.events.formats.columns import Row, spoken, told
from turret_pipeline.events.formats.event import Event, Rejection
from turret_pipeline.events.formats.exchanges import GENERATION_NAME, PROMPT_NAME
from turret_pipeline.events.formats.extraction import columns_of, digest, metadata_of
from turret_pipeline.events.formats.table import Conversation, Format
from turret_pipeline.events.formats.texts import ASSISTANT, SYSTEM, USER, content_of, role_of, text_of

TOOL_NAME, TOOL_CALL_NAME, OTHER_NAME = "Tool message", "Tool call", "Other message"
_OWN = {
    *("role", "from", "author", "type", "content", "value", "parts", "text"),
    *("tool_calls", "function_call", "tool_call_id", "call_id", "arguments", "output"),
}
"""Keys of a message that are not metadata: what is read, and what belongs to the calls of tools."""


def messages_of(row: Row, table: Format, chat: Conversation) -> list[Event]:
    """An event for each message that is no instruction of the system, all in one session.

    What a tool answers is no text of a person or of the model: such a message is an event without it.
    """
    path, messages = spoken(row, chat.messages)
    if not isinstance(messages, list | tuple):
        raise Rejection("invalid_messages", f"{path} is {read.kind(messages)}: it must be an array of messages.")
    shared, used = columns_of(row, table)
    metadata = metadata_of(row, table, [*used, path])
    shared["session_id"] = shared["session_id"] or _session_of(shared, messages)
    events = list(_events(shared, metadata, path, messages, chat))
    if not events:
        raise Rejection("no_messages", f"{path} has no message of a user, an assistant or a tool: there is no event.")
    return events


def _events(
    shared: dict[str, Any], metadata: dict[str, Any], path: str, messages: Sequence[object], chat: Conversation
) -> Iterator[Event]:
    at, is_zone_assumed = shared["event_at"], shared["is_zone_assumed"]
    for number, message in enumerate(messages, start=1):
        place = f"{path}[{number - 1}]"
        role = role_of(message) if isinstance(message, Mapping) else None
        if role is None or not isinstance(message, Mapping):
            what = "has no role" if isinstance(message, Mapping) else f"is {read.kind(message)}"
            raise Rejection("invalid_message", f"{place} {what}: it must be an object with a role and a content.")
        if role == SYSTEM:
            continue
        at, is_zone_assumed = _time_of(message, chat, at, is_zone_assumed)
        own_id = read.identifier("event_id", *spoken(message, chat.message_id))
        name, said = _said(message, role, spoken(message, chat.text)[1])
        kept = _rest_of(message, chat)
        own = {
            "event_id": f"{shared['session_id']}-{own_id or f'{number}-{digest(*_words(message))}'}",
            "event_at": at,
            "is_zone_assumed": is_zone_assumed,
        }
        yield Event(event_name=name, metadata={**metadata, **kept, **said}, **{**shared, **own})


def _time_of(
    message: Row, chat: Conversation, before: dt.datetime | None, was_assumed: bool
) -> tuple[dt.datetime | None, bool]:
    """The time of a message; without one, that of the message before it or of the conversation."""
    at, is_assumed = read.time(*spoken(message, chat.message_at))
    return (before, was_assumed) if at is None else (at, is_assumed)


def _said(message: Row, role: str, content: object) -> tuple[str, dict[str, Any]]:
    """The name of the event and what it says."""
    text, tools = text_of(content), [*_tools(message), *_parts(content, "name", "tool_use", "function", "tool_call")]
    if role == USER:
        is_answer = text is None and bool(_parts(content, "type", "tool_result"))
        return (TOOL_NAME, {}) if is_answer else (PROMPT_NAME, told({"prompt": text}))
    if role == ASSISTANT:
        is_call = text is None and bool(tools)
        return TOOL_CALL_NAME if is_call else GENERATION_NAME, told({"generation": text, "tools": tools or None})
    given = message.get("role", message.get("from", message.get("type")))
    if given == "function_call":
        return TOOL_CALL_NAME, {}
    return (OTHER_NAME, told({"role": given, "text": text})) if role == "other" else (TOOL_NAME, {})


def _tools(message: Row) -> list[str]:
    """The names of the tools that a message calls."""
    calls = message.get("tool_calls")
    one = message.get("function_call")
    functions = [call.get("function") for call in calls if isinstance(call, Mapping)] if isinstance(calls, list) else []
    names = [function.get("name") for function in (*functions, one) if isinstance(function, Mapping)]
    return [name for name in names if isinstance(name, str)]


def _parts(content: object, key: str, *types: str) -> list[str]:
    """What the parts of these types have under a key."""
    parts = [part for part in content if isinstance(part, Mapping)] if isinstance(content, list) else []
    found = [part.get(key) for part in parts if part.get("type") in types]
    return [value for value in found if isinstance(value, str)]


def _rest_of(message: Row, chat: Conversation) -> dict[str, Any]:
    used = {path for paths in (chat.message_at, chat.message_id, chat.text) for path in paths}
    return told({key: value for key, value in message.items() if key not in _OWN | used})


def _session_of(shared: dict[str, Any], messages: Sequence[object]) -> str:
    """A session of the conversation's content, for one that has no id: the same wherever it is read."""
    texts = [text for message in messages if isinstance(message, Mapping) for text in _words(message)]
    at = shared["event_at"].isoformat() if shared["event_at"] else None
    return f"chat-{digest(shared['user_id'], at, *texts)}"


def _words(message: Row) -> tuple[str, str]:
    return str(role_of(message)), text_of(content_of(message)) or ""
