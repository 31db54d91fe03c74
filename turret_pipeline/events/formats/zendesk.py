"""Formats of Zendesk: tickets with their comments, comments as rows, and chats.

They follow "Tickets", "Ticket Comments", "Ticket Audits" and "Incremental Exports" of Zendesk's Ticketing API, and
"Chats" of its Chat API. Private comments are no part of the conversation.
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
from turret_pipeline.events.formats.row_values import Row, first_value

_MESSAGES = frozenset(("chat.msg", "ChatMessage"))
_FILES = frozenset(("chat.file", "chat.attachment", "ChatFileAttachment"))
_UNKNOWN = "participant"
"""Role of an author of whom the row does not say whether they asked or answered."""

_RATINGS = frozenset(("good", "bad", "goodwithcomment", "badwithcomment"))
_PEOPLE = frozenset(("end-user", "end_user", "user", "visitor", "appuser"))
_TICKET_LISTS = ("comments", "audits", "child_events")


def _is_ticket(row: Row) -> bool:
    ticket = find_object(row, "ticket") or row
    if "requester_id" in ticket or "requester" in ticket:
        return "comments" in row or "audits" in row or "comments" in ticket or "subject" in ticket
    return "ticket_id" in row and ("child_events" in row or ("author_id" in row and "body" in row))


def _list_comments(row: Row) -> Row:
    """The ticket of the row with its public comments as messages, and its requester. Raises Rejection."""
    ticket = {**(find_object(row, "ticket") or row)}
    comments = [*_find_comments(row, ticket)]
    created = next((event for event in comments if event.get("requester_id")), {})
    requester = read_id(ticket, "requester_id", "requester.id") or read_id(created, "requester_id")
    roles = {read_id(user, "id"): user.get("role") for user in find_objects(row.get("users"), "users")}
    messages = [_read_comment(comment, ticket, requester, roles) for comment in comments]
    if not comments and requester is not None:
        text, at = text_at(ticket, "description", "raw_description"), ticket.get("created_at")
        messages = [build_message({}, text, role="user", at=at, message_id="description", author_id=requester)]
    if "child_events" in row and not any(messages):
        raise Rejection("not_an_event", "The row has no public comment: it is a change of a ticket.")
    rating = find_object(ticket, "satisfaction_rating")
    score, comment = rating.get("score"), rating.get("comment")
    return {
        **ticket,
        "id": ticket.get("ticket_id") or ticket.get("id"),
        "messages": add_rating(messages, *((score, comment) if is_among(score, _RATINGS) else (None, None))),
        "requester_id": requester,
        "channel": find_object(ticket, "via").get("channel"),
    }


def _find_comments(row: Row, ticket: Row) -> list[Row]:
    """Comments and messages of chats of a ticket, in the order of the row. The transcript of a chat repeats it."""
    found = [*_all_comments(row, ticket)]
    if any("actor_type" in comment for comment in found):
        return [comment for comment in found if find_object(comment, "via").get("channel") != "chat_transcript"]
    return found


def _all_comments(row: Row, ticket: Row) -> Iterator[Row]:
    yield from find_objects(row.get("comments") or ticket.get("comments"), "comments")
    for audit in find_objects(row.get("audits") or ticket.get("audits"), "audits"):
        for event in find_objects(audit.get("events")):
            yield from _find_in_event(
                {"created_at": audit.get("created_at"), "author_id": audit.get("author_id"), **event}
            )
    for event in find_objects(row.get("child_events")):
        shared = {"created_at": first_value(row, ("created_at", "timestamp"))[1], "author_id": row.get("updater_id")}
        yield from _find_in_event({**shared, **event})
    if "author_id" in row and "ticket_id" in row:
        yield row


def _find_in_event(event: Row) -> Iterator[Row]:
    kind = event.get("event_type") or event.get("type")
    if kind in ("Comment", "VoiceComment", "Create"):
        yield event
    elif kind == "ChatStartedEvent":
        yield from find_objects(find_object(event, "value").get("history"))


def _read_comment(
    comment: Row, ticket: Row, requester: str | None, roles: Mapping[str | None, Any]
) -> dict[str, Any] | None:
    if first_value(comment, ("public", "comment_public"))[1] in (False, "false", "False"):
        return None
    if "actor_type" in comment:
        return _read_chat_message(comment, requester)
    author = find_object(comment, "author")
    author_id = read_id(comment, "author_id", "author.id")
    given_role = roles.get(author_id) or first_value(author, ("role", "type"))[1]
    role = role_of(is_user=(author_id is not None and author_id == requester) or is_among(given_role, _PEOPLE))
    if requester is None and given_role is None:
        role = _UNKNOWN
    text = text_at(comment, "body", "plain_body") or html_to_text(text_at(comment, "html_body", "value") or "")
    at = comment.get("created_at") or ticket.get("created_at")
    return build_message(comment, text, role=role, at=at, message_id=comment.get("id"), author_id=author_id)


def _read_chat_message(entry: Row, visitor: object) -> dict[str, Any] | None:
    """A message of a chat; None for other entries of its history, such as that somebody joined."""
    kind = entry.get("type", "chat.msg")
    if not is_among(kind, _MESSAGES | _FILES):
        return None
    actor = text_at(entry, "actor_type", "sender_type")
    is_user = entry.get("agent_id") is None if actor is None else actor.lower() in _PEOPLE
    attachment = [{"content_type": text_at(entry, "mime_type", "content_type") or "file"}]
    is_file = is_among(kind, _FILES)
    return build_message(
        {"attachments": attachment if is_file else None},
        None if is_file else text_at(entry, "msg", "message", "body"),
        role=role_of(is_user=is_user),
        at=entry.get("timestamp"),
        message_id=first_value(entry, ("msg_id", "message_id", "chat_index", "index"))[1],
        author_id=visitor,
    )


def _list_chat(row: Row) -> Row:
    """The chat of the row with its messages."""
    visitor = find_object(row, "visitor")
    visitor_id = visitor.get("id")
    messages = [_read_chat_message(entry, visitor_id) for entry in find_objects(row.get("history"))]
    if row.get("type") == "offline_msg":
        at, text = row.get("timestamp"), text_at(row, "message")
        messages = [build_message({}, text, role="user", at=at, message_id="offline", author_id=visitor_id)]
    rating = row.get("rating") if is_among(row.get("rating"), _RATINGS) else None
    return {**row, "messages": add_rating(messages, rating, row.get("comment")), "visitor_id": visitor_id}


ZENDESK_TICKET = Format(
    name="zendesk_ticket",
    title="Zendesk ticket",
    shape=Shape(
        "`requester_id` and `comments` or `subject`, in the row or its `ticket`; or `ticket_id` with `child_events` or "
        "with `author_id` and `body`",
        forbidden=("name", "event_name", "event", "conversation_parts"),
        test=_is_ticket,
    ),
    columns=Columns(session_id=("id",), user_id=("requester_id",), event_at=("created_at",)),
    conversation=TALK,
    json_columns=("ticket", *_TICKET_LISTS, "users", "via", "satisfaction_rating", "requester", "tags"),
    drop=(
        *("messages", "ticket", *_TICKET_LISTS, "users", "via", "satisfaction_rating", "requester", "url", "author_id"),
        *("description", "raw_subject", "custom_fields", "fields", "updated_at", "generated_timestamp", "body"),
        *("submitter", "submitter_id", "assignee", "collaborators", "collaborator_ids", "follower_ids", "html_body"),
        *(
            "email_cc_ids",
            "sharing_agreement_ids",
            "followup_ids",
            "audit_id",
            "attachments",
            "plain_body",
            "timestamp",
        ),
        *("allow_channelback", "allow_attachments", "from_messaging_channel", "metadata", "ticket_id", "updater_id"),
        *("public", "type", "event_type", "system", "count", "next_page", "previous_page", "metric_set", "dates"),
    ),
    normalize=_list_comments,
    becomes="a session with an event for each public comment; its user is the requester",
    example={
        "id": 35436,
        "created_at": "2026-03-02T09:15:00Z",
        "subject": "Password",
        "status": "solved",
        "requester_id": 20978392,
        "via": {"channel": "web"},
        "satisfaction_rating": {"score": "good", "comment": "Quick!"},
        "comments": [
            {
                "id": 1,
                "author_id": 20978392,
                "body": "How do I reset my password?",
                "public": True,
                "created_at": "2026-03-02T09:15:00Z",
            },
            {
                "id": 2,
                "author_id": 5,
                "body": "Open Settings and choose Reset.",
                "public": True,
                "created_at": "2026-03-02T09:20:00Z",
            },
        ],
    },
)

ZENDESK_CHAT = Format(
    name="zendesk_chat",
    title="Zendesk chat",
    shape=Shape(
        "`visitor`, and `history` or `type` `offline_msg`",
        required=(("visitor",), ("history", "message")),
        forbidden=EVENT_KEYS,
        one_of={"type": frozenset({"chat", "offline_msg"})},
    ),
    columns=Columns(session_id=("id",), user_id=("visitor_id",), event_at=("timestamp",)),
    conversation=TALK,
    json_columns=("visitor", "history", "session", "response_time", "count", "tags", "webpath", "engagements"),
    drop=(
        *("messages", "visitor", "history", "session", "response_time", "count", "webpath", "engagements", "type"),
        *("message", "comment", "rating", "unread", "agent_names", "agent_ids", "end_timestamp", "update_timestamp"),
    ),
    normalize=_list_chat,
    becomes="a session with an event for each message; its user is the visitor",
    example={
        "id": "1403.10",
        "type": "chat",
        "timestamp": "2026-03-02T09:15:00Z",
        "visitor": {"id": "1.12345", "name": "Ada"},
        "rating": "good",
        "history": [
            {"type": "chat.memberjoin", "name": "Ada", "timestamp": "2026-03-02T09:15:00Z"},
            {
                "type": "chat.msg",
                "sender_type": "Visitor",
                "msg": "How do I reset my password?",
                "timestamp": "2026-03-02T09:15:05Z",
            },
            {
                "type": "chat.msg",
                "sender_type": "Agent",
                "msg": "Open Settings and choose Reset.",
                "timestamp": "2026-03-02T09:16:00Z",
            },
        ],
    },
)
