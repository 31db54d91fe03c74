"""Items of Trubrics' paths: events, LLM events, and events and users from Segment's destination for Trubrics.

Records keep Trubrics' shapes, which the pipeline reads: it splits an LLM event into its prompt and its generation.
Fields that Trubrics does not define move into the properties, so that the pipeline does not mistake them for its own.
"""

from typing import Any

from turret_pipeline.collector.api_errors import INVALID_REQUEST, MISSING_REQUIRED_FIELD
from turret_pipeline.collector.wire.validation import (
    LATENCY_BELOW,
    MetadataLimits,
    ValidationError,
    describe_type,
    required_value,
    validate_id,
    validate_metadata,
    validate_name,
    validate_object,
    validate_optional_id,
    validate_text,
    validate_timestamp,
)

_EVENT_FIELDS = {"user_id", "event", "timestamp", "thread_id", "properties"}
_LLM_FIELDS = {
    *("user_id", "prompt", "generation", "assistant_id", "timestamp", "latency", "thread_id", "properties"),
    *("prompt_event_name", "generation_event_name"),
}
_SEGMENT_LLM_FIELDS = {"prompt", "generation", "assistant_id", "latency"}
IDENTIFY = "identify"
"""Name of the event that holds the traits of a user of Segment."""


def parse_event(value: object, limits: MetadataLimits) -> dict[str, Any]:
    """Landing record of an item of /publish_events. Raises ValidationError."""
    item = validate_object(value, "The item")
    return {
        "user_id": validate_id(required_value(item, "user_id"), "user_id"),
        "event": validate_name(required_value(item, "event"), "event"),
        "timestamp": validate_timestamp(required_value(item, "timestamp"), "timestamp"),
        **_session_and_properties(item, _EVENT_FIELDS, limits),
    }


def parse_llm_event(value: object, limits: MetadataLimits) -> dict[str, Any]:
    """Landing record of an item of /publish_llm_events; the timestamp is optional. Raises ValidationError."""
    item = validate_object(value, "The item")
    optional = {
        "assistant_id": validate_optional_id(item.get("assistant_id"), "assistant_id"),
        "timestamp": _optional_timestamp(item.get("timestamp")),
        "latency": _optional_latency(item.get("latency")),
        **{field: _optional_name(item, field) for field in ("prompt_event_name", "generation_event_name")},
    }
    return {
        "user_id": validate_id(required_value(item, "user_id"), "user_id"),
        "prompt": validate_text(required_value(item, "prompt"), "prompt", limits),
        "generation": validate_text(required_value(item, "generation"), "generation", limits),
        **{field: value for field, value in optional.items() if value is not None},
        **_session_and_properties(item, _LLM_FIELDS, limits),
    }


def parse_segment_event(value: object, limits: MetadataLimits) -> dict[str, Any]:
    """Landing record of an item of /publish_segment_events. Raises ValidationError.

    It is an LLM event if the item has a prompt and a generation.
    """
    item = validate_object(value, "The item")
    event = validate_name(required_value(item, "event"), "event")
    llm = _validate_llm_properties(_optional_object(item, "llm_properties"), limits)
    context = _optional_object(item, "context")
    properties = {**_optional_object(item, "properties"), **({"context": context} if context else {})}
    shared = {**_segment_user_and_time(item), "thread_id": llm.get("thread_id")}
    if llm.get("prompt") is not None and llm.get("generation") is not None:
        llm_fields = {key: value for key, value in llm.items() if key in _SEGMENT_LLM_FIELDS}
        properties = {"segment_event": event, **properties, **_other_fields(llm, {*_SEGMENT_LLM_FIELDS, "thread_id"})}
        record = parse_llm_event({**llm_fields, **shared, "properties": properties}, limits)
        return record | _linked_anonymous_id(item)
    reserved = {"$assistant_id": llm.get("assistant_id"), "$text": llm.get("text")}
    extra = {**_other_fields(llm, {"assistant_id", "text", "thread_id"}), **_other_fields(reserved, set())}
    record = _record_with_optional_time({**shared, "event": event, "properties": {**properties, **extra}}, limits)
    return record | _linked_anonymous_id(item)


