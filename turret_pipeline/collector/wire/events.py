"""Our own POST /v1/events: Turret events, Trubrics events and LLM events with their own ids and times, for backfill."""

from typing import Any

from turret_pipeline.collector.wire.trubrics import parse_event, parse_llm_event
from turret_pipeline.collector.wire.validation import (
    MetadataLimits,
    required_value,
    validate_metadata,
    validate_name,
    validate_object,
    validate_optional_id,
    validate_time,
)

_FIELDS = {"event_id", "name", "session_id", "user_id", "timestamp", "received_at", "metadata"}


def parse_any_event(value: object, limits: MetadataLimits) -> dict[str, Any]:
    """Landing record of an item of /v1/events; it has an ``event_id`` only if the client sent one.

    Raises ValidationError if the item is invalid.
    """
    item = validate_object(value, "The item")
    if "name" in item or not ("event" in item or "prompt" in item):
        return _parse_turret_event(item, limits)
    event_id = _optional_id(item, "event_id")
    rest = {key: value for key, value in item.items() if key not in {"event_id", "received_at"}}
    record = parse_event(rest, limits) if "event" in item else parse_llm_event(rest, limits)
    return record if event_id is None else {"event_id": event_id, **record}


def count_events(record: dict[str, Any]) -> int:
    """Number of events that the pipeline reads from a record: an LLM event is two, its prompt and its generation."""
    is_llm_event = "prompt" in record and "event" not in record
    return 2 if is_llm_event else 1


def _parse_turret_event(item: dict[str, Any], limits: MetadataLimits) -> dict[str, Any]:
    given = item.get("metadata")
    metadata = validate_metadata({} if given is None else validate_object(given, "metadata"), "metadata", limits)
    if item.keys() - _FIELDS:
        others = {key: value for key, value in item.items() if key not in _FIELDS and value is not None}
        metadata = validate_metadata(others, "The item", limits) | metadata
    timestamp = item.get("timestamp")
    optional = {
        "event_id": _optional_id(item, "event_id"),
        "session_id": _optional_id(item, "session_id"),
        "user_id": _optional_id(item, "user_id"),
        "timestamp": None if timestamp is None else validate_time(timestamp, "timestamp"),
    }
    return {
        **{field: value for field, value in optional.items() if value is not None},
        "name": validate_name(required_value(item, "name"), "name"),
        "metadata": metadata,
    }


def _optional_id(item: dict[str, Any], field: str) -> str | None:
    return validate_optional_id(item.get(field), field, may_be_number=True)
