"""The OpenAPI document: the wires as schemas, with the limits that are in force."""

from typing import Any

from turret_pipeline.collector import api_errors
from turret_pipeline.collector.endpoints import TRUBRICS
from turret_pipeline.collector.paths import TRACK, TRUBRICS_PREFIX, V1_EVENTS
from turret_pipeline.collector.schemas import SCHEMAS, event_schemas
from turret_pipeline.config.collector import CollectorSettings

Json = dict[str, Any]
_SECURITY: list[Json] = [{"ApiKey": []}]
_COMMON = (api_errors.INVALID_API_KEY, api_errors.RATE_LIMIT_EXCEEDED, api_errors.REQUEST_TOO_LARGE)
_ANYWHERE = (
    api_errors.INVALID_REQUEST,
    api_errors.REQUEST_TIMEOUT,
    api_errors.HEADERS_TOO_LARGE,
    api_errors.STORAGE_UNAVAILABLE,
    api_errors.OVERLOADED,
    api_errors.INTERNAL_ERROR,
)
_TITLES = {
    "/publish_events": "A batch of events of Trubrics",
    "/publish_llm_events": "A batch of LLM events of Trubrics: each becomes its prompt and its generation",
    "/publish_segment_events": "A batch of events from Segment's destination for Trubrics",
    "/identify_segment_users": "A batch of users from Segment's destination for Trubrics",
}
_ITEMS = {
    "/publish_events": "TrubricsEvent",
    "/publish_llm_events": "TrubricsLLMEvent",
    "/publish_segment_events": "SegmentEvent",
    "/identify_segment_users": "SegmentUser",
}


def document(settings: CollectorSettings, version: str) -> Json:
    """The whole document."""
    paths: Json = {TRACK: {"post": _track()}, V1_EVENTS: {"post": _events(settings)}}
    for prefix in (TRUBRICS_PREFIX, ""):
        for path in TRUBRICS:
            paths[prefix + path] = {"post": _trubrics(path, settings)}
    paths |= {
        "/health": {"get": _get("It lives", "Status")},
        "/ready": {"get": _get("It can store events", "Status", api_errors.STORAGE_UNAVAILABLE)},
        "/metrics": {"get": _text("Figures for Prometheus", "text/plain")},
        "/openapi.json": {"get": _get("This document", "Document")},
        "/docs": {"get": _text("This document as a page", "text/html")},
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Turret collector",
            "version": version,
            "description": "Takes what the clients of Turret and of Trubrics send. An answer of 200 means: on disk.",
        },
        "paths": paths,
        "components": {
            "schemas": SCHEMAS | event_schemas(settings),
            "securitySchemes": {"ApiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"}},
        },
    }


def _track() -> Json:
    codes = (api_errors.MISSING_REQUIRED_FIELD, api_errors.TEXT_TOO_LONG)
    return _post("One event; its time is the server's", {"application/json": _ref("Track")}, "Tracked", codes)


def _events(settings: CollectorSettings) -> Json:
    events = {"type": "array", "items": True, "maxItems": settings.max_batch_events}
    lines = {"type": "string", "description": "One event a line"}
    operation = _post(
        "Events with ids and times of their own, also old ones",
        {"application/json": events, "application/x-ndjson": lines},
        "Results",
    )
    operation["description"] = (
        f"An array, or one event a line, at most {settings.max_batch_events}; gzip with Content-Encoding. Each item is "
        "judged by itself against Event, TrubricsEvent or TrubricsLLMEvent: those that are valid are stored, and "
        "`results` says of each whether it was. The same body sent again is known for some time and not stored twice."
    )
    return operation


def _trubrics(path: str, settings: CollectorSettings) -> Json:
    batch = {"type": "array", "items": _ref(_ITEMS[path]), "maxItems": settings.max_trubrics_events}
    operation = _post(_TITLES[path], {"application/json": batch}, "Success", (api_errors.INVALID_BATCH,))
    operation["description"] = "All of it is stored, or where an item is wrong nothing; `detail` says which and why."
    return operation


def _post(title: str, content: Json, answer: str, codes: tuple[str, ...] = ()) -> Json:
    return {
        "summary": title,
        "security": _SECURITY,
        "requestBody": {"required": True, "content": {kind: {"schema": schema} for kind, schema in content.items()}},
        "responses": {"200": _json("Stored", _ref(answer)), **_errors((*_COMMON, *_ANYWHERE, *codes))},
    }


def _get(title: str, answer: str, *codes: str) -> Json:
    return {"summary": title, "responses": {"200": _json(title, _ref(answer)), **_errors(codes)}}


def _text(title: str, kind: str) -> Json:
    return {
        "summary": title,
        "responses": {"200": {"description": title, "content": {kind: {"schema": {"type": "string"}}}}},
    }


def _errors(codes: tuple[str, ...]) -> Json:
    by_status: dict[str, list[str]] = {}
    for code in codes:
        by_status.setdefault(str(api_errors.STATUS[code]), []).append(code)
    return {status: _error(of_status) for status, of_status in sorted(by_status.items())}


def _error(codes: list[str]) -> Json:
    narrowed = {"allOf": [_ref("Error"), {"properties": {"code": {"enum": codes}}}]}
    answer = _json(", ".join(codes), narrowed)
    if api_errors.RATE_LIMIT_EXCEEDED in codes:
        answer["headers"] = {"Retry-After": {"schema": {"type": "integer", "minimum": 1}, "required": True}}
    return answer


def _json(title: str, schema: Json) -> Json:
    return {"description": title, "content": {"application/json": {"schema": schema}}}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}
