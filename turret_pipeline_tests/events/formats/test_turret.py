"""Turret events, as they are tracked and as the events table publishes them."""

import datetime as dt

import pytest

from turret_pipeline.events.formats import FORMATS, Event, detect_format, parse_record
from turret_pipeline_tests.events.formats.rejections import rejection_of

NOON = dt.datetime(2024, 5, 1, 12, tzinfo=dt.UTC)
TURRET = {"name": "asked", "timestamp": "2024-05-01T12:00:00Z", "metadata": {}}


def test_a_turret_event_is_parsed_completely() -> None:
    record = {
        "event_id": "e1",
        "name": " asked ",
        "session_id": "s1",
        "user_id": 7,
        "timestamp": "2024-05-01T14:00:00+02:00",
        "received_at": "2024-05-01T12:00:01Z",
        "metadata": {"prompt": "Hi?", "model": None},
        "plan": "pro",
        "region": None,
    }
    assert parse_record(record) == [
        Event(
            event_id="e1",
            event_name="asked",
            session_id="s1",
            user_id="7",
            event_at=NOON,
            received_at=NOON + dt.timedelta(seconds=1),
            source_format="turret",
            metadata={"plan": "pro", "prompt": "Hi?", "model": None},
        )
    ]


def test_nulls_and_blanks_of_optional_fields_count_as_missing() -> None:
    blank = {"event_id": "", "session_id": None, "user_id": "", "received_at": "", "metadata": None}
    expected = Event(None, "asked", None, None, NOON, None, "turret", {})
    assert parse_record(TURRET | blank) == [expected]
    assert parse_record(TURRET) == [expected]


def test_metadata_takes_precedence_over_other_keys() -> None:
    assert parse_record(TURRET | {"plan": "outer", "metadata": {"plan": "inner"}})[0].metadata == {"plan": "inner"}


def test_our_own_column_names_are_read_too() -> None:
    [event] = parse_record({"event_name": "asked", "event_at": "2024-05-01T12:00:00Z"})
    assert (event.event_name, event.event_at) == ("asked", NOON)


def test_an_event_without_a_time_happened_when_it_was_received() -> None:
    [event] = parse_record({"name": "asked", "received_at": "2024-05-01T12:00:00Z"})
    assert (event.event_at, event.received_at) == (NOON, NOON)


def test_canonical_names_take_precedence_and_other_names_become_metadata() -> None:
    record = {
        "event_name": "click",
        "name": "Widget",
        "event_at": "2026-01-02",
        "timestamp": "2026-01-01",
        "metadata": {},
    }
    (event,) = parse_record(record)
    assert (event.event_name, event.event_at) == ("click", dt.datetime(2026, 1, 2, tzinfo=dt.UTC))
    assert event.metadata == {"name": "Widget", "timestamp": "2026-01-01"}


def test_an_export_of_the_events_table_gets_no_new_metadata() -> None:
    place = {
        "source_format": "turret",
        "source_file": "a",
        "line_number": 1,
        "item_number": 1,
        "is_session_derived": False,
    }
    (event,) = parse_record({"event_name": "a", "event_at": "2026-01-01", "metadata": {"plan": "pro"}, **place})
    assert event.metadata == {"plan": "pro"}


@pytest.mark.parametrize(("given", "expected"), [(7, "7"), (7.0, "7"), (7.5, "7.5"), (float("nan"), None), ("", None)])
def test_identifiers_that_are_numbers_become_text_and_nan_becomes_none(given: object, expected: str | None) -> None:
    (event,) = parse_record({"name": "a", "timestamp": 1714564800, "session_id": given})
    assert event.session_id == expected


def test_the_longest_name_is_kept() -> None:
    assert parse_record(TURRET | {"name": "n" * 255})[0].event_name == "n" * 255


def test_an_event_without_any_time_has_none() -> None:
    assert parse_record({"name": "asked"}) == [Event(None, "asked", None, None, None, None, "turret", {})]


@pytest.mark.parametrize(
    ("timestamp", "is_assumed"),
    [
        ("2024-05-01T12:00:00", True),
        ("2024-05-01 12:00:00", True),
        (dt.datetime(2024, 5, 1, 12), True),
        ("2024-05-01T12:00:00Z", False),
        ("2024-05-01 12:00:00 UTC", False),
        ("2024-05-01T14:00:00+02:00", False),
        (1714564800, False),
        ("1714564800000", False),
        (NOON, False),
    ],
)
def test_a_time_without_a_zone_is_utc_and_marked_as_assumed(timestamp: object, is_assumed: bool) -> None:
    (event,) = parse_record({"name": "asked", "timestamp": timestamp})
    assert (event.event_at, event.is_zone_assumed) == (NOON, is_assumed)


def test_is_zone_assumed_is_about_the_time_that_becomes_event_at() -> None:
    zoned, naive = "2024-05-01T12:00:00Z", "2024-05-01T12:00:00"
    (event,) = parse_record({"name": "asked", "timestamp": zoned, "received_at": naive})
    (received,) = parse_record({"name": "asked", "received_at": naive})
    assert (event.is_zone_assumed, received.is_zone_assumed) == (False, True)


def test_metadata_may_be_json_text() -> None:
    (event,) = parse_record(TURRET | {"metadata": '{"plan": "pro"}'})
    assert event.metadata == {"plan": "pro"}


