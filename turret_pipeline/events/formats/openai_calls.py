"""Formats of calls of OpenAI's API that are no array of messages: completions and responses that it stores (API
reference, chat/object and responses/object), rows of batches (guide batch), and Azure's logs of calls (Azure Monitor
table ApiManagementGatewayLlmLog, and the diagnostic logs of Azure OpenAI).

A stored completion has no input, as the API lists its messages separately: it is an answer.
"""

from typing import Any

from turret_pipeline.events.formats.call_fields import answer_fields, prompt_fields
from turret_pipeline.events.formats.format import EVENT_KEYS, Columns, Exchange, Format, Part, Shape
from turret_pipeline.events.formats.row_values import Row, from_json, in_both_cases

_SESSIONS = ("session_id", "conversation_id", "thread_id", "chat_id")
_METADATA_SESSIONS = in_both_cases(*(f"metadata.{key}" for key in _SESSIONS))
_USERS = (*in_both_cases("metadata.user_id", "metadata.end_user"), "user", "safety_identifier")
_INPUTS = ("messages", "input", "input_items", "prompt")
_OUTPUTS = ("choices", "output")


def _name_conversation(row: Row) -> Row:
    """The row with the id of its conversation under one key: it may be an object or a string."""
    conversation = row.get("conversation")
    found = conversation.get("id") if isinstance(conversation, dict) else conversation
    return {**row, "conversation_id": found} if isinstance(found, str) else row


OPENAI_RESPONSE = Format(
    name="openai_response",
    title="OpenAI response or completion",
    shape=Shape(
        "`object` (`response`, `chat.completion` or `text_completion`) and `choices` or `output`",
        one_of={"object": frozenset(("response", "chat.completion", "text_completion"))},
        required=(_OUTPUTS,),
        forbidden=EVENT_KEYS,
    ),
    columns=Columns(
        event_id=("id",),
        event_name=("=LLM call",),
        session_id=(*_SESSIONS, *_METADATA_SESSIONS),
        user_id=_USERS,
        event_at=("created_at", "created"),
        lone_session_id=("id",),
    ),
    becomes="an answer and the tool calls in it, and a prompt if the input was added",
    exchange=Exchange(
        prompt=_INPUTS,
        generation=_OUTPUTS,
        is_prompt_time=True,
        ended_at=("completed_at",),
        failure=("error", "status"),
        prompt_fields=prompt_fields(""),
        generation_fields=answer_fields(""),
    ),
    parts=(Part("metadata", allows_any_type=True),),
    json_columns=(*_INPUTS, *_OUTPUTS, "metadata", "usage", "conversation"),
    drop=(
        *_INPUTS,
        *_OUTPUTS,
        *("object", "usage", "tools", "tool_choice", "text", "reasoning", "instructions", "conversation", "error"),
        *("parallel_tool_calls", "response_format", "incomplete_details", "system_fingerprint", "prompt_cache_key"),
        *("functions", "function_call", "billing", "moderation"),
    ),
    normalize=_name_conversation,
    example={
        "id": "resp-1",
        "object": "response",
        "created_at": 1772442900,
        "status": "completed",
        "model": "small-1",
        "output": [
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "In Settings."}]}
        ],
        "usage": {"input_tokens": 31, "output_tokens": 4},
        "metadata": {"user_id": "u-1", "session_id": "s-1"},
    },
)

_BODIES = ("body", "params", "request.body", "request")
_ANSWERS = ("response.body", "result.message", "response")

