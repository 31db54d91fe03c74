"""Trubrics events and LLM events."""

import datetime as dt
from typing import Any

import pytest

from turret_pipeline.events.formats import Event, parse_record
from turret_pipeline_tests.events.formats.rejections import rejection_of

NOON = dt.datetime(2024, 5, 1, 12, tzinfo=dt.UTC)
TRUBRICS = {"user_id": "u1", "event": "asked", "timestamp": "2024-05-01T12:00:00Z"}
LLM = {"user_id": "u1", "prompt": "Hi?", "generation": "Hello.", "timestamp": "2024-05-01T12:00:00Z"}


def test_reserved_properties_of_a_trubrics_event_become_columns_and_fields() -> None:
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
def test_the_thread_of_the_row_takes_precedence_over_that_in_the_properties(record: dict[str, Any]) -> None:
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
        metadata={"generation": "Hello.", "latency_seconds": 2.5, "plan": "pro", "assistant_id": "bot"},
    )


def test_an_llm_event_without_latency_has_both_events_at_one_time() -> None:
    prompt, generation = parse_record(LLM | {"latency": None, "event_id": None, "properties": None})
    assert (prompt.event_at, generation.event_at) == (NOON, NOON)
    assert (prompt.event_id, generation.metadata) == (None, {"generation": "Hello."})


def test_an_llm_event_can_name_its_events() -> None:
    names = {"prompt_event_name": "Question", "generation_event_name": "Answer"}
    assert [event.event_name for event in parse_record(LLM | names)] == ["Question", "Answer"]


def test_texts_are_not_overwritten_by_properties_of_the_same_name() -> None:
    record = LLM | {"latency": 1, "properties": {"prompt": "x", "generation": "y", "latency": 9}}
    prompt, generation = parse_record(record)
    assert prompt.metadata["prompt"] == "Hi?"
    assert (generation.metadata["generation"], generation.metadata["latency_seconds"]) == ("Hello.", 1)


def test_an_llm_event_without_any_time_has_none() -> None:
    prompt, generation = parse_record(LLM | {"timestamp": None, "latency": 2})
    assert (prompt.event_at, generation.event_at, generation.metadata["latency_seconds"]) == (None, None, 2)


def test_plain_properties_named_like_reserved_ones_stay() -> None:
    (event,) = parse_record(TRUBRICS | {"assistant_id": "bot", "properties": {"text": "Hi?"}})
    assert event.metadata == {"text": "Hi?", "assistant_id": "bot"}


@pytest.mark.parametrize(
    ("record", "code"),
    [
        (TRUBRICS | {"user_id": None}, "missing_user_id"),
        (TRUBRICS | {"event": None}, "missing_name"),
        (TRUBRICS | {"properties": "a"}, "invalid_properties"),
        (TRUBRICS | {"properties": {"$thread_id": []}}, "invalid_session_id"),
        (LLM | {"user_id": ""}, "missing_user_id"),
        (LLM | {"prompt": None}, "invalid_prompt"),
        (LLM | {"generation": 4}, "invalid_generation"),
        (LLM | {"latency": -1}, "invalid_latency"),
        (LLM | {"latency": float("nan")}, "invalid_latency"),
        (LLM | {"latency": "soon"}, "invalid_latency"),
        (LLM | {"latency": [[]]}, "invalid_latency"),
        (LLM | {"prompt_event_name": ""}, "invalid_name"),
        (LLM | {"properties": []}, "invalid_properties"),
    ],
)
def test_a_row_that_breaks_a_rule_is_rejected_with_its_code(record: object, code: str) -> None:
    assert rejection_of(record)[0] == code


def test_a_rejection_names_the_value_and_the_rule() -> None:
    assert rejection_of(TRUBRICS | {"user_id": None})[1] == "user_id is missing: a Trubrics event needs one."
    assert rejection_of(LLM | {"latency": -1})[1] == "latency is -1: it must be seconds, 0 or more."
    assert rejection_of(TRUBRICS | {"properties": {"$thread_id": []}})[1] == (
        "$thread_id is an array: it must be a string or a number."
    )
