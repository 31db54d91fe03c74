"""Spans of traces in the shapes in which people have them, read to one shape.

The shapes are OTLP JSON ("OTLP/JSON Protobuf Encoding"), the console exporters of Python and JavaScript, Phoenix's data
frame and REST API, and the tables of ClickHouse's exporter and of Logfire.
"""

import base64
import binascii
import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from turret_pipeline.events.formats.row_values import Paths, Row, first_value, from_json, in_both_cases

TRACE_ID: Paths = ("traceId", "trace_id", "context.trace_id", "context.traceId", "TraceId", "spanContext.traceId")
SPAN_ID: Paths = ("spanId", "span_id", "context.span_id", "context.spanId", "SpanId", "spanContext.spanId", "id")
ATTRIBUTES: Paths = ("attributes", "SpanAttributes", "span_attributes")
STARTS: Paths = (
    *in_both_cases("start_time_unix_nano", "start_time", "start_timestamp"),
    *("StartTime", "Timestamp", "timestamp"),
)
_ENDS: Paths = (*in_both_cases("end_time_unix_nano", "end_time", "end_timestamp"), "EndTime")
_PARENTS: Paths = (
    *in_both_cases("parent_span_id", "parent_id"),
    *("ParentSpanId", "parentSpanContext.spanId", "parent.span_id"),
)
_NAMES: Paths = ("name", "span_name", "SpanName")
_EVENTS: Paths = ("events", "otel_events")
_RESOURCES: Paths = ("resource.attributes", "ResourceAttributes", "resource_attributes", "otel_resource_attributes")
_STATUS: Paths = (
    *("status.code", "status.status_code", "status.statusCode", "status_code", "statusCode", "StatusCode"),
    "otel_status_code",
)
_MESSAGES: Paths = (
    *("status.message", "status.description", "status_message", "statusMessage", "StatusMessage"),
    "otel_status_message",
)
_FLAT = "attributes."
_VALUE_KEYS = ("stringValue", "intValue", "doubleValue", "boolValue", "string_value", "int_value", "double_value")
_LEVELS = 20


@dataclass(frozen=True)
class SpanEvent:
    """An event of a span, such as a message of its conversation."""

    name: str
    attributes: Row


@dataclass(frozen=True)
class Span:
    """A span. ``attributes`` has dotted keys, and no objects as values."""

    trace_id: object
    span_id: object
    parent_id: object
    name: str | None
    started_at: object
    ended_at: object
    duration: float | None
    attributes: Row
    events: tuple[SpanEvent, ...] = ()
    resource: Row = field(default_factory=dict)
    is_error: bool = False
    message: object = None


def is_span(row: Row) -> bool:
    """True if a row has what every span has: a trace, an id, a time and attributes."""
    if not any(key in row for key in ATTRIBUTES) and not any(str(key).startswith(_FLAT) for key in row):
        return False
    return all(first_value(row, paths)[1] is not None for paths in (TRACE_ID, SPAN_ID, STARTS))


def read_span(row: Row) -> Span:
    """The span in a row of any of the shapes."""
    status, message = first_value(row, _STATUS)[1], first_value(row, _MESSAGES)[1]
    name = first_value(row, _NAMES)[1]
    return Span(
        trace_id=_read_id(first_value(row, TRACE_ID)[1]),
        span_id=_read_id(first_value(row, SPAN_ID)[1]),
        parent_id=_read_parent(first_value(row, _PARENTS)[1]),
        name=name if isinstance(name, str) else None,
        started_at=_read_time(first_value(row, STARTS)[1]),
        ended_at=_read_time(first_value(row, _ENDS)[1]),
        duration=_read_duration(row),
        attributes=read_attributes(row),
        events=tuple(_read_events(row)),
        resource=flatten(_read_pairs(first_value(row, _RESOURCES)[1])),
        is_error=status == 2 or (isinstance(status, str) and status.upper().removeprefix("STATUS_CODE_") == "ERROR"),
        message=message,
    )


def read_attributes(row: Row) -> Row:
    """Attributes of a span by their dotted keys: an array of pairs, an object, JSON text, or columns of their own."""
    found = flatten(_read_pairs(first_value(row, ATTRIBUTES)[1]))
    columns = {str(key)[len(_FLAT) :]: value for key, value in row.items() if str(key).startswith(_FLAT)}
    return {**found, **flatten(columns)} if columns else found


