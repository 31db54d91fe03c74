"""Stored responses and completions of OpenAI's API, rows of batches, and Azure's logs."""

import datetime as dt
from typing import Any

import orjson

from turret_pipeline.events.formats import FORMATS, parse_record
from turret_pipeline_tests.events.formats.calls import texts_of

START = dt.datetime(2026, 3, 2, 9, 15, tzinfo=dt.UTC)
RESPONSE: dict[str, Any] = dict(FORMATS["openai_response"].example)
BATCH: dict[str, Any] = dict(FORMATS["model_batch"].example)
AZURE: dict[str, Any] = dict(FORMATS["azure_llm_log"].example)
ANSWER = ("AI generation", "In Settings.")
ASKED = ("User prompt", "How do I reset my password?")


def test_a_stored_response_is_an_answer_and_its_calls_of_tools() -> None:
    call = {"type": "function_call", "name": "find", "call_id": "call-1", "arguments": "{}"}
    row = RESPONSE | {"output": [{"type": "reasoning", "summary": [{"text": "Hm"}]}, call, *RESPONSE["output"]]}
    tool, answer = parse_record(row)
    assert texts_of(row) == [("tool:find", None), ANSWER]
    assert (answer.event_id, answer.user_id, answer.session_id, answer.event_at) == (
        *("resp-1-generation", "u-1", "s-1"),
        START,
    )
    assert (tool.event_id, answer.metadata["output_tokens"]) == ("resp-1-tool-call-1", 4)


def test_the_input_of_a_response_is_its_prompt_if_it_was_added() -> None:
    earlier = [{"role": "user", "content": "Hi?"}, {"role": "assistant", "content": "Hello."}]
    asked = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": ASKED[1]}]}
    assert texts_of(RESPONSE | {"input": [*earlier, asked]}) == [ASKED, ANSWER]


def test_the_session_of_a_response_is_its_conversation() -> None:
    for conversation in ({"id": "conv-1"}, "conv-1"):
        (event,) = parse_record(RESPONSE | {"conversation": conversation})
        assert event.session_id == "conv-1"


def test_a_stored_completion_is_an_answer() -> None:
    choice = {"index": 0, "message": {"role": "assistant", "content": "In Settings."}, "finish_reason": "stop"}
    row = {"id": "c-1", "object": "chat.completion", "created": 1772442900, "choices": [choice], "metadata": None}
    (event,) = parse_record(row)
    assert texts_of(row) == [ANSWER]
    assert (event.session_id, event.event_at, event.metadata["finish_reason"]) == ("c-1", START, "stop")


def test_the_input_and_the_output_of_a_batch_are_one_session() -> None:
    body = {"model": "small-1", "messages": [{"role": "user", "content": ASKED[1]}], "user": "u-1"}
    asked = {"custom_id": "request-1", "method": "POST", "url": "/v1/chat/completions", "body": body}
    assert texts_of(asked) + texts_of(BATCH) == [ASKED, ANSWER]
    assert parse_record(asked)[0].user_id == "u-1"
    assert parse_record(BATCH)[0].session_id == "request-1"


def test_a_batch_of_anthropic_has_other_keys() -> None:
    params = {"model": "small-1", "messages": [{"role": "user", "content": ASKED[1]}]}
    message = {"id": "msg_1", "role": "assistant", "content": [{"type": "text", "text": "In Settings."}]}
    result = {"type": "succeeded", "message": message}
    assert texts_of({"custom_id": "r", "params": params}) == [ASKED]
    assert texts_of({"custom_id": "r", "result": result}) == [ANSWER]


def test_a_log_of_azure_is_an_exchange_in_a_session_of_its_own() -> None:
    prompt, answer = parse_record(AZURE)
    assert texts_of(AZURE) == [ASKED, ANSWER]
    assert (prompt.session_id, prompt.user_id, prompt.event_at) == ("c-1", None, START)
    assert (prompt.metadata["input_tokens"], answer.metadata["output_tokens"]) == (31, 4)


def test_a_diagnostic_log_of_azure_holds_its_columns_in_properties() -> None:
    messages = [{"role": "user", "content": ASKED[1]}]
    properties = {"modelName": "small-1", "promptTokens": 31, "requestMessages": messages}
    for inner in (properties, orjson.dumps(properties).decode()):
        row = {
            "time": "2026-03-02T09:15:00Z",
            "category": "GatewayLlmLogs",
            "correlationId": "c-1",
            "properties": inner,
        }
        (event,) = parse_record(row)
        assert (event.event_name, event.event_at, event.metadata["model"]) == ("User prompt", START, "small-1")


def test_a_log_of_azure_without_texts_is_one_event() -> None:
    row = {
        "time": "2026-03-02T09:15:00Z",
        "category": "RequestResponse",
        "correlationId": "c-1",
        "durationMs": 1500,
        "resultSignature": "429",
        "properties": {"modelName": "small-1"},
    }
    (event,) = parse_record(row)
    assert (event.event_name, event.is_textless, event.metadata["latency_seconds"]) == ("LLM call", True, 1.5)
    assert event.metadata["model"] == "small-1"
