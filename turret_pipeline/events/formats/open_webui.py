"""Formats of Open WebUI: chats that it exports, and rows of its tables ``chat``, ``chat_message`` and ``feedback``.

They follow its database models ``Chat``, ``ChatMessage`` and ``Feedback``. A chat is a tree, in which edited prompts
and regenerated answers are branches; ``currentId`` is the end of the one that the user saw last. Reasoning, code and
calls of tools are HTML elements in the text of an answer.
"""

import html
import re
from collections.abc import Mapping
from typing import Any

from turret_pipeline.events.formats.format import Columns, Format, Shape
from turret_pipeline.events.formats.message import ASSISTANT
from turret_pipeline.events.formats.normalization import (
    NORMALIZED_CHAT,
    keep_events,
    load_content,
    name_files,
    object_at,
    objects_in,
    pick,
    require_event,
    select_branch,
)
from turret_pipeline.events.formats.row_values import Row, from_json, lookup

_DETAILS = re.compile(
    r"""<details\s+type="(?P<type>\w+)"(?P<attributes>(?:[^>"']|"[^"]*"|'[^']*')*)>.*?</details>\s*""", re.DOTALL
)
_ATTRIBUTE = re.compile(r"""\b(id|name|error)=(?:"([^"]*)"|'([^']*)')""")
_FILES = frozenset(("image", "file", "doc", "collection"))
_FACTS: dict[str, tuple[str, ...]] = {
    "model": ("model", "model_id"),
    "input_tokens": (
        *("usage.input_tokens", "usage.prompt_tokens", "usage.prompt_eval_count", "info.usage.input_tokens"),
        *("info.usage.prompt_tokens", "info.prompt_tokens", "info.prompt_eval_count"),
    ),
    "output_tokens": (
        *("usage.output_tokens", "usage.completion_tokens", "usage.eval_count", "info.usage.output_tokens"),
        *("info.usage.completion_tokens", "info.completion_tokens", "info.eval_count"),
    ),
    "cost_usd": ("usage.cost", "info.usage.cost"),
    "rating": ("annotation.rating",),
    "feedback_reason": ("annotation.reason",),
    "feedback_comment": ("annotation.comment",),
}


def _normalize_chat(row: Row) -> Row:
    chat = object_at(row, "chat") or row
    history = object_at(chat, "history")
    branch = select_branch(
        objects_in(history.get("messages")) or objects_in(chat.get("messages")),
        history.get("currentId") or history.get("current_id"),
        id_key="id",
        parent_key="parentId",
    )
    tags = lookup(row, "meta.tags") or chat.get("tags") or None
    return {**row, "chat": chat, "tags": tags, "messages": keep_events(map(_read_message, branch))}


def _normalize_message(row: Row) -> Row:
    chat_id, own_id = row.get("chat_id"), row.get("id")
    if isinstance(own_id, str) and isinstance(
        chat_id, str
    ):  # the table puts the id of the chat before that of the message
        own_id = own_id.removeprefix(f"{chat_id}-")
    message = {**row, "id": own_id, "content": load_content(row.get("content"))}
    return {**row, "messages": [require_event(_read_message(message))]}


def _read_message(message: Row) -> Row:
    role = message.get("role")
    at = message.get("timestamp") or message.get("created_at")
    shared = {"id": message.get("id"), "role": role, "created_at": at}
    files = [file for file in objects_in(message.get("files")) if _kind_of(file) in _FILES]
    content = [*name_files(files), message.get("content")]
    if role != ASSISTANT:
        return {**shared, "content": content}
    text, calls = _read_answer(message)
    facts = pick(message, **_FACTS) | ({"is_error": True} if message.get("error") else {})
    return {**shared, "content": [*calls, *name_files(files), text], **facts}


def _kind_of(file: Row) -> str:
    kind = file.get("type")
    return kind.partition("/")[0] if isinstance(kind, str) else ""


def _read_answer(message: Row) -> tuple[object, list[Row]]:
    """The content of an answer without the elements that are no text of it, and the tools that these call."""
    content = message.get("content")
    calls = list[Row]()
    if isinstance(content, str):
        calls = [
            _read_call(found["attributes"]) for found in _DETAILS.finditer(content) if found["type"] == "tool_calls"
        ]
        content = _DETAILS.sub("", content)
    if not calls:
        items = objects_in(message.get("output"))
        calls = [item for item in items if item.get("type") in {"function_call", "function_call_output"}]
    return content, calls


def _read_call(attributes: str) -> Row:
    values = {found[1]: html.unescape(found[2] or found[3] or "") for found in _ATTRIBUTE.finditer(attributes)}
    outcome = {"is_error": True} if values.get("error") == "true" else {}
    return {"type": "tool_call", "id": values.get("id"), "name": values.get("name"), **outcome}


