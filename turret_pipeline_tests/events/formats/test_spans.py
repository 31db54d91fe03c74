"""Spans of language models, by the conventions and in the shapes in which people have them."""

import base64
import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

import pytest

from turret_pipeline.events.formats import Event, Rejection, parse_record, split_record
from turret_pipeline_tests.events.formats.rejections import rejection_of

NOON = dt.datetime(2024, 5, 1, 12, tzinfo=dt.UTC)
BEGIN = 1_714_564_800_000_000_000
ASKED, ANSWERED = ("User prompt", "Hi?"), ("AI generation", "Hello.")
SENT = '[{"role": "user", "parts": [{"type": "text", "content": "Hi?"}]}]'
GOT = '[{"role": "assistant", "parts": [{"type": "text", "content": "Hello."}], "finish_reason": "stop"}]'


def value_of(value: object) -> dict[str, Any]:
    """An AnyValue of OTLP."""
    if isinstance(value, list):
        return {"arrayValue": {"values": [value_of(item) for item in value]}}
    return {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}


def pairs(values: Mapping[str, object]) -> list[dict[str, Any]]:
    return [{"key": key, "value": value_of(value)} for key, value in values.items()]


def span(values: Mapping[str, object], **given: object) -> dict[str, Any]:
    """A span of OTLP with these attributes, which is not the root of its trace."""
    times = {"startTimeUnixNano": str(BEGIN), "endTimeUnixNano": str(BEGIN + 10**9)}
    ids = {"traceId": "t1", "spanId": "s1", "parentSpanId": "s0"}
    return {**ids, "name": "a span", **times, "attributes": pairs(values), **given}


def events_of(row: object) -> list[Event]:
    return [event for inner in split_record(row) for event in parse_record(inner)]


def texts(row: object) -> list[tuple[str, str | None]]:
    """Names and texts of the events of a row."""
    events = events_of(row)
    return [(event.event_name, event.metadata.get("prompt", event.metadata.get("generation"))) for event in events]


CHAT = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "small-1",
    "gen_ai.conversation.id": "c1",
    "user.id": "u1",
    "gen_ai.usage.input_tokens": 4,
    "gen_ai.usage.output_tokens": 2,
    "gen_ai.response.finish_reasons": ["stop"],
    "gen_ai.input.messages": SENT,
    "gen_ai.output.messages": GOT,
    "app.plan": "pro",
}


def test_a_chat_becomes_a_prompt_and_an_answer_with_the_shared_metadata() -> None:
    resource = {"attributes": pairs({"service.name": "bot"})}
    scope = {"spans": [span(CHAT), span({"http.route": "/"})]}
    prompt, answer = events_of({"resourceSpans": [{"resource": resource, "scopeSpans": [scope]}]})
    assert [(event.event_name, event.session_id, event.user_id, event.trace_id) for event in (prompt, answer)] == [
        ("User prompt", "c1", "u1", "t1"),
        ("AI generation", "c1", "u1", "t1"),
    ]
    assert (prompt.event_at, answer.event_at) == (NOON, NOON + dt.timedelta(seconds=1))
    shared = {
        "name": "a span",
        "trace_id": "t1",
        "service": "bot",
        "model": "small-1",
        "provider": "openai",
        "app.plan": "pro",
    }
    own = {"output_tokens": 2, "finish_reason": "stop", "generation": "Hello.", "latency_seconds": 1, "is_error": False}
    assert prompt.metadata == shared | {"input_tokens": 4, "prompt": "Hi?"}
    assert answer.metadata == shared | own