@pytest.mark.parametrize(
    ("record", "code"),
    [
        (TURRET | {"name": None}, "missing_name"),
        (TURRET | {"name": ""}, "invalid_name"),
        (TURRET | {"name": " "}, "invalid_name"),
        (TURRET | {"name": 5}, "invalid_name"),
        (TURRET | {"event_name": []}, "invalid_name"),
        (TURRET | {"name": "n" * 256}, "invalid_name"),
        (TURRET | {"name": "(start)"}, "invalid_name"),
        (TURRET | {"name": "(struggle)"}, "invalid_name"),
        (TURRET | {"timestamp": "yesterday"}, "invalid_timestamp"),
        (TURRET | {"timestamp": True}, "invalid_timestamp"),
        (TURRET | {"timestamp": "1899-12-31T23:59:59Z"}, "invalid_timestamp"),
        (TURRET | {"timestamp": "2200-01-01T00:00:00Z"}, "invalid_timestamp"),
        (TURRET | {"timestamp": "0001-01-01T00:00:00+05:00"}, "invalid_timestamp"),
        (TURRET | {"timestamp": "9999-12-31T23:59:59-05:00"}, "invalid_timestamp"),
        (TURRET | {"timestamp": 10**400}, "invalid_timestamp"),
        (TURRET | {"timestamp": float("nan")}, "invalid_timestamp"),
        (TURRET | {"received_at": {}}, "invalid_timestamp"),
        (TURRET | {"metadata": []}, "invalid_metadata"),
        (TURRET | {"metadata": "plan"}, "invalid_metadata"),
        (TURRET | {"event_id": True}, "invalid_event_id"),
        (TURRET | {"event_id": float("inf")}, "invalid_event_id"),
        (TURRET | {"user_id": 10**400}, "invalid_user_id"),
        (TURRET | {"user_id": ["u1"]}, "invalid_user_id"),
        (TURRET | {"session_id": {}}, "invalid_session_id"),
    ],
)
def test_a_row_that_breaks_a_rule_is_rejected_with_its_code(record: object, code: str) -> None:
    assert rejection_of(record)[0] == code


def test_a_rejection_says_what_is_wrong_and_how_to_fix_it() -> None:
    assert rejection_of(TURRET | {"metadata": [1]}) == (
        "invalid_metadata",
        "metadata is an array: it must be an object.",
    )
    assert rejection_of(TURRET | {"timestamp": "9" * 100})[1] == (
        f"timestamp is '{'9' * 80}'...: it must be ISO 8601 or Unix time, from 1900 to 2199."
    )
    assert rejection_of(TURRET | {"timestamp": 10**400})[1].startswith(
        "timestamp is a number of 1,329 bits: it must be"
    )
    assert rejection_of(TURRET | {"timestamp": [[]]})[1].startswith("timestamp is an array: it must be")


NOW = "2024-05-01T12:00:00Z"


@pytest.mark.parametrize(
    "row",
    [
        {"name": "asked", "metadata": {}},
        {"name": "asked", "metadata": {}, "session_id": None, "user_id": None},
        {"name": "asked", "timestamp": NOW, "session_id": "s1", "plan": "pro"},
        {"name": "asked", "timestamp": NOW, "event_id": "e1", "user_id": "u1", "plan": "pro"},
        {"event_name": "asked", "timestamp": NOW, "user_id": "u1", "plan": "pro"},
        {"event_name": "asked", "event_at": NOW, "plan": "pro"},
        {"name": "asked", "timestamp": NOW, "event_id": "e1"},
        {
            "name": "asked",
            "timestamp": NOW,
            "user_id": "u1",
        },  # all keys are Turret's, so nothing tells it from an event
    ],
)
def test_a_short_turret_event_is_recognised(row: dict[str, object]) -> None:
    assert detect_format(row).name == "turret"


@pytest.mark.parametrize(
    "row",
    [
        {"timestamp": NOW, "name": "cpu_load", "value": 0.5},
        {"user_id": "u1", "name": "Ada", "timestamp": NOW, "email": "ada@example.org"},
        {"event_id": 7, "name": "Summer party", "timestamp": NOW, "venue": "Hall"},
        {"event_name": "Summer party", "timestamp": NOW, "venue": "Hall"},
        {"id": 1, "name": "Ada"},
    ],
)
def test_a_row_that_only_has_a_name_is_no_turret_event(row: dict[str, object]) -> None:
    code, reason = rejection_of(row)
    assert code == "unknown_shape"
    assert "A Turret event with a name has `metadata`" in reason
    assert "[mapping]" in reason
    assert "`turret inspect FILE`" in reason
    assert parse_record(row, FORMATS["turret"])[0].source_format == "turret"


@pytest.mark.parametrize("key", ["created_at", "when", "signupDate"])
def test_an_event_with_its_time_under_another_name_is_rejected_with_that_name(key: str) -> None:
    code, reason = rejection_of({"name": "asked", "metadata": {}, "user_id": "u1", key: NOW})
    assert code == "unknown_shape"
    assert f"Its time seems to be {key}:" in reason


def test_text_under_a_key_like_that_of_a_time_is_metadata() -> None:
    (event,) = parse_record({"name": "asked", "metadata": {}, "when": "later", "at": ["2024-05-01"]})
    assert event.metadata == {"when": "later", "at": ["2024-05-01"]}
