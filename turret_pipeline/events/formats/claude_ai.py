"""Format of conversations in a data export of Claude (``conversations.json``).

Anthropic publishes no schema: "How can I export my Claude data?" in its help centre names the file. Newer exports hold
all branches of a conversation, with the id of the message before each one.
"""

import contextlib
import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from turret_pipeline.events.formats.event import Rejection
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
from turret_pipeline.events.formats.row_values import Row, parse_time

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
    return [*files, _add_latencies(objects_in(blocks)) if has_blocks else message.get("text")]


def _add_latencies(blocks: Sequence[Row]) -> list[Row]:
    """The blocks, those that call a tool with the seconds until its result was complete."""
    ended = {block.get("tool_use_id"): _read_stop(block) for block in blocks if block.get("tool_use_id")}
    return [{**block, "latency_seconds": _seconds_until(block, ended.get(block.get("id")))} for block in blocks]


def _seconds_until(block: Row, ended_at: dt.datetime | None) -> float | None:
    called_at = _read_stop(block)
    return None if called_at is None or ended_at is None else (ended_at - called_at).total_seconds()


def _read_stop(block: Row) -> dt.datetime | None:
    """Time at which a block was complete; None if it has none that can be read."""
    with contextlib.suppress(Rejection):
        return parse_time("stop_timestamp", block.get("stop_timestamp"))[0]
    return None


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