VERCEL = {
    "ai.operationId": "ai.generateText",
    "ai.model.id": "small-1",
    "ai.prompt": '{"system": "Be kind.", "prompt": "Hi?"}',
    "ai.response.text": "Hello.",
    "ai.telemetry.metadata.userId": "u1",
    "ai.telemetry.metadata.sessionId": "c1",
}
INDEXED = {
    "gen_ai.prompt.0.role": "system",
    "gen_ai.prompt.0.content": "Be kind.",
    "gen_ai.prompt.1.role": "user",
    "gen_ai.prompt.1.content": "Hi?",
    "gen_ai.completion.0.role": "assistant",
    "gen_ai.completion.0.content": "Hello.",
    "traceloop.association.properties.user_id": "u1",
    "traceloop.association.properties.session_id": "c1",
}
LANGFUSE = {
    "langfuse.observation.type": "generation",
    "langfuse.observation.input": '[{"role": "user", "content": "Hi?"}]',
    "langfuse.observation.output": '{"role": "assistant", "content": "Hello."}',
    "langfuse.session.id": "c1",
    "langfuse.user.id": "u1",
}
OPENINFERENCE = {
    "openinference.span.kind": "LLM",
    "llm.input_messages.0.message.role": "user",
    "llm.input_messages.0.message.contents.0.message_content.type": "text",
    "llm.input_messages.0.message.contents.0.message_content.text": "Hi?",
    "llm.output_messages.0.message.role": "assistant",
    "llm.output_messages.0.message.content": "Hello.",
    "session.id": "c1",
    "metadata": '{"user_id": "u1", "plan": "pro"}',
}


@pytest.mark.parametrize("values", [CHAT, VERCEL, INDEXED, LANGFUSE, OPENINFERENCE])
def test_each_convention_tells_texts_session_and_user(values: Mapping[str, object]) -> None:
    assert texts(span(values)) == [ASKED, ANSWERED]
    assert {(event.session_id, event.user_id) for event in events_of(span(values))} == {("c1", "u1")}


MESSAGE = {"role": "user", "content": "Hi?"}
CHOICE = {"index": 0, "message": {"role": "assistant", "content": "Hello."}}


@pytest.mark.parametrize(
    "events",
    [
        [
            ("gen_ai.content.prompt", {"gen_ai.prompt": json.dumps([MESSAGE])}),
            ("gen_ai.content.completion", {"gen_ai.completion": '[{"role": "assistant", "content": "Hello."}]'}),
        ],
        [
            ("gen_ai.system.message", {"content": "Be kind."}),
            ("gen_ai.user.message", {"gen_ai.event.content": json.dumps(MESSAGE)}),
            ("gen_ai.choice", {"gen_ai.event.content": json.dumps(CHOICE)}),
        ],
        [
            ("gen_ai.user.message", {"content": '[{"text": "Hi?"}]'}),
            ("gen_ai.choice", {"finish_reason": "end_turn", "message": '[{"text": "Hello."}]'}),
        ],
        [
            (
                "gen_ai.client.inference.operation.details",
                {"gen_ai.input.messages": SENT, "gen_ai.output.messages": GOT},
            )
        ],
    ],
)
def test_messages_may_be_events_of_the_span(events: list[tuple[str, dict[str, object]]]) -> None:
    listed = [{"name": name, "timeUnixNano": str(BEGIN), "attributes": pairs(values)} for name, values in events]
    assert texts(span({"gen_ai.operation.name": "chat"}, events=listed)) == [ASKED, ANSWERED]


@pytest.mark.parametrize(
    "values",
    [
        {
            "gen_ai.request.model": "small-1",
            "events": json.dumps(
                [{"event.name": "gen_ai.user.message", **MESSAGE}, {"event.name": "gen_ai.choice", **CHOICE}]
            ),
        },
        {
            "gen_ai.agent.name": "a",
            "pydantic_ai.all_messages": json.dumps([*json.loads(SENT), *json.loads(GOT)]),
            "final_result": "Hello.",
        },
    ],
)
def test_messages_may_be_in_attributes_of_pydantic_ai(values: Mapping[str, object]) -> None:
    assert texts(span(values)) == [ASKED, ANSWERED]