MODEL_BATCH = Format(
    name="model_batch",
    title="row of a batch",
    shape=Shape(
        "`custom_id`, and `body` or `params` (a request), or `response` or `result` (its answer)",
        required=(("custom_id",), ("body", "params", "response", "result", "error")),
        forbidden=EVENT_KEYS,
    ),
    columns=Columns(
        event_id=("id",),
        event_name=("=LLM call",),
        session_id=(*_METADATA_SESSIONS, *(f"{body}.{path}" for path in _METADATA_SESSIONS for body in _BODIES)),
        user_id=(
            *_USERS,
            *(f"{body}.{path}" for path in _USERS for body in (*_BODIES, "response.body")),
        ),
        event_at=(*in_both_cases("created_at", "timestamp"), "response.body.created", "response.body.created_at"),
        lone_session_id=("custom_id",),
    ),
    becomes="a prompt, or an answer and the tool calls in it, in the session `custom_id`",
    exchange=Exchange(
        prompt=_BODIES,
        generation=_ANSWERS,
        is_prompt_time=True,
        failure=("error", "result.error", "response.status_code"),
        prompt_fields=prompt_fields("response.body.", "result.message.", "body.", "params."),
        generation_fields=answer_fields("response.body.", "result.message.", "body.", "params."),
    ),
    parts=(Part("metadata", allows_any_type=True),),
    json_columns=("body", "params", "request", "response", "result", "error", "metadata"),
    drop=("body", "params", "request", "response", "result", "error", "method"),
    example={
        "id": "batch_req_1",
        "custom_id": "request-1",
        "response": {
            "status_code": 200,
            "body": {
                "created": 1772442900,
                "model": "small-1",
                "choices": [{"message": {"role": "assistant", "content": "In Settings."}, "finish_reason": "stop"}],
            },
        },
        "error": None,
    },
)


def _flatten(row: Row) -> Row:
    """The row with the properties of a diagnostic log beside its own keys, all of which begin with a small letter."""
    properties = from_json(row.get("properties"))
    inner = properties if isinstance(properties, dict) else {}
    found: dict[str, Any] = {f"{key[:1].lower()}{key[1:]}": value for key, value in {**row, **inner}.items()}
    return {key: value for key, value in found.items() if value is not None and key != "properties"}


def _is_azure_log(row: Row) -> bool:
    category = row.get("category") or row.get("Category")
    is_own = category in ("GatewayLlmLogs", "RequestResponse", "AzureOpenAIRequestUsage") and "properties" in row
    return is_own or any(key in row for key in ("RequestMessages", "ResponseMessages"))


AZURE_CALL = Format(
    name="azure_llm_log",
    title="Azure log of a model call",
    shape=Shape(
        "`RequestMessages` or `ResponseMessages`, or a diagnostic log with `properties` and the `category` "
        "GatewayLlmLogs or RequestResponse",
        forbidden=EVENT_KEYS,
        test=_is_azure_log,
    ),
    columns=Columns(
        event_id=("requestId",),
        event_name=("=LLM call",),
        event_at=("timeGenerated", "time", "timestamp"),
        lone_session_id=("correlationId", "requestId"),
    ),
    becomes="a prompt, an answer and the tool calls in it; one event if no texts are logged",
    exchange=Exchange(
        prompt=("requestMessages",),
        generation=("responseMessages",),
        is_prompt_time=True,
        latency_ms=("durationMs",),
        failure=("resultSignature", "resultType", "isRequestSuccess"),
        prompt_fields=prompt_fields("", model=("modelName", "modelDeploymentName", "deploymentName")),
        generation_fields=answer_fields("", model=("modelName", "modelDeploymentName", "deploymentName")),
    ),
    json_columns=("properties", "RequestMessages", "ResponseMessages"),
    drop=(
        *("requestMessages", "responseMessages", "totalTokens", "tenantId", "_ResourceId", "_SubscriptionId"),
        *("resourceId", "sourceSystem", "type", "_BilledSize", "_IsBillable", "callerIPAddress", "callerIpAddress"),
    ),
    normalize=_flatten,
    is_utc=True,
    example={
        "TimeGenerated": "2026-03-02T09:15:00Z",
        "CorrelationId": "c-1",
        "ModelName": "small-1",
        "PromptTokens": 31,
        "CompletionTokens": 4,
        "SequenceNumber": 0,
        "RequestMessages": [{"role": "user", "content": "How do I reset my password?"}],
        "ResponseMessages": [{"role": "assistant", "content": "In Settings."}],
    },
)
