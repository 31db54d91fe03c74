"""Tickets, chats and conversations of Zendesk."""

import datetime as dt
import json
from typing import Any

import pytest

from turret_pipeline.events.formats import Event, parse_record
from turret_pipeline_tests.events.formats.rejections import rejection_of

NINE = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
PROMPT, ANSWER = "User prompt", "AI generation"


def comment(number: int, author: int, body: str, **more: object) -> dict[str, Any]:
    given = {"id": number, "type": "Comment", "author_id": author, "body": body, "html_body": f"<p>{body}</p>"}
    return given | {"public": True, "created_at": f"2026-03-02T09:0{number}:00Z", "attachments": []} | more


TICKET: dict[str, Any] = {
    "id": 35436,
    "url": "https://example.zendesk.com/api/v2/tickets/35436.json",
    "created_at": "2026-03-02T09:00:00Z",
    "updated_at": "2026-03-03T09:00:00Z",
    "subject": "PIN",
    "description": "My PIN?",
    "status": "solved",
    "priority": None,
    "requester_id": 20,
    "submitter_id": 20,
    "assignee_id": 5,
    "via": {"channel": "web", "source": {}},
    "tags": ["cards"],
    "satisfaction_rating": {"id": 1, "score": "bad", "comment": "Slow"},
}
COMMENTS = [
    comment(1, 20, "My PIN?"),
    comment(2, 5, "Ask the customer", public=False),
    comment(3, 5, "In the app."),
    comment(4, 20, "", attachments=[{"file_name": "a.pdf", "content_type": "application/pdf"}], html_body=""),
]


def texts_of(row: dict[str, Any]) -> list[tuple[object, ...]]:
    return [
        (
            event.event_id,
            event.event_name,
            event.user_id,
            event.metadata.get("prompt", event.metadata.get("generation")),
        )
        for event in parse_record(row)
    ]


EXPECTED = [
    ("35436-1", PROMPT, "20", "My PIN?"),
    ("35436-3", ANSWER, "20", "In the app."),
    ("35436-4", PROMPT, "20", "[file]"),
]


def test_a_ticket_is_parsed_completely() -> None:
    shared = {"subject": "PIN", "status": "solved", "assignee_id": 5, "tags": ["cards"], "channel": "web"}

    def event(own_id: int, name: str, **metadata: object) -> Event:
        at = NINE + dt.timedelta(minutes=own_id)
        return Event(f"35436-{own_id}", name, "35436", "20", at, None, "zendesk_ticket", {**shared, **metadata})

    assert parse_record(TICKET | {"comments": COMMENTS}) == [
        event(1, PROMPT, prompt="My PIN?"),
        event(3, ANSWER, feedback="bad", feedback_comment="Slow", generation="In the app."),
        event(4, PROMPT, prompt="[file]"),
    ]


@pytest.mark.parametrize(
    "row",
    [
        {"ticket": TICKET, "comments": COMMENTS},
        {"ticket": TICKET, "comments": {"comments": COMMENTS, "count": 4}},
        {"ticket": TICKET | {"comments": COMMENTS}},
        TICKET | {"comments": json.dumps(COMMENTS), "via": json.dumps(TICKET["via"])},
        {**TICKET, "requester_id": None, "requester": {"id": 20, "name": "Ann"}, "comments": COMMENTS},
        {
            "ticket": TICKET,
            "audits": [
                {
                    "id": 90 + item["id"],
                    "created_at": item["created_at"],
                    "author_id": item["author_id"],
                    "events": [event],
                }
                for item in COMMENTS
                for event in ({key: item[key] for key in ("id", "type", "body", "public", "attachments")},)
            ],
        },
    ],
    ids=["beside", "wrapped", "inside", "JSON text", "requester", "audits"],
)
def test_comments_may_be_in_several_places(row: dict[str, Any]) -> None:
    assert texts_of(row) == EXPECTED


def test_a_ticket_without_comments_is_its_description() -> None:
    assert texts_of(TICKET) == [("35436-description", PROMPT, "20", "My PIN?")]


@pytest.mark.parametrize("score", ["offered", "unoffered", None])
def test_a_ticket_that_nobody_rated_has_no_feedback(score: object) -> None:
    events = parse_record(TICKET | {"comments": COMMENTS, "satisfaction_rating": {"score": score}})
    assert {event.metadata.get("feedback") for event in events} == {None}


def test_other_end_users_ask_too() -> None:
    users = [{"id": 21, "role": "end-user"}, {"id": 5, "role": "agent"}]
    row = {"ticket": TICKET, "users": users, "comments": [comment(1, 21, "Me too"), comment(3, 5, "Yes")]}
    assert texts_of(row) == [("35436-1", PROMPT, "21", "Me too"), ("35436-3", ANSWER, "20", "Yes")]


def test_a_ticket_event_has_the_comment_of_a_ticket() -> None:
    child = {"id": 7, "event_type": "Comment", "body": "My PIN?", "public": True, "author_id": 20}
    row = {
        "id": 1,
        "ticket_id": 35436,
        "timestamp": 1772442000,
        "updater_id": 20,
        "event_type": "Audit",
        "child_events": [{"id": 6, "event_type": "Create", "requester_id": 20, "subject": "PIN"}, child],
    }
    assert texts_of(row) == [("35436-7", PROMPT, "20", "My PIN?")]
    assert parse_record(row)[0].event_at == NINE
    change = row | {"child_events": [{"id": 8, "event_type": "Change", "status": "open"}]}
    assert rejection_of(change) == ("not_an_event", "The row has no public comment: it is a change of a ticket.")


