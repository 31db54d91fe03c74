"""Formats of gateways in front of language models: Portkey (docs/product/observability/logs-export), OpenRouter (API
reference get-generation, and the CSV export of its Activity page) and Cloudflare AI Gateway (ai-gateway/observability
/logging, and the Logpush dataset ai_gateway_events).
"""

from turret_pipeline.events.formats.call_fields import answer_fields, prompt_fields
from turret_pipeline.events.formats.format import EVENT_KEYS, Columns, Exchange, Format, Part, Shape
from turret_pipeline.events.formats.row_values import Row, from_json, in_both_cases, read_number

_SESSIONS = in_both_cases("metadata.session_id", "metadata.conversation_id", "metadata.thread_id", "metadata.chat_id")
_USERS = in_both_cases("metadata._user", "metadata.user_id", "metadata.end_user", "metadata.user")


def _to_dollars(row: Row) -> Row:
    """The row with its cost in dollars; Portkey writes cents."""
    cost = read_number(row.get("cost"))
    return row if cost is None else {**row, "cost": cost / 100}


PORTKEY = Format(
    name="portkey",
    title="Portkey log",
    shape=Shape(
        "`ai_model` or `ai_org`, and `req_units`, `res_units`, `request_url` or `response_time`",
        required=(("ai_model", "ai_org", "ai_provider"), ("req_units", "res_units", "request_url", "response_time")),
        forbidden=EVENT_KEYS,
    ),
    columns=Columns(
        event_id=("id", "request_id"),
        event_name=("=LLM call",),
        session_id=_SESSIONS,
        user_id=(*_USERS, "request.body.user", "request.user"),
        event_at=("created_at", "time_of_generation"),
        lone_session_id=("trace_id", "metadata.trace_id", "id"),
    ),
    becomes="a prompt, an answer and the tool calls in it",
    exchange=Exchange(
        prompt=("request.body", "request", "request_body"),
        generation=("response.body", "response", "response_body"),
        is_prompt_time=True,
        latency_ms=("response_time",),
        failure=("is_success", "response_status_code"),
        prompt_fields=prompt_fields(model=("ai_model",), input_tokens=("req_units",)),
        generation_fields=answer_fields(
            *("response.body.", "response.", "response_body."),
            model=("ai_model",),
            output_tokens=("res_units",),
            cost_usd=("cost",),
        ),
    ),
    parts=(Part("metadata", allows_any_type=True),),
    json_columns=("request", "response", "request.body", "response.body", "request_body", "response_body", "metadata"),
    drop=(
        *("request", "response", "request.body", "response.body", "request_body", "response_body", "total_units"),
        *("cost_currency", "portkeyHeaders", "metadata._user", "organisation_id", "workspace_slug"),
    ),
    normalize=_to_dollars,
    is_utc=True,
    example={
        "id": "log-1",
        "created_at": "2026-03-02T09:15:00Z",
        "ai_org": "openai",
        "ai_model": "small-1",
        "req_units": 31,
        "res_units": 4,
        "cost": 0.02,
        "response_time": 1500,
        "is_success": 1,
        "trace_id": "t-1",
        "metadata": {"_user": "u-1", "session_id": "s-1"},
        "request": {"body": {"messages": [{"role": "user", "content": "How do I reset my password?"}]}},
        "response": {"body": {"choices": [{"message": {"role": "assistant", "content": "In Settings."}}]}},
    },
)


def _unwrap_generation(row: Row) -> Row:
    """The generation in an answer of OpenRouter's API."""
    inner = row.get("data")
    return inner if isinstance(inner, dict) else row