def _is_chat(row: Row) -> bool:
    """True for a chat of an export, a row of the table ``chat``, and a chat that was taken out of its row."""
    chat = from_json(row.get("chat")) if "chat" in row else row
    if not isinstance(chat, Mapping):
        return False
    has_list = isinstance(chat.get("messages"), list)
    is_wrapped = "chat" in row and any(key in row for key in ("share_id", "archived", "pinned", "folder_id"))
    return isinstance(lookup(chat, "history.messages"), Mapping) or (is_wrapped and has_list)


_SHARED: dict[str, Any] = {"conversation": NORMALIZED_CHAT, "keeps_rest": False}
_MESSAGES: list[dict[str, Any]] = [
    {
        "id": "m-1",
        "parentId": None,
        "childrenIds": ["m-2"],
        "role": "user",
        "content": "How do I reset my password?",
        "timestamp": 1772442900,
    },
    {
        "id": "m-2",
        "parentId": "m-1",
        "childrenIds": [],
        "role": "assistant",
        "content": "Open Settings and choose Reset.",
        "model": "small-1",
        "timestamp": 1772442904,
    },
]

OPEN_WEBUI_CHAT = Format(
    name="open_webui_chat",
    title="Open WebUI chat",
    shape=Shape(
        "`chat`, an object with `history.messages`, or with `messages` beside `archived`; or such a chat itself",
        test=_is_chat,
    ),
    columns=Columns(
        session_id=("id", "chat.id"),
        user_id=("user_id",),
        event_at=("created_at", "chat.timestamp", "timestamp", "updated_at"),
    ),
    becomes="a session with an event for each message and each call of a tool of the branch that ends at `currentId`",
    fields={"title": ("title", "chat.title"), "folder_id": ("folder_id",), "tags": ("tags",)},
    json_columns=("chat", "history", "messages", "meta"),
    normalize=_normalize_chat,
    example={
        "id": "c-1",
        "user_id": "u-1",
        "title": "Password",
        "chat": {
            "title": "Password",
            "models": ["small-1"],
            "history": {"messages": {message["id"]: message for message in _MESSAGES}, "currentId": "m-2"},
            "messages": _MESSAGES,
        },
        "created_at": 1772442900,
        "updated_at": 1772442904,
        "share_id": None,
        "archived": False,
    },
    **_SHARED,
)

OPEN_WEBUI_MESSAGE = Format(
    name="open_webui_message",
    title="Open WebUI message",
    shape=Shape(
        "`chat_id`, `role`, `content`, `parent_id` and `model_id`",
        required=(("chat_id",), ("role",), ("content",), ("parent_id",), ("model_id",)),
    ),
    columns=Columns(session_id=("chat_id",), user_id=("user_id",), event_at=("created_at",)),
    becomes="one event, and one for each call of a tool in it",
    json_columns=("output", "files", "usage", "error", "meta"),
    normalize=_normalize_message,
    example={
        "id": "c-1-m-1",
        "chat_id": "c-1",
        "user_id": "u-1",
        "role": "user",
        "parent_id": None,
        "content": "How do I reset my password?",
        "model_id": None,
        "created_at": 1772442900,
    },
    **_SHARED,
)

OPEN_WEBUI_FEEDBACK = Format(
    name="open_webui_feedback",
    title="Open WebUI feedback",
    shape=Shape(
        "`type`, `data`, an object, `meta`, `snapshot` and `version`",
        required=(("type",), ("meta",), ("snapshot",), ("version",)),
        objects=("data",),
    ),
    columns=Columns(
        event_id=("id",),
        event_name=("=feedback_given",),
        session_id=("meta.chat_id",),
        user_id=("user_id",),
        event_at=("created_at", "updated_at"),
    ),
    fields={
        "rating": ("data.rating",),
        "feedback_reason": ("data.reason",),
        "feedback_comment": ("data.comment",),
        "tags": ("data.tags",),
        "model": ("data.model_id", "meta.model_id"),
        "message_id": ("meta.message_id",),
    },
    keeps_rest=False,
    json_columns=("data", "meta"),
    example={
        "id": "f-1",
        "user_id": "u-1",
        "version": 0,
        "type": "rating",
        "data": {"rating": -1, "model_id": "small-1", "reason": "not_helpful", "comment": "", "tags": ["Account"]},
        "meta": {"chat_id": "c-1", "message_id": "m-2"},
        "snapshot": None,
        "created_at": 1772442910,
        "updated_at": 1772442910,
    },
)
