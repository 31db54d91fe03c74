"""Formats of logs of calls of language models: one row is one call, whose input repeats the conversation so far."""

import re

from turret_pipeline.events.formats.call_fields import answer_fields, prompt_fields
from turret_pipeline.events.formats.format import EVENT_KEYS, Columns, Exchange, Format, Part, Shape
from turret_pipeline.events.formats.message import ASSISTANT, USER
from turret_pipeline.events.formats.messages import read_messages
from turret_pipeline.events.formats.row_values import Paths, Row, in_both_cases, lookup
from turret_pipeline.events.formats.streams import is_stream, join_chunks, read_server_events

INPUTS = ("messages", "request_body", "requestBody", "request", "input", "inputs", "contents", "prompt", "question")
OUTPUTS = (
    *("response_body", "responseBody", "response", "choices", "candidates", "output", "outputs", "completion"),
    *("generation", "answer", "assistant_response", "result"),
)
_REQUESTS = ("", "request.", "request_body.")
_ANSWERS = ("", *(f"{path}." for path in ("response_body", "responseBody", "response", "output")))


_GENERAL = frozenset(
    "request_body requestBody request input inputs response_body responseBody response output outputs result".split()
)
"""Keys that logs of servers and of jobs have too."""
_ADDRESS = re.compile(
    r"(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) \S+(?: HTTP/[\d.]+)?|[a-z][a-z0-9+.-]*://\S+|/\S+", re.IGNORECASE
)
"""The first line of a request of HTTP, an address or a path, which is the input of a server or of a job."""


def is_call(row: Row) -> bool:
    """True for a row with the input of a call and its output, either of which may be empty."""
    given, answers = [key for key in INPUTS if key in row], [key for key in OUTPUTS if key in row]
    if not given or not answers or not _GENERAL.issuperset((*given, *answers)):
        return bool(given and answers)
    return any(lookup(row, f"{path}model") is not None for path in (*_REQUESTS, *_ANSWERS)) or _has_text(
        row[given[0]], row[answers[0]]
    )


def _has_text(given: object, answer: object) -> bool:
    """True if an input has a text that is no address, or else if an output has a message that names its author."""
    if asked := read_messages(given, USER):
        return not all(_ADDRESS.fullmatch((message.content.text or "").strip()) for message in asked)
    return any(message.source for message in read_messages(answer, ASSISTANT))


CALL_COLUMNS = Columns(
    event_id=in_both_cases("request_id", "call_id", "generation_id", "event_id", "id", "uuid"),
    event_name=("=LLM call",),
    session_id=in_both_cases(
        *("session_id", "conversation_id", "thread_id", "chat_id", "metadata.session_id", "metadata.conversation_id"),
        *("metadata.thread_id", "metadata.chat_id", "metadata.trace_session_id", "request.metadata.session_id"),
        *("request_body.metadata.session_id", "session.id", "session"),
    ),
    user_id=in_both_cases(
        *("end_user", "end_user_id", "user_id", "customer_identifier", "external_user", "metadata.user_id"),
        *("metadata._user", "metadata.user", "user.id", "user", "request.user", "request_body.user"),
        *(f"{holder}{key}" for key in ("safety_identifier", "metadata.user_id") for holder in _REQUESTS),
    ),
    event_at=in_both_cases(
        *("start_time", "started_at", "request_created_at", "request_time", "requested_at", "timestamp"),
        *("created_at", "event_time", "time", "date", "datetime", "ts", "logged_at", "created"),
        *("response.created", "response.created_at", "response.createTime", "response_body.created"),
    ),
    lone_session_id=in_both_cases("trace_id", "request_id", "id"),
)

CALL_EXCHANGE = Exchange(
    prompt=INPUTS,
    generation=OUTPUTS,
    is_prompt_time=True,
    latency=in_both_cases("latency_seconds", "latency_s", "duration_seconds", "response_time_seconds"),
    latency_ms=in_both_cases(
        *("latency_ms", "duration_ms", "response_time_ms", "response_time", "delay_ms", "request_duration_ms"),
        "generation_time",
    ),
    ended_at=in_both_cases("end_time", "ended_at", "response_created_at", "completed_at", "finished_at"),
    failure=in_both_cases(
        *("is_error", "error", "error_message", "response.error", "response_body.error", "response_status"),
        *("response.status", "status_code", "http_status", "status", "is_success", "success"),
    ),
    prompt_fields=prompt_fields(*_ANSWERS, "request.", "request_body."),
    generation_fields=answer_fields(*_ANSWERS, "request.", "request_body."),
)

CALL_DROP: Paths = (
    *(*INPUTS, *OUTPUTS, "usage", "object", "tools", "functions", "tool_choice", "response_format", "context"),
    *("total_duration", "load_duration", "prompt_eval_duration", "eval_duration", "done"),  # Ollama
)
_NANOSECONDS = 1_000_000_000


def _normalize(row: Row) -> Row:
    """The row with the parts of a streamed answer joined, and with seconds for Ollama's nanoseconds."""
    key, answer = next(((key, row[key]) for key in OUTPUTS if row.get(key) is not None), ("", None))
    answer = read_server_events(answer) if isinstance(answer, str) else answer
    if isinstance(answer, list) and is_stream(answer):
        answer = join_chunks(answer)
        row = {**row, key: answer}
    duration = row.get("total_duration") or (answer.get("total_duration") if isinstance(answer, dict) else None)
    if isinstance(duration, int) and "latency_seconds" not in row:
        row = {**row, "latency_seconds": duration / _NANOSECONDS}
    return row


CALL_LOG = Format(
    name="call_log",
    title="call of a language model",
    shape=Shape(
        "the input of a call (`messages`, `request`, `input`, `prompt` ...) and its output beside it (`response`, "
        "`choices`, `output`, `completion` ...)",
        forbidden=EVENT_KEYS,
        test=is_call,
    ),
    columns=CALL_COLUMNS,
    becomes="a prompt, an answer and the tool calls in it; earlier messages are not repeated",
    exchange=CALL_EXCHANGE,
    parts=(Part("metadata", allows_any_type=True),),
    json_columns=(*INPUTS, *OUTPUTS, "metadata", "usage"),
    drop=CALL_DROP,
    normalize=_normalize,
    example={
        "id": "call-1",
        "session_id": "s-1",
        "user": "u-1",
        "created_at": "2026-03-02T09:15:00Z",
        "model": "small-1",
        "messages": [
            {"role": "user", "content": "How do I reset my password?"},
            {"role": "assistant", "content": "Open Settings and choose Reset."},
            {"role": "user", "content": "And my PIN?"},
        ],
        "response": {
            "choices": [{"message": {"role": "assistant", "content": "In the app."}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 31, "completion_tokens": 4},
        },
        "latency_ms": 900,
    },
)
