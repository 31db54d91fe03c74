"""Conversion of an array of messages to a session of events."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from turret_pipeline.events.formats.content import ToolCall
from turret_pipeline.events.formats.event import Event, Rejection
from turret_pipeline.events.formats.exchanges import GENERATION_NAME, PROMPT_NAME
from turret_pipeline.events.formats.extraction import extract_columns, extract_fields, extract_metadata, hash_texts
from turret_pipeline.events.formats.format import Conversation, Format
from turret_pipeline.events.formats.message import OTHER, SYSTEM, TOOL, USER, Message, read_message
from turret_pipeline.events.formats.row_values import (
    Row,
    drop_nulls,
    drop_paths,
    first_value,
    parse_identifier,
    parse_time,
    type_name,
)
from turret_pipeline.events.formats.times import read_nanosecond
from turret_pipeline.events.formats.tools import add_tool_events, name_call

OTHER_NAME = "Other message"
_RESERVED_KEYS = frozenset(
    "role from author sender speaker type kind content contents value parts text refusal metadata tool_calls toolCalls "
    "toolInvocations function_call tool_call_id call_id arguments output annotations experimental_attachments".split()
)
"""Keys of a message that are not metadata: they are parsed, or belong to tool calls."""


@dataclass(frozen=True)
class _TimedMessage:
    """A message with the time of its event."""

    number: int
    message: Message
    at: dt.datetime | None
    nanosecond: int
    is_zone_assumed: bool


def parse_conversation(row: Row, spec: Format, chat: Conversation) -> list[Event]:
    """Events of the messages of the user and of the model and of tool calls, all in one session. Raises Rejection.

    System messages are instructions, so they are no events; the answer of a tool belongs to its call.
    """
    path, messages = first_value(row, chat.messages)
    if not isinstance(messages, list | tuple):
        raise Rejection("invalid_messages", f"{path} is {type_name(messages)}: it must be an array of messages.")
    shared, used = extract_columns(row, spec)
    metadata = extract_metadata(row, spec, [*used, path])
    read = [_read_message(path, place, message, chat) for place, message in enumerate(messages)]
    shared["session_id"] = shared["session_id"] or _derive_session_id(shared, read)
    timed = list(_add_times(read, spec, chat, shared))
    results = _find_results(timed)
    events = [event for item in timed for event in _build_events(item, shared, metadata, chat, results)]
    if not events:
        raise Rejection("no_messages", f"{path} has no user or assistant message: at least one is needed.")
    return events


def _read_message(path: str, place: int, source: object, chat: Conversation) -> Message | None:
    """The message, or None for an item without an author, if the format allows such items. Raises Rejection."""
    message = read_message(source, chat.author) if isinstance(source, Mapping) else None
    if message is not None or (chat.skips_other_roles and isinstance(source, Mapping)):
        return message
    problem = "has no role" if isinstance(source, Mapping) else f"is {type_name(source)}"
    reason = f"{path}[{place}] {problem}: it must be an object with a role and a content."
    raise Rejection("invalid_message", reason)


def _add_times(
    messages: Sequence[Message | None], spec: Format, chat: Conversation, shared: Mapping[str, Any]
) -> Iterator[_TimedMessage]:
    """Messages that are not instructions, with their own time, or else that of the previous one or of the row."""
    at, nanosecond, is_zone_assumed = shared["event_at"], shared["nanosecond"], shared["is_zone_assumed"]
    skipped = {SYSTEM, OTHER} if chat.skips_other_roles else {SYSTEM}
    for number, message in enumerate(messages, start=1):
        if message is not None and message.role not in skipped:
            path, value = first_value(message.source, chat.message_at)
            own_at, is_assumed = parse_time(path, value, spec.time_zone)
            if own_at is not None:
                at, nanosecond, is_zone_assumed = own_at, read_nanosecond(value), is_assumed
            merged = replace(message, source=_merge_metadata(message.source))
            yield _TimedMessage(number, merged, at, nanosecond, is_zone_assumed)


def _merge_metadata(source: Row) -> Row:
    """A message with the keys of its metadata beside its own."""
    inner = source.get("metadata")
    return {**inner, **source} if isinstance(inner, Mapping) else source


_Results = Mapping[str, tuple[bool | None, dt.datetime | None]]
"""By the id of a tool call: whether it failed, and when its result came."""


def _find_results(timed: Sequence[_TimedMessage]) -> _Results:
    return {key: (failed, item.at) for item in timed for key, failed in item.message.content.results.items() if key}


def _build_events(
    item: _TimedMessage, shared: dict[str, Any], metadata: dict[str, Any], chat: Conversation, results: _Results
) -> list[Event]:
    """The event of a message and those of its tool calls; none for the result of a tool."""
    message = item.message
    own_id = parse_identifier("event_id", *first_value(message.source, chat.message_id))
    own_id = own_id or f"{item.number}-{hash_texts(message.role, message.content.text or '')}"
    template = Event(
        **{
            **shared,
            "event_id": f"{shared['session_id']}-{own_id}",
            "event_name": OTHER_NAME,
            "event_at": item.at,
            "nanosecond": item.nanosecond,
            "is_zone_assumed": item.is_zone_assumed,
            "metadata": {**metadata, **_message_metadata(message.source, chat)},
        }
    )
    calls = [_add_result(call, item.at, results) for call in message.content.calls]
    answer = [_build_message_event(template, message, chat)] if _is_event(message) else []
    return add_tool_events(
        answer, calls, template, lambda call, number: f"{template.event_id}-tool-{name_call(call, number)}"
    )


def _is_event(message: Message) -> bool:
    """False for a message that only calls tools or only holds their results."""
    content = message.content
    return content.text is not None or not (message.role == TOOL or content.calls or content.results)


def _build_message_event(template: Event, message: Message, chat: Conversation) -> Event:
    text = message.content.text
    if message.role == OTHER:
        own = {"role": message.given_role, "text": text}
        return replace(template, metadata={**template.metadata, **drop_nulls(own)})
    is_prompt = message.role == USER
    name, part, fields = (
        (PROMPT_NAME, "prompt", chat.prompt_fields)
        if is_prompt
        else (GENERATION_NAME, "generation", chat.generation_fields)
    )
    tools = [call.name for call in message.content.calls] or None
    own = drop_nulls({**extract_fields(message.source, fields), part: text, "tools": tools})
    user = parse_identifier("user_id", *first_value(message.source, chat.message_user)) if is_prompt else None
    return replace(
        template,
        event_name=name,
        user_id=user or template.user_id,
        metadata={**template.metadata, **own},
        is_textless=text is None,
    )


def _add_result(call: ToolCall, called_at: dt.datetime | None, results: _Results) -> ToolCall:
    """The call with the outcome and the seconds that the message with its result tells."""
    if call.call_id is None or call.call_id not in results:
        return call
    is_error, ended_at = results[call.call_id]
    seconds = (ended_at - called_at).total_seconds() if ended_at is not None and called_at is not None else None
    latency = seconds if seconds is not None and seconds > 0 else call.latency_seconds
    return replace(call, is_error=call.is_error if is_error is None else is_error, latency_seconds=latency)


def _message_metadata(message: Row, chat: Conversation) -> dict[str, Any]:
    own = (*chat.message_at, *chat.message_id, *chat.author, *chat.message_user, *chat.drop)
    fields = (path for paths in (*chat.prompt_fields.values(), *chat.generation_fields.values()) for path in paths)
    left = drop_paths(message, [*own, *fields])
    return drop_nulls({key: value for key, value in left.items() if key not in _RESERVED_KEYS})


def _derive_session_id(shared: dict[str, Any], messages: Sequence[Message | None]) -> str:
    """Session id for a conversation without one: a hash of its content, the same in every run."""
    texts = [text for message in messages if message for text in (message.role, message.content.text or "")]
    at = shared["event_at"].isoformat() if shared["event_at"] else None
    return f"chat-{hash_texts(shared['user_id'], at, *texts)}"
