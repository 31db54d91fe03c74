"""Format of conversations of Zendesk's messaging, and of their messages as rows.

It follows "Conversations" and "Messages" of Zendesk's Sunshine Conversations API.
"""

from typing import Any

from turret_pipeline.events.formats.format import Columns, Format, Shape, is_among
from turret_pipeline.events.formats.helpdesk import (
    TALK,
    add_rating,
    build_message,
    find_object,
    find_objects,
    role_of,
    text_at,
)
from turret_pipeline.events.formats.row_values import Row, first_value

_PERSON = frozenset(("user",))
_AUTHORS = frozenset((*_PERSON, "business"))


def _list_messaging(row: Row) -> Row:
    """The conversation of the row with its messages."""
    given = [*find_objects(row.get("messages"))] if "messages" in row else [row]
    messages = [_read_messaging(message) for message in given]
    people = (message["author_id"] for message in messages if message and message.get("author_id"))
    conversation = find_object(row, "conversation").get("id") or row.get("conversationId") or row.get("id")
    kept = {key: value for key, value in row.items() if "messages" in row or key == "metadata"}
    return {**kept, "id": conversation, "messages": add_rating(messages, None, None), "person_id": next(people, None)}


def _read_messaging(message: Row) -> dict[str, Any] | None:
    author, content = find_object(message, "author"), find_object(message, "content")
    kind = content.get("type")
    fields = [f"{text_at(item, 'label', 'name')}: {item.get('text')}" for item in find_objects(content.get("fields"))]
    text = text_at(content, "text", "altText", "body") or ("\n".join(fields) if kind == "formResponse" else None)
    media = {"attachments": [{"content_type": kind}] if kind in ("image", "file") else None}
    return build_message(
        media,
        text,
        role=role_of(is_user=is_among(author.get("type"), _PERSON)),
        at=first_value(message, ("received", "created_at", "createdAt"))[1],
        message_id=first_value(message, ("id", "_id"))[1],
        author_id=first_value(author, ("userExternalId", "user.externalId", "userId", "user.id", "id"))[1],
    )


def _is_messaging(row: Row) -> bool:
    messages = [*find_objects(row.get("messages"))] if "messages" in row else [row]
    author = find_object(messages[0], "author") if messages else {}
    return is_among(author.get("type"), _AUTHORS) and bool(find_object(messages[0], "content").get("type"))


ZENDESK_MESSAGING = Format(
    name="zendesk_messaging",
    title="Zendesk messaging conversation",
    shape=Shape(
        "`messages`, or one message: its `author` has the `type` `user` or `business`, and its `content` a `type`",
        forbidden=("name", "event_name", "event", "role"),
        test=_is_messaging,
    ),
    columns=Columns(
        session_id=("id",),
        user_id=("person_id",),
        event_at=("createdAt", "created_at"),
    ),
    conversation=TALK,
    json_columns=("messages", "conversation", "author", "content"),
    drop=("messages", "conversation", "meta", "links"),
    normalize=_list_messaging,
    becomes="a session with an event for each message; its user is the person who writes",
    example={
        "conversation": {"id": "c93bb9c1"},
        "messages": [
            {
                "id": "60f1",
                "received": "2026-03-02T09:15:00.000Z",
                "author": {"type": "user", "userId": "7494535bff5cef41a15be74d", "userExternalId": "u-1"},
                "content": {"type": "text", "text": "How do I reset my password?"},
            },
            {
                "id": "60f2",
                "received": "2026-03-02T09:16:00.000Z",
                "author": {"type": "business", "displayName": "Help"},
                "content": {"type": "text", "text": "Open Settings and choose Reset."},
            },
        ],
    },
)
