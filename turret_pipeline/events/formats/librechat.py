"""Formats of LibreChat: conversations that people export, and documents of its collection ``messages``.

They follow ``useExportConversation`` and ``messageSchema`` of LibreChat. An export is an array of messages, or a tree
of them with ``children``. Documents of MongoDB may be extended JSON.
"""

import re
from collections.abc import Iterator
from typing import Any

from turret_pipeline.events.formats.content import read_content
from turret_pipeline.events.formats.event import Rejection
from turret_pipeline.events.formats.format import Columns, Format, Shape
from turret_pipeline.events.formats.message import ASSISTANT, USER
from turret_pipeline.events.formats.normalization import (
    NORMALIZED_CHAT,
    keep_events,
    name_files,
    object_at,
    objects_in,
    pick,
    require_event,
    select_branch,
    to_boolean,
    unwrap_extended_json,
)
from turret_pipeline.events.formats.row_values import Row

_THINKING = re.compile(r":::thinking.*?:::\s*", re.DOTALL)
_FACTS: dict[str, tuple[str, ...]] = {
    "model": ("model",),
    "output_tokens": ("tokenCount",),
    "finish_reason": ("finish_reason",),
    "rating": ("feedback.rating",),
    "feedback_reason": ("feedback.tag.key", "feedback.tag"),
    "feedback_comment": ("feedback.text",),
}


def _normalize_conversation(row: Row) -> Row:
    row = unwrap_extended_json(row)
    key = "messagesTree" if "messagesTree" in row else "messages"
    messages = [message for message in _flatten(row.get(key)) if "isCreatedByUser" in message]
    if row.get(key) and not messages:
        reason = f"{key} has only ids: the messages themselves are documents of the collection messages."
        raise Rejection("not_an_event", reason)
    branch = select_branch(messages, None, id_key="messageId", parent_key="parentMessageId")
    model = object_at(row, "options").get("model")
    if not row.get("user"):
        row = {**row, "user": next((message["user"] for message in messages if message.get("user")), None)}
    return {**row, "messages": keep_events(_read_message(message, model) for message in branch)}


def _normalize_message(row: Row) -> Row:
    row = unwrap_extended_json(row)
    if not row.get("children"):
        return {**row, "messages": [require_event(_read_message(row))]}
    branch = select_branch(list(_flatten([row])), None, id_key="messageId", parent_key="parentMessageId")
    return {**row, "messages": keep_events(map(_read_message, branch))}


def _flatten(values: object) -> Iterator[Row]:
    """Messages of a tree, parents before their children."""
    waiting = objects_in(values)[::-1]
    while waiting:
        message = unwrap_extended_json(waiting.pop())
        yield message
        parent = {"parentMessageId": message.get("messageId")}
        waiting += [{**parent, **child} for child in reversed(objects_in(message.get("children")))]


def _read_message(message: Row, model: object = None) -> Row:
    is_prompt = to_boolean(message.get("isCreatedByUser")) is True
    shared = {
        "id": message.get("messageId"),
        "role": USER if is_prompt else ASSISTANT,
        "created_at": message.get("createdAt"),
    }
    if is_prompt:
        return {**shared, "content": [*name_files(message.get("files")), message.get("text") or message.get("content")]}
    facts = pick({"model": model, **_drop_empty_model(message)}, **_FACTS)
    if to_boolean(message.get("error")) is True:  # the text is that of the error
        return {**shared, **facts, "is_error": True}
    return {**shared, "content": _read_answer(message), **facts}


def _drop_empty_model(message: Row) -> Row:
    return message if message.get("model") else {key: value for key, value in message.items() if key != "model"}


def _read_answer(message: Row) -> list[Any]:
    """Parts of an answer, and its text if they have none."""
    parts, text = message.get("content"), message.get("text")
    if isinstance(text, str):
        text = _THINKING.sub("", text)
    has_text = bool(parts) and read_content(parts, is_answer=True).text is not None
    return [parts] if has_text else [parts, text]


LIBRECHAT_CONVERSATION = Format(
    name="librechat_conversation",
    title="LibreChat conversation",
    shape=Shape(
        "`conversationId`, `endpoint`, and `messages` or `messagesTree`, an array",
        required=(("conversationId",), ("endpoint",)),
        arrays=("messages", "messagesTree"),
    ),
    columns=Columns(session_id=("conversationId",), user_id=("user",), event_at=("createdAt", "updatedAt")),
    becomes="a session with an event for each message and each call of a tool; of several branches, only the latest",
    conversation=NORMALIZED_CHAT,
    fields={"title": ("title",), "endpoint": ("endpoint",)},
    keeps_rest=False,
    json_columns=("messages", "messagesTree", "options"),
    normalize=_normalize_conversation,
    example={
        "conversationId": "c-1",
        "endpoint": "openAI",
        "title": "Password",
        "exportAt": "09:20:00 GMT+0000",
        "branches": False,
        "recursive": False,
        "messages": [
            {
                "messageId": "m-1",
                "parentMessageId": "00000000-0000-0000-0000-000000000000",
                "sender": "User",
                "text": "How do I reset my password?",
                "isCreatedByUser": True,
                "createdAt": "2026-03-02T09:15:00.000Z",
            },
            {
                "messageId": "m-2",
                "parentMessageId": "m-1",
                "sender": "Small",
                "model": "small-1",
                "text": "Open Settings and choose Reset.",
                "isCreatedByUser": False,
                "createdAt": "2026-03-02T09:15:04.000Z",
            },
        ],
    },
)

LIBRECHAT_MESSAGE = Format(
    name="librechat_message",
    title="LibreChat message",
    shape=Shape(
        "`messageId` and `isCreatedByUser`, and `text` or `content`",
        required=(("messageId",), ("isCreatedByUser",), ("text", "content")),
    ),
    columns=Columns(session_id=("conversationId",), user_id=("user",), event_at=("createdAt", "updatedAt")),
    becomes="one event, and one for each call of a tool in it; with `children`, the latest branch of their tree",
    conversation=NORMALIZED_CHAT,
    fields={"endpoint": ("endpoint",)},
    keeps_rest=False,
    json_columns=("content", "files", "feedback", "createdAt", "updatedAt", "user", "children"),
    normalize=_normalize_message,
    example={
        "_id": {"$oid": "65f0c0ffee65f0c0ffee65f0"},
        "messageId": "m-1",
        "conversationId": "c-1",
        "parentMessageId": "00000000-0000-0000-0000-000000000000",
        "user": "u-1",
        "sender": "User",
        "text": "How do I reset my password?",
        "isCreatedByUser": True,
        "createdAt": {"$date": "2026-03-02T09:15:00.000Z"},
    },
)
