"""JSON Schemas of requests and responses. They allow the same events as ``wire``; a test compares both."""

from typing import Any

from turret_pipeline.collector.api_errors import STATUS
from turret_pipeline.collector.wire.validation import (
    LATENCY_BELOW,
    MAX_ID_LENGTH,
    MAX_KEY_LENGTH,
    MAX_NAME_LENGTH,
    MILLISECONDS_RANGE,
    RESERVED_NAMES,
    SECONDS_RANGE,
    TIMESTAMP_PATTERN,
)
from turret_pipeline.config.collector import CollectorSettings

Json = dict[str, Any]


def _nullable(schema: Json) -> Json:
    """Schema that also allows null."""
    return {**schema, "type": [schema["type"], "null"]}


def _unix_time(bounds: tuple[int, int]) -> Json:
    return {"type": "number", "minimum": bounds[0], "maximum": bounds[1], "description": "Unix time"}


_STRING: Json = {"type": "string"}
_COUNT: Json = {"type": "integer", "minimum": 0}
_ID: Json = {"type": "string", "minLength": 1, "maxLength": MAX_ID_LENGTH, "pattern": r"\S"}
_NULLABLE_ID: Json = {"type": ["string", "null"], "maxLength": MAX_ID_LENGTH}
_ANY_ID: Json = {"type": ["string", "number", "null"], "maxLength": MAX_ID_LENGTH}
_TIME: Json = {
    "type": "string",
    "pattern": TIMESTAMP_PATTERN,
    "description": "ISO 8601; without a zone, runs read it in the zone of their setting input_time_zone (default: UTC)",
}
_NULLABLE_TIME: Json = _nullable(_TIME)
_ANY_TIME: Json = {"anyOf": [_NULLABLE_TIME, _unix_time(SECONDS_RANGE), _unix_time(MILLISECONDS_RANGE)]}
_TRACK_IDS = ("event_id", "session_id", "user_id")
_NAME: Json = {
    "type": "string",
    "minLength": 1,
    "maxLength": MAX_NAME_LENGTH,
    "pattern": r"\S",
    "not": {"enum": list(RESERVED_NAMES)},
}
_LATENCY: Json = {"type": ["number", "null"], "minimum": 0, "exclusiveMaximum": LATENCY_BELOW}

SCHEMAS: Json = {
    "Tracked": {
        "type": "object",
        "required": ["success", "message", *_TRACK_IDS],
        "properties": {"success": {"const": True}, "message": _STRING, **dict.fromkeys(_TRACK_IDS, _ID)},
    },
    "Success": {"type": "object", "required": ["status"], "properties": {"status": {"const": "success"}}},
    "Status": {"type": "object", "required": ["status"], "properties": {"status": {"enum": ["ok", "ready"]}}},
    "Document": {"type": "object", "required": ["openapi", "paths"]},
    "Results": {
        "type": "object",
        "required": ["received", "accepted", "rejected", "results"],
        "properties": {
            **dict.fromkeys(("received", "accepted", "rejected"), _COUNT),
            "results": {"type": "array", "items": {"$ref": "#/components/schemas/Result"}},
        },
    },
    "Result": {
        "type": "object",
        "required": ["index", "status"],
        "properties": {
            "index": _COUNT,
            "status": {"enum": ["accepted", "rejected"]},
            "event_id": {
                **_ID,
                "description": "Of an accepted item; an LLM event's two events add a suffix to it",
            },
            "repaired": {
                **_COUNT,
                "description": "Of an accepted item: values that no table can hold; half of a surrogate pair became "
                "U+FFFD, a number out of range null",
            },
            "code": {"enum": list(STATUS), "description": "Of a rejected item"},
            "error": {**_STRING, "description": "Of a rejected item"},
        },
    },
    "Error": {
        "type": "object",
        "required": ["success", "error", "code", "detail"],
        "properties": {
            "success": {"const": False},
            "error": _STRING,
            "code": {"enum": list(STATUS)},
            "detail": {
                "anyOf": [_STRING, {"type": "array", "items": {"$ref": "#/components/schemas/ItemError"}}],
                "description": "The message again, or the invalid items of a batch",
            },
            "retry_after": {"type": "integer", "minimum": 1, "description": "Seconds"},
        },
    },
    "ItemError": {
        "type": "object",
        "required": ["index", "code", "error"],
        "properties": {"index": _COUNT, "code": {"enum": list(STATUS)}, "error": _STRING},
    },
}


