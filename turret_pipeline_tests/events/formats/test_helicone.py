"""Requests that Helicone logged: its API, its table and its CSV export."""

import datetime as dt
from typing import Any

import orjson
import pytest

from turret_pipeline.events.formats import Event, parse_record
from turret_pipeline_tests.events.formats.calls import texts_of
from turret_pipeline_tests.events.formats.rejections import rejection_of

NOON = dt.datetime(2024, 5, 1, 12, tzinfo=dt.UTC)
ASKED = {"model": "small-1", "messages": [{"role": "user", "content": "Hi?"}]}
ANSWER = {"choices": [{"message": {"role": "assistant", "content": "Hello."}, "finish_reason": "stop"}]}
REQUEST: dict[str, Any] = {
    "request_id": "q1",
    "response_id": "r1",
    "request_created_at": "2024-05-01 12:00:00.000",
    "request_user_id": "u1",
    "request_properties": {"Helicone-Session-Id": "s1", "Helicone-Session-Path": "/a", "plan": "pro"},
    "request_model": "small-1",
    "helicone_user": "owner",
    "delay_ms": 1500,
    "response_status": 200,
    "prompt_tokens": 4,
    "completion_tokens": 2,
    "costUSD": 0.5,
    "request_body": ASKED,
    "response_body": ANSWER,
}
TABLE: dict[str, Any] = {
    "request_id": "q1",
    "response_id": "r1",
    "request_created_at": "2024-05-01 12:00:00.000",
    "user_id": "u1",
    "properties": REQUEST["request_properties"],
    "model": "small-1",
    "latency": 1500,
    "status": 200,
    "prompt_tokens": 4,
    "completion_tokens": 2,
    "cost": 500_000_000,
    "organization_id": "o1",
    "request_body": orjson.dumps(ASKED).decode(),
    "response_body": orjson.dumps(ANSWER).decode(),
}
PAGE = {
    "id": "q1",
    "heliconeMetadata.requestId": "q1",
    "heliconeMetadata.createdAt": "2024-05-01T12:00:00Z",
    "heliconeMetadata.user": "u1",
    "heliconeMetadata.customProperties": '{"Helicone-Session-Id": "s1", "Helicone-Session-Path": "/a", "plan": "pro"}',
    "heliconeMetadata.latency": "1500",
    "heliconeMetadata.status.code": "200",
    "raw.request": TABLE["request_body"],
    "raw.response": TABLE["response_body"],
    "model": "small-1",
}


def test_a_request_is_a_prompt_and_an_answer() -> None:
    shared = {"Helicone-Session-Path": "/a", "plan": "pro", "model": "small-1"}
    answer = {"output_tokens": 2, "cost_usd": 0.5, "finish_reason": "stop", "generation": "Hello."}
    ended = {"latency_seconds": 1.5, "is_error": False}
    later = NOON + dt.timedelta(seconds=1.5)
    asked = shared | {"input_tokens": 4, "prompt": "Hi?"}
    expected = [
        Event("q1-prompt", "User prompt", "s1", "u1", NOON, None, "helicone", asked),
        Event("q1-generation", "AI generation", "s1", "u1", later, None, "helicone", shared | answer | ended),
    ]
    assert parse_record(REQUEST) == expected
    assert parse_record(TABLE) == parse_record(TABLE | {"cost": "500000000"}) == expected


def test_the_columns_of_the_requests_page_are_read() -> None:
    prompt, answer = parse_record(PAGE)
    assert texts_of(PAGE) == [("User prompt", "Hi?"), ("AI generation", "Hello.")]
    assert (prompt.event_id, prompt.session_id, prompt.user_id, prompt.event_at) == ("q1-prompt", "s1", "u1", NOON)
    assert answer.metadata | {"latency_seconds": 1.5, "is_error": False, "plan": "pro"} == answer.metadata


@pytest.mark.parametrize(
    "change", [{"request_body": {}, "response_body": {}}, {"request_body": None, "response_body": None}]
)
def test_a_request_whose_bodies_lie_elsewhere_is_one_event(change: dict[str, Any]) -> None:
    (event,) = parse_record(REQUEST | change | {"signed_body_url": "https://x"})
    assert (event.event_name, event.is_textless, event.session_id) == ("LLM call", True, "s1")


def test_a_failed_request_has_only_a_prompt() -> None:
    row = REQUEST | {"response_status": 500, "response_body": {"error": {"message": "no"}}, "request_user_id": ""}
    (event,) = parse_record(row)
    assert (event.event_name, event.user_id, event.metadata["is_error"]) == ("User prompt", None, True)


def test_a_streamed_answer_is_joined() -> None:
    chunks = [{"choices": [{"delta": {"content": text}}]} for text in ("Hel", "lo.")]
    assert texts_of(REQUEST | {"response_body": {"streamed_data": chunks}})[1] == ("AI generation", "Hello.")


def test_a_logged_tool_is_its_call_and_another_logged_step_no_event() -> None:
    (tool,) = parse_record(REQUEST | {"request_body": {"_type": "tool", "toolName": "find", "input": {"q": "x"}}})
    assert (tool.event_name, tool.is_tool_call, tool.metadata["latency_seconds"]) == ("tool:find", True, 1.5)
    assert rejection_of(REQUEST | {"request_body": {"_type": "vector_db", "operation": "search"}}) == (
        "not_an_event",
        "request_body._type is vector_db: only calls of models and tools are events.",
    )


def test_the_messages_of_the_schema_count_if_there_are_no_bodies() -> None:
    asked = {"_type": "message", "id": "1", "role": "user", "content": "Hi?"}
    answered = {"_type": "message", "id": "2", "role": "assistant", "content": "Hello."}
    call = {
        "_type": "functionCall",
        "role": "assistant",
        "content": "",
        "tool_calls": [{"name": "find", "arguments": {}}],
    }
    bodies = {"request": {"model": "small-1", "messages": [asked]}, "response": {"messages": [call, answered]}}
    without = {key: value for key, value in REQUEST.items() if key not in {"request_body", "response_body"}}
    names = [("User prompt", "Hi?"), ("tool:find", None), ("AI generation", "Hello.")]
    for schema in (bodies, orjson.dumps(bodies).decode()):
        for empty in ({}, {"request_body": None, "response_body": ""}, {"request_body": {}, "response_body": "{}"}):
            assert texts_of(without | empty | {"llmSchema": schema}) == names
    assert texts_of(REQUEST | {"llmSchema": {"request": {"messages": [asked | {"content": "Other?"}]}}}) == texts_of(
        REQUEST
    )
