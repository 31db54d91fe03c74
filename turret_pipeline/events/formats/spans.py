"""Formats of spans of traces, in which calls of language models and of tools have an agreed set of attributes.

A span of an agent repeats the texts of its calls, so the id of a text consists of its trace and a hash of the text.
Spans of the program around calls, such as steps of a chain, are no events, unless they are the root of a trace: what
the user wrote may only be there.
"""

import dataclasses
from typing import Any

from turret_pipeline.events.formats.event import Rejection
from turret_pipeline.events.formats.format import Columns, Exchange, Execution, Format, Part, Shape
from turret_pipeline.events.formats.message import ASSISTANT, USER
from turret_pipeline.events.formats.messages import read_messages
from turret_pipeline.events.formats.row_values import Row, first_value
from turret_pipeline.events.formats.span_conventions import (
    CALL,
    STEP,
    expand,
    find_kind,
    is_of_language_model,
    read_fields,
    read_metadata,
)
from turret_pipeline.events.formats.span_messages import read_texts
from turret_pipeline.events.formats.span_rows import is_span, read_attributes, read_span

_OPENINFERENCE = ("openinference.", "llm.input_messages", "llm.output_messages", "llm.token_count")
_OPENINFERENCE_KINDS = frozenset(
    "LLM CHAIN AGENT TOOL RETRIEVER EMBEDDING RERANKER GUARDRAIL EVALUATOR PROMPT UNKNOWN".split()
)
_ROW_KINDS = ("span_kind", "spanKind")


def _is_openinference_span(row: Row) -> bool:
    if not is_span(row):
        return False
    kind = first_value(row, _ROW_KINDS)[1]
    return (isinstance(kind, str) and kind.upper() in _OPENINFERENCE_KINDS) or any(
        key.startswith(_OPENINFERENCE) for key in read_attributes(row)
    )


def _normalize_span(row: Row) -> Row:
    """The values of a span by names that the format has. Raises Rejection for a span that is no event."""
    span, row_kind = expand(read_span(row)), first_value(row, _ROW_KINDS)[1]
    row_kind = row_kind if isinstance(row_kind, str) and row_kind.upper() in _OPENINFERENCE_KINDS else None
    if not is_of_language_model(span, row_kind):
        raise Rejection("not_an_event", "The span is not of a language model: it has no attributes of one.")
    kind, is_model_call = find_kind(span, row_kind)
    if kind == STEP:
        raise Rejection("not_an_event", "The span is a step of the program: its texts are those of its calls.")
    given, answer = read_texts(span) if kind == CALL else (None, None)
    if kind == CALL and not is_model_call and not (read_messages(given, USER) or read_messages(answer, ASSISTANT)):
        raise Rejection("not_an_event", "The span has no text, and is not a call of a language model.")
    found: dict[str, Any] = read_fields(span)
    return {
        **found,
        "kind": kind,
        "trace_id": span.trace_id,
        "span_id": span.span_id,
        "name": span.name,
        "started_at": span.started_at,
        "ended_at": span.ended_at,
        "latency_seconds": span.duration,
        "input": given,
        "output": answer,
        "metadata": read_metadata(span),
    }


_EXCHANGE = Exchange(
    only_if={"kind": frozenset({"call"})},
    prompt=("input",),
    generation=("output",),
    is_prompt_time=True,
    latency=("latency_seconds",),
    ended_at=("ended_at",),
    failure=("is_error",),
    trace_id=("trace_id",),
    prompt_fields={"input_tokens": ("input_tokens",)},
    generation_fields={name: (name,) for name in ("output_tokens", "cost_usd", "finish_reason")},
)

OTEL_SPAN = Format(
    name="otel_span",
    title="OpenTelemetry span",
    shape=Shape(
        "`traceId`, `spanId`, `startTimeUnixNano` and `attributes`, also in snake case, as the console exporter writes "
        "them, or as columns",
        forbidden=("event_name", "event", "metadata"),
        test=is_span,
    ),
    columns=Columns(
        event_id=("span_id",),
        event_name=("name", "=LLM call"),
        session_id=("session_id",),
        user_id=("user_id",),
        event_at=("started_at",),
        lone_session_id=("trace_id",),
        trace_id=("trace_id",),
    ),
    becomes="a prompt, an answer and its tool calls; or the call of a tool; other spans are rejected (`not_an_event`)",
    exchange=_EXCHANGE,
    execution=Execution(
        only_if={"kind": frozenset({"tool"})}, name=("tool",), call_id=("call_id",), arguments=("arguments",)
    ),
    normalize=_normalize_span,
    parts=(Part("metadata"),),
    fields={name: (name,) for name in ("model", "provider", "agent", "error_type")},
    keeps_rest=False,
    json_columns=("attributes", "events", "status", "resource", "context", "SpanAttributes", "ResourceAttributes"),
    is_utc=True,
    example={
        "traceId": "5b8efff798038103d269b633813fc60c",
        "spanId": "eee19b7ec3c1b174",
        "parentSpanId": "",
        "name": "chat small-1",
        "kind": 3,
        "startTimeUnixNano": "1772442900000000000",
        "endTimeUnixNano": "1772442901500000000",
        "attributes": [
            {"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}},
            {"key": "gen_ai.request.model", "value": {"stringValue": "small-1"}},
            {"key": "gen_ai.conversation.id", "value": {"stringValue": "s-1"}},
            {"key": "user.id", "value": {"stringValue": "u-1"}},
            {"key": "gen_ai.usage.input_tokens", "value": {"intValue": "12"}},
            {
                "key": "gen_ai.input.messages",
                "value": {
                    "stringValue": '[{"role": "user", "parts": [{"type": "text", "content": "Reset my password?"}]}]'
                },
            },
            {
                "key": "gen_ai.output.messages",
                "value": {
                    "stringValue": '[{"role": "assistant", "parts": [{"type": "text", "content": "In Settings."}]}]'
                },
            },
        ],
        "status": {},
    },
)

OPENINFERENCE_SPAN = dataclasses.replace(
    OTEL_SPAN,
    name="openinference_span",
    title="OpenInference span, as Phoenix exports it",
    shape=Shape(
        "a span (`traceId` or `context.trace_id` ...) with attributes of OpenInference, such as "
        "`openinference.span.kind`, or with a `span_kind` of it (`LLM`, `CHAIN`, `TOOL` ...)",
        forbidden=("event_name", "event", "metadata"),
        test=_is_openinference_span,
    ),
    exchange=dataclasses.replace(_EXCHANGE, matches_tools_by_arguments=True),
    example={
        "context.span_id": "eee19b7ec3c1b174",
        "context.trace_id": "7c1d0a2e94b84f6bb1d2a3c4e5f60718",
        "name": "ChatCompletion",
        "span_kind": "LLM",
        "parent_id": None,
        "start_time": "2026-03-02T09:15:00+00:00",
        "end_time": "2026-03-02T09:15:01.500+00:00",
        "status_code": "OK",
        "attributes.session.id": "s-1",
        "attributes.user.id": "u-1",
        "attributes.llm.model_name": "small-1",
        "attributes.llm.input_messages": [{"message.role": "user", "message.content": "Reset my password?"}],
        "attributes.llm.output_messages": [{"message.role": "assistant", "message.content": "In Settings."}],
    },
)
