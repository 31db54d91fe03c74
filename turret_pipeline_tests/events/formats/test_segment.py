"""Calls of the Segment spec."""

import datetime as dt
from typing import Any

import pytest

from turret_pipeline.events.formats import FORMATS, Event, parse_record
from turret_pipeline_tests.events.formats.rejections import rejection_of

NOON = dt.datetime(2024, 5, 1, 12, tzinfo=dt.UTC)

TRACK: dict[str, Any] = {
    "type": "track",
    "event": "Article Shared",
    "messageId": "ajs-1",
    "userId": "u1",
    "anonymousId": "a1",
    "originalTimestamp": "2024-05-01T11:59:58.000Z",
    "sentAt": "2024-05-01T11:59:59.000Z",
    "timestamp": "2024-05-01T12:00:00.000Z",
    "receivedAt": "2024-05-01T12:00:01.000Z",
    "properties": {"plan": "pro", "price": 9.5, "coupon": None},
    "context": {"sessionId": 1714564000, "page": {"path": "/a"}, "library": {"name": "analytics.js"}},
    "integrations": {"All": True},
    "version": 2,
}


def test_a_track_call_is_parsed_completely() -> None:
    assert parse_record(TRACK) == [
        Event(
            event_id="ajs-1",
            event_name="Article Shared",
            session_id="1714564000",
            user_id="u1",
            event_at=NOON,
            received_at=NOON + dt.timedelta(seconds=1),
            source_format="segment",
            metadata={
                "anonymousId": "a1",
                "plan": "pro",
                "price": 9.5,
                "context": {"page": {"path": "/a"}, "library": {"name": "analytics.js"}},
            },
        )
    ]


def test_a_minimal_track_call() -> None:
    record = {"type": "track", "event": "Shared", "anonymousId": "a1", "userId": None, "properties": None}
    assert parse_record(record) == [Event(None, "Shared", None, "a1", None, None, "segment", {})]


def test_a_call_without_a_timestamp_has_its_original_or_sending_time() -> None:
    called = {key: value for key, value in TRACK.items() if key != "timestamp"}
    sent = {key: value for key, value in called.items() if key != "originalTimestamp"}
    assert [parse_record(row)[0].event_at for row in (called, sent)] == [
        NOON - dt.timedelta(seconds=2),
        NOON - dt.timedelta(seconds=1),
    ]


def test_the_session_may_be_a_property() -> None:
    (event,) = parse_record(TRACK | {"context": None, "properties": {"session_id": "s1", "plan": "pro"}})
    assert (event.session_id, event.metadata) == ("s1", {"anonymousId": "a1", "plan": "pro"})


@pytest.mark.parametrize("call", ["identify", "page", "screen", "group", "alias"])
def test_other_calls_are_rejected_with_their_type(call: str) -> None:
    assert rejection_of(TRACK | {"type": call, "name": "Home"}) == (
        "not_an_event",
        f"type is '{call}': only Segment calls with type track are events.",
    )


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"event": None}, "missing_name"),
        ({"event": 3}, "invalid_name"),
        ({"properties": [1]}, "invalid_properties"),
        ({"context": "web"}, "invalid_context"),
        ({"context": {"sessionId": {}}}, "invalid_session_id"),
        ({"messageId": True}, "invalid_event_id"),
        ({"userId": []}, "invalid_user_id"),
        ({"timestamp": "0001-01-01T00:00:00Z"}, "invalid_timestamp"),
        ({"receivedAt": "9999-12-31T23:59:59Z"}, "invalid_timestamp"),
    ],
)
def test_a_call_that_breaks_a_rule_is_rejected_with_its_code(change: dict[str, object], code: str) -> None:
    assert rejection_of(TRACK | change)[0] == code


@pytest.mark.parametrize(
    "record",
    [{"type": "page", "name": "Home", "metadata": {}}, {"type": "track", "name": "a", "session_id": "s1"}],
)
def test_a_turret_event_with_a_type_is_not_a_segment_call(record: dict[str, object]) -> None:
    assert [event.source_format for event in parse_record(record)] == ["turret"]


def test_a_row_of_another_shape_is_rejected_if_the_format_is_selected() -> None:
    assert rejection_of({"type": "click", "name": "a"}, FORMATS["segment"]) == (
        "not_of_format",
        "The row does not match format segment: missing messageId or anonymousId or userId and type (alias, "
        "group, identify, page, screen, track); keys: name, type.",
    )