def parse_segment_user(value: object, limits: MetadataLimits) -> dict[str, Any]:
    """Landing record of an item of /identify_segment_users: an event with the user's traits. Raises ValidationError."""
    item = validate_object(value, "The item")
    traits = _optional_object(item, "traits")
    user = {**_segment_user_and_time(item), "event": IDENTIFY, "properties": traits}
    return _record_with_optional_time(user, limits) | _linked_anonymous_id(item)


def _validate_llm_properties(llm: dict[str, Any], limits: MetadataLimits) -> dict[str, Any]:
    """The LLM properties of Segment, if they follow the rules of an LLM event, even without a generation."""
    _optional_latency(llm.get("latency"))
    validate_optional_id(llm.get("assistant_id"), "assistant_id")
    for field in ("prompt", "generation"):
        if llm.get(field) is not None:
            validate_text(llm[field], field, limits)
    return llm


def _segment_user_and_time(item: dict[str, Any]) -> dict[str, Any]:
    """Id of the user, or else of the anonymous user, and the timestamp of an item from Segment."""
    known = validate_optional_id(item.get("user_id"), "user_id")
    anonymous = validate_optional_id(item.get("anonymous_id"), "anonymous_id")
    user_id = known or anonymous
    if user_id is None:
        raise ValidationError(MISSING_REQUIRED_FIELD, "Missing required field: user_id (or anonymous_id)")
    return {"user_id": user_id, "timestamp": item.get("timestamp")}


def _linked_anonymous_id(item: dict[str, Any]) -> dict[str, Any]:
    """The anonymous id of an item with a user: a run resolves it to this user."""
    ids = [validate_optional_id(item.get(field), field) for field in ("user_id", "anonymous_id")]
    return {"anonymous_id": ids[1]} if all(ids) else {}


def _record_with_optional_time(item: dict[str, Any], limits: MetadataLimits) -> dict[str, Any]:
    """Record of an event that may lack a timestamp, unlike an event from Trubrics' own clients."""
    timestamp = _optional_timestamp(item.pop("timestamp", None))
    record = {"user_id": item["user_id"], "event": item["event"]}
    return {
        **record,
        **({"timestamp": timestamp} if timestamp is not None else {}),
        **_session_and_properties(item, _EVENT_FIELDS, limits),
    }


def _session_and_properties(item: dict[str, Any], fields: set[str], limits: MetadataLimits) -> dict[str, Any]:
    """Thread id and properties of an item; the properties include every field that is not in ``fields``."""
    properties = validate_metadata(_optional_object(item, "properties"), "properties", limits)
    validate_optional_id(properties.get("$thread_id"), "properties.$thread_id", may_be_number=True)
    thread_id = validate_optional_id(item.get("thread_id"), "thread_id", may_be_number=True)
    if item.keys() - fields:
        properties = validate_metadata(_other_fields(item, fields), "The item", limits) | properties
    session: dict[str, Any] = {} if thread_id is None else {"thread_id": thread_id}
    return {**session, "properties": properties} if properties else session


def _other_fields(item: dict[str, Any], fields: set[str]) -> dict[str, Any]:
    """Fields of an item that are not in ``fields`` and not null."""
    return {key: value for key, value in item.items() if key not in fields and value is not None}


def _optional_object(item: dict[str, Any], field: str) -> dict[str, Any]:
    value = item.get(field)
    return {} if value is None else validate_object(value, field)


def _optional_timestamp(value: object) -> str | None:
    return None if value is None else validate_timestamp(value, "timestamp")


def _optional_name(item: dict[str, Any], field: str) -> str | None:
    value = item.get(field)
    return None if value is None else validate_name(value, field)


def _optional_latency(value: object) -> float | None:
    if value is None:
        return None
    if type(value) not in {int, float}:
        raise ValidationError(INVALID_REQUEST, f"latency is {describe_type(value)}: it must be a number of seconds.")
    if not 0 <= value < LATENCY_BELOW:  # type: ignore[operator]
        raise ValidationError(
            INVALID_REQUEST, f"latency is out of range: it must be at least 0 and below {LATENCY_BELOW:,.0f} seconds."
        )
    return value  # type: ignore[return-value]
