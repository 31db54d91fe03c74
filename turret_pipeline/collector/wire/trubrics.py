"""Trubrics' events, LLM events, and what Segment's destination for Trubrics sends: an item of a batch to a record.

Records keep Trubrics' shapes, which the pipeline reads: an LLM event becomes its prompt and its generation there.
Fields that Trubrics does not know move into the properties, so that no name of theirs is taken for one of ours.
"""

from typing import Any

from turret_pipeline.collector.api_errors import INVALID_REQUEST, MISSING_REQUIRED_FIELD
from turret_pipeline.collector.wire.validation import (
    LATENCY_BELOW,
    Bounds,
    Invalid,
    as_object,
    identifier,
    kind,
    metadata,
    name,
    optional_identifier,
    required,
    text,
    timestamp,
)

_EVENT_FIELDS = {"user_id", "event", "timestamp", "thread_id", "properties"}
_LLM_FIELDS = {
    *("user_id", "prompt", "generation", "assistant_id", "timestamp", "latency", "thread_id", "properties"),
    *("prompt_event_name", "generation_event_name"),
}
_SEGMENT_LLM_FIELDS = {"prompt", "generation", "assistant_id", "latency"}
IDENTIFY = "identify"
"""The name of the event that keeps what Segment says of a user."""


def event_record(value: object, bounds: Bounds) -> dict[str, Any]:
    """An item of /publish_events. Raises Invalid."""
    item = as_object(value, "The item")
    return {
        "user_id": identifier(required(item, "user_id"), "user_id"),
        "event": name(required(item, "event"), "event"),
        "timestamp": timestamp(required(item, "timestamp"), "timestamp"),
        **_session_and_properties(item, _EVENT_FIELDS, bounds),
    }


def llm_record(value: object, bounds: Bounds) -> dict[str, Any]:
    """An item of /publish_llm_events; without a timestamp it happens when it is received. Raises Invalid."""
    item = as_object(value, "The item")
    optional = {
        "assistant_id": optional_identifier(item.get("assistant_id"), "assistant_id"),
        "timestamp": _optional_timestamp(item.get("timestamp")),
        "latency": _latency(item.get("latency")),
        **{field: _optional_name(item, field) for field in ("prompt_event_name", "generation_event_name")},
    }
    return {
        "user_id": identifier(required(item, "user_id"), "user_id"),
        "prompt": text(required(item, "prompt"), "prompt", bounds),
        "generation": text(required(item, "generation"), "generation", bounds),
        **{field: value for field, value in optional.items() if value is not None},
        **_session_and_properties(item, _LLM_FIELDS, bounds),
    }


def segment_event_record(value: object, bounds: Bounds) -> dict[str, Any]:
    """An item of /publish_segment_events: an LLM event where it has a prompt and a generation. Raises Invalid."""
    item = as_object(value, "The item")
    event = name(required(item, "event"), "event")
    llm = _checked_llm(_optional_object(item, "llm_properties"), bounds)
    context = _optional_object(item, "context")
    properties = {**_optional_object(item, "properties"), **({"context": context} if context else {})}
    shared = {**_segment_user(item), "thread_id": llm.get("thread_id")}
    if llm.get("prompt") is not None and llm.get("generation") is not None:
        of_llm = {key: value for key, value in llm.items() if key in _SEGMENT_LLM_FIELDS}
        properties = {"segment_event": event, **properties, **_others(llm, {*_SEGMENT_LLM_FIELDS, "thread_id"})}
        return llm_record({**of_llm, **shared, "properties": properties}, bounds)
    reserved = {"$assistant_id": llm.get("assistant_id"), "$text": llm.get("text")}
    own = {**_others(llm, {"assistant_id", "text", "thread_id"}), **_others(reserved, set())}
    return _maybe_without_time({**shared, "event": event, "properties": {**properties, **own}}, bounds)


def segment_user_record(value: object, bounds: Bounds) -> dict[str, Any]:
    """An item of /identify_segment_users: an event with the traits of the user. Raises Invalid."""
    item = as_object(value, "The item")
    traits = _optional_object(item, "traits")
    return _maybe_without_time({**_segment_user(item), "event": IDENTIFY, "properties": traits}, bounds)


def _checked_llm(llm: dict[str, Any], bounds: Bounds) -> dict[str, Any]:
    """What Segment says of a prompt, also where it has no generation: by the rules of an LLM event."""
    _latency(llm.get("latency"))
    optional_identifier(llm.get("assistant_id"), "assistant_id")
    for field in ("prompt", "generation"):
        if llm.get(field) is not None:
            text(llm[field], field, bounds)
    return llm


def _segment_user(item: dict[str, Any]) -> dict[str, Any]:
    """Whose event it is, an anonymous user's if need be, and when it was."""
    known = optional_identifier(item.get("user_id"), "user_id")
    anonymous = optional_identifier(item.get("anonymous_id"), "anonymous_id")
    user_id = known or anonymous
    if user_id is None:
        raise Invalid(MISSING_REQUIRED_FIELD, "Missing required field: user_id (or anonymous_id)")
    return {"user_id": user_id, "timestamp": item.get("timestamp")}


def _maybe_without_time(item: dict[str, Any], bounds: Bounds) -> dict[str, Any]:
    """An event that, unlike one of Trubrics' own, may leave its time to the server."""
    at = _optional_timestamp(item.pop("timestamp", None))
    record = {"user_id": item["user_id"], "event": item["event"]}
    return {
        **record,
        **({"timestamp": at} if at is not None else {}),
        **_session_and_properties(item, _EVENT_FIELDS, bounds),
    }


def _session_and_properties(item: dict[str, Any], fields: set[str], bounds: Bounds) -> dict[str, Any]:
    """The session, from where it wins, and the properties with all that has no field of its own."""
    properties = metadata(_optional_object(item, "properties"), "properties", bounds)
    optional_identifier(properties.get("$thread_id"), "properties.$thread_id", may_be_number=True)
    thread_id = optional_identifier(item.get("thread_id"), "thread_id", may_be_number=True)
    if item.keys() - fields:
        properties = metadata(_others(item, fields), "The item", bounds) | properties
    own: dict[str, Any] = {} if thread_id is None else {"thread_id": thread_id}
    return {**own, "properties": properties} if properties else own


def _others(item: dict[str, Any], fields: set[str]) -> dict[str, Any]:
    """What an item says beside these fields."""
    return {key: value for key, value in item.items() if key not in fields and value is not None}


def _optional_object(item: dict[str, Any], field: str) -> dict[str, Any]:
    value = item.get(field)
    return {} if value is None else as_object(value, field)


def _optional_timestamp(value: object) -> str | None:
    return None if value is None else timestamp(value, "timestamp")


def _optional_name(item: dict[str, Any], field: str) -> str | None:
    value = item.get(field)
    return None if value is None else name(value, field)


def _latency(value: object) -> float | None:
    if value is None:
        return None
    if type(value) not in {int, float}:
        raise Invalid(INVALID_REQUEST, f"latency is {kind(value)}: it must be a number of seconds.")
    if not 0 <= value < LATENCY_BELOW:  # type: ignore[operator]
        raise Invalid(INVALID_REQUEST, f"latency is out of range: it must be seconds, 0 to {LATENCY_BELOW:,.0f}.")
    return value  # type: ignore[return-value]
