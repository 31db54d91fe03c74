"""Mixpanel's raw event export."""

import datetime as dt
from typing import Any

import pytest

from turret_pipeline.events.formats import FORMATS, Event, parse_record
from turret_pipeline_tests.events.formats.rejections import rejection_of

NOON = dt.datetime(2024, 5, 1, 12, tzinfo=dt.UTC)

PROPERTIES: dict[str, Any] = {
    "time": 1714564800,
    "distinct_id": "u1",
    "$insert_id": "i1",
    "mp_processing_time_ms": 1714564801000,
    "$city": "Basel",
    "plan": "pro",
    "coupon": None,
    "token": "abc",
}
RECORD = {"event": "Report Opened", "properties": PROPERTIES}


def test_an_event_is_parsed_completely() -> None:
    assert parse_record(RECORD) == [
        Event(
            event_id="i1",
            event_name="Report Opened",
            session_id=None,
            user_id="u1",
            event_at=NOON,
            received_at=NOON + dt.timedelta(seconds=1),
            source_format="mixpanel",
            metadata={"$city": "Basel", "plan": "pro"},
        )
    ]


def test_a_minimal_event() -> None:
    assert parse_record({"event": "a", "properties": {"time": 1714564800000}}) == [
        Event(None, "a", None, None, NOON, None, "mixpanel", {})
    ]


def test_without_a_distinct_id_the_user_is_the_user_id_or_the_device() -> None:
    found = {"time": 1714564800, "distinct_id": "", "$user_id": None, "$device_id": "d1"}
    (event,) = parse_record({"event": "a", "properties": found})
    assert (event.user_id, event.metadata) == ("d1", {"distinct_id": ""})


@pytest.mark.parametrize(
    ("record", "code"),
    [
        (RECORD | {"event": ""}, "invalid_name"),
        (RECORD | {"properties": PROPERTIES | {"time": True}}, "invalid_timestamp"),
        (RECORD | {"properties": PROPERTIES | {"time": 1e400}}, "invalid_timestamp"),
        (RECORD | {"properties": PROPERTIES | {"distinct_id": ["u1"]}}, "invalid_user_id"),
        (RECORD | {"properties": PROPERTIES | {"$insert_id": {}}}, "invalid_event_id"),
    ],
)
def test_a_row_that_breaks_a_rule_is_rejected_with_its_code(record: dict[str, object], code: str) -> None:
    assert rejection_of(record)[0] == code


def test_a_trubrics_event_with_a_time_among_its_properties_is_not_a_mixpanel_event() -> None:
    (event,) = parse_record({"event": "a", "user_id": "u1", "timestamp": 1714564800, "properties": {"time": 1}})
    assert (event.source_format, event.metadata) == ("trubrics_event", {"time": 1})


def test_a_row_of_another_shape_is_rejected_if_the_format_is_selected() -> None:
    assert rejection_of({"event": "a", "properties": None}, FORMATS["mixpanel"]) == (
        "not_of_format",
        "The row does not match format mixpanel: missing properties.time; keys: event, properties.",
    )
