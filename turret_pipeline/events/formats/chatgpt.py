"""Format of conversations in a data export of ChatGPT (``conversations.json``).

OpenAI publishes no schema: "How do I export my ChatGPT history and data?" in its help centre names the file. A
conversation is a tree, in which edited prompts and regenerated answers are branches, and ``current_node`` is the end
of the branch that the user saw last.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from turret_pipeline.events.formats.content import FILE
from turret_pipeline.events.formats.format import Columns, Format, Shape, is_among
from turret_pipeline.events.formats.message import ASSISTANT, TOOL, USER
from turret_pipeline.events.formats.normalization import (
    NORMALIZED_CHAT,
    keep_events,
    name_files,
    object_at,
    objects_in,
    pick,
    select_branch,
)
from turret_pipeline.events.formats.row_values import Row, lookup

_SEEN_BY_NOBODY = frozenset(
    "thoughts reasoning_recap user_editable_context model_editable_context system_error".split()
)
_AUTHORS = frozenset((USER, ASSISTANT))
_AUDIO = frozenset(("audio_asset_pointer", "real_time_user_audio_video_asset_pointer"))
_CITATION = re.compile("\ue200[^\ue201]*\ue201|【[^】]*†[^】]*】")
"""A reference to a source in an answer, which ChatGPT shows as a link."""


def _normalize(row: Row) -> Row:
    nodes = [{**node, "id": key} for key, node in object_at(row, "mapping").items() if isinstance(node, Mapping)]
    times = [{"create_time": lookup(node, "message.create_time"), **node} for node in nodes]
    branch = select_branch(times, row.get("current_node"), id_key="id", parent_key="parent")
    messages = list(_read_nodes(branch))
    return {**row, "messages": keep_events(messages)}


def _read_nodes(branch: list[Row]) -> Iterator[Row]:
    """Messages that the user saw, and the results of tools with the id of the call before them."""
    call_id: str | None = None
    for node in branch:
        message = object_at(node, "message")
        role = lookup(message, "author.role")
        own_id = message.get("id") or node["id"]
        shared = {"id": own_id, "role": role, "created_at": message.get("create_time")}
        if role == TOOL:
            yield {**shared, "tool_call_id": call_id, **_read_failure(message)}
        elif is_among(role, _AUTHORS) and _is_seen(message):
            tool = _recipient(message) if role == ASSISTANT else None
            if tool is not None:
                call_id = own_id
                yield {**shared, "tool_calls": [{"id": own_id, "name": tool}]}
            else:
                yield {**shared, "content": _read_content(message), **_read_facts(message)}


def _recipient(message: Row) -> str | None:
    """The tool that a message calls, or None if it is for the user."""
    recipient = message.get("recipient")
    return recipient if isinstance(recipient, str) and recipient not in ("", "all") else None


def _is_audio(part: object) -> bool:
    return isinstance(part, Mapping) and is_among(part.get("content_type"), _AUDIO)


def _is_seen(message: Row) -> bool:
    """False for instructions and reasoning."""
    if message.get("weight") == 0 or lookup(message, "metadata.is_visually_hidden_from_conversation") is True:
        return False
    kind = lookup(message, "content.content_type")
    is_reasoning = message.get("channel") == "analysis" and not _recipient(message)
    return not is_reasoning and not is_among(kind, _SEEN_BY_NOBODY)


def _read_content(message: Row) -> list[Any]:
    content = object_at(message, "content")
    parts = content.get("parts")
    found = list(parts) if isinstance(parts, list) else [content]
    if any(part.get("content_type") == "audio_transcription" for part in objects_in(found)):
        found = [part for part in found if not _is_audio(part)]
    # images are parts too, other files are not
    files = [line for line in name_files(lookup(message, "metadata.attachments")) if line == FILE]
    return [*files, *(_CITATION.sub("", part) if isinstance(part, str) else part for part in found)]


def _read_facts(message: Row) -> dict[str, Any]:
    if lookup(message, "author.role") != ASSISTANT:
        return {}
    return pick(message, model=("metadata.model_slug",), finish_reason=("metadata.finish_details.type",))


def _read_failure(message: Row) -> dict[str, bool]:
    status = lookup(message, "metadata.aggregate_result.status")
    has_failed = isinstance(status, str) and status.startswith("failed")
    return {"is_error": True} if has_failed or lookup(message, "content.content_type") == "system_error" else {}


CHATGPT = Format(
    name="chatgpt",
    title="conversation of a ChatGPT data export",
    shape=Shape(
        "`mapping`, an object with the nodes of a tree of messages, and `current_node` or `create_time`",
        required=(("current_node", "create_time"),),
        objects=("mapping",),
    ),
    columns=Columns(
        session_id=("conversation_id", "id"),
        user_id=("user_id",),
        event_at=("create_time", "update_time"),
    ),
    becomes="a session with an event for each message and call of a tool of the branch that ends at `current_node`",
    conversation=NORMALIZED_CHAT,
    fields={"title": ("title",), "gizmo_id": ("gizmo_id",)},
    keeps_rest=False,
    json_columns=("mapping",),
    normalize=_normalize,
    example={
        "title": "Password",
        "create_time": 1772442900.5,
        "mapping": {
            "n-0": {"id": "n-0", "parent": None, "children": ["n-1"], "message": None},
            "n-1": {
                "id": "n-1",
                "parent": "n-0",
                "children": ["n-2"],
                "message": {
                    "id": "n-1",
                    "author": {"role": "user"},
                    "create_time": 1772442900.5,
                    "content": {"content_type": "text", "parts": ["How do I reset my password?"]},
                },
            },
            "n-2": {
                "id": "n-2",
                "parent": "n-1",
                "children": [],
                "message": {
                    "id": "n-2",
                    "author": {"role": "assistant"},
                    "create_time": 1772442904.25,
                    "content": {"content_type": "text", "parts": ["Open Settings and choose Reset."]},
                    "metadata": {"model_slug": "small-1"},
                    "recipient": "all",
                },
            },
        },
        "current_node": "n-2",
        "conversation_id": "c-1",
    },
)
