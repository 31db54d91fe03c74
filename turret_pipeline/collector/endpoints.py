"""Endpoints that take events: check the request, store its records, respond."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from turret_pipeline.collector import metrics
from turret_pipeline.collector.access_control import AccessControl
from turret_pipeline.collector.api_errors import INVALID_BATCH, INVALID_REQUEST, ApiError
from turret_pipeline.collector.batches import Batch, format_utc
from turret_pipeline.collector.event_store import Submission
from turret_pipeline.collector.group_commit import Committer
from turret_pipeline.collector.keys import Key
from turret_pipeline.collector.paths import TRACK, TRUBRICS_PREFIX, V1_EVENTS
from turret_pipeline.collector.request_bodies import JSON, NDJSON, BodyReader, media_type, parse_json
from turret_pipeline.collector.responses import json_response
from turret_pipeline.collector.wire.events import parse_any_event
from turret_pipeline.collector.wire.trubrics import (
    parse_event,
    parse_llm_event,
    parse_segment_event,
    parse_segment_user,
)
from turret_pipeline.collector.wire.turret import parse_track_event
from turret_pipeline.collector.wire.validation import MetadataLimits, ValidationError, is_naive
from turret_pipeline.config.collector import CollectorSettings

ItemParser = Callable[[object, MetadataLimits], dict[str, Any]]
TRUBRICS_PARSERS: Mapping[str, ItemParser] = {
    "/publish_events": parse_event,
    "/publish_llm_events": parse_llm_event,
    "/publish_segment_events": parse_segment_event,
    "/identify_segment_users": parse_segment_user,
}
"""Parser of the items of each of Trubrics' paths."""

_TRACK_SUCCESS = {"success": True, "message": "Event tracked successfully"}
_TRACK_IDS = ("event_id", "session_id", "user_id")
_ITEMS_PER_TURN = 500


class Endpoints:
    """Endpoints that take events."""

    def __init__(self, settings: CollectorSettings, access: AccessControl, committer: Committer) -> None:
        self._settings = settings
        self._access = access
        self._committer = committer
        self._bodies = BodyReader(settings)
        self._track_limits = MetadataLimits(settings.max_text_length, settings.max_nesting)
        self._track_counter = metrics.EVENTS.labels(TRACK)
        self._batch_limits = MetadataLimits(settings.max_long_text_length, settings.max_nesting)

    async def track(self, request: Request) -> Response:
        """Store one Turret event."""
        key = self._access.authenticate(request)
        body = await self._bodies.read(request)
        if media_type(request) != JSON:
            raise ApiError(INVALID_REQUEST, f"The Content-Type must be {JSON}.")
        try:
            record = parse_track_event(parse_json(body), self._track_limits, format_utc(time.time()))
        except ValidationError as error:
            raise ApiError(error.code, error.reason) from None
        line = orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)
        await self._committer.store(Submission(key.project, self._access.limits(key), 1, lambda _: line))
        self._track_counter.inc()
        return json_response({**_TRACK_SUCCESS, **{field: record[field] for field in _TRACK_IDS}})

    async def trubrics(self, request: Request) -> Response:
        """Store a batch of Trubrics: all items, or none if one is invalid."""
        path = request.scope["path"].removeprefix(TRUBRICS_PREFIX)
        key = self._access.authenticate(request)
        body = await self._bodies.read(request)
        items = _read_trubrics_items(request, body, self._settings.max_trubrics_events)
        records, errors = await _parse_items(items, TRUBRICS_PARSERS[path], self._batch_limits)
        if errors:
            message = f"{len(errors)} of {len(items)} events are invalid; nothing was stored."
            raise ApiError(INVALID_BATCH, message, items=errors)
        if records:
            await self._store(Batch(key.key_id, path, body, list(records.values()), list(records)), key)
        return json_response({"status": "success"})

    async def events(self, request: Request) -> Response:
        """Store the valid items of a batch of events with their own ids and times; return a result for each item."""
        key = self._access.authenticate(request)
        body = await self._bodies.read(request, may_be_gzip=True)
        items = _read_items(request, body, self._settings.max_batch_events)
        records, errors = await _parse_items(items, parse_any_event, self._batch_limits)
        results: list[dict[str, Any]] = [{"status": "rejected", **error} for error in errors]
        if records:
            batch = Batch(key.key_id, V1_EVENTS, body, list(records.values()), list(records))
            stored = await self._store(batch, key)
            ids = zip(batch.positions, batch.event_ids(stored.first_at), strict=True)
            results += [{"index": index, "status": "accepted", "event_id": event_id} for index, event_id in ids]
            results.sort(key=lambda result: result["index"])
        counts = {"received": len(items), "accepted": len(records), "rejected": len(errors)}
        return json_response({**counts, "results": results})

    async def _store(self, batch: Batch, key: Key) -> Submission:
        """Store a batch and count its events in the metrics, unless it was stored before."""
        path = batch.path
        count = batch.event_count
        limits = self._access.limits(key)
        submission = Submission(
            key.project, limits, count, batch.lines, batch.fingerprint if batch.is_deduplicable else None
        )
        await self._committer.store(submission)
        if submission.is_duplicate:
            metrics.DUPLICATE_BATCHES.labels(path).inc()
            return submission
        metrics.EVENTS.labels(path).inc(count)
        naive = sum(1 for record in batch.records if "timestamp" in record and is_naive(record["timestamp"]))
        if naive:
            metrics.NAIVE_TIMESTAMPS.labels(path).inc(naive)
        return submission