def flatten(values: Mapping[str, Any], prefix: str = "", levels: int = _LEVELS) -> dict[str, Any]:
    """The values with one dotted key for each that is no object; nulls are left out."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping) and levels:
            flat |= flatten(value, f"{prefix}{key}.", levels - 1)
        elif value is not None:
            flat[f"{prefix}{key}"] = value
    return flat


def nest(flat: Row, prefix: str) -> object:
    """The value of a prefix: its own, or the object or array of the keys below it; None if there is neither.

    ``prompt.0.role`` is the role of the first item of an array.
    """
    if flat.get(prefix) is not None:
        return flat[prefix]
    tree: dict[str, Any] = {}
    for key, value in flat.items():
        if key.startswith(f"{prefix}."):
            _insert(tree, key[len(prefix) + 1 :].split("."), value)
    return _as_arrays(tree) if tree else None


def unfold(value: object, levels: int = _LEVELS) -> object:
    """The value with nested objects in place of dotted keys, also in its arrays and objects."""
    if isinstance(value, list | tuple) and levels:
        return [unfold(item, levels - 1) for item in value]
    if not isinstance(value, Mapping) or not levels:
        return value
    tree: dict[str, Any] = {}
    for key, inner in value.items():
        _insert(tree, str(key).split("."), unfold(inner, levels - 1))
    return _as_arrays(tree)


def _insert(tree: dict[str, Any], path: list[str], value: object) -> None:
    *parents, last = path
    for key in parents:
        inner = tree.setdefault(key, {})
        if not isinstance(inner, dict):
            return
        tree = inner
    tree.setdefault(last, value)


def _as_arrays(value: object, levels: int = _LEVELS) -> object:
    """The value with an array in place of each object whose keys are positions."""
    if not isinstance(value, dict) or not levels:
        return value
    inner = {key: _as_arrays(item, levels - 1) for key, item in value.items()}
    if inner and all(key.isdecimal() for key in inner):
        return [inner[key] for key in sorted(inner, key=int)]
    return inner


def _read_pairs(value: object) -> dict[str, Any]:
    """Attributes by key, from an object, its JSON text, or pairs of key and value."""
    value = from_json(value)
    if isinstance(value, Mapping):
        return dict(value)
    pairs = value if isinstance(value, list | tuple) else ()
    keyed = ((pair.get("key"), pair.get("value")) for pair in pairs if isinstance(pair, Mapping))
    in_tuples = (pair for pair in pairs if isinstance(pair, list | tuple) and len(pair) == 2)  # a map of Parquet
    return {key: _read_value(inner) for key, inner in (*keyed, *in_tuples) if isinstance(key, str)}


def _read_value(value: object, levels: int = _LEVELS) -> object:
    """The value in an AnyValue of OTLP; other values as they are."""
    if not isinstance(value, Mapping) or not levels:
        return value
    for key in _VALUE_KEYS:
        if key in value:
            return _read_integer(value[key]) if key.startswith("int") else value[key]
    if "boolValue" in value or "bool_value" in value:
        return value.get("boolValue", value.get("bool_value"))
    for key in ("arrayValue", "array_value", "kvlistValue", "kvlist_value"):
        inner = value.get(key)
        if isinstance(inner, Mapping):
            items: list[Any] = inner["values"] if isinstance(inner.get("values"), list) else []
            if key.startswith("array"):
                return [_read_value(item, levels - 1) for item in items]
            pairs = (item for item in items if isinstance(item, Mapping))
            return {str(item.get("key")): _read_value(item.get("value"), levels - 1) for item in pairs}
    return None if not value else dict(value)


def _read_integer(value: object) -> object:
    return int(value) if isinstance(value, str) and value.lstrip("-").isdecimal() and len(value) < 30 else value


def _read_events(row: Row) -> Iterator[SpanEvent]:
    names, attributes = row.get("Events.Name"), row.get("Events.Attributes")
    if isinstance(names, list) and isinstance(attributes, list):  # columns of ClickHouse
        for name, values in zip(names, attributes, strict=False):
            yield SpanEvent(str(name), flatten(_read_pairs(values)))
        return
    events = from_json(first_value(row, _EVENTS)[1])
    for event in events if isinstance(events, list | tuple) else ():
        if isinstance(event, Mapping):
            name = event.get("name", event.get("event_name", event.get("Name")))
            values = _read_pairs(event.get("attributes", event.get("event_attributes", event.get("Attributes"))))
            yield SpanEvent(str(name), flatten(values))


def _read_id(value: object) -> object:
    """The id in hex without "0x", as protobuf's JSON has ids in base64."""
    if not isinstance(value, str):
        return value
    if len(value) in {12, 24} and value.endswith("="):
        with contextlib.suppress(binascii.Error, ValueError):
            return base64.b64decode(value, validate=True).hex()
    return value.removeprefix("0x")


def _read_parent(value: object) -> object:
    """Id of the parent, or None for a root, whose parent may be blank or zeros."""
    found = _read_id(value)
    return found if not isinstance(found, str) or found.strip("0") else None


def _read_time(value: object) -> object:
    """A time that formats can read: seconds and nanoseconds, which JavaScript has, become nanoseconds."""
    if isinstance(value, list | tuple) and len(value) == 2 and all(isinstance(item, int) for item in value):
        return value[0] * 10**9 + value[1]
    return None if value in (0, "0", False) else value


def _read_duration(row: Row) -> float | None:
    """Seconds that a span took: ClickHouse counts nanoseconds, JavaScript microseconds, and Logfire seconds."""
    for key, unit in (("Duration", 1e9), ("duration", 1.0 if "start_timestamp" in row else 1e6)):
        value: Any = row.get(key)
        with contextlib.suppress(TypeError, ValueError):
            if isinstance(value, list | tuple) and len(value) == 2:
                return float(value[0]) + float(value[1]) / 1e9
            if value is not None and not isinstance(value, bool):
                return float(value) / unit
    return None
