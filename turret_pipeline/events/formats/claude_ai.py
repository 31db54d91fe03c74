"""Format of conversations in a data export of Claude (``conversations.json``).

Anthropic publishes no schema: "How can I export my Claude data?" in its help centre names the file. Newer exports hold
all branches of a conversation, with the id of the message before each one.
"""

from collections.abc import Mapping
from typing import Any

from turret_pipeline.events.formats.format import Columns, Format, Shape
from turret_pipeline.events.formats.message import ASSISTANT, USER
from turret_pipeline.events.formats.normalization import (
    NORMALIZED_CHAT,
    keep_events,
    name_files,
    objects_in,
    pick,
    select_branch,
)
from turret_pipeline.events.formats.row_values import Row

_ROLES = {"human": USER, "user": USER, "assistant": ASSISTANT}


def _normalize(row: Row) -> Row:
    messages = objects_in(row.get("chat_messages"))
    leaf = row.get("current_leaf_message_uuid")
    branch = select_branch(messages, leaf, id_key="uuid", parent_key="parent_message_uuid")
    return {**row, "messages": keep_events(_read_message(message, row) for message in branch)}


def _read_message(message: Row, row: Row) -> Row:
    sender = message.get("sender")
    role = _ROLES.get(sender) if isinstance(sender, str) else None
    facts: dict[str, Any] = {}
    if role == ASSISTANT:
        facts = pick({"conversation": row, **message}, model=("model", "conversation.model"))
        facts |= pick(message, finish_reason=("stop_reason",))
    shared = {"id": message.get("uuid"), "role": role, "created_at": message.get("created_at")}
    return {**shared, "content": _read_content(message), **facts}


def _read_content(message: Row) -> list[Any]:
    """Blocks of a message. Its attachments are named: their text is not what the person wrote."""
    blocks = message.get("content")
    has_blocks = isinstance(blocks, list) and any(isinstance(block, Mapping) for block in blocks)
    files = name_files(message.get("attachments"), message.get("files") or message.get("files_v2"))
    return [*files, blocks if has_blocks else message.get("text")]


CLAUDE_AI = Format(
    name="claude_ai",
    title="conversation of a Claude data export",
    shape=Shape("`chat_messages`, an array", arrays=("chat_messages",)),
    columns=Columns(session_id=("uuid",), user_id=("account.uuid", "user_id"), event_at=("created_at",)),
    becomes="a session with an event for each message and each call of a tool; of several branches, only the latest",
    conversation=NORMALIZED_CHAT,
    fields={"title": ("name",)},
    keeps_rest=False,
    json_columns=("chat_messages", "account"),
    normalize=_normalize,
    example={
        "uuid": "c-1",
        "name": "Password",
        "created_at": "2026-03-02T09:15:00.000000Z",
        "account": {"uuid": "u-1"},
        "chat_messages": [
            {
                "uuid": "m-1",
                "sender": "human",
                "text": "How do I reset my password?",
                "content": [{"type": "text", "text": "How do I reset my password?"}],
                "created_at": "2026-03-02T09:15:01.000000Z",
                "attachments": [],
                "files": [],
            },
            {
                "uuid": "m-2",
                "sender": "assistant",
                "text": "Open Settings and choose Reset.",
                "content": [{"type": "text", "text": "Open Settings and choose Reset."}],
                "created_at": "2026-03-02T09:15:05.000000Z",
                "attachments": [],
                "files": [],
            },
        ],
    },
)
