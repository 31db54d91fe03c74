"""LiteLLM's spend logs and the payloads of its logging callbacks."""

import datetime as dt
from typing import Any

import orjson
import pytest

from turret_pipeline.events.formats import FORMATS, Event, parse_record
from turret_pipeline_tests.events.formats.calls import texts_of

NOON = dt.datetime(2024, 5, 1, 12, tzinfo=dt.UTC)
ASKED = [{"role": "user", "content": "Hi?"}]
ANSWER = {"id": "r1", "choices": [{"message": {"role": "assistant", "content": "Hello."}, "finish_reason": "stop"}]}
SPEND: dict[str, Any] = {
    "request_id": "r1",
    "call_type": "acompletion",
    "api_key": "88dc28",
    "spend": 0.5,
    "total_tokens": 6,
    "prompt_tokens": 4,
    "completion_tokens": 2,
    "startTime": "2024-05-01T12:00:00",
    "endTime": "2024-05-01T12:00:02",
    "model": "small-1",
    "user": "team",
    "end_user": "u1",
    "session_id": "s1",
    "status": "success",
    "metadata": {"user_api_key": "88dc28", "user_api_key_alias": "app", "error_information": None},
    "messages": ASKED,
    "response": ANSWER,
    "proxy_server_request": {},
}
PAYLOAD: dict[str, Any] = {
    "id": "r1",
    "trace_id": "t1",
    "call_type": "acompletion",
    "response_cost": 0.5,
    "startTime": NOON.timestamp(),
    "endTime": NOON.timestamp() + 2,
    "model": "small-1",
    "cache_hit": None,
    "end_user": "",
    "metadata": {"user_api_key_user_id": "dev", "requester_metadata": {"session_id": "s1", "user_id": "u1"}},
    "messages": ASKED,
    "response": ANSWER,
    "hidden_params": {"model_id": "m"},
    "status": "success",
}
EXCHANGE = [("User prompt", "Hi?"), ("AI generation", "Hello.")]


def test_a_call_is_a_prompt_and_an_answer_of_the_end_user() -> None:
    metadata = {"call_type": "acompletion", "user": "team", "user_api_key_alias": "app", "model": "small-1"}
    answer = {"output_tokens": 2, "cost_usd": 0.5, "finish_reason": "stop", "generation": "Hello."}
    ended = {"latency_seconds": 2.0, "is_error": False}
    later = NOON + dt.timedelta(seconds=2)
    asked = metadata | {"input_tokens": 4, "prompt": "Hi?"}
    assert parse_record(SPEND) == [
        Event("r1-prompt", "User prompt", "s1", "u1", NOON, None, "litellm", asked),
        Event("r1-generation", "AI generation", "s1", "u1", later, None, "litellm", metadata | answer | ended),
    ]


def test_a_callback_logs_the_same_call() -> None:
    events = parse_record(PAYLOAD)
    assert texts_of(PAYLOAD) == texts_of({"standard_logging_object": PAYLOAD}) == EXCHANGE
    assert {(event.user_id, event.session_id) for event in events} == {("u1", "s1")}
    assert (events[1].event_at, events[1].metadata["cost_usd"]) == (NOON + dt.timedelta(seconds=2), 0.5)


def test_retries_of_a_request_repeat_no_prompt() -> None:
    failed = PAYLOAD | {"id": "r0", "status": "failure", "response": None, "error_str": "overloaded"}
    (prompt,) = parse_record(failed)
    assert prompt.event_id == parse_record(PAYLOAD)[0].event_id
    assert (prompt.metadata["is_error"], prompt.metadata["error_message"]) == (True, "overloaded")


def test_a_failed_call_names_its_error() -> None:
    error = {"error_code": "429", "error_class": "RateLimitError", "error_message": "slow down", "traceback": "..."}
    row = SPEND | {"status": "failure", "response": {}, "metadata": {"status": "failure", "error_information": error}}
    (prompt,) = parse_record(row)
    found = {key: prompt.metadata.get(key) for key in ("is_error", "error_class", "error_code", "traceback", "status")}
    assert found == {
        "is_error": True,
        "error_class": "RateLimitError",
        "error_code": "429",
        "traceback": None,
        "status": None,
    }


def test_texts_may_be_in_the_request_of_the_proxy() -> None:
    body = {"messages": ASKED, "user": "u2"}
    for request in (body, {"url": "/chat/completions", "body": body}):
        row = SPEND | {"messages": {}, "end_user": None, "proxy_server_request": request}
        assert texts_of(row) == EXCHANGE
        assert {event.user_id for event in parse_record(row)} == {"u2"}


def test_json_texts_of_a_csv_file_are_read() -> None:
    keys = ("messages", "response", "metadata", "proxy_server_request")
    row = SPEND | {key: orjson.dumps(SPEND[key]).decode() for key in keys}
    assert parse_record(row) == parse_record(SPEND)


@pytest.mark.parametrize(
    "change",
    [
        {"messages": {}, "response": {}},
        {"messages": "{}", "response": "{}"},
        {"call_type": "aembedding"},
        {"call_type": "amoderation"},
        {"call_type": "arerank"},
    ],
)
def test_a_call_without_a_text_of_a_person_is_one_event(change: dict[str, Any]) -> None:
    (event,) = parse_record(SPEND | change)
    assert (event.event_id, event.event_name, event.is_textless, event.event_at) == ("r1", "LLM call", True, NOON)
    assert event.metadata | {"input_tokens": 4, "output_tokens": 2, "cost_usd": 0.5} == event.metadata


def test_a_call_of_a_tool_is_an_event_with_its_name() -> None:
    row = SPEND | {"call_type": "call_mcp_tool", "mcp_namespaced_tool_name": "docs/find", "messages": {}}
    (event,) = parse_record(row)
    assert (event.event_name, event.is_tool_call, event.metadata["is_error"]) == ("tool:docs/find", True, False)


def test_rows_of_another_product_are_no_calls_of_litellm() -> None:
    for row in ({"call_type": "x", "startTime": 0}, SPEND | {"name": "x"}):
        assert not FORMATS["litellm"].shape.matches(row)
