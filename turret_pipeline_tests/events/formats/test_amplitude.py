"""Events of Amplitude."""

import datetime as dt
import json
from typing import Any

import pytest

from turret_pipeline.events.formats import Event, detect_format, parse_record
from turret_pipeline_tests.events.formats.rejections import rejection_of

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
EXPORTED: dict[str, Any] = {
    "$insert_id": "i-1",
    "$schema": 12,
    "amplitude_id": 77,
    "app": 1234,
    "client_event_time": "2026-03-02 12:00:05.000000",
    "client_upload_time": "2026-03-02 12:00:06.000000",
    "data": {"path": "/2/httpapi"},
    "device_id": "d-1",
    "event_id": 5,
    "event_properties": {"prompt": "Hi?", "n": 2},
    "event_time": "2026-03-02 12:00:00.000000",
    "event_type": "prompt_sent",
    "groups": {"org": ["a"]},
    "platform": "Web",
    "server_received_time": "2026-03-02 12:00:01.000000",
    "server_upload_time": "2026-03-02 12:00:02.000000",
    "session_id": 1772452800000,
    "user_id": None,
    "user_properties": {"plan": "team"},
    "uuid": "e-1",
}


def test_an_exported_event_is_parsed_completely() -> None:
    assert parse_record(EXPORTED) == [
        Event(
            event_id="e-1",
            event_name="prompt_sent",
            session_id="d-1.1772452800000",
            user_id="d-1",
            event_at=NOON,
            received_at=NOON + dt.timedelta(seconds=1),
            source_format="amplitude",
            metadata={
                "amplitude_id": 77,
                "groups": {"org": ["a"]},
                "platform": "Web",
                "prompt": "Hi?",
                "n": 2,
                "user_properties": {"plan": "team"},
            },
        )
    ]


def test_an_event_sent_to_the_api_has_its_own_id_and_time() -> None:
    sent = {"event_type": "ask", "user_id": "u-001", "time": 1772452800000, "insert_id": "i-2", "event_properties": {}}
    assert parse_record(sent) == [Event("i-2", "ask", None, "u-001", NOON, None, "amplitude", {})]


@pytest.mark.parametrize("session", [-1, "-1", -1.0, None, ""])
def test_minus_one_is_no_session(session: object) -> None:
    assert parse_record(EXPORTED | {"session_id": session})[0].session_id is None


def test_equal_sessions_of_two_devices_differ() -> None:
    others = [parse_record(EXPORTED | {"device_id": device, "user_id": "u-001"})[0] for device in ("d-1", "d-2")]
    assert [(event.user_id, event.session_id) for event in others] == [
        ("u-001", "d-1.1772452800000"),
        ("u-001", "d-2.1772452800000"),
    ]


def test_properties_may_be_json_text_and_numbers_floats() -> None:
    row = EXPORTED | {"event_properties": json.dumps({"prompt": "Hi?"}), "session_id": 1772452800000.0}
    (event,) = parse_record(row)
    assert (event.metadata["prompt"], event.session_id) == ("Hi?", "d-1.1772452800000")


@pytest.mark.parametrize("kind", ["$identify", "$groupidentify"])
def test_updates_of_properties_are_no_events(kind: str) -> None:
    assert rejection_of(EXPORTED | {"event_type": kind}) == (
        "not_an_event",
        f"event_type is {kind}: it sets properties of a user or group.",
    )


def test_an_event_without_a_type_is_rejected() -> None:
    assert rejection_of(EXPORTED | {"event_type": None})[0] == "missing_name"


def test_a_row_of_another_product_is_not_one_of_amplitude() -> None:
    assert detect_format({"name": "a", "event_type": "b", "user_id": "u", "metadata": {}}).name == "turret"