def _read_trubrics_items(request: Request, body: bytes, max_items: int) -> list[object]:
    """Items of a batch of Trubrics. Every error is a 422, which Trubrics' clients expect."""
    if media_type(request) != JSON:
        raise ApiError(INVALID_BATCH, f"The Content-Type must be {JSON}.")
    try:
        value = parse_json(body)
    except ApiError as error:
        raise ApiError(INVALID_BATCH, error.message) from None
    if type(value) is not list:
        raise ApiError(INVALID_BATCH, "The body must be an array of events.")
    if len(value) > max_items:
        raise ApiError(INVALID_BATCH, f"The body has {len(value)} events: the limit is {max_items}.")
    return value


def _read_items(request: Request, body: bytes, max_items: int) -> list[object]:
    """Items of a JSON array, or of JSON lines."""
    content_type = media_type(request)
    if content_type == NDJSON:
        lines = [line for line in body.splitlines() if line.strip()]
        items = [_parse_line(line) for line in lines[: max_items + 1]]
    elif content_type == JSON:
        value = parse_json(body)
        if type(value) is not list:
            raise ApiError(INVALID_REQUEST, f"The body must be an array of events, or lines of {NDJSON}.")
        items = value
    else:
        raise ApiError(INVALID_REQUEST, f"The Content-Type must be {JSON} or {NDJSON}.")
    if len(items) > max_items:
        raise ApiError(INVALID_REQUEST, f"The body has more than {max_items} events: send fewer at a time.")
    return items


def _parse_line(line: bytes) -> object:
    """JSON value of a line, or the error, which becomes the result of this item only."""
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return ValidationError(INVALID_REQUEST, f"The line is not JSON: {error}.")


async def _parse_items(
    items: list[object], parse: ItemParser, limits: MetadataLimits
) -> tuple[dict[int, dict[str, Any]], list[dict[str, Any]]]:
    """Records by index of their item, and the errors. Long batches let other requests run in between."""
    records: dict[int, dict[str, Any]] = {}
    errors: list[dict[str, Any]] = []
    for index, item in enumerate(items):
        try:
            if isinstance(item, ValidationError):
                raise item
            records[index] = parse(item, limits)
        except ValidationError as error:
            errors.append({"index": index, "code": error.code, "error": error.reason})
        if index % _ITEMS_PER_TURN == _ITEMS_PER_TURN - 1:
            await asyncio.sleep(0)
    return records, errors