def test_the_author_of_a_comment_without_its_ticket_is_unknown() -> None:
    (event,) = parse_record(comment(1, 20, "My PIN?", ticket_id=35436))
    assert (event.event_id, event.event_name, event.session_id) == ("35436-1", "Other message", "35436")
    assert event.metadata == {"role": "participant", "text": "My PIN?"}


def test_a_ticket_holds_the_messages_of_its_chat() -> None:
    history = [
        {"type": "ChatJoin", "actor_type": "end-user", "timestamp": 1772442000000},
        {
            "type": "ChatMessage",
            "actor_type": "end-user",
            "message": "My PIN?",
            "message_id": "m1",
            "timestamp": 1772442001000,
        },
        {
            "type": "ChatMessage",
            "actor_type": "agent",
            "message": "In the app.",
            "message_id": "m2",
            "timestamp": 1772442002000,
        },
    ]
    events = [{"type": "ChatStartedEvent", "value": {"chat_id": "c", "history": history}}]
    transcript = comment(3, 5, "Ann: My PIN? Bo: In the app.", via={"channel": "chat_transcript"})
    row = {"ticket": TICKET, "audits": [{"events": events}, {"events": [transcript]}]}
    assert texts_of(row) == [("35436-m1", PROMPT, "20", "My PIN?"), ("35436-m2", ANSWER, "20", "In the app.")]


def test_a_ticket_with_private_comments_only_is_rejected() -> None:
    assert rejection_of(TICKET | {"comments": [comment(2, 5, "x", public="false")]})[0] == "no_messages"


@pytest.mark.parametrize("broken", [3, "x", [3], [{"author_id": 20}], {"comments": "x"}])
def test_broken_comments_have_no_messages(broken: object) -> None:
    row = {key: value for key, value in TICKET.items() if key != "description"} | {"comments": broken}
    assert rejection_of(row)[0] == "no_messages"


CHAT: dict[str, Any] = {
    "id": "1403.10",
    "type": "chat",
    "timestamp": "2026-03-02T09:00:00Z",
    "visitor": {"id": "1.12", "name": "Ann", "email": "ann@example.com"},
    "department_name": "Cards",
    "rating": "good",
    "comment": "Nice",
    "session": {"id": "s", "ip": "203.0.113.1"},
    "history": [
        {"type": "chat.memberjoin", "name": "Ann", "timestamp": "2026-03-02T09:00:00Z"},
        {"type": "chat.msg", "name": "Ann", "msg": "My PIN?", "msg_id": "a", "timestamp": "2026-03-02T09:01:00Z"},
        {"type": "chat.msg", "agent_id": 5, "msg": "In the app.", "msg_id": "b", "timestamp": "2026-03-02T09:02:00Z"},
        {"type": "chat.msg", "sender_type": "Trigger", "msg": "Bye", "timestamp": "2026-03-02T09:03:00Z"},
        {"type": "chat.rating", "new_rating": "good", "timestamp": "2026-03-02T09:04:00Z"},
    ],
}


def test_a_chat_is_parsed_completely() -> None:
    events = parse_record(CHAT)
    assert [(event.event_name, event.session_id, event.user_id) for event in events] == [
        (name, "1403.10", "1.12") for name in (PROMPT, ANSWER, ANSWER)
    ]
    assert [event.event_at for event in events] == [NINE + dt.timedelta(minutes=minutes) for minutes in (1, 2, 3)]
    assert [event.metadata for event in events] == [
        {"department_name": "Cards", "prompt": "My PIN?"},
        {"department_name": "Cards", "generation": "In the app."},
        {"department_name": "Cards", "generation": "Bye", "feedback": "good", "feedback_comment": "Nice"},
    ]
    assert [event.event_id for event in events][:2] == ["1403.10-a", "1403.10-b"]


def test_an_offline_message_is_a_prompt() -> None:
    row = {key: CHAT[key] for key in ("id", "timestamp", "visitor")} | {"type": "offline_msg", "message": "Anyone?"}
    assert texts_of(row) == [("1403.10-offline", PROMPT, "1.12", "Anyone?")]


def message(number: int, kind: str, content: dict[str, object], **author: object) -> dict[str, Any]:
    given = {"id": f"m{number}", "received": f"2026-03-02T09:0{number}:00.000Z", "content": content}
    return given | {"author": {"type": kind, **author}}


MESSAGES = [
    message(1, "user", {"type": "text", "text": "My PIN?"}, userId="z-1", userExternalId="u-1"),
    message(2, "business", {"type": "text", "text": "In the app."}, displayName="Bot"),
    message(3, "user", {"type": "image", "mediaUrl": "https://example.com/a.png"}, userId="z-1", userExternalId="u-1"),
    message(4, "user", {"type": "formResponse", "fields": [{"label": "Plan", "text": "team"}]}, userId="z-1"),
]


def test_a_messaging_conversation_is_parsed() -> None:
    assert texts_of({"conversation": {"id": "c1"}, "messages": MESSAGES}) == [
        ("c1-m1", PROMPT, "u-1", "My PIN?"),
        ("c1-m2", ANSWER, "u-1", "In the app."),
        ("c1-m3", PROMPT, "u-1", "[image]"),
        ("c1-m4", PROMPT, "z-1", "Plan: team"),
    ]


def test_a_message_may_be_a_row_of_its_own() -> None:
    (event,) = parse_record(MESSAGES[0] | {"conversationId": "c1"})
    assert (event.event_id, event.session_id, event.metadata) == ("c1-m1", "c1", {"prompt": "My PIN?"})
    assert event.event_at == NINE + dt.timedelta(minutes=1)
