"""Format of Intercom's conversations, and of their parts as rows of their own.

It follows "Conversation model" and "Conversation part model" of Intercom's REST API, versions 1.0 to 2.x. Notes and
other parts that the contact cannot see are no part of the conversation.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from turret_pipeline.events.formats.event import Rejection
from turret_pipeline.events.formats.format import EVENT_KEYS, Columns, Format, Shape, is_among
from turret_pipeline.events.formats.helpdesk import (
    TALK,
    add_rating,
    build_message,
    find_object,
    find_objects,
    html_to_text,
    read_id,
    role_of,
    text_at,
)
from turret_pipeline.events.formats.row_values import Row, describe_value

_CONTACTS = frozenset(("user", "lead", "contact", "visitor", "anonymous"))
_SEEN = frozenset(("comment", "open", "close", "quick_reply", "assignment", "message", "email"))
"""Types of parts whose body the contact can see; a body is optional in most."""

_SOURCES = ("source", "conversation_message")


def _is_intercom(row: Row) -> bool:
    kind = row.get("type")
    if kind == "conversation_part":
        return "part_type" in row
    return kind in ("conversation", None) and (
        "conversation_parts" in row or ("source" in row and "contacts" in row) or "conversation_message" in row
    )


def _list_messages(row: Row) -> Row:
    """The row with its messages and its contact. Raises Rejection."""
    if row.get("type") == "conversation_part":
        return _read_part(row)
    contacts = _read_contacts(row)
    source = find_object(row, *_SOURCES)
    messages = [_read_source(row, source, contacts)]
    messages += [
        _read_message(part, contacts)
        for part in find_objects(row.get("conversation_parts"), "conversation_parts", "parts", "data")
        if is_among(part.get("part_type", "comment"), _SEEN)
    ]
    asked = (message["author_id"] for message in messages if message and message.get("author_id"))
    rating = find_object(row, "conversation_rating")
    by_agent = find_object(row, "ai_agent")
    return {
        **row,
        "messages": add_rating(
            messages,
            by_agent.get("rating") if rating.get("rating") is None else rating["rating"],
            text_at(rating, "remark") or text_at(by_agent, "rating_remark"),
        ),
        "contact_id": next(asked, None) or next(iter(contacts.values()), None),
        "tag_names": [tag["name"] for tag in find_objects(row.get("tags"), "tags") if tag.get("name")] or None,
        "channel": text_at(source, "type"),
        "subject": html_to_text(text_at(source, "subject") or "") or None,
    }


def _read_part(row: Row) -> Row:
    kind = row.get("part_type")
    message = _read_message(row, {}) if is_among(kind, _SEEN) else None
    if message is None:
        raise Rejection("not_an_event", f"part_type is {describe_value(kind)}: it has no text that the contact sees.")
    return {"id": row.get("conversation_id"), "messages": [message], "contact_id": message.get("author_id")}


def _read_contacts(row: Row) -> dict[str, str]:
    """Ids of the contacts in the customer's own product, or else in Intercom, by the latter."""
    found: Iterator[Mapping[str, Any]] = find_objects(row.get("contacts"), "contacts", "data")
    people = [*found, *find_objects(row.get("customers"), "customers"), find_object(row, "user")]
    ids = ((read_id(person, "id"), read_id(person, "external_id", "id")) for person in people)
    return {own: external for own, external in ids if own and external}


def _read_source(row: Row, source: Row, contacts: Mapping[str, str]) -> dict[str, Any] | None:
    message = _read_message(source, contacts)
    return message and {**message, "id": "source", "created_at": source.get("created_at") or row.get("created_at")}


def _read_message(part: Row, contacts: Mapping[str, str]) -> dict[str, Any] | None:
    author = find_object(part, "author")
    author_id = read_id(author, "id") or ""
    is_user = is_among(author.get("type"), _CONTACTS) or (
        not author and part.get("delivered_as") == "customer_initiated"
    )
    return build_message(
        part,
        html_to_text(text_at(part, "body") or ""),
        role=role_of(is_user=is_user),
        at=part.get("created_at"),
        message_id=part.get("id"),
        author_id=contacts.get(author_id, author_id),
    )


INTERCOM = Format(
    name="intercom",
    title="Intercom conversation",
    shape=Shape(
        "`conversation_parts`, or `source` with `contacts`; or `type` `conversation_part` with `part_type`",
        forbidden=EVENT_KEYS,
        test=_is_intercom,
    ),
    columns=Columns(
        session_id=("id",),
        user_id=("contact_id",),
        event_at=("created_at",),
    ),
    conversation=TALK,
    fields={"tags": ("tag_names",)},
    json_columns=(
        *("source", "conversation_message", "conversation_parts", "contacts", "customers", "user", "tags"),
        *("conversation_rating", "custom_attributes", "ai_agent"),
    ),
    drop=(
        *("type", *_SOURCES, "conversation_parts", "contacts", "customers", "user", "tag_names", "messages"),
        *("conversation_rating", "ai_agent", "ai_agent_participated", "statistics", "teammates", "assignee", "read"),
        *("sla_applied", "first_contact_reply", "linked_objects", "topics", "waiting_since", "snoozed_until"),
        *("updated_at", "open", "admin_assignee_id", "team_assignee_id", "links", "workspace_id", "redacted"),
    ),
    normalize=_list_messages,
    becomes="a session with an event for each message that the contact sees; its user is the contact",
    example={
        "type": "conversation",
        "id": "147",
        "created_at": 1772442900,
        "state": "closed",
        "source": {
            "type": "conversation",
            "id": "9",
            "body": "<p>How do I reset my password?</p>",
            "author": {"type": "user", "id": "5ba"},
        },
        "contacts": {"contacts": [{"type": "contact", "id": "5ba", "external_id": "u-1"}]},
        "conversation_parts": {
            "conversation_parts": [
                {
                    "id": "12",
                    "part_type": "comment",
                    "body": "<p>Open Settings and choose Reset.</p>",
                    "created_at": 1772442960,
                    "author": {"type": "admin", "id": "77"},
                }
            ]
        },
        "conversation_rating": {"rating": 5, "remark": "Quick!"},
    },
)
