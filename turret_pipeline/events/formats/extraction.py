"""What every kind of row has in common: its columns and its metadata, by the table of its format."""

import hashlib
from collections.abc import Collection
from typing import Any

from turret_pipeline.events.formats import columns as read
from turret_pipeline.events.formats.columns import Row, spoken, told
from turret_pipeline.events.formats.event import Rejection
from turret_pipeline.events.formats.table import Fields, Format, Part


def columns_of(row: Row, table: Format) -> tuple[dict[str, Any], list[str]]:
    """The columns of an event but for its name and metadata, and the paths that spoke for them."""
    columns = table.columns
    (id_path, event_id), (session_path, session) = spoken(row, columns.event_id), spoken(row, columns.session_id)
    (user_path, user), (at_path, at) = spoken(row, columns.user_id), spoken(row, columns.event_at)
    received_path, received = spoken(row, columns.received_at)
    session_id = read.identifier("session_id", session_path, session)
    user_id = read.identifier("user_id", user_path, user)
    if user_id is None and table.requires_user:
        raise Rejection("missing_user_id", f"{columns.user_id[0]} is missing: a {table.title} needs one.")
    if session_id is None and user_id is None and columns.lone_session_id:
        session_id = read.identifier("session_id", *spoken(row, columns.lone_session_id))
    received_at, is_received_assumed = read.time(received_path, received)
    event_at, is_assumed = read.time(at_path, at)
    if event_at is None:
        event_at, is_assumed = received_at, is_received_assumed
    found = {
        "event_id": read.identifier("event_id", id_path, event_id),
        "session_id": session_id,
        "user_id": user_id,
        "event_at": event_at,
        "received_at": received_at,
        "source_format": table.name,
        "is_zone_assumed": is_assumed and not table.is_utc,
    }
    return found, [id_path, session_path, user_path, at_path, received_path]


def metadata_of(row: Row, table: Format, used: Collection[str]) -> dict[str, Any]:
    """What the row says beside its columns: the rest, then the parts, then fields of their own names.

    ``used`` are the paths that spoke for columns.
    """
    keys, paths = table.dropped
    own = [path for path in used if path and path not in keys]
    left = {key: value for key, value in row.items() if key not in keys}
    nested = [path for path in (*own, *paths) if "." in path and path.partition(".")[0] in left]
    for path in own:
        left.pop(path, None)
    if nested:
        left = read.without(left, nested)
    parts: dict[str, Any] = {}
    for part in table.parts:
        parts |= _part(left, part)
    for part in table.parts:
        left.pop(part.path, None)
    rest = told(left) if table.keeps_rest else {}
    return {**rest, **parts, **fields_of(row, table.fields)}


def fields_of(row: Row, fields: Fields) -> dict[str, Any]:
    """Fields that come from paths of their own."""
    return told({key: spoken(row, paths)[1] for key, paths in fields.items()})


def digest(*texts: str | None) -> str:
    """A short hash of texts, the same wherever they stand."""
    joined = "\x1f".join(text or "" for text in texts)
    return hashlib.blake2b(joined.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _part(left: Row, part: Part) -> dict[str, Any]:
    value = read.lookup(left, part.path)
    if part.may_be_any and not isinstance(value, dict):
        return {} if value is None or value == "" else {part.under or part.path.rpartition(".")[2]: value}
    found = read.an_object(part.path, value)
    inner = dict(found) if part.keeps_nulls else told(found)
    return {part.under: inner} if part.under and inner else inner
