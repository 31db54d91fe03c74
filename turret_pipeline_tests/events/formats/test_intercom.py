"""Conversations of Intercom."""

import datetime as dt
import json
from typing import Any

import pytest

from turret_pipeline.events.formats import Event, detect_format, parse_record
from turret_pipeline.events.formats.helpdesk import html_to_text
from turret_pipeline_tests.events.formats.rejections import rejection_of

START = 1772442000
NINE = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
ANN, ADMIN, BOT = {"type": "user", "id": "5a"}, {"type": "admin", "id": "7"}, {"type": "bot", "id": "8"}


def part(number: int, author: object, body: str | None, kind: str = "comment", **more: object) -> dict[str, Any]:
    given = {"type": "conversation_part", "id": str(number), "part_type": kind, "body": body, "author": author}
    return given | {"created_at": START + 60 * number, "attachments": []} | more


TALK: dict[str, Any] = {
    "type": "conversation",
    "id": "147",
    "created_at": START,
    "updated_at": START + 9000,
    "title": None,
    "state": "closed",
    "source": {"type": "email", "id": "3", "subject": "<p>PIN</p>", "body": "<p>Hi,</p><p>my PIN?</p>", "author": ANN},
    "contacts": {"type": "contact.list", "contacts": [{"type": "contact", "id": "5a", "external_id": "u-1"}]},
    "tags": {"type": "tag.list", "tags": [{"type": "tag", "id": "1", "name": "cards"}]},
    "statistics": {"type": "conversation_statistics", "time_to_assignment": 5},
    "conversation_rating": {"rating": 4, "remark": "Quick!", "contact": ANN, "teammate": ADMIN},
    "conversation_parts": {
        "type": "conversation_part.list",
        "conversation_parts": [
            part(1, BOT, None, "assignment"),
            part(2, ADMIN, "<p>A secret note</p>", "note"),
            part(3, BOT, '<p>See <a href="https://example.com">this</a><br>page</p>'),
            part(4, ANN, "", attachments=[{"type": "upload", "name": "a.png", "content_type": "image/png"}]),
            part(5, ADMIN, "<p>Bye &amp; thanks</p>", "close"),
            part(6, ADMIN, None, "close"),
        ],
        "total_count": 6,
    },
}


def texts_of(row: dict[str, Any]) -> list[tuple[object, ...]]:
    return [
        (event.event_id, event.event_name, event.metadata.get("prompt", event.metadata.get("generation")))
        for event in parse_record(row)
    ]


PROMPT, ANSWER = "User prompt", "AI generation"


def test_a_conversation_is_parsed_completely() -> None:
    shared = {"state": "closed", "channel": "email", "subject": "PIN", "tags": ["cards"]}

    def event(own_id: str, name: str, minutes: int, **metadata: object) -> Event:
        at = NINE + dt.timedelta(minutes=minutes)
        return Event(f"147-{own_id}", name, "147", "u-1", at, None, "intercom", {**shared, **metadata})

    assert parse_record(TALK) == [
        event("source", PROMPT, 0, prompt="Hi,\nmy PIN?"),
        event("3", ANSWER, 3, generation="See this\npage"),
        event("4", PROMPT, 4, prompt="[image]"),
        event("5", ANSWER, 5, feedback=4, feedback_comment="Quick!", generation="Bye & thanks"),
    ]


def test_a_conversation_of_version_1_has_a_message_and_a_user() -> None:
    old = {
        "type": "conversation",
        "id": 9,
        "created_at": START,
        "user": {"type": "user", "id": "5a"},
        "conversation_message": {"id": "3", "body": "Hi?", "author": ANN},
        "conversation_parts": {"conversation_parts": [part(1, ADMIN, "Hello")]},
    }
    assert texts_of(old) == [("9-source", PROMPT, "Hi?"), ("9-1", ANSWER, "Hello")]
    assert {event.user_id for event in parse_record(old)} == {"5a"}


def test_a_listed_conversation_without_parts_is_its_first_message() -> None:
    listed = {key: value for key, value in TALK.items() if key != "conversation_parts"}
    assert texts_of(listed) == [("147-source", PROMPT, "Hi,\nmy PIN?")]


def test_a_conversation_that_grows_keeps_the_ids_of_its_messages() -> None:
    parts = TALK["conversation_parts"]["conversation_parts"]
    shorter = TALK | {"conversation_parts": {"conversation_parts": parts[:3]}}
    assert texts_of(TALK)[:2] == texts_of(shorter)


@pytest.mark.parametrize("kind", ["lead", "contact", "visitor"])
def test_every_kind_of_contact_is_the_user(kind: str) -> None:
    source = TALK["source"] | {"author": {"type": kind, "id": "5x"}}
    events = parse_record(TALK | {"source": source, "conversation_parts": None, "contacts": None})
    assert [(event.event_name, event.user_id) for event in events] == [(PROMPT, "5x")]


def test_a_conversation_that_a_bot_starts_belongs_to_its_contact() -> None:
    source = TALK["source"] | {"author": BOT, "delivered_as": "automated"}
    events = parse_record(TALK | {"source": source, "conversation_parts": None})
    assert [(event.event_name, event.user_id) for event in events] == [(ANSWER, "u-1")]


def test_a_part_may_be_a_row_of_its_own() -> None:
    row = part(4, ANN, "Hi?", conversation_id="147")
    (event,) = parse_record(row)
    assert (event.event_id, event.session_id, event.user_id) == ("147-4", "147", "5a")
    assert event.event_at == NINE + dt.timedelta(minutes=4)
    assert event.metadata == {"prompt": "Hi?"}


@pytest.mark.parametrize("row", [part(1, ADMIN, "x", "note"), part(1, ADMIN, None, "close"), part(1, ANN, "x", "odd")])
def test_a_part_that_the_contact_cannot_see_is_rejected(row: dict[str, object]) -> None:
    reason = f"part_type is '{row['part_type']}': it has no text that the contact sees."
    assert rejection_of(row | {"conversation_id": "147"}) == ("not_an_event", reason)


def test_a_conversation_without_text_is_rejected() -> None:
    empty = TALK | {"source": {"body": None, "author": ANN}, "conversation_parts": {"conversation_parts": []}}
    assert rejection_of(empty)[0] == "no_messages"


def test_columns_may_be_json_text() -> None:
    row = {key: json.dumps(value) if isinstance(value, dict) else value for key, value in TALK.items()}
    assert parse_record(row) == parse_record(TALK)


@pytest.mark.parametrize("broken", [3, "x", [3], {"conversation_parts": "x"}])
def test_broken_parts_cost_only_themselves(broken: object) -> None:
    assert len(parse_record(TALK | {"conversation_parts": broken, "tags": broken})) == 1


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("plain a < b &amp; c", "plain a < b & c"),
        ("<p>One</p>\n<p>Two&nbsp;words</p>", "One\nTwo words"),
        ("<ul><li>a</li><li>b</li></ul>", "a\nb"),
        ('<style>p {}</style><div>a<img src="x"></div>', "a[image]"),
        ("<p></p>", ""),
        ("2 &lt; 3 <b>bold</b>", "2 < 3 bold"),
        ("<" * 100_000, "<" * 100_000),
    ],
)
def test_html_becomes_the_text_that_a_person_sees(html: str, text: str) -> None:
    assert html_to_text(html) == text


def test_a_row_of_openai_is_not_a_conversation_of_intercom() -> None:
    assert detect_format({"type": "conversation", "source": "web", "messages": []}).name == "openai_chat"
