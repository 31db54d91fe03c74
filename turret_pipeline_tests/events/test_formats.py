"""One record in, its events or a refusal out."""

import datetime as dt
from typing import Any

import pytest

from turret_pipeline.events.formats import Event, Refused, parse_record, to_utc

NOON = dt.datetime(2024, 5, 1, 12, tzinfo=dt.UTC)
TURRET = {"name": "asked", "timestamp": "2024-05-01T12:00:00Z"}
TRUBRICS = {"user_id": "u1", "event": "asked", "timestamp": "2024-05-01T12:00:00Z"}
LLM = {"user_id": "u1", "prompt": "Hi?", "generation": "Hello.", "timestamp": "2024-05-01T12:00:00Z"}


def refusal(record: object) -> tuple[str, str]:
    with pytest.raises(Refused) as caught:
        parse_record(record)
    return caught.value.code, caught.value.reason


def test_a_turret_event_is_read_whole() -> None:
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


def test_metadata_wins_over_a_key_beside_it() -> None:
    assert parse_record(TURRET | {"plan": "outer", "metadata": {"plan": "inner"}})[0].metadata == {"plan": "inner"}


def test_our_own_column_names_are_read_too() -> None:
    [event] = parse_record({"event_name": "asked", "event_at": "2024-05-01T12:00:00Z"})
    assert (event.event_name, event.event_at) == ("asked", NOON)


def test_an_event_without_a_time_happened_when_it_was_received() -> None:
    [event] = parse_record({"name": "asked", "received_at": "2024-05-01T12:00:00Z"})
    assert (event.event_at, event.received_at) == (NOON, NOON)


def test_a_trubrics_event_gives_its_reserved_properties_their_place() -> None:
    properties = {"$thread_id": "t1", "$text": "Hi?", "$assistant_id": "bot", "plan": "pro", "region": None}
    assert parse_record(TRUBRICS | {"properties": properties, "source": "web"}) == [
        Event(
            event_id=None,
            event_name="asked",
            session_id="t1",
            user_id="u1",
            event_at=NOON,
            received_at=None,
            source_format="trubrics_event",
            metadata={"source": "web", "plan": "pro", "text": "Hi?", "assistant_id": "bot"},
        )
    ]


@pytest.mark.parametrize("record", [TRUBRICS, LLM])
def test_the_thread_on_top_wins_over_the_one_in_the_properties(record: dict[str, Any]) -> None:
    both = record | {"thread_id": "top", "properties": {"$thread_id": "inner"}}
    inner = record | {"thread_id": None, "properties": {"$thread_id": "inner"}}
    assert {event.session_id for event in parse_record(both)} == {"top"}
    assert {event.session_id for event in parse_record(inner)} == {"inner"}


def test_an_llm_event_becomes_a_prompt_and_a_generation() -> None:
    record = LLM | {"event_id": "x", "latency": 2.5, "assistant_id": "bot", "properties": {"plan": "pro"}}
    prompt, generation = parse_record(record)
    assert prompt == Event(
        event_id="x-prompt",
        event_name="User prompt",
        session_id=None,
        user_id="u1",
        event_at=NOON - dt.timedelta(seconds=2.5),
        received_at=None,
        source_format="trubrics_llm",
        metadata={"prompt": "Hi?", "plan": "pro", "assistant_id": "bot"},
    )
    assert generation == Event(
        event_id="x-generation",
        event_name="AI generation",
        session_id=None,
        user_id="u1",
        event_at=NOON,
        received_at=None,
        source_format="trubrics_llm",
        metadata={"generation": "Hello.", "latency": 2.5, "plan": "pro", "assistant_id": "bot"},
    )


def test_an_llm_event_without_latency_has_both_events_at_one_time() -> None:
    prompt, generation = parse_record(LLM | {"latency": None, "event_id": None, "properties": None})
    assert (prompt.event_at, generation.event_at) == (NOON, NOON)
    assert (prompt.event_id, generation.metadata) == (None, {"generation": "Hello."})


def test_an_llm_event_can_name_its_events() -> None:
    names = {"prompt_event_name": "Question", "generation_event_name": "Answer"}
    assert [event.event_name for event in parse_record(LLM | names)] == ["Question", "Answer"]


def test_what_was_said_is_not_overwritten_by_a_property_of_that_name() -> None:
    record = LLM | {"latency": 1, "properties": {"prompt": "x", "generation": "y", "latency": 9}}
    prompt, generation = parse_record(record)
    assert prompt.metadata["prompt"] == "Hi?"
    assert (generation.metadata["generation"], generation.metadata["latency"]) == ("Hello.", 1)


