"""Exports of PostHog."""

import datetime as dt
from typing import Any

import orjson
import pytest

from turret_pipeline.events.formats import FORMATS, Event, detect_format, parse_record
from turret_pipeline_tests.events.formats.rejections import rejection_of

NOON = dt.datetime(2024, 5, 1, 12, tzinfo=dt.UTC)

CLICK: dict[str, Any] = {
    "uuid": "018f-1",
    "event": "$pageview",
    "distinct_id": "u1",
    "person_id": "p1",
    "timestamp": "2024-05-01T12:00:00.000000+00:00",
    "created_at": "2024-05-01T12:00:01+00:00",
    "properties": {"$session_id": "s1", "$browser": "Firefox", "plan": "pro", "token": "phc_x", "$set": {"a": 1}},
    "person_properties": {"company": "Acme"},
    "elements_chain": "",
    "team_id": 2,
}
ASKED = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi?"}]
GENERATION: dict[str, Any] = {
    "uuid": "018f-2",
    "event": "$ai_generation",
    "distinct_id": "u1",
    "timestamp": "2024-05-01T12:00:00Z",
    "properties": {
        "$ai_session_id": "c1",
        "$ai_trace_id": "t1",
        "$ai_model": "small-1",
        "$ai_provider": "acme",
        "$ai_input": ASKED,
        "$ai_output_choices": [{"role": "assistant", "content": [{"type": "text", "text": "Hello."}]}],
        "$ai_latency": 2.5,
        "$ai_input_tokens": 4,
        "$ai_output_tokens": 2,
        "$ai_total_cost_usd": 0.01,
        "plan": "pro",
    },
}


def generation(**changes: object) -> list[Event]:
    """The events of the generation with these properties changed."""
    return parse_record(GENERATION | {"properties": GENERATION["properties"] | changes})


def test_an_event_is_parsed_completely() -> None:
    assert parse_record(CLICK) == [
        Event(
            event_id="018f-1",
            event_name="$pageview",
            session_id="s1",
            user_id="u1",
            event_at=NOON,
            received_at=NOON + dt.timedelta(seconds=1),
            source_format="posthog",
            metadata={"person_id": "p1", "$browser": "Firefox", "plan": "pro", "person": {"company": "Acme"}},
        )
    ]


def test_properties_may_be_json_text_as_in_csv_and_parquet() -> None:
    texts = {key: orjson.dumps(CLICK[key]).decode() for key in ("properties", "person_properties")}
    assert parse_record(CLICK | texts) == parse_record(CLICK)


def test_an_event_without_properties_is_parsed() -> None:
    record = {"uuid": "1", "event": "a", "distinct_id": "u1", "timestamp": None, "properties": None}
    assert parse_record(record) == [Event("1", "a", None, "u1", None, None, "posthog", {})]


def test_a_generation_becomes_a_prompt_and_a_generation() -> None:
    shared = {"$ai_trace_id": "t1", "plan": "pro", "model": "small-1", "provider": "acme"}
    assert parse_record(GENERATION) == [
        Event(
            event_id="018f-2-prompt",
            event_name="User prompt",
            session_id="c1",
            user_id="u1",
            event_at=NOON - dt.timedelta(seconds=2.5),
            received_at=None,
            source_format="posthog",
            metadata=shared | {"input_tokens": 4, "prompt": "Hi?"},
        ),
        Event(
            event_id="018f-2-generation",
            event_name="AI generation",
            session_id="c1",
            user_id="u1",
            event_at=NOON,
            received_at=None,
            source_format="posthog",
            metadata=shared | {"output_tokens": 2, "cost_usd": 0.01, "generation": "Hello.", "latency_seconds": 2.5},
        ),
    ]


def test_only_the_last_message_of_the_user_is_a_prompt() -> None:
    turns = [*ASKED, {"role": "assistant", "content": "Hello."}, {"role": "user", "content": "And now?"}]
    assert [event.metadata.get("prompt") for event in generation(**{"$ai_input": turns})] == ["And now?", None]


def test_a_step_of_an_agent_repeats_no_prompt() -> None:
    turns = [*ASKED, {"role": "assistant", "tool_calls": []}, {"role": "tool", "content": "42"}]
    (event,) = generation(**{"$ai_input": turns})
    assert (event.event_name, event.metadata["generation"]) == ("AI generation", "Hello.")


def test_a_failed_call_has_only_a_prompt() -> None:
    (event,) = generation(**{"$ai_output_choices": None, "$ai_is_error": True})
    assert (event.event_name, event.metadata["is_error"]) == ("User prompt", True)


