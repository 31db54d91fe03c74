"""Trackers of Rasa and their events."""

from typing import Any

import orjson
import pytest

from turret_pipeline.events.formats import FORMATS, detect_format, parse_record
from turret_pipeline_tests.events.formats.rejections import rejection_of

TRACKER: dict[str, Any] = dict(FORMATS["rasa_tracker"].example)
LISTENS, ASKED, ANSWERED = TRACKER["events"]


def names_of(*events: dict[str, Any]) -> list[str]:
    return [event.event_name for event in parse_record(TRACKER | {"events": events})]


def test_a_tracker_becomes_a_session_of_its_sender() -> None:
    asked, answered = parse_record(TRACKER)
    assert (asked.event_id, asked.session_id, asked.user_id) == ("u-1-m-1", "u-1", "u-1")
    assert asked.metadata == {"intent": "reset_password", "prompt": "How do I reset my password?"}
    assert answered.metadata == {"generation": "Open Settings and choose Reset."}
    assert answered.user_id == "u-1"


def test_actions_of_your_own_are_calls_of_tools() -> None:
    actions = [LISTENS | {"name": name} for name in ("action_session_start", "utter_greet", "action_reset", "pin_form")]
    assert names_of(ASKED, *actions, ANSWERED) == ["User prompt", "tool:action_reset", "tool:pin_form", "AI generation"]


def test_other_events_and_empty_messages_are_no_events() -> None:
    slot = {"event": "slot", "name": "pin", "value": "1", "timestamp": 1772442900.5}
    assert names_of({"event": "session_started"}, slot, ASKED | {"text": None}, ASKED) == ["User prompt"]


@pytest.mark.parametrize(
    ("data", "text"),
    [({"image": "x"}, "[image]"), ({"attachment": {}, "buttons": []}, None), ({"attachment": "x"}, "[file]")],
)
def test_an_answer_may_be_a_file(data: dict[str, Any], text: str | None) -> None:
    (event,) = parse_record(TRACKER | {"events": [ANSWERED | {"text": None, "data": data}]})
    assert event.metadata.get("generation") == text


def test_events_may_be_json_text() -> None:
    assert parse_record(TRACKER | {"events": orjson.dumps(TRACKER["events"]).decode()}) == parse_record(TRACKER)


def test_a_tracker_that_grows_keeps_the_ids_of_its_events() -> None:
    before = [event.event_id for event in parse_record(TRACKER)]
    grown = TRACKER | {"events": [*TRACKER["events"], ASKED | {"message_id": "m-2"}]}
    assert [event.event_id for event in parse_record(grown)][:2] == before


def row_of(event: dict[str, Any], **more: object) -> dict[str, Any]:
    """A row of the SQL tracker store."""
    data = orjson.dumps(event).decode()
    return {
        "id": 1,
        "sender_id": "u-1",
        "type_name": event["event"],
        "timestamp": event["timestamp"],
        "data": data,
        **more,
    }


@pytest.mark.parametrize(
    "row", [row_of(ASKED), {"sender_id": "u-1", **ASKED}, {"id": 1, "sender_id": "u-1", "data": row_of(ASKED)["data"]}]
)
def test_an_event_may_be_a_row_of_a_store_or_a_broker(row: dict[str, Any]) -> None:
    (event,) = parse_record(row)
    assert event.source_format == "rasa_event"
    assert (event.event_id, event.session_id, event.user_id) == ("u-1-m-1", "u-1", "u-1")
    assert event.metadata == {"intent": "reset_password", "prompt": "How do I reset my password?"}


def test_rows_without_an_id_have_different_ones_at_different_times() -> None:
    later = ANSWERED | {"timestamp": 1772449999.0}
    ids = [parse_record(row_of(event))[0].event_id for event in (ANSWERED, later, ANSWERED)]
    assert ids[0] == ids[2] != ids[1]


@pytest.mark.parametrize("event", [LISTENS, ASKED | {"text": None}, {"event": "slot", "name": "pin", "timestamp": 0.0}])
def test_rows_that_say_nothing_are_no_events(event: dict[str, Any]) -> None:
    assert rejection_of(row_of(event))[0] == "not_an_event"


@pytest.mark.parametrize("event", [LISTENS, ASKED, ANSWERED, row_of(ASKED) | {"sender_id": None}])
def test_an_event_without_its_sender_belongs_to_nobody(event: dict[str, Any]) -> None:
    code, reason = rejection_of(event)
    assert code == "missing_sender_id"
    assert "keep the trackers" in reason


@pytest.mark.parametrize(
    ("row", "name"),
    [
        ({"event": "user", "text": "Hi", "user_id": "u1", "timestamp": 0}, "trubrics_event"),
        ({"event": "action", "name": "buy", "timestamp": 0, "metadata": {}}, "turret"),
        ({"name": "asked", "timestamp": 0, "sender_id": "u1", "data": {}, "metadata": {}}, "turret"),
    ],
)
def test_events_of_other_products_are_no_events_of_rasa(row: dict[str, Any], name: str) -> None:
    assert detect_format(row).name == name
