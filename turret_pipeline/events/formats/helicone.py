"""Format of Helicone's requests, after its reference of POST /v1/request/query-clickhouse, the columns of the table
request_response_rmt (which HQL exports), and the CSV export of its Requests page.
"""

from collections.abc import Iterator
from typing import Any

from turret_pipeline.events.formats.call_fields import answer_fields, prompt_fields
from turret_pipeline.events.formats.event import Rejection
from turret_pipeline.events.formats.format import EVENT_KEYS, Columns, Exchange, Execution, Format, Part, Shape
from turret_pipeline.events.formats.row_values import Paths, Row, from_json, in_both_cases, lookup, read_number

_PAGE = "heliconeMetadata."
"""Start of the columns of a CSV export, which are the paths of the objects on the Requests page."""
_PROPERTIES = ("request_properties", "properties", f"{_PAGE}customProperties")
_INPUT = ("request_body", "body.request", "raw.request")
_OUTPUT = ("response_body", "body.response", "raw.response")
_SCHEMAS = ("llmSchema", "schema")
"""Keys of Helicone's own form of the request and the response, which may be there without their bodies."""

_COST_UNITS = 1_000_000_000
"""Units of the column ``cost`` in one dollar: the table has no fractions."""
_OWN_KEYS = (
    *("request_user_id", "request_properties", "response_status", "request_path", "helicone_user", "llmSchema"),
    *("delay_ms", "latency_ms", "response_id", "time_to_first_token", "target_url", "organization_id"),
)


def _normalize(row: Row) -> Row:
    """The row with its properties under one key, its cost in dollars and the name of the tool that it logs.

    Raises Rejection for other steps of a program.
    """
    found: dict[str, Any] = dict(row)
    if (custom := found.pop(f"{_PAGE}customProperties", None)) is not None:
        found["properties"] = custom
    cost = read_number(found.get("cost"))
    if found.get("costUSD") is None and cost is not None and "latency" in found:
        found["costUSD"] = cost / _COST_UNITS
        del found["cost"]
    for body, path, part in (("request_body", _INPUT, "request"), ("response_body", _OUTPUT, "response")):
        if not any(_bodies_at(row, path)):
            found[body] = next((value for key in _SCHEMAS if (value := lookup(row, f"{key}.{part}"))), None)
    request = next((value for value in _bodies_at(found, _INPUT) if isinstance(value, dict)), {})
    kind = request.get("_type")
    if kind == "tool":
        found["tool_name"] = request.get("toolName")
    elif kind in ("vector_db", "data"):
        raise Rejection("not_an_event", f"request_body._type is {kind}: only calls of models and tools are events.")
    return found


def _bodies_at(row: Row, paths: Paths) -> Iterator[object]:
    """The bodies of a request or a response that a row has, from JSON."""
    return (from_json(lookup(row, path)) for path in paths)


HELICONE = Format(
    name="helicone",
    title="Helicone request",
    shape=Shape(
        "`request_created_at` and a key such as `request_user_id` or `request_properties`, or the columns "
        "of its CSV export",
        required=(("request_created_at", f"{_PAGE}createdAt"), (*_OWN_KEYS, f"{_PAGE}requestId")),
        forbidden=EVENT_KEYS,
    ),
    columns=Columns(
        event_id=("request_id", f"{_PAGE}requestId", "id"),
        event_name=("=LLM call",),
        session_id=tuple(f"{holder}.Helicone-Session-Id" for holder in _PROPERTIES),
        user_id=("request_user_id", "user_id", f"{_PAGE}user"),
        event_at=("request_created_at", f"{_PAGE}createdAt"),
        lone_session_id=("request_id", f"{_PAGE}requestId", "id"),
    ),
    becomes="a prompt, an answer and the tool calls in it; `tool:<name>` for a tool that was logged as a request",
    execution=Execution(name=("tool_name",)),
    exchange=Exchange(
        prompt=_INPUT,
        generation=_OUTPUT,
        is_prompt_time=True,
        latency_ms=("delay_ms", "latency_ms", "latency", f"{_PAGE}latency"),
        ended_at=("response_created_at",),
        failure=("response_status", "status", f"{_PAGE}status.code", "error"),
        prompt_fields=prompt_fields(
            *("", "response_body."),
            model=("model", "response_model", "request_model", "model_override"),
            input_tokens=("prompt_tokens", f"{_PAGE}promptTokens"),
        ),
        generation_fields=answer_fields(
            *("", "response_body."),
            model=("model", "response_model", "request_model", "model_override"),
            output_tokens=("completion_tokens", f"{_PAGE}completionTokens"),
            cost_usd=("costUSD", f"{_PAGE}cost"),
            time_to_first_token=("time_to_first_token", f"{_PAGE}timeToFirstToken"),
        ),
    ),
    parts=tuple(Part(holder, allows_any_type=True) for holder in _PROPERTIES),
    json_columns=(
        *in_both_cases("request_body", "response_body"),
        "raw.request",
        "raw.response",
        *_PROPERTIES,
        "scores",
        *_SCHEMAS,
    ),
    drop=(
        *("request_body", "response_body", "body", "raw", "raw.request", "raw.response", "signed_body_url"),
        *("total_tokens", "helicone_user", "organization_id", "proxy_key_id", "asset_ids", "asset_urls", "assets"),
        *("response_id", "llmSchema", "schema", "preview", "embedding", "size_bytes", "request_ip", "updated_at"),
        *(f"{holder}.Helicone-Session-Id" for holder in _PROPERTIES),
    ),
    is_utc=True,
    normalize=_normalize,
    example={
        "request_id": "request-1",
        "request_created_at": "2026-03-02T09:15:00.000Z",
        "request_user_id": "u-1",
        "request_properties": {"Helicone-Session-Id": "s-1", "Helicone-Session-Path": "/support"},
        "request_model": "small-1",
        "delay_ms": 1500,
        "response_status": 200,
        "prompt_tokens": 31,
        "completion_tokens": 4,
        "request_body": {"messages": [{"role": "user", "content": "How do I reset my password?"}]},
        "response_body": {"choices": [{"message": {"role": "assistant", "content": "In Settings."}}]},
    },
)
