"""What each path does with a request: check, submit, answer."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from turret_pipeline.collector import metrics
from turret_pipeline.collector.access_control import Admission
from turret_pipeline.collector.api_errors import INVALID_BATCH, INVALID_REQUEST, ApiError
from turret_pipeline.collector.batches import Batch, utc_text
from turret_pipeline.collector.group_commit import Committer
from turret_pipeline.collector.keys import Key
from turret_pipeline.collector.paths import TRACK, TRUBRICS_PREFIX, V1_EVENTS
from turret_pipeline.collector.request_bodies import JSON, NDJSON, Bodies, media_type, parsed
from turret_pipeline.collector.responses import json_response
from turret_pipeline.collector.storage import Submission
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

TO_RECORD = Callable[[object, MetadataLimits], dict[str, Any]]
TRUBRICS: Mapping[str, TO_RECORD] = {
    "/publish_events": parse_event,
    "/publish_llm_events": parse_llm_event,
    "/publish_segment_events": parse_segment_event,
    "/identify_segment_users": parse_segment_user,
}
_TRACKED = {"success": True, "message": "Event tracked successfully"}
_TRACKED_IDS = ("event_id", "session_id", "user_id")
_ITEMS_AT_A_TIME = 500


class Endpoints:
    """The paths that take events."""

    def __init__(self, settings: CollectorSettings, admission: Admission, committer: Committer) -> None:
        self._settings = settings
        self._admission = admission
        self._committer = committer
        self._bodies = Bodies(settings)
        self._short = MetadataLimits(settings.max_text_length, settings.max_nesting)
        self._tracked = metrics.EVENTS.labels(TRACK)
        self._long = MetadataLimits(settings.max_long_text_length, settings.max_nesting)

    async def track(self, request: Request) -> Response:
        """One event of Turret."""
        key = self._admission.key(request)
        body = await self._bodies.read(request)
        if media_type(request) != JSON:
            raise ApiError(INVALID_REQUEST, f"The Content-Type must be {JSON}.")
        try:
            record = parse_track_event(parsed(body), self._short, utc_text(time.time()))
        except ValidationError as invalid:
            raise ApiError(invalid.code, invalid.reason) from None
        line = orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)
        await self._committer.store(Submission(key.project, self._admission.limits(key), 1, lambda _: line))
        self._tracked.inc()
        return json_response({**_TRACKED, **{field: record[field] for field in _TRACKED_IDS}})

    async def trubrics(self, request: Request) -> Response:
        """A batch of Trubrics: all of it, or where an item is wrong nothing."""
        path = request.scope["path"].removeprefix(TRUBRICS_PREFIX)
        key = self._admission.key(request)
        body = await self._bodies.read(request)
        items = _trubrics_items(request, body, self._settings.max_trubrics_events)
        records, wrong = await _records(items, TRUBRICS[path], self._long)
        if wrong:
            sentence = f"{len(wrong)} of {len(items)} events are not valid; nothing was stored."
            raise ApiError(INVALID_BATCH, sentence, items=wrong)
        if records:
            await self._store(Batch(key.key_id, path, body, list(records.values()), list(records)), key)
        return json_response({"status": "success"})

    async def events(self, request: Request) -> Response:
        """Events with ids and times of their own: those that are valid are stored, each item has its result."""
        key = self._admission.key(request)
        body = await self._bodies.read(request, may_be_gzip=True)
        items = _items(request, body, self._settings.max_batch_events)
        records, wrong = await _records(items, parse_any_event, self._long)
        results: list[dict[str, Any]] = [{"status": "rejected", **item} for item in wrong]
        if records:
            batch = Batch(key.key_id, V1_EVENTS, body, list(records.values()), list(records))
            stored = await self._store(batch, key)
            ids = zip(batch.places, batch.ids(stored.first_at), strict=True)
            results += [{"index": place, "status": "accepted", "event_id": event_id} for place, event_id in ids]
            results.sort(key=lambda result: result["index"])
        counts = {"received": len(items), "accepted": len(records), "rejected": len(wrong)}
        return json_response({**counts, "results": results})

    async def _store(self, batch: Batch, key: Key) -> Submission:
        path = batch.path
        count = batch.event_count
        limits = self._admission.limits(key)
        submission = Submission(
            key.project, limits, count, batch.lines, batch.fingerprint if batch.is_known_by_bytes else None
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


def _trubrics_items(request: Request, body: bytes, most: int) -> list[object]:
    """The items of a batch; whatever is wrong with the payload is Trubrics' 422."""
    if media_type(request) != JSON:
        raise ApiError(INVALID_BATCH, f"The Content-Type must be {JSON}.")
    try:
        value = parsed(body)
    except ApiError as error:
        raise ApiError(INVALID_BATCH, error.message) from None
    if type(value) is not list:
        raise ApiError(INVALID_BATCH, "The body must be an array of events.")
    if len(value) > most:
        raise ApiError(INVALID_BATCH, f"The body has {len(value)} events: at most {most} may be.")
    return value


def _items(request: Request, body: bytes, most: int) -> list[object]:
    """The items of an array, or of one JSON value a line."""
    kind = media_type(request)
    if kind == NDJSON:
        lines = [line for line in body.splitlines() if line.strip()]
        items = [_line(line) for line in lines[: most + 1]]
    elif kind == JSON:
        value = parsed(body)
        if type(value) is not list:
            raise ApiError(INVALID_REQUEST, f"The body must be an array of events, or lines as {NDJSON}.")
        items = value
    else:
        raise ApiError(INVALID_REQUEST, f"The Content-Type must be {JSON} or {NDJSON}.")
    if len(items) > most:
        raise ApiError(INVALID_REQUEST, f"There are more than {most} events: send fewer at a time.")
    return items


def _line(line: bytes) -> object:
    """The value of a line, or what is wrong with it, which is the result of this item alone."""
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return ValidationError(INVALID_REQUEST, f"The line is not JSON: {error}.")


async def _records(
    items: list[object], to_record: TO_RECORD, bounds: MetadataLimits
) -> tuple[dict[int, dict[str, Any]], list[dict[str, Any]]]:
    """Records by their place, and what is wrong with which item; long batches let others have their turn."""
    records: dict[int, dict[str, Any]] = {}
    wrong: list[dict[str, Any]] = []
    for place, item in enumerate(items):
        try:
            if isinstance(item, ValidationError):
                raise item
            records[place] = to_record(item, bounds)
        except ValidationError as invalid:
            wrong.append({"index": place, "code": invalid.code, "error": invalid.reason})
        if place % _ITEMS_AT_A_TIME == _ITEMS_AT_A_TIME - 1:
            await asyncio.sleep(0)
    return records, wrong