def event_schemas(settings: CollectorSettings) -> Json:
    """Schemas of the events that clients send, with the limits of the settings."""
    short = _metadata(settings, settings.max_text_length)
    long = _metadata(settings, settings.max_long_text_length)
    text: Json = {"type": "string", "maxLength": settings.max_long_text_length}
    properties: Json = {**_nullable(long), "properties": {"$thread_id": _ANY_ID}}
    llm: Json = {
        "assistant_id": _NULLABLE_ID,
        "thread_id": _ANY_ID,
        "latency": {**_LATENCY, "description": "Seconds from the prompt to the generation"},
    }
    names = ("prompt_event_name", "generation_event_name")
    segment_user: Json = {"user_id": _NULLABLE_ID, "anonymous_id": _NULLABLE_ID, "timestamp": _NULLABLE_TIME}
    return {
        "Track": _record(
            ["name", "metadata"],
            {
                "name": _NAME,
                "metadata": short,
                **dict.fromkeys(("session_id", "user_id"), _NULLABLE_ID),
                **({"timestamp": _ANY_TIME} if settings.track_timestamps else {}),
            },
            short,
        ),
        "Event": _record(
            ["name"],
            {
                "name": _NAME,
                "metadata": _nullable(long),
                **dict.fromkeys(_TRACK_IDS, _ANY_ID),
                "timestamp": _ANY_TIME,
            },
            long,
        ),
        "TrubricsEvent": _record(
            ["user_id", "event", "timestamp"],
            {"user_id": _ID, "event": _NAME, "timestamp": _TIME, "thread_id": _ANY_ID, "properties": properties},
            long,
        ),
        "TrubricsLLMEvent": _record(
            ["user_id", "prompt", "generation"],
            {
                "user_id": _ID,
                "prompt": text,
                "generation": text,
                "timestamp": _NULLABLE_TIME,
                **llm,
                **{field: _nullable(_NAME) for field in names},
                "properties": properties,
            },
            long,
        ),
        "SegmentEvent": _segment_record(
            ["event"],
            {
                **segment_user,
                "event": _NAME,
                "properties": properties,
                "context": _nullable(long),
                "llm_properties": {
                    **long,
                    "type": ["object", "null"],
                    "properties": {
                        "prompt": _nullable(text),
                        "generation": _nullable(text),
                        **llm,
                    },
                },
            },
        ),
        "SegmentUser": _segment_record([], {**segment_user, "traits": properties}),
    }


def _record(required: list[str], properties: Json, metadata: Json) -> Json:
    """Schema of a record. Other fields become metadata and follow its rules."""
    return {
        "type": "object",
        "required": required,
        "properties": properties,
        "propertyNames": metadata["propertyNames"],
        "additionalProperties": metadata["additionalProperties"],
    }


def _segment_record(required: list[str], properties: Json) -> Json:
    """Schema of a record from Segment, with a user id or an anonymous id. Other fields are dropped."""
    ids = [{"required": [field], "properties": {field: _ID}} for field in ("user_id", "anonymous_id")]
    return {"type": "object", "required": required, "properties": properties, "anyOf": ids}


def _metadata(settings: CollectorSettings, text_length: int) -> Json:
    """Schema of metadata. Only its description says that the limits apply to nested texts and keys too."""
    value: Json = {"type": ["string", "number", "boolean", "null", "array", "object"], "maxLength": text_length}
    return {
        "type": "object",
        "propertyNames": {"maxLength": MAX_KEY_LENGTH},
        "maxProperties": settings.max_keys,
        "additionalProperties": value,
        "description": f"Texts of at most {text_length} characters at every level, at most {settings.max_nesting} "
        f"levels deep, and at most {settings.max_keys} keys at all levels together",
    }