def test_a_generation_without_texts_is_one_event_and_a_trace_repeats_none() -> None:
    (private,) = generation(**{"$ai_input": None, "$ai_output_choices": None})
    (trace,) = parse_record(CLICK | {"event": "$ai_trace", "properties": {"$ai_input_state": ASKED}})
    assert (private.event_name, private.event_id) == ("$ai_generation", "018f-2")
    assert (trace.event_name, trace.metadata) == ("$ai_trace", {"person_id": "p1", "person": {"company": "Acme"}})


def test_a_generation_says_how_it_ended() -> None:
    _, answer = generation(**{"$ai_is_error": False, "$ai_stop_reason": "stop", "$ai_http_status": 200})
    assert (answer.metadata["is_error"], answer.metadata["finish_reason"]) == (False, "stop")
    assert generation(**{"$ai_http_status": "500"})[1].metadata["is_error"] is True


def test_parts_of_messages_are_texts_and_tool_calls() -> None:
    asked = [{"role": "user", "content": [{"type": "text", "text": "Who?"}, {"type": "image", "image": "https://x"}]}]
    call = {"type": "function", "id": "call-1", "function": {"name": "find", "arguments": {}}}
    choices = [{"role": "assistant", "content": [{"type": "text", "text": "Wait."}, call]}]
    prompt, answer, tool = generation(**{"$ai_input": asked, "$ai_output_choices": choices})
    assert prompt.metadata["prompt"] == "Who?\n[image]"
    assert answer.metadata["generation"] == "Wait."
    assert (tool.event_name, tool.event_id, tool.is_tool_call) == ("tool:find", "018f-2-tool-call-1", True)


def test_the_span_of_a_tool_is_its_call_and_another_span_an_event() -> None:
    span = {"$ai_span_name": "find", "$ai_span_type": "tool", "$ai_latency": 0.5, "$ai_is_error": True}
    (tool,) = parse_record(GENERATION | {"event": "$ai_span", "properties": span})
    (step,) = parse_record(GENERATION | {"event": "$ai_span", "properties": span | {"$ai_span_type": "agent"}})
    assert (tool.event_name, tool.is_tool_call, tool.event_at) == ("tool:find", True, NOON - dt.timedelta(seconds=0.5))
    assert tool.metadata | {"status": "error", "is_error": True, "latency_seconds": 0.5} == tool.metadata
    assert (step.event_name, step.is_tool_call) == ("$ai_span", False)


def test_an_embedding_is_one_event_without_the_text_that_a_program_wrote() -> None:
    kept = {key: value for key, value in GENERATION["properties"].items() if key != "$ai_output_choices"}
    (event,) = parse_record(GENERATION | {"event": "$ai_embedding", "properties": kept})
    assert (event.event_name, event.metadata["input_tokens"], event.metadata["model"]) == (
        "$ai_embedding",
        4,
        "small-1",
    )
    assert "Hi?" not in str(event.metadata)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"event": None}, "missing_name"),
        ({"event": []}, "invalid_name"),
        ({"distinct_id": {}}, "invalid_user_id"),
        ({"uuid": True}, "invalid_event_id"),
        ({"properties": "{"}, "invalid_properties"),
        ({"properties": [1]}, "invalid_properties"),
        ({"person_properties": 3}, "invalid_person_properties"),
        ({"timestamp": "soon"}, "invalid_timestamp"),
        ({"event": "$ai_generation", "properties": {"$ai_input": "Hi?", "$ai_latency": "slow"}}, "invalid_latency"),
    ],
)
def test_a_row_that_breaks_a_rule_is_rejected_with_its_code(change: dict[str, object], code: str) -> None:
    assert rejection_of(CLICK | change)[0] == code


@pytest.mark.parametrize("key", ["name", "event_name", "user_id"])
def test_an_event_of_another_format_with_a_distinct_id_is_not_a_posthog_event(key: str) -> None:
    assert detect_format(CLICK | {key: "x", "user_id": "u1", "metadata": {}}).name != "posthog"


def test_a_row_of_another_shape_is_rejected_if_the_format_is_selected() -> None:
    assert rejection_of({"event": "a", "uuid": "1"}, FORMATS["posthog"]) == (
        "not_of_format",
        "The row does not match format posthog: missing distinct_id; keys: event, uuid.",
    )


def test_the_id_of_a_trace_is_no_user() -> None:
    properties = {"$ai_trace_id": "t1", "$ai_input": "Hi?", "$process_person_profile": False}
    row = {"uuid": "e1", "event": "$ai_generation", "distinct_id": "t1", "properties": properties}
    assert [(event.user_id, event.session_id) for event in parse_record(row)] == [(None, "t1")]
    assert [event.user_id for event in parse_record({**row, "distinct_id": "u1"})] == ["u1"]
