"""Calls of RudderStack, and rows of the warehouses of Segment and RudderStack."""

import datetime as dt
import json
from typing import Any

import pytest

from turret_pipeline.events.formats import FORMATS, Event, detect_format, parse_record
from turret_pipeline_tests.events.formats.rejections import rejection_of

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
TRACK: dict[str, Any] = {
    "type": "track",
    "event": "Prompt Sent",
    "messageId": "m-1",
    "rudderId": "r-1",
    "userId": "",
    "anonymousId": "a-1",
    "channel": "web",
    "originalTimestamp": "2026-03-02T11:59:58.000Z",
    "sentAt": "2026-03-02T11:59:59.000Z",
    "receivedAt": "2026-03-02T12:00:00.000Z",
    "request_ip": "203.0.113.1",
    "properties": {"prompt": "Hi?"},
    "context": {"sessionId": 1772452000, "traits": {"plan": "team"}},
    "integrations": {"All": True},
}
ROW: dict[str, Any] = {
    "id": "m-2",
    "anonymous_id": "a-1",
    "user_id": None,
    "event": "prompt_sent",
    "event_text": "Prompt Sent",
    "received_at": "2026-03-02 12:00:01.000 UTC",
    "sent_at": "2026-03-02 11:59:59.000 UTC",
    "original_timestamp": "2026-03-02 11:59:58.000 UTC",
    "timestamp": "2026-03-02 12:00:00.000 UTC",
    "uuid_ts": "2026-03-02 12:30:00.000 UTC",
    "context_page_path": "/chat",
    "prompt": "Hi?",
}


def test_a_track_call_is_parsed_completely() -> None:
    assert parse_record(TRACK) == [
        Event(
            event_id="m-1",
            event_name="Prompt Sent",
            session_id="a-1.1772452000",
            user_id="a-1",
            event_at=NOON - dt.timedelta(seconds=2),
            received_at=NOON,
            source_format="rudderstack",
            metadata={"channel": "web", "prompt": "Hi?", "context": {"traits": {"plan": "team"}}},
        )
    ]


def test_sessions_that_are_no_numbers_are_unique_by_themselves() -> None:
    row = TRACK | {"context": {"sessionId": "0f3c-9"}}
    assert parse_record(row)[0].session_id == "0f3c-9"


@pytest.mark.parametrize("call", ["identify", "page", "screen", "group", "alias"])
def test_other_calls_are_rejected(call: str) -> None:
    assert rejection_of(TRACK | {"type": call})[0] == "not_an_event"


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"channel": "server", "rudderId": "r-1"}, "rudderstack"),
        ({"channel": "mobile"}, "rudderstack"),
        ({"context": {"library": {"name": "RudderLabs JavaScript SDK"}}}, "rudderstack"),
        ({"channel": "server"}, "segment"),
        ({"context": {"library": {"name": "analytics.js"}}}, "segment"),
    ],
)
def test_calls_of_rudderstack_differ_from_those_of_segment(change: dict[str, object], name: str) -> None:
    call = {"type": "track", "event": "a", "messageId": "m", "userId": "u", "timestamp": 1772452800}
    assert detect_format(call | change).name == name


def test_a_warehouse_row_is_parsed_completely() -> None:
    assert parse_record(ROW) == [
        Event(
            event_id="m-2",
            event_name="Prompt Sent",
            session_id=None,
            user_id="a-1",
            event_at=NOON,
            received_at=NOON + dt.timedelta(seconds=1),
            source_format="segment_warehouse",
            metadata={"context_page_path": "/chat", "prompt": "Hi?"},
        )
    ]


def test_a_warehouse_row_of_rudderstack_has_the_session_of_its_visitor() -> None:
    (event,) = parse_record(ROW | {"context_session_id": 1772452000.0, "channel": "web", "user_id": "u-1"})
    assert (event.session_id, event.user_id) == ("a-1.1772452000", "u-1")
    assert event.metadata == {"anonymous_id": "a-1", "context_page_path": "/chat", "prompt": "Hi?", "channel": "web"}


def test_a_warehouse_row_without_the_original_name_has_that_of_its_table() -> None:
    assert parse_record(ROW | {"event_text": None})[0].event_name == "prompt_sent"


def test_rows_of_the_tables_of_pages_and_identifies_are_rejected() -> None:
    page = {key: value for key, value in ROW.items() if not key.startswith("event")} | {"name": "Home", "path": "/"}
    assert rejection_of(page) == ("not_an_event", "The row has no event: only rows of track calls are events.")


def test_properties_may_be_json_text() -> None:
    row = TRACK | {"properties": json.dumps({"prompt": "Hi?"}), "context": json.dumps({"sessionId": 5})}
    (event,) = parse_record(row, FORMATS["rudderstack"])
    assert (event.session_id, event.metadata["prompt"]) == ("a-1.5", "Hi?")
