"""Messages of help desks in one shape, which the formats of help desks give to the engine of conversations."""

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from turret_pipeline.events.formats.call_fields import answer_fields, prompt_fields
from turret_pipeline.events.formats.content import FILE, IMAGE
from turret_pipeline.events.formats.format import Conversation
from turret_pipeline.events.formats.message import ASSISTANT, USER
from turret_pipeline.events.formats.row_values import Row, drop_nulls, first_value, from_json, parse_identifier

TALK = Conversation(
    messages=("messages",),
    message_at=("created_at",),
    message_id=("id",),
    author=("role",),
    message_user=("author_id",),
    prompt_fields=prompt_fields(""),
    generation_fields=answer_fields(""),
)
"""Conversation of the messages that ``build_message`` returns."""

_HIDDEN = re.compile(r"<(script|style|title)\b[^<>]*>[^<]*</\1\s*>|<!--[^<>]*-->", re.IGNORECASE)
_BREAK = re.compile(r"<(?:br|/p|/div|/li|/tr|/h[1-6]|/blockquote|hr)\b[^<>]*>", re.IGNORECASE)
_IMAGE = re.compile(r"<img\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"</?[a-z!][^<>]*>", re.IGNORECASE)
_BLANKS, _LINES = re.compile(r"[ \t\r\f\xa0]+"), re.compile(r" ?\n[ \n]*")


def html_to_text(text: str) -> str:
    """The text that a person sees, one line for each paragraph. A text without tags only loses its entities."""
    if _TAG.search(text) is None:
        return html.unescape(text).strip()
    text = _IMAGE.sub(IMAGE, _BREAK.sub("\n", _HIDDEN.sub("", text.replace("\n", " "))))
    text = html.unescape(_TAG.sub("", text))
    return _LINES.sub("\n", _BLANKS.sub(" ", text)).strip()


def build_message(
    source: Row, text: str | None, *, role: str, at: object, message_id: object, author_id: object = None
) -> dict[str, Any] | None:
    """A message with a text or attachments; None if it has neither."""
    texts = [text.strip()] if text is not None and text.strip() else []
    texts += [_name_attachment(attachment) for attachment in find_objects(source.get("attachments"))]
    if not texts:
        return None
    message = {"id": message_id, "created_at": at, "role": role, "content": "\n".join(texts)}
    return {**message, "author_id": author_id} if role == USER else message


def role_of(*, is_user: bool) -> str:
    """Role of a person who asks for help, or of who answers."""
    return USER if is_user else ASSISTANT


def find_objects(value: object, *keys: str) -> Iterator[Mapping[str, Any]]:
    """Objects in an array, which may be JSON text, or wrapped in an object under one of the keys."""
    value = from_json(value)
    if isinstance(value, Mapping):
        value = from_json(next((value[key] for key in keys if key in value), None))
    if isinstance(value, Sequence) and not isinstance(value, str):
        yield from (item for item in value if isinstance(item, Mapping))


def find_object(row: Row, *keys: str) -> Row:
    """The first object under one of the keys, or an empty one."""
    return next((value for key in keys if isinstance(value := from_json(row.get(key)), Mapping)), {})


def text_at(row: Row, *keys: str) -> str | None:
    """The first text under one of the keys that is not blank."""
    return next((value for key in keys if isinstance(value := row.get(key), str) and value.strip()), None)


def read_id(row: Row, *paths: str) -> str | None:
    """The first id of a person at one of the paths. Raises Rejection for other types than text and numbers."""
    return parse_identifier("user_id", *first_value(row, paths))


def add_rating(messages: Sequence[dict[str, Any] | None], rating: object, comment: object) -> list[dict[str, Any]]:
    """The messages that are not None. The last answer, or else the last message, has the rating of the conversation."""
    found = [message for message in messages if message is not None]
    given = drop_nulls({"feedback": rating, "feedback_comment": comment or None})
    rated = next((message for message in reversed(found) if message["role"] == ASSISTANT), found[-1] if found else None)
    return [{**message, **given} if message is rated else message for message in found]


def _name_attachment(attachment: Row) -> str:
    kind = text_at(attachment, "content_type", "contentType", "mime_type", "mediaType", "type") or ""
    return IMAGE if kind.startswith("image") else FILE
