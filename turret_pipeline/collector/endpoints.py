"""Endpoints that take events: check the request, store its records, respond."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from turret_pipeline.collector import metrics
from turret_pipeline.collector.access_control import AccessControl
from turret_pipeline.collector.api_errors import INVALID_BATCH, INVALID_REQUEST, ApiError
from turret_pipeline.collector.batches import Batch, format_utc
from turret_pipeline.collector.body_worker import BodyWorker
from turret_pipeline.collector.crowding import ConnectionLimiter, find_open_file_limit
from turret_pipeline.collector.event_store import Submission
from turret_pipeline.collector.group_commit import Committer
from turret_pipeline.collector.keys import Key
from turret_pipeline.collector.paths import TRACK, TRUBRICS_PREFIX, V1_EVENTS
from turret_pipeline.collector.request_bodies import BodyReader
from turret_pipeline.collector.request_items import JSON, NDJSON, ItemReader, media_type
from turret_pipeline.collector.responses import json_response
from turret_pipeline.collector.shared_budget import SharedBudget
from turret_pipeline.collector.wire.batch_items import Items
from turret_pipeline.collector.wire.events import parse_any_event
from turret_pipeline.collector.wire.trubrics import (
    parse_event,
    parse_llm_event,
    parse_segment_event,
    parse_segment_user,
)
from turret_pipeline.collector.wire.turret import parse_track_event
from turret_pipeline.collector.wire.validation import MetadataLimits, ValidationError, is_naive
from turret_pipeline.config.collector import MEGABYTE, CollectorSettings

ItemParser = Callable[[object, MetadataLimits], dict[str, Any]]
BodyTaker = Callable[[Request, Key, bytes], Awaitable[Response]]
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
        self._budget = budget = SharedBudget(int(settings.max_pending_mb * MEGABYTE), "bytes", "max_pending_mb")
        most = ConnectionLimiter(settings.max_connections, find_open_file_limit()).most
        self._places = SharedBudget(most, "places", "max_connections")
        worker = BodyWorker(budget)
        self._bodies = BodyReader(settings, budget, worker)
        self._items = ItemReader(worker)
        self._track_limits = MetadataLimits(settings.max_text_length, settings.max_nesting, settings.max_keys)
        self._track_counter = metrics.EVENTS.labels(TRACK)
        self._batch_limits = MetadataLimits(settings.max_long_text_length, settings.max_nesting, settings.max_keys)

    async def track(self, request: Request) -> Response:
        """Store one Turret event."""
        return await self._take(request, self._take_track_event)

    async def trubrics(self, request: Request) -> Response:
        """Store a batch of Trubrics: all items, or none if one is invalid."""
        return await self._take(request, self._take_trubrics_batch)

    async def events(self, request: Request) -> Response:
        """Store the valid items of a batch of events with their own ids and times; return a result for each item."""
        return await self._take(request, self._take_batch, may_be_gzip=True)

    async def _take(self, request: Request, take: BodyTaker, *, may_be_gzip: bool = False) -> Response:
        """Check the key, read the body, and hold its memory and a place until its events are stored."""
        key = self._access.authenticate(request)
        body = await self._bodies.read(request, key.project, may_be_gzip=may_be_gzip)
        with self._places.holding(key.project, 1), self._budget.holding(key.project, len(body)):
            return await take(request, key, body)

    async def _take_track_event(self, request: Request, key: Key, body: bytes) -> Response:
        if media_type(request) != JSON:
            raise ApiError(INVALID_REQUEST, f"The Content-Type must be {JSON}.")
        value, repaired_count = await self._items.read_value(request, key.project, body)
        try:
            record = parse_track_event(
                value, self._track_limits, format_utc(time.time()), has_timestamp=self._settings.track_timestamps
            )
        except ValidationError as error:
            raise ApiError(error.code, error.reason) from None
        line = orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)
        await self._committer.store(Submission(key.project, self._access.limits(key), 1, lambda _: line))
        self._track_counter.inc()
        if is_naive(record["timestamp"]):
            metrics.NAIVE_TIMESTAMPS.labels(TRACK).inc()
        if repaired_count:
            metrics.REPAIRED_VALUES.labels(TRACK).inc(repaired_count)
        return json_response({**_TRACK_SUCCESS, **{field: record[field] for field in _TRACK_IDS}})

    async def _take_trubrics_batch(self, request: Request, key: Key, body: bytes) -> Response:
        path = request.scope["path"].removeprefix(TRUBRICS_PREFIX)
        items = await self._read_trubrics_items(request, key.project, body)
        records, errors = await _parse_items(items, TRUBRICS_PARSERS[path], self._batch_limits)
        if errors:
            message = f"{len(errors)} of {len(items.values)} events are invalid; nothing was stored."
            raise ApiError(INVALID_BATCH, message, items=errors)
        if records:
            batch = Batch(key.key_id, path, body, list(records.values()), list(records))
            await self._store(batch, key, sum(items.repaired_counts.values()))
        return json_response({"status": "success"})

    async def _take_batch(self, request: Request, key: Key, body: bytes) -> Response:
        items = await self._read_items(request, key.project, body)
        records, errors = await _parse_items(items, parse_any_event, self._batch_limits)
        results: list[dict[str, Any]] = [{"status": "rejected", **error} for error in errors]
        if records:
            batch = Batch(key.key_id, V1_EVENTS, body, list(records.values()), list(records))
            repaired = {index: count for index, count in items.repaired_counts.items() if index in records}
            stored = await self._store(batch, key, sum(repaired.values()))
            for index, event_id in zip(batch.positions, batch.event_ids(stored.first_at), strict=True):
                result = {"index": index, "status": "accepted", "event_id": event_id}
                results.append(result | {"repaired": repaired[index]} if index in repaired else result)
            results.sort(key=lambda result: result["index"])
        counts = {"received": len(items.values), "accepted": len(records), "rejected": len(errors)}
        return json_response({**counts, "results": results})

    async def _read_trubrics_items(self, request: Request, project: str, body: bytes) -> Items:
        """Items of a batch of Trubrics. Every error is a 422, which Trubrics' clients expect."""
        if media_type(request) != JSON:
            raise ApiError(INVALID_BATCH, f"The Content-Type must be {JSON}.")
        try:
            return await self._items.read_array(request, project, body, self._settings.max_trubrics_events)
        except ApiError as error:
            raise ApiError(INVALID_BATCH, error.message) from None

    async def _read_items(self, request: Request, project: str, body: bytes) -> Items:
        """Items of a JSON array, or of JSON lines."""
        content_type = media_type(request)
        if content_type not in {JSON, NDJSON}:
            raise ApiError(INVALID_REQUEST, f"The Content-Type must be {JSON} or {NDJSON}.")
        read = self._items.read_lines if content_type == NDJSON else self._items.read_array
        return await read(request, project, body, self._settings.max_batch_events)

    async def _store(self, batch: Batch, key: Key, repaired_count: int) -> Submission:
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
        if repaired_count:
            metrics.REPAIRED_VALUES.labels(path).inc(repaired_count)
        return submission


async def _parse_items(
    items: Items, parse: ItemParser, limits: MetadataLimits
) -> tuple[dict[int, dict[str, Any]], list[dict[str, Any]]]:
    """Records by index of their item, and the errors. Long batches let other requests run in between."""
    records: dict[int, dict[str, Any]] = {}
    errors: list[dict[str, Any]] = []
    for index, item in enumerate(items.values):
        try:
            if isinstance(item, ValidationError):
                raise item
            records[index] = parse(item, limits)
        except ValidationError as error:
            errors.append({"index": index, "code": error.code, "error": error.reason})
        if index % _ITEMS_PER_TURN == _ITEMS_PER_TURN - 1:
            await asyncio.sleep(0)
    return records, errors
