"""OpenAPI document of the collector, with the limits of its settings."""

from typing import Any

from turret_pipeline.collector import api_errors
from turret_pipeline.collector.endpoints import TRUBRICS_PARSERS
from turret_pipeline.collector.examples import EXAMPLES
from turret_pipeline.collector.paths import TRACK, TRUBRICS_PREFIX, V1_EVENTS
from turret_pipeline.collector.schemas import SCHEMAS, event_schemas
from turret_pipeline.config.collector import CollectorSettings

Json = dict[str, Any]
_SECURITY: list[Json] = [{"ApiKey": []}]
_CLIENT_ERRORS = (api_errors.INVALID_API_KEY, api_errors.RATE_LIMIT_EXCEEDED, api_errors.REQUEST_TOO_LARGE)
_GENERAL_ERRORS = (
    api_errors.INVALID_REQUEST,
    api_errors.REQUEST_TIMEOUT,
    api_errors.HEADERS_TOO_LARGE,
    api_errors.STORAGE_UNAVAILABLE,
    api_errors.OVERLOADED,
    api_errors.INTERNAL_ERROR,
)
_TITLES = {
    "/publish_events": "Batch of Trubrics events",
    "/publish_llm_events": "Batch of Trubrics LLM events; each becomes two events, its prompt and its generation",
    "/publish_segment_events": "Batch of events from Segment's destination for Trubrics",
    "/identify_segment_users": "Batch of users from Segment's destination for Trubrics",
}
_ITEM_SCHEMAS = {
    "/publish_events": "TrubricsEvent",
    "/publish_llm_events": "TrubricsLLMEvent",
    "/publish_segment_events": "SegmentEvent",
    "/identify_segment_users": "SegmentUser",
}


def build_document(settings: CollectorSettings, version: str) -> Json:
    """The whole OpenAPI document."""
    paths: Json = {TRACK: {"post": _track_operation(settings)}, V1_EVENTS: {"post": _events_operation(settings)}}
    for prefix in (TRUBRICS_PREFIX, ""):
        for path in TRUBRICS_PARSERS:
            paths[prefix + path] = {"post": _trubrics_operation(path, settings)}
    paths |= {
        "/health": {"get": _get_operation("The process is alive", "Status")},
        "/ready": {"get": _get_operation("Events can be stored", "Status", api_errors.STORAGE_UNAVAILABLE)},
        "/metrics": {"get": _text_operation("Metrics for Prometheus", "text/plain")},
        "/openapi.json": {"get": _get_operation("This document", "Document")},
        "/docs": {"get": _text_operation("This document as a page", "text/html")},
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Turret collector",
            "version": version,
            "description": "Takes events from clients of Turret and Trubrics. 200 means that the events are on disk.",
        },
        "paths": paths,
        "components": {
            "schemas": SCHEMAS | event_schemas(settings),
            "securitySchemes": {"ApiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"}},
        },
    }


def _track_operation(settings: CollectorSettings) -> Json:
    codes = (api_errors.MISSING_REQUIRED_FIELD, api_errors.TEXT_TOO_LONG)
    title = (
        "One event, with its timestamp or the server's time"
        if settings.track_timestamps
        else ("One event, with the server's time")
    )
    return _post_operation(title, {"application/json": _content(_ref("Track"), EXAMPLES[TRACK])}, "Tracked", codes)


def _events_operation(settings: CollectorSettings) -> Json:
    events = {"type": "array", "items": True, "maxItems": settings.max_batch_events}
    lines = {"type": "string", "description": "One event per line"}
    operation = _post_operation(
        "Events with their own ids and times, for backfill",
        {
            "application/json": _content(events, EXAMPLES[V1_EVENTS]),
            "application/x-ndjson": {"schema": lines},
        },
        "Results",
    )
    operation["description"] = (
        f"An array, or one event per line, of at most {settings.max_batch_events} events; gzip with Content-Encoding. "
        "Each item is checked on its own against Event, TrubricsEvent or TrubricsLLMEvent. Valid items are stored, and "
        "`results` has the result of each item. The same body sent again within the deduplication window is not "
        "stored twice."
    )
    return operation


def _trubrics_operation(path: str, settings: CollectorSettings) -> Json:
    batch = {"type": "array", "items": _ref(_ITEM_SCHEMAS[path]), "maxItems": settings.max_trubrics_events}
    content = {"application/json": _content(batch, EXAMPLES[path])}
    operation = _post_operation(_TITLES[path], content, "Success", (api_errors.INVALID_BATCH,))
    operation["description"] = (
        "All items are stored, or none if one is invalid; `detail` lists the invalid items and the reasons."
    )
    return operation


def _post_operation(title: str, content: Json, response_schema: str, codes: tuple[str, ...] = ()) -> Json:
    return {
        "summary": title,
        "security": _SECURITY,
        "requestBody": {"required": True, "content": content},
        "responses": {
            "200": _json_response("Stored", _ref(response_schema)),
            **_error_responses((*_CLIENT_ERRORS, *_GENERAL_ERRORS, *codes)),
        },
    }


def _content(schema: Json, example: object) -> Json:
    return {"schema": schema, "example": example}


def _get_operation(title: str, response_schema: str, *codes: str) -> Json:
    return {
        "summary": title,
        "responses": {"200": _json_response(title, _ref(response_schema)), **_error_responses(codes)},
    }


def _text_operation(title: str, kind: str) -> Json:
    return {
        "summary": title,
        "responses": {"200": {"description": title, "content": {kind: {"schema": {"type": "string"}}}}},
    }


def _error_responses(codes: tuple[str, ...]) -> Json:
    by_status: dict[str, list[str]] = {}
    for code in codes:
        by_status.setdefault(str(api_errors.STATUS[code]), []).append(code)
    return {status: _error_response(status_codes) for status, status_codes in sorted(by_status.items())}


def _error_response(codes: list[str]) -> Json:
    schema = {"allOf": [_ref("Error"), {"properties": {"code": {"enum": codes}}}]}
    response = _json_response(", ".join(codes), schema)
    if api_errors.RATE_LIMIT_EXCEEDED in codes:
        response["headers"] = {"Retry-After": {"schema": {"type": "integer", "minimum": 1}, "required": True}}
    return response


def _json_response(title: str, schema: Json) -> Json:
    return {"description": title, "content": {"application/json": {"schema": schema}}}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}
