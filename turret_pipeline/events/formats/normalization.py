"""Rows of products that keep a conversation as a tree, or one message a row, as rows of plain conversations."""

import contextlib
import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import orjson

from turret_pipeline.events.formats.content import FILE, IMAGE
from turret_pipeline.events.formats.event import Rejection
from turret_pipeline.events.formats.extraction import hash_texts
from turret_pipeline.events.formats.format import Conversation
from turret_pipeline.events.formats.message import SYSTEM, TOOL, read_message
from turret_pipeline.events.formats.row_values import Row, drop_nulls, first_value, parse_time

_ANSWER_FIELDS = (
    *("model", "input_tokens", "output_tokens", "cost_usd", "latency_seconds", "finish_reason", "is_error"),
    *("rating", "feedback_reason", "feedback_comment"),
)
NORMALIZED_CHAT = Conversation(("messages",), generation_fields={name: (name,) for name in _ANSWER_FIELDS})
"""Messages under the keys that ``normalize`` functions give them: id, role, content, created_at, answer facts."""

_IMAGE_ENDINGS = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".heic", ".svg")
_TIMES = ("created_at", "create_time", "createdAt", "timestamp")
_NUMBERS: Mapping[str, Callable[[str], float]] = {"$numberInt": int, "$numberLong": int, "$numberDouble": float}
_WRAPPERS = frozenset(("$oid", "$date", *_NUMBERS))
_NO_TIME = dt.datetime.min.replace(tzinfo=dt.UTC)


def objects_in(values: object) -> list[Mapping[str, Any]]:
    """The objects of an array, or of an object's values; none of any other value."""
    found: Iterable[object] = values.values() if isinstance(values, Mapping) else ()
    found = values if isinstance(values, list | tuple) else found
    return [value for value in found if isinstance(value, Mapping)]


def object_at(row: Row, key: str) -> Row:
    """The object under a key, or an empty one."""
    value = row.get(key)
    return value if isinstance(value, Mapping) else {}


def select_branch(messages: Sequence[Row], leaf: object, *, id_key: str, parent_key: str) -> list[Row]:
    """Messages from the root of a tree to a leaf: what the user sees of a chat with edited or regenerated messages.

    Without a leaf among them, it is the latest message that has no answer. Messages that form no tree are all returned.
    """
    by_id = {key: message for message in messages if isinstance(key := message.get(id_key), str)}
    parents = {key for message in messages if isinstance(key := message.get(parent_key), str)}
    if not parents & by_id.keys():
        return list(messages)
    node = by_id.get(leaf) if isinstance(leaf, str) else None
    if node is None:
        leaves = [message for key, message in by_id.items() if key not in parents]
        node = max(reversed(leaves), key=_time_of, default=None)
    branch = list[Row]()
    while node is not None and len(branch) < len(messages):
        branch.append(node)
        parent = node.get(parent_key)
        node = by_id.get(parent) if isinstance(parent, str) else None
    return branch[::-1]


def name_files(*files: object) -> list[str]:
    """A line for each file of a message: its name and its text are not what the person wrote."""
    return [IMAGE if _is_image(file) else FILE for values in files for file in objects_in(values)]


def keep_events(messages: Iterable[Row]) -> list[Row]:
    """Messages that have a text or call a tool, that failed, or that hold the result of a tool."""
    return [message for message in messages if _has_event(message) or message.get("role") == TOOL]


def require_event(message: Row) -> Row:
    """The only message of a row, with an id. Raises Rejection if it becomes no event."""
    found = read_message(message)
    if found is None or not _has_event(message):
        problem = "The row has neither a text that a person or a model wrote nor the call of a tool"
        raise Rejection("not_an_event", f"{problem}: only such rows are events.")
    if message.get("id"):
        return message
    at = message.get("created_at")
    own = hash_texts(found.role, found.content.text, *(call.name for call in found.content.calls))
    return {**message, "id": f"{at}-{own}" if isinstance(at, str | int | float) else own}


def load_content(value: object) -> object:
    """Text or parts of a message from a database, which may have them as JSON: a text has quotes then."""
    if isinstance(value, str) and value[:1] in {'"', "["}:
        with contextlib.suppress(orjson.JSONDecodeError):
            loaded = orjson.loads(value)
            return loaded if isinstance(loaded, str) or objects_in(loaded) == loaded else value
    return value


def to_boolean(value: object) -> object:
    """The boolean that a CSV file holds as a word; any other value unchanged."""
    words = {"true": True, "1": True, "false": False, "0": False}
    return words.get(value.lower(), value) if isinstance(value, str) else value


def unwrap_extended_json(document: Row) -> dict[str, Any]:
    """A document of MongoDB with plain values in place of those of extended JSON: {"$oid": "a"} is "a"."""
    return {key: _unwrap_value(value) for key, value in document.items()}


def _unwrap_value(value: object) -> object:
    if not isinstance(value, Mapping) or len(value) != 1 or (key := next(iter(value))) not in _WRAPPERS:
        return value
    inner = value[key]
    if key == "$date" and isinstance(inner, Mapping):  # {"$date": {"$numberLong": "1772442900000"}}
        return _unwrap_value(inner)
    if isinstance(inner, str) and key in _NUMBERS:
        with contextlib.suppress(ValueError):
            return _NUMBERS[key](inner)
    return inner


def _has_event(message: Row) -> bool:
    found = read_message(message)
    if found is None or found.role in {SYSTEM, TOOL}:
        return False
    return found.content.text is not None or bool(found.content.calls) or message.get("is_error") is True


def _time_of(message: Row) -> dt.datetime:
    with contextlib.suppress(Rejection):
        return parse_time(*first_value(message, _TIMES))[0] or _NO_TIME
    return _NO_TIME


def _is_image(file: Row) -> bool:
    kinds = [file.get(key) for key in ("file_kind", "type", "mime_type", "mimeType", "contentType", "content_type")]
    names = [file.get(key) for key in ("file_name", "name", "filename")]
    return any(isinstance(kind, str) and kind.lower().startswith("image") for kind in kinds) or any(
        isinstance(name, str) and name.lower().endswith(_IMAGE_ENDINGS) for name in names
    )


def pick(source: Row, **keys: tuple[str, ...]) -> dict[str, Any]:
    """The values at paths, under names of their own, without nulls."""
    return drop_nulls({name: first_value(source, paths)[1] for name, paths in keys.items()})