@pytest.mark.parametrize(
    ("outer", "inner"),
    [
        (CHAT | {"gen_ai.operation.name": "invoke_agent"}, CHAT),
        (
            VERCEL,
            VERCEL | {"ai.prompt": None, "ai.prompt.messages": json.dumps([MESSAGE])},
        ),
        ({"openinference.span.kind": "AGENT", "input.value": "Hi?", "output.value": "Hello."}, OPENINFERENCE),
        (
            {
                "traceloop.span.kind": "workflow",
                "traceloop.entity.input": '{"args": ["Hi?"], "kwargs": {}}',
                "traceloop.entity.output": '"Hello."',
            },
            INDEXED,
        ),
    ],
)
def test_a_span_and_the_one_around_it_have_the_same_events(
    outer: Mapping[str, object], inner: Mapping[str, object]
) -> None:
    around = span(outer, spanId="s0", parentSpanId="")
    within = span({key: value for key, value in inner.items() if value is not None})
    assert texts(around) == texts(within) == [ASKED, ANSWERED]
    assert [event.event_id for event in events_of(around)] == [event.event_id for event in events_of(within)]


PART = {"type": "tool_call", "id": "call-1", "name": "weather", "arguments": {"city": "Paris"}}
CALLS: list[tuple[dict[str, object], dict[str, object]]] = [
    (
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.output.messages": json.dumps([{"role": "assistant", "parts": [PART]}]),
        },
        {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "weather", "gen_ai.tool.call.id": "call-1"},
    ),
    (
        {
            "ai.model.id": "small-1",
            "ai.response.toolCalls": '[{"toolCallId": "call-1", "toolName": "weather", "args": "{}"}]',
        },
        {"ai.toolCall.name": "weather", "ai.toolCall.id": "call-1", "ai.toolCall.args": "{}"},
    ),
    (
        {
            "llm.request.type": "chat",
            "gen_ai.completion.0.role": "assistant",
            "gen_ai.completion.0.tool_calls.0.id": "call-1",
            "gen_ai.completion.0.tool_calls.0.name": "weather",
            "gen_ai.completion.0.tool_calls.0.arguments": '{"city": "Paris"}',
        },
        {
            "traceloop.span.kind": "tool",
            "traceloop.entity.name": "weather",
            "traceloop.entity.input": '{"args": [], "kwargs": {"city": "Paris"}}',
        },
    ),
    (
        {
            "openinference.span.kind": "LLM",
            "llm.output_messages.0.message.role": "assistant",
            "llm.output_messages.0.message.tool_calls.0.tool_call.id": "call-1",
            "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "weather",
            "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": '{"city": "Paris"}',
        },
        {"openinference.span.kind": "TOOL", "tool.name": "weather", "input.value": "{'city': 'Paris'}"},
    ),
]


@pytest.mark.parametrize(("calling", "running"), CALLS)
def test_the_execution_of_a_tool_is_the_event_of_its_call(
    calling: Mapping[str, object], running: Mapping[str, object]
) -> None:
    (call,), (run,) = events_of(span(calling)), events_of(span(running, status={"code": 2, "message": "no answer"}))
    assert (call.event_id, call.event_name) == (run.event_id, run.event_name)
    assert (run.event_name, run.is_tool_call, run.event_at) == ("tool:weather", True, NOON)
    assert run.metadata == {
        "name": "a span",
        "trace_id": "t1",
        "error": "no answer",
        "status": "error",
        "is_error": True,
        "latency_seconds": 1,
    }


def test_a_failed_call_is_an_error_with_its_type() -> None:
    (prompt,) = events_of(span(CHAT | {"gen_ai.output.messages": "", "error.type": "timeout"}))
    assert [prompt.metadata[key] for key in ("prompt", "is_error", "error_type")] == ["Hi?", True, "timeout"]


def test_a_call_whose_texts_were_not_recorded_is_one_event_without_text() -> None:
    (event,) = events_of(span({"gen_ai.operation.name": "chat", "gen_ai.request.model": "small-1"}))
    assert (event.event_name, event.is_textless, event.session_id) == ("a span", True, "t1")


@pytest.mark.parametrize(
    "values",
    [
        {"http.route": "/"},
        {"gen_ai.operation.name": "embeddings", "gen_ai.request.model": "small-1"},
        {"ai.operationId": "ai.embed", "ai.model.id": "small-1"},
        {"openinference.span.kind": "RETRIEVER", "input.value": "Hi?"},
        {"openinference.span.kind": "CHAIN", "input.value": "Hi?"},
        {"openinference.span.kind": "AGENT"},
        {"traceloop.span.kind": "task", "traceloop.entity.input": '{"args": ["Hi?"]}'},
    ],
)
def test_other_spans_are_no_events(values: Mapping[str, object]) -> None:
    assert rejection_of(span(values))[0] == "not_an_event"


