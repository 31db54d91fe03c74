"""Format of LiteLLM's logs of calls, after its `schema.prisma` (LiteLLM_SpendLogs) and docs/proxy/logging_spec
(StandardLoggingPayload, which its callbacks write to S3, GCS and other stores).

The person is ``end_user``. ``user`` is the internal user or team whose key made the call.
"""

from typing import Any

from turret_pipeline.events.formats.call_fields import answer_fields, prompt_fields
from turret_pipeline.events.formats.format import EVENT_KEYS, Columns, Exchange, Execution, Format, Part, Shape
from turret_pipeline.events.formats.row_values import Row, from_json, lookup

_CALL_TYPES_WITHOUT_TEXT = ("embedding", "moderation", "rerank", "transcription", "speech", "file", "batch", "search")
"""Parts of the types of calls whose input no person wrote to a model: retrieval and other steps of a program."""
_CALLERS = ("metadata.requester_metadata", "metadata.spend_logs_metadata", "metadata", "proxy_server_request.metadata")
_SESSIONS = ("session_id", "conversation_id", "thread_id", "chat_id")
_REQUEST = "proxy_server_request"


def _unwrap(row: Row) -> Row:
    """The row with its payload, if a callback logged it, and without texts that are not stored or no conversation."""
    inner = from_json(row.get("standard_logging_object"))
    found: dict[str, Any] = dict(inner) if isinstance(inner, dict) else dict(row)
    request = found.get(_REQUEST)
    if isinstance(request, dict) and isinstance(body := from_json(request.get("body")), dict):
        found[_REQUEST] = body
    call_type = found.get("call_type")
    has_text = not (isinstance(call_type, str) and any(word in call_type for word in _CALL_TYPES_WITHOUT_TEXT))
    for key in ("messages", "response", _REQUEST):
        if not (has_text and found.get(key)):
            found.pop(key, None)  # `{}` unless LiteLLM is told to store texts
    error = lookup(found, "metadata.error_information") or found.get("error_information")
    return {**found, "error_information": from_json(error)} if error else found


LITELLM = Format(
    name="litellm",
    title="LiteLLM call",
    shape=Shape(
        "`call_type`, `startTime`, and `cache_hit`, `api_key`, `spend` or `response_cost`",
        required=(
            ("call_type", "standard_logging_object.call_type"),
            ("startTime", "start_time", "standard_logging_object.startTime"),
            (
                *("cache_hit", "api_key", "spend", "response_cost", "modelParameters"),
                "standard_logging_object.response_cost",
            ),
        ),
        forbidden=EVENT_KEYS,
    ),
    columns=Columns(
        event_id=("request_id", "id", "call_id", "litellm_call_id"),
        event_name=("=LLM call",),
        session_id=("session_id", *(f"{holder}.{key}" for key in _SESSIONS for holder in _CALLERS)),
        user_id=(
            *("end_user", "metadata.user_api_key_end_user_id", f"{_REQUEST}.user", f"{_REQUEST}.safety_identifier"),
            *(f"{holder}.{key}" for holder in _CALLERS for key in ("user_id", "end_user_id")),
        ),
        event_at=("startTime", "start_time"),
        lone_session_id=("trace_id", "litellm_trace_id", "request_id", "id"),
    ),
    becomes="a prompt, an answer and the tool calls in it; one event if no texts are stored",
    execution=Execution(name=("mcp_namespaced_tool_name", "metadata.mcp_tool_call_metadata.name")),
    exchange=Exchange(
        prompt=("messages", _REQUEST),
        generation=("response",),
        is_prompt_time=True,
        ended_at=("endTime", "end_time"),
        failure=("status", "metadata.status", "error_str", "error_information"),
        trace_id=("trace_id", "litellm_trace_id"),  # one request with all its retries
        prompt_fields=prompt_fields("", "response."),
        generation_fields=answer_fields("", "response.", cost_usd=("spend", "response_cost")),
    ),
    parts=(Part("metadata", allows_any_type=True),),
    fields={
        "error_message": ("error_information.error_message", "error_str"),
        "error_class": ("error_information.error_class",),
        "error_code": ("error_information.error_code",),
    },
    json_columns=("messages", "response", "metadata", "request_tags", _REQUEST, "standard_logging_object"),
    drop=(
        *("messages", "response", _REQUEST, "error_information", "error_str", "usage", "total_tokens", "api_key"),
        *("cache_key", "completionStartTime", "response_time", "model_map_information", "hidden_params"),
        *("model_parameters", "modelParameters", "cost_breakdown", "response_cost_failure_debug_info", "status_fields"),
        *("guardrail_information", "standard_built_in_tools_params", "requester_ip_address"),
        *(f"metadata.{key}" for key in ("error_information", "user_api_key", "user_api_key_hash", "usage_object")),
        *(f"metadata.{key}" for key in ("requester_ip_address", "model_map_information", "cost_breakdown", "status")),
        *(f"metadata.{key}" for key in ("additional_usage_values", "mcp_tool_call_metadata")),
    ),
    is_utc=True,
    normalize=_unwrap,
    example={
        "request_id": "chatcmpl-1",
        "call_type": "acompletion",
        "startTime": "2026-03-02T09:15:00.000000",
        "endTime": "2026-03-02T09:15:01.500000",
        "model": "small-1",
        "spend": 0.0002,
        "prompt_tokens": 31,
        "completion_tokens": 4,
        "user": "team-support",
        "end_user": "u-1",
        "session_id": "s-1",
        "status": "success",
        "cache_hit": "None",
        "metadata": {"user_api_key_alias": "support"},
        "messages": [{"role": "user", "content": "How do I reset my password?"}],
        "response": {
            "choices": [{"message": {"role": "assistant", "content": "In Settings."}, "finish_reason": "stop"}]
        },
    },
)
