"""Attributes of spans of language models by the conventions of those who write them.

The conventions are OpenTelemetry's "Semantic conventions for generative AI systems" (as attributes of spans, and
earlier as events of spans), OpenLLMetry's (Traceloop), OpenInference's "Semantic Conventions" (Arize), Langfuse's
"OpenTelemetry" page, the Vercel AI SDK's "Telemetry" page, Pydantic AI's, MLflow's, Semantic Kernel's, and those of
Google's Agent Development Kit.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from turret_pipeline.events.formats.row_values import Paths, first_value, from_json, in_both_cases
from turret_pipeline.events.formats.span_rows import Span, flatten, nest

PREFIXES = (
    "gen_ai.",
    "llm.",
    "openinference.",
    "langfuse.",
    "traceloop.",
    "ai.",
    "mlflow.",
    "pydantic_ai.",
    "gcp.vertex.agent.",
)
"""Prefixes of attributes that only spans of language models and of their tools have."""

CALL, TOOL, STEP = "call", "tool", "step"
_CALLS = frozenset(
    "chat text_completion completion generate_content generate invoke_agent message llm agent generation chat_model "
    "responses chat.completions text.completions".split()
)
_TOOLS = frozenset(("execute_tool", "tool"))
_WRAPPERS = frozenset(("chain", "workflow", "task", "span", "unknown", "agent", "invoke_agent"))
"""Kinds of spans that surround calls. They repeat the texts of a call, or hold values of the program."""

_KINDS: Paths = (
    *("openinference.span.kind", "gen_ai.operation.name", "langfuse.observation.type", "traceloop.span.kind"),
    *("mlflow.spanType", "llm.request.type"),
)
_SESSIONS: Paths = (
    *("gen_ai.conversation.id", "session.id", "langfuse.session.id", "gen_ai.session.id"),
    *(
        f"{prefix}.{key}"
        for prefix in ("traceloop.association.properties", "ai.telemetry.metadata", "metadata", "langsmith.metadata")
        for key in in_both_cases("session_id", "conversation_id", "thread_id", "chat_id", "langfuse_session_id")
    ),
    *(
        "mlflow.trace.session",
        "langsmith.trace.session_id",
        "conversation.id",
        "session_id",
        "gcp.vertex.agent.session_id",
    ),
)
_USERS: Paths = (
    *("user.id", "enduser.id", "langfuse.user.id", "gen_ai.user.id"),
    *(
        f"{prefix}.{key}"
        for prefix in ("traceloop.association.properties", "ai.telemetry.metadata", "metadata", "langsmith.metadata")
        for key in in_both_cases("user_id", "langfuse_user_id", "end_user_id")
    ),
    *("mlflow.trace.user", "llm.user", "gen_ai.openai.request.user", "user_id"),
)
FIELDS: Mapping[str, Paths] = {
    "model": (
        *("gen_ai.response.model", "gen_ai.request.model", "llm.model_name", "langfuse.observation.model.name"),
        *("llm.response.model", "llm.request.model", "ai.response.model", "ai.model.id"),
    ),
    "input_tokens": (
        *("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.token_count.prompt"),
        *("llm.usage.prompt_tokens", "ai.usage.inputTokens", "ai.usage.promptTokens"),
        "langfuse.observation.usage_details.input",
    ),
    "output_tokens": (
        *("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.token_count.completion"),
        *("llm.usage.completion_tokens", "ai.usage.outputTokens", "ai.usage.completionTokens"),
        "langfuse.observation.usage_details.output",
    ),
    "cost_usd": (
        *("gen_ai.usage.cost", "llm.cost.total", "langfuse.observation.cost_details.total", "operation.cost"),
        "gen_ai.usage.total_cost",
    ),
    "finish_reason": (
        *("gen_ai.response.finish_reasons", "gen_ai.response.finish_reason", "gen_ai.completion.0.finish_reason"),
        *("ai.response.finishReason", "ai.finishReason", "llm.response.finish_reason"),
    ),
    "provider": ("gen_ai.provider.name", "gen_ai.system", "llm.provider", "ai.model.provider"),
    "agent": ("gen_ai.agent.name", "agent.name"),
    "error_type": ("error.type",),
}
_TOOL_NAMES: Paths = (
    *("gen_ai.tool.name", "tool.name", "ai.toolCall.name", "tool_call.function.name", "traceloop.entity.name"),
    *("mlflow.spanFunctionName", "langfuse.observation.name"),
)
_CALL_IDS: Paths = ("gen_ai.tool.call.id", "ai.toolCall.id", "tool_call.id", "tool.call_id")
_ARGUMENTS: Paths = (
    *("gen_ai.tool.call.arguments", "ai.toolCall.args", "ai.toolCall.input", "tool_arguments", "input.value"),
    *("traceloop.entity.input", "langfuse.observation.input", "mlflow.spanInputs", "tool.parameters"),
    "gcp.vertex.agent.tool_call_args",
)
CUSTOM: Paths = (
    *("traceloop.association.properties", "ai.telemetry.metadata", "metadata", "langfuse.trace.metadata"),
    *("langfuse.observation.metadata", "langsmith.metadata"),
)
"""Prefixes of metadata that the application adds."""

_TEXT_OF_OBJECTS = (*CUSTOM, "langfuse.observation.usage_details", "langfuse.observation.cost_details")
_OTHER_PREFIXES = (
    *(
        "input.",
        "output.",
        "session.",
        "user.",
        "enduser.",
        "tool.",
        "tool_call.",
        "message.",
        "embedding.",
        "reranker.",
    ),
    *(
        "retrieval.",
        "server.",
        "client.",
        "http.",
        "url.",
        "net.",
        "network.",
        "thread.",
        "code.",
        "telemetry.",
        "otel.",
    ),
    *("exception.", "error.", "rpc.", "db.", "process.", "host.", "os.", "container.", "k8s.", "cloud.", "operation."),
    *("peer.", "prompt_template.", "agent.", "graph.", "logfire.", "openai.", "aws.", "azure.", "az.", "scope."),
    *("langsmith.", "metadata.", "response.", "resource.", "mcp.", "event_loop.", "conversation."),
)
_OTHER_KEYS = frozenset(
    "metadata name final_result all_messages_events events model_name model_request_parameters tool_arguments "
    "tool_response session_id user_id output input tags agent_name request_data response_data".split()
)
_TAGS: Paths = ("langfuse.trace.tags", "tag.tags", "traceloop.association.properties.tags")


def expand(span: Span) -> Span:
    """The span with dotted keys in place of objects in JSON text, and the attributes of events that describe a call."""
    attributes = dict(span.attributes)
    for event in span.events:
        if event.name == "gen_ai.client.inference.operation.details":
            attributes = {**event.attributes, **attributes}
    for key in _TEXT_OF_OBJECTS:
        inner = from_json(attributes.get(key))
        if isinstance(inner, Mapping):
            del attributes[key]
            attributes |= flatten(inner, f"{key}.")
    return replace(span, attributes=attributes)


def is_of_language_model(span: Span, row_kind: object) -> bool:
    """True if an attribute or an event of a span is of one of the conventions."""
    return (
        any(key.startswith(PREFIXES) or key == "all_messages_events" for key in span.attributes)
        or any(event.name.startswith("gen_ai.") for event in span.events)
        or (isinstance(row_kind, str) and "input.value" in span.attributes)
    )


def find_kind(span: Span, row_kind: object) -> tuple[str, bool]:
    """CALL, TOOL or STEP, and whether a call is one of a model, so that it is one even without a text.

    A step is a span of the program, whose texts other spans have. ``row_kind`` is the kind outside of the attributes.
    """
    found = first_value(span.attributes, _KINDS)[1] or row_kind
    kind = found.strip('"').lower() if isinstance(found, str) else None
    has_model = first_value(span.attributes, FIELDS["model"])[1] is not None
    if "ai.toolCall.name" in span.attributes or kind in _TOOLS:
        return TOOL, False
    if kind not in _CALLS and not has_model and "gen_ai.tool.name" in span.attributes:
        return TOOL, False
    if kind in _CALLS:
        return CALL, kind not in _WRAPPERS
    operation = span.attributes.get("ai.operationId", span.name)
    if (kind is not None and kind not in _WRAPPERS) or str(operation).startswith(("ai.embed", "embeddings ")):
        return STEP, False
    return (CALL, has_model) if kind is None or span.parent_id is None else (STEP, False)


def read_fields(span: Span) -> dict[str, Any]:
    """Session, user and the fields of a call or a tool by their names in every format."""
    attributes = span.attributes
    found = {name: first_value(attributes, paths)[1] for name, paths in FIELDS.items()}
    reasons = from_json(found["finish_reason"])
    found["finish_reason"] = reasons[0] if isinstance(reasons, list | tuple) and reasons else reasons
    found["session_id"] = first_value(attributes, _SESSIONS)[1]
    found["user_id"] = first_value(attributes, _USERS)[1]
    found["tool"] = first_value(attributes, _TOOL_NAMES)[1] or (span.name or "").removeprefix("execute_tool ") or None
    found["call_id"] = first_value(attributes, _CALL_IDS)[1]
    found["arguments"] = _read_arguments(next((nest(attributes, key) for key in _ARGUMENTS if key in attributes), None))
    failed = span.is_error or str(attributes.get("langfuse.observation.level")).upper() == "ERROR"
    found["is_error"] = failed or bool(found["error_type"])
    return found


def read_metadata(span: Span) -> dict[str, Any]:
    """Metadata that the application adds, and attributes of no convention, which it adds too."""
    used = {*_SESSIONS, *_USERS}
    metadata: dict[str, Any] = {
        key: value
        for key, value in span.attributes.items()
        if key not in used and key not in _OTHER_KEYS and not key.startswith((*PREFIXES, *_OTHER_PREFIXES))
    }
    for prefix in CUSTOM:
        inner = {key: value for key, value in span.attributes.items() if key not in used}
        found = nest(inner, prefix)
        metadata |= found if isinstance(found, Mapping) else {}
    tags = from_json(first_value(span.attributes, _TAGS)[1])
    own = {"name": span.name, "trace_id": span.trace_id, "tags": tags, "service": span.resource.get("service.name")}
    message = span.message or span.attributes.get("langfuse.observation.status_message")
    return metadata | {key: value for key, value in {**own, "error": message}.items() if value not in (None, "", [])}


def _read_arguments(value: object) -> object:
    """Arguments of a tool, of which OpenLLMetry has more than the call had."""
    found = from_json(value)
    if isinstance(found, Mapping) and ("inputs" in found or "input_str" in found):
        return found.get("inputs") or found.get("input_str")
    return found
