"""Format of the BigQuery export of Google Analytics 4 and of Firebase.

It follows "[GA4] BigQuery Export schema" of Analytics Help, in JSON lines, in Parquet and in CSV files whose cells hold
JSON or Python's text of lists.
"""

import ast
import contextlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from turret_pipeline.events.formats.format import Columns, Format, Identity, Part, Shape
from turret_pipeline.events.formats.row_values import Row, drop_nulls, join_session_id

_TYPED = ("string_value", "int_value", "float_value", "double_value")
_WRAPPERS, _ITEMS = ("list", "array", "values"), ("element", "item", "array", "v")
"""Keys that Parquet writers put around an array and around each of its items."""

_LITERAL_LIMIT = 1 << 20
"""Characters of a Python literal that are read: reading one takes hundreds of bytes for each."""

_MISSING_COMMA = re.compile(r"}\s*\n\s*{")
"""Between the items of an array of numpy, whose text has no commas."""


def _read_parameters(value: object) -> dict[str, Any]:
    """Parameters by name, from an array of keys with typed values; an object is taken as it is."""
    value = _read_literal(value) if isinstance(value, str) else value
    if isinstance(value, Mapping):
        inner = next((value[key] for key in _WRAPPERS if len(value) == 1 and isinstance(value.get(key), list)), None)
        if inner is None:
            return dict(value)
        value = inner
    return dict(_pairs(value)) if isinstance(value, list | tuple) else {}


def _pairs(items: list[Any] | tuple[Any, ...]) -> Iterator[tuple[str, Any]]:
    for item in items:
        if isinstance(item, Mapping):
            inner = next((item[key] for key in _ITEMS if len(item) == 1 and isinstance(item.get(key), Mapping)), item)
            key = inner.get("key")
            if isinstance(key, str) and (found := _read_typed_value(inner.get("value"))) is not None:
                yield key, found


def _read_typed_value(value: object) -> object:
    """The value under the key that names its type. JSON holds 64-bit integers as text."""
    if not isinstance(value, Mapping):
        return value
    for kind in _TYPED:
        if (found := value.get(kind)) is not None:
            if kind == "string_value" or not isinstance(found, str):
                return found
            with contextlib.suppress(ValueError):
                return int(found) if kind == "int_value" else float(found)
            return found
    return None


def _read_literal(text: str) -> object:
    """The value of a Python literal, as pandas writes lists to CSV; None if the text is none."""
    if text.lstrip()[:1] not in {"[", "{"} or len(text) > _LITERAL_LIMIT:
        return None
    try:
        return ast.literal_eval(_MISSING_COMMA.sub("}, {", text.strip()))
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None


def _flatten_parameters(row: Row) -> Row:
    """The row with its parameters as objects, and the session of its user: the ids of sessions are times."""
    parameters = _read_parameters(row.get("event_params"))
    properties = _read_parameters(row.get("user_properties"))
    session = row.get("ga_session_id", parameters.get("ga_session_id"))
    return {
        **drop_nulls(row),
        "event_params": parameters,
        "user_properties": properties,
        "session_key": join_session_id(row.get("user_pseudo_id") or row.get("user_id"), session),
    }


GA4 = Format(
    name="ga4",
    title="Google Analytics 4 event",
    shape=Shape(
        "`event_name`, `event_timestamp`, and another key of the BigQuery export (`event_params`, `event_date`, "
        "`user_pseudo_id`)",
        required=(("event_name",), ("event_timestamp",), ("event_params", "event_date", "user_pseudo_id")),
        forbidden=("name", "event", "metadata"),
    ),
    columns=Columns(
        event_name=("event_name",),
        session_id=("session_key",),
        user_id=("user_id", "user_pseudo_id"),
        event_at=("event_timestamp",),
    ),
    identities=(Identity("Google Analytics 4 event", user=("user_id",), devices=("user_pseudo_id",)),),
    parts=(Part("event_params"), Part("user_properties", under="user_properties")),
    json_columns=(
        *("event_params", "user_properties", "device", "geo", "app_info", "traffic_source", "items", "ecommerce"),
        *("collected_traffic_source", "session_traffic_source_last_click", "privacy_info", "user_ltv", "publisher"),
    ),
    drop=(
        *("event_date", "event_previous_timestamp", "event_bundle_sequence_id", "event_server_timestamp_offset"),
        *("event_dimensions", "user_first_touch_timestamp", "stream_id", "batch_event_index", "batch_page_id"),
        *("batch_ordering_id", "ga_session_id", "event_params.ga_session_id"),
    ),
    normalize=_flatten_parameters,
    is_utc=True,
    becomes="one event; its parameters are metadata under their own names, and its session is "
    "`<user_pseudo_id>.<ga_session_id>`",
    example={
        "event_date": "20260302",
        "event_timestamp": "1772442900000000",
        "event_name": "prompt_sent",
        "event_params": [
            {"key": "ga_session_id", "value": {"int_value": "1772442000"}},
            {"key": "prompt", "value": {"string_value": "How do I reset my password?"}},
        ],
        "user_pseudo_id": "123.456",
        "user_properties": [{"key": "plan", "value": {"string_value": "team"}}],
        "device": {"category": "desktop"},
        "platform": "WEB",
    },
)