def test_a_batch_without_spans_of_language_models_is_one_rejection() -> None:
    batch = {"resource_spans": [{"scope_spans": [{"spans": [span({"http.route": "/"})]}]}]}
    (rejection,) = split_record(batch)
    assert isinstance(rejection, Rejection)
    assert rejection.code == "not_an_event"


OBJECT = {"gen_ai.operation.name": "chat", "gen_ai.input.messages": SENT, "gen_ai.output.messages": GOT}
PHOENIX = {
    "name": "ChatCompletion",
    "span_kind": "LLM",
    "parent_id": None,
    "start_time": "2024-05-01T12:00:00+00:00",
    "end_time": "2024-05-01T12:00:01.500+00:00",
    "status_code": "OK",
}


@pytest.mark.parametrize(
    "row",
    [
        {
            "trace_id": "t1",
            "span_id": "s1",
            "name": "chat",
            "start_time_unix_nano": BEGIN,
            "end_time_unix_nano": BEGIN + 1_500_000_000,
            "attributes": [{"key": key, "value": {"string_value": value}} for key, value in OBJECT.items()],
        },
        {
            "name": "chat",
            "context": {"trace_id": "0xt1", "span_id": "0x01", "trace_state": "[]"},
            "kind": "SpanKind.CLIENT",
            "parent_id": None,
            "start_time": "2024-05-01T12:00:00.000000Z",
            "end_time": "2024-05-01T12:00:01.500000Z",
            "status": {"status_code": "UNSET"},
            "attributes": OBJECT,
            "events": [],
            "resource": {"attributes": {"service.name": "bot"}, "schema_url": ""},
        },
        {
            "traceId": "t1",
            "id": "s1",
            "name": "chat",
            "timestamp": BEGIN // 1000,
            "duration": 1_500_000,
            "attributes": OBJECT,
            "status": {"code": 0},
        },
        {
            "Timestamp": "2024-05-01 12:00:00.000000000",
            "TraceId": "t1",
            "SpanId": "s1",
            "ParentSpanId": "",
            "SpanName": "chat",
            "SpanAttributes": json.dumps(OBJECT),
            "Duration": 1_500_000_000,
            "StatusCode": "Unset",
        },
        {
            **PHOENIX,
            "context.trace_id": "t1",
            "context.span_id": "s1",
            "attributes.llm.input_messages": [{"message.role": "user", "message.content": "Hi?"}],
            "attributes.llm.output_messages": '[{"message.role": "assistant", "message.content": "Hello."}]',
        },
        {
            **PHOENIX,
            "id": "U3BhbjoxMg",
            "context": {"trace_id": "t1", "span_id": "s1"},
            "attributes": {
                "llm": {"input_messages": [{"message": MESSAGE}]},
                "output": {"value": "Hello.", "mime_type": "text/plain"},
            },
        },
        {
            **PHOENIX,
            "span_kind": "CHAIN",
            "context.trace_id": "t1",
            "context.span_id": "s1",
            "attributes.input.value": '{"messages": [{"role": "user", "content": "Hi?"}]}',
            "attributes.output.value": "Hello.",
        },
    ],
)
def test_a_span_may_have_any_of_the_shapes_of_rows(row: Mapping[str, object]) -> None:
    assert texts(row) == [ASKED, ANSWERED]
    prompt, answer = events_of(row)
    assert (prompt.event_at, answer.event_at) == (NOON, NOON + dt.timedelta(seconds=1.5))
    assert (prompt.event_id or "").startswith("t1-prompt-")
    assert answer.metadata["is_error"] is False


def test_ids_of_protobuf_in_json_are_in_hex() -> None:
    ids = {"traceId": base64.b64encode(bytes(15) + b"\x01").decode(), "spanId": base64.b64encode(bytes(8)).decode()}
    assert {event.trace_id for event in events_of(span(CHAT, **ids))} == {"0" * 31 + "1"}
