"""Format of PostHog's batch and file exports. An ``$ai_generation`` is a call of a language model."""

from turret_pipeline.events.formats.format import Columns, Exchange, Execution, Format, Identity, Part, Shape
from turret_pipeline.events.formats.row_values import Row

_TOOL_TYPES = frozenset("tool function tool_call mcp mcp_tool".split())


def _normalize(row: Row) -> Row:
    """The row with the name of the tool of a span that is a call of one, and without the input of an embedding.

    PostHog's libraries send the id of the trace as the person if the application names none.
    """
    properties = row.get("properties")
    if not isinstance(properties, dict):
        return row
    trace_id = properties.get("$ai_trace_id")
    if trace_id is not None and row.get("distinct_id") == trace_id:
        row = {**row, "distinct_id": None}
    if row.get("event") == "$ai_span" and properties.get("$ai_span_type") in _TOOL_TYPES:
        return {**row, "tool_name": properties.get("$ai_span_name")}
    if row.get("event") == "$ai_embedding":
        return {**row, "properties": {key: value for key, value in properties.items() if key != "$ai_input"}}
    return row


POSTHOG = Format(
    name="posthog",
    title="PostHog event",
    shape=Shape(
        "`event`, `distinct_id`, and `uuid` or `properties`",
        required=(("event",), ("distinct_id",), ("uuid", "properties")),
        forbidden=("name", "event_name", "user_id"),
    ),
    columns=Columns(
        event_id=("uuid", "id"),
        event_name=("event",),
        session_id=("properties.$session_id", "properties.$ai_session_id"),
        user_id=("distinct_id",),
        event_at=("timestamp", "properties.timestamp"),
        received_at=("created_at",),
        lone_session_id=("properties.$ai_trace_id",),
    ),
    identities=(
        Identity(
            "PostHog sign-in",
            user=("distinct_id",),
            anonymous=("properties.$anon_distinct_id",),
            only_if={"event": frozenset({"$identify"})},
        ),
        Identity(
            "PostHog alias",
            user=("distinct_id",),
            aliases=("properties.alias",),
            only_if={"event": frozenset({"$create_alias", "$merge_dangerously"})},
        ),
        Identity("PostHog device", user=("properties.$user_id",), devices=("properties.$device_id",)),
    ),
    becomes="one event; for `$ai_generation`, a prompt, an answer and tool calls; for a tool's `$ai_span`, its call",
    execution=Execution(name=("tool_name",)),
    exchange=Exchange(
        only_if={"event": frozenset({"$ai_generation", "$ai_embedding"})},
        prompt=("properties.$ai_input",),
        generation=("properties.$ai_output_choices", "properties.$ai_output"),
        latency=("properties.$ai_latency",),
        failure=("properties.$ai_is_error", "properties.$ai_error", "properties.$ai_http_status"),
        prompt_fields={"input_tokens": ("properties.$ai_input_tokens",)},
        generation_fields={
            "output_tokens": ("properties.$ai_output_tokens",),
            "cost_usd": ("properties.$ai_total_cost_usd",),
            "finish_reason": ("properties.$ai_stop_reason", "properties.$ai_finish_reason"),
            "time_to_first_token": ("properties.$ai_time_to_first_token",),
        },
    ),
    parts=(Part("properties"), Part("person_properties", under="person")),
    fields={"model": ("properties.$ai_model",), "provider": ("properties.$ai_provider",)},
    json_columns=("properties", "person_properties"),
    normalize=_normalize,
    drop=(
        *("event", "team_id", "project_id", "elements", "elements_chain", "site_url", "set", "set_once", "inserted_at"),
        *(f"properties.{key}" for key in ("token", "distinct_id", "$set", "$set_once", "$unset", "$insert_id")),
        # inputs and outputs of traces and spans repeat those of their generations
        *(f"properties.$ai_{key}" for key in ("input", "output_choices", "input_state", "output_state", "tools")),
    ),
    example={
        "uuid": "018e-1",
        "event": "$ai_generation",
        "distinct_id": "u-1",
        "timestamp": "2026-03-02T09:15:02.000Z",
        "properties": {
            "$session_id": "s-1",
            "$ai_trace_id": "t-1",
            "$ai_model": "small-1",
            "$ai_latency": 1.5,
            "$ai_input": [{"role": "user", "content": "How do I reset my password?"}],
            "$ai_output_choices": [{"role": "assistant", "content": "Open Settings and choose Reset."}],
        },
    },
)
