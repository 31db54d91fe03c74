"""Columns and metadata of a row, extracted by the description of its format."""

import hashlib
from collections.abc import Collection
from typing import Any

from turret_pipeline.events.formats.event import Rejection
from turret_pipeline.events.formats.format import ASSUMABLE_IDS, Fields, Format, Part, is_among
from turret_pipeline.events.formats.row_values import (
    Paths,
    Row,
    drop_nulls,
    drop_paths,
    first_identifier,
    first_value,
    is_missing,
    lookup,
    parse_time,
    require_object,
)
from turret_pipeline.events.formats.times import read_nanosecond


def extract_columns(row: Row, spec: Format) -> tuple[dict[str, Any], list[str]]:
    """Columns of an event other than its name and metadata, and the paths that they come from. Raises Rejection."""
    columns = spec.columns
    session_paths, session_id = first_identifier("session_id", row, columns.session_id)
    user_paths, user_id = first_identifier("user_id", row, columns.user_id)
    if user_id is None and spec.requires_user and is_missing(first_value(row, columns.user_id)[1]):
        raise Rejection("missing_user_id", f"{columns.user_id[0]} is missing: a {spec.title} needs one.")
    is_session_lone = session_id is None and user_id is None and bool(columns.lone_session_id)
    if is_session_lone:
        _, session_id = first_identifier("session_id", row, columns.lone_session_id)
    assumed_path, assumed = _find_assumed_ids(row, columns.assumed_ids)
    times, time_paths = _extract_times(row, spec)
    id_paths, event_id = first_identifier("event_id", row, columns.event_id)
    found = {
        "event_id": event_id,
        "session_id": session_id,
        "user_id": user_id,
        "trace_id": first_identifier("trace_id", row, columns.trace_id)[1],
        "source_format": spec.name,
        "is_session_lone": is_session_lone,
        "is_session_assumed": "session_id" in assumed,
        "is_user_assumed": "user_id" in assumed,
        **times,
    }
    return found, [*id_paths, *session_paths, *user_paths, *time_paths, *assumed_path]


def _extract_times(row: Row, spec: Format) -> tuple[dict[str, Any], list[str]]:
    (at_path, at), (received_path, received) = (
        first_value(row, spec.columns.event_at),
        first_value(row, spec.columns.received_at),
    )
    received_at, is_received_zone_assumed = parse_time(received_path, received, spec.time_zone)
    event_at, is_zone_assumed = parse_time(at_path, at, spec.time_zone)
    if event_at is None:
        event_at, is_zone_assumed, at = received_at, is_received_zone_assumed, received
    times = {
        "event_at": event_at,
        "received_at": received_at,
        "nanosecond": read_nanosecond(at),
        "is_zone_assumed": is_zone_assumed and not spec.is_utc,
    }
    return times, [at_path, received_path]


def _find_assumed_ids(row: Row, paths: Paths) -> tuple[Paths, frozenset[str]]:
    """The path that lists the ids which the collector made up, and the names of these ids."""
    path, value = first_value(row, paths)
    if not isinstance(value, list) or not all(is_among(name, ASSUMABLE_IDS) for name in value):
        return (), frozenset()
    return (path,), frozenset(value)


def extract_metadata(row: Row, spec: Format, used: Collection[str]) -> dict[str, Any]:
    """Metadata of an event: the other keys of the row, then its parts, then the fields with paths of their own.

    ``used`` are the paths that columns come from.
    """
    keys, paths = spec.dropped_paths
    own = [path for path in used if path and path not in keys]
    left = {key: value for key, value in row.items() if key not in keys}
    nested = [path for path in (*own, *paths) if "." in path and path.partition(".")[0] in left]
    for path in own:
        left.pop(path, None)
    if nested:
        left = drop_paths(left, nested)
    parts: dict[str, Any] = {}
    for part in spec.parts:
        parts |= _extract_part(left, part)
    for part in spec.parts:
        left.pop(part.path, None)
    rest = drop_nulls(left) if spec.keeps_rest else {}
    return {**rest, **parts, **extract_fields(row, spec.fields)}


def extract_fields(row: Row, fields: Fields) -> dict[str, Any]:
    """Metadata fields that come from paths of their own."""
    return drop_nulls({key: first_value(row, paths)[1] for key, paths in fields.items()})


def hash_texts(*texts: str | None) -> str:
    """Short hash of texts, the same in every run."""
    joined = "\x1f".join(text or "" for text in texts)
    return hashlib.blake2b(joined.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _extract_part(left: Row, part: Part) -> dict[str, Any]:
    value = lookup(left, part.path)
    if part.allows_any_type and not isinstance(value, dict):
        return {} if value is None or value == "" else {part.under or part.path.rpartition(".")[2]: value}
    found = require_object(part.path, value)
    inner = dict(found) if part.keeps_nulls else drop_nulls(found)
    return {part.under: inner} if part.under and inner else inner