@pytest.mark.parametrize(
    ("record", "code"),
    [
        (None, "not_an_object"),
        (3, "not_an_object"),
        ([TURRET], "not_an_object"),
        ({}, "unknown_shape"),
        ({"prompt": "Hi?", "timestamp": 1}, "unknown_shape"),
        (TURRET | {"name": None}, "missing_name"),
        (TURRET | {"name": " "}, "invalid_name"),
        (TURRET | {"name": 5}, "invalid_name"),
        (TURRET | {"name": "n" * 256}, "invalid_name"),
        ({"name": "asked"}, "missing_timestamp"),
        (TURRET | {"timestamp": "yesterday"}, "invalid_timestamp"),
        (TURRET | {"timestamp": True}, "invalid_timestamp"),
        (TURRET | {"timestamp": "1899-12-31T23:59:59Z"}, "invalid_timestamp"),
        (TURRET | {"timestamp": "2200-01-01T00:00:00Z"}, "invalid_timestamp"),
        (TURRET | {"timestamp": "0001-01-01T00:00:00+05:00"}, "invalid_timestamp"),
        (TURRET | {"received_at": {}}, "invalid_timestamp"),
        (TURRET | {"metadata": []}, "invalid_metadata"),
        (TURRET | {"event_id": True}, "invalid_event_id"),
        (TURRET | {"user_id": ["u1"]}, "invalid_user_id"),
        (TURRET | {"session_id": {}}, "invalid_session_id"),
        (TRUBRICS | {"user_id": None}, "missing_user_id"),
        (TRUBRICS | {"event": None}, "missing_name"),
        (TRUBRICS | {"properties": "a"}, "invalid_properties"),
        (TRUBRICS | {"properties": {"$thread_id": []}}, "invalid_thread_id"),
        (LLM | {"user_id": ""}, "missing_user_id"),
        (LLM | {"prompt": None}, "invalid_prompt"),
        (LLM | {"generation": 4}, "invalid_generation"),
        (LLM | {"latency": -1}, "invalid_latency"),
        (LLM | {"latency": float("nan")}, "invalid_latency"),
        (LLM | {"prompt_event_name": ""}, "invalid_name"),
    ],
)
def test_a_row_that_breaks_a_rule_is_refused_by_its_code(record: object, code: str) -> None:
    assert refusal(record)[0] == code


def test_a_refusal_says_what_is_wrong_and_what_would_be_right() -> None:
    assert refusal(TURRET | {"metadata": [1]}) == ("invalid_metadata", "metadata is an array: it must be an object.")
    assert refusal({"b": 1, "a": 2})[1] == (
        "A row needs name (Turret), event, or prompt and generation (Trubrics); keys: a, b."
    )


def test_the_longest_name_is_kept() -> None:
    assert parse_record(TURRET | {"name": "n" * 255})[0].event_name == "n" * 255


@pytest.mark.parametrize(
    "value",
    [
        "2024-05-01T12:00:00Z",
        "2024-05-01T12:00:00",
        " 2024-05-01 12:00:00 ",
        "2024-05-01T07:00:00-05:00",
        "20240501T120000Z",
        1714564800,
        "1714564800",
        1714564800.0,
        1714564800000,
        1714564800000000,
        1714564800000000000,
        dt.datetime(2024, 5, 1, 12),
        dt.datetime(2024, 5, 1, 14, tzinfo=dt.timezone(dt.timedelta(hours=2))),
    ],
)
def test_a_time_is_read_as_utc_from_every_usual_form(value: object) -> None:
    assert to_utc(value) == NOON
    assert to_utc(value).utcoffset() == dt.timedelta(0)


def test_a_date_is_its_first_moment() -> None:
    assert to_utc("2024-05-01") == dt.datetime(2024, 5, 1, tzinfo=dt.UTC)


@pytest.mark.parametrize("value", [None, "", "soon", "-1", "²", "12:30", True, float("inf"), [], {}])
def test_what_is_no_time_raises(value: object) -> None:
    with pytest.raises(ValueError, match=r"no time|convert|Invalid"):
        to_utc(value)


def test_the_canonical_name_wins_and_the_other_becomes_metadata() -> None:
    record = {
        "event_name": "click",
        "name": "Widget",
        "event_at": "2026-01-02",
        "timestamp": "2026-01-01",
        "metadata": {},
    }
    (event,) = parse_record(record)
    assert (event.event_name, event.event_at.day) == ("click", 2)
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
def test_identifiers_that_are_numbers_are_text_and_gaps_are_none(given: object, expected: str | None) -> None:
    (event,) = parse_record({"name": "a", "timestamp": 0, "session_id": given})
    assert event.session_id == expected