OPENROUTER = Format(
    name="openrouter",
    title="OpenRouter generation",
    shape=Shape(
        "`native_tokens_prompt`, or `generation_id` and `model_permaslug` of its activity export",
        required=(
            (*in_both_cases("native_tokens_prompt"), "data.native_tokens_prompt", "model_permaslug"),
            (*in_both_cases("generation_time"), "data.generation_time", "generation_time_ms"),
        ),
        forbidden=EVENT_KEYS,
    ),
    columns=Columns(
        event_id=("id", "generation_id"),
        event_name=("=LLM call",),
        session_id=in_both_cases("session_id"),
        user_id=in_both_cases("external_user"),
        event_at=in_both_cases("created_at"),
        lone_session_id=("id", "generation_id"),
    ),
    becomes="one event, as OpenRouter stores no texts; a prompt and an answer if they were added",
    exchange=Exchange(
        prompt=("messages", "input", "prompt", "request"),
        generation=("choices", "output", "completion", "response"),
        is_prompt_time=True,
        latency_ms=(*in_both_cases("generation_time"), "generation_time_ms", "latency"),
        failure=("cancelled", "error"),
        prompt_fields=prompt_fields(
            model=("model", "model_permaslug"), input_tokens=in_both_cases("native_tokens_prompt", "tokens_prompt")
        ),
        generation_fields=answer_fields(
            model=("model", "model_permaslug"),
            output_tokens=in_both_cases("native_tokens_completion", "tokens_completion"),
            cost_usd=(*in_both_cases("total_cost"), "cost_total", "usage.cost", "usage"),
            finish_reason=(*in_both_cases("finish_reason"), "finish_reason_normalized"),
        ),
    ),
    json_columns=("data", "messages", "input", "output"),
    drop=("messages", "input", "prompt", "request", "choices", "output", "completion", "response", "usage", "data"),
    normalize=_unwrap_generation,
    is_utc=True,
    example={
        "id": "gen-1",
        "created_at": "2026-03-02T09:15:00.000000+00:00",
        "model": "small-1",
        "generation_time": 1200,
        "latency": 1250,
        "total_cost": 0.0015,
        "native_tokens_prompt": 31,
        "native_tokens_completion": 4,
        "external_user": "u-1",
        "finish_reason": "stop",
    },
)


def _drop_cut_texts(row: Row) -> Row:
    """The row without bodies that are encrypted, or the beginning of a JSON text that was cut."""
    bodies = {key: from_json(row[key]) for key in (*_CLOUDFLARE_INPUTS, *_CLOUDFLARE_OUTPUTS) if key in row}
    unread = [key for key, body in bodies.items() if not _is_readable(body)]
    return {key: value for key, value in row.items() if key not in unread}


def _is_readable(body: object) -> bool:
    if isinstance(body, str):
        return not body.lstrip().startswith(("{", "["))
    return not (isinstance(body, dict) and body.get("type") == "encrypted")


_CLOUDFLARE_INPUTS = ("request", "request_body", "RequestBody", "request_head")
_CLOUDFLARE_OUTPUTS = ("response", "response_body", "ResponseBody", "response_head")

CLOUDFLARE = Format(
    name="cloudflare_ai_gateway",
    title="Cloudflare AI Gateway log",
    shape=Shape(
        "`tokens_in`, `tokens_out` and `cached`, or `Gateway`, `RequestBody` and `ResponseBody`",
        required=(("tokens_in", "Gateway"), ("tokens_out", "RequestBody", "ResponseBody"), ("cached", "Cached")),
        forbidden=EVENT_KEYS,
    ),
    columns=Columns(
        event_id=("id", "event_id"),
        event_name=("=LLM call",),
        session_id=(*_SESSIONS, *(f"M{path[1:]}" for path in _SESSIONS)),
        user_id=(*_USERS, *(f"M{path[1:]}" for path in _USERS)),
        event_at=("created_at", "Timestamp"),
        lone_session_id=("id",),
    ),
    becomes="a prompt, an answer and the tool calls in it; one event if it has no texts",
    exchange=Exchange(
        prompt=_CLOUDFLARE_INPUTS,
        generation=_CLOUDFLARE_OUTPUTS,
        is_prompt_time=True,
        latency_ms=("duration", "Metrics.durationMs"),
        failure=("success", "status_code", "StatusCode"),
        prompt_fields=prompt_fields("", model=("model", "Model")),
        generation_fields=answer_fields(
            *("", "response.", "ResponseBody."), model=("model", "Model"), cost_usd=("cost", "Metrics.cost")
        ),
    ),
    parts=(Part("metadata", allows_any_type=True), Part("Metadata", allows_any_type=True)),
    json_columns=("metadata", "Metadata", "Metrics", *_CLOUDFLARE_INPUTS, *_CLOUDFLARE_OUTPUTS),
    drop=(*_CLOUDFLARE_INPUTS, *_CLOUDFLARE_OUTPUTS, "Metrics", "usage_metadata", "request_head_complete"),
    normalize=_drop_cut_texts,
    is_utc=True,
    example={
        "id": "01J-1",
        "created_at": "2026-03-02T09:15:00Z",
        "provider": "openai",
        "model": "small-1",
        "duration": 1500,
        "tokens_in": 31,
        "tokens_out": 4,
        "success": True,
        "status_code": 200,
        "cached": False,
        "metadata": {"user_id": "u-1", "session_id": "s-1"},
        "request": {"messages": [{"role": "user", "content": "How do I reset my password?"}]},
        "response": {"choices": [{"message": {"role": "assistant", "content": "In Settings."}}]},
    },
)
