"""Format of the invocation logs of Amazon Bedrock, after its user guide, page model-invocation-logging.

A line in S3 and the message of an event in CloudWatch are the same. Bodies of more than 100 KB lie in files of their
own (``inputBodyS3Path``), so that a call is one event without them. The identity is the role of a program, no person.
"""

from typing import Any

from turret_pipeline.events.formats.call_fields import answer_fields, prompt_fields
from turret_pipeline.events.formats.format import Columns, Exchange, Format, Part, Shape
from turret_pipeline.events.formats.row_values import Row, from_json, in_both_cases
from turret_pipeline.events.formats.streams import is_stream, join_chunks

_LOG = "ModelInvocationLog"
_MESSAGES = ("message", "@message", "log")
_BODY = "output.outputBodyJson"
_REQUEST = ("requestMetadata", "input.inputBodyJson.requestMetadata")


def _is_log(row: Row) -> bool:
    if row.get("schemaType") == _LOG:
        return True
    return any(isinstance(text := row.get(key), str) and _LOG in text for key in _MESSAGES)


def _unwrap(row: Row) -> Row:
    """The log in an event of CloudWatch, with a streamed answer joined and the name of the model without its ARN."""
    wrapped = next((inner for key in _MESSAGES if isinstance(inner := from_json(row.get(key)), dict)), None)
    log: dict[str, Any] = dict(row if wrapped is None or "schemaType" in row else wrapped)
    output = log.get("output")
    body = from_json(output.get("outputBodyJson")) if isinstance(output, dict) else None
    if isinstance(output, dict) and isinstance(body, list) and is_stream(body):
        log["output"] = {**output, "outputBodyJson": join_chunks(body)}
    if isinstance(model := log.get("modelId"), str):
        log["modelId"] = model.rpartition("/")[2]
    return log


BEDROCK = Format(
    name="bedrock",
    title="Amazon Bedrock invocation",
    shape=Shape(f"`schemaType` {_LOG}, or such a log as the `message` of an event in CloudWatch", test=_is_log),
    columns=Columns(
        event_id=("requestId",),
        event_name=("=LLM call",),
        session_id=tuple(
            f"{holder}.{key}"
            for key in in_both_cases("session_id", "conversation_id", "thread_id", "chat_id")
            for holder in _REQUEST
        ),
        user_id=(
            *(f"{holder}.{key}" for key in in_both_cases("end_user", "user_id", "user") for holder in _REQUEST),
            "input.inputBodyJson.metadata.user_id",
        ),
        event_at=("timestamp",),
        lone_session_id=(*in_both_cases("requestMetadata.trace_id"), "requestId"),
    ),
    becomes="a prompt, an answer and the tool calls in it; one event if it has no texts",
    exchange=Exchange(
        prompt=("input.inputBodyJson",),
        generation=(_BODY,),
        is_prompt_time=True,
        latency_ms=(f"{_BODY}.metrics.latencyMs",),
        failure=("errorCode", "status"),
        prompt_fields=prompt_fields(
            model=("modelId",), input_tokens=("input.inputTokenCount", f"{_BODY}.usage.inputTokens")
        ),
        generation_fields=answer_fields(
            f"{_BODY}.",
            model=("modelId",),
            output_tokens=("output.outputTokenCount",),
            finish_reason=(f"{_BODY}.stopReason", f"{_BODY}.results.0.completionReason"),
        ),
    ),
    parts=(Part("requestMetadata", allows_any_type=True),),
    json_columns=("input", "output", "requestMetadata"),
    drop=(
        *("schemaType", "schemaVersion", "accountId", "identity", "input", "output", "modelId"),
        *("message", "@message", "log", "ingestionTime", "eventId", "logStreamName", "@timestamp", "@ptr"),
    ),
    is_utc=True,
    normalize=_unwrap,
    example={
        "schemaType": _LOG,
        "schemaVersion": "1.0",
        "timestamp": "2026-03-02T09:15:00Z",
        "requestId": "call-7",
        "operation": "Converse",
        "modelId": "small-1",
        "input": {
            "inputBodyJson": {"messages": [{"role": "user", "content": [{"text": "How do I reset my password?"}]}]},
            "inputTokenCount": 31,
        },
        "output": {
            "outputBodyJson": {
                "output": {"message": {"role": "assistant", "content": [{"text": "In Settings."}]}},
                "stopReason": "end_turn",
                "metrics": {"latencyMs": 1500},
            },
            "outputTokenCount": 4,
        },
        "requestMetadata": {"userId": "u-1", "sessionId": "s-1"},
    },
)
