"""Our own POST /v1/events: events of three shapes with ids and times of their own, so that backfill works."""

from typing import Any

from turret_pipeline.collector.wire.trubrics import event_record, llm_record
from turret_pipeline.collector.wire.validation import (
    Bounds,
    as_object,
    metadata,
    name,
    optional_identifier,
    required,
    timestamp,
    unix_time,
)

_FIELDS = {"event_id", "name", "session_id", "user_id", "timestamp", "received_at", "metadata"}


def any_record(value: object, bounds: Bounds) -> dict[str, Any]:
    """An item of /v1/events as a record; its event_id is there if the client gave one. Raises Invalid."""
    item = as_object(value, "The item")
    if "name" in item or not ("event" in item or "prompt" in item):
        return _turret_record(item, bounds)
    event_id = _optional_id(item, "event_id")
    rest = {key: value for key, value in item.items() if key not in {"event_id", "received_at"}}
    record = event_record(rest, bounds) if "event" in item else llm_record(rest, bounds)
    return record if event_id is None else {"event_id": event_id, **record}


def count_events(record: dict[str, Any]) -> int:
    """Number of events that the pipeline reads from a record: an LLM event is two, its prompt and its generation."""
    is_llm_event = "prompt" in record and "event" not in record
    return 2 if is_llm_event else 1


def _turret_record(item: dict[str, Any], bounds: Bounds) -> dict[str, Any]:
    given = item.get("metadata")
    own = metadata({} if given is None else as_object(given, "metadata"), "metadata", bounds)
    if item.keys() - _FIELDS:
        others = {key: value for key, value in item.items() if key not in _FIELDS and value is not None}
        own = metadata(others, "The item", bounds) | own
    at = item.get("timestamp")
    optional = {
        "event_id": _optional_id(item, "event_id"),
        "session_id": _optional_id(item, "session_id"),
        "user_id": _optional_id(item, "user_id"),
        "timestamp": None if at is None else _time(at),
    }
    return {
        **{field: value for field, value in optional.items() if value is not None},
        "name": name(required(item, "name"), "name"),
        "metadata": own,
    }


def _optional_id(item: dict[str, Any], field: str) -> str | None:
    return optional_identifier(item.get(field), field, may_be_number=True)


def _time(value: object) -> str | float:
    if type(value) is int or type(value) is float:
        return unix_time(value, "timestamp")
    return timestamp(value, "timestamp")
