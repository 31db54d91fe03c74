"""Records of one file to frames: events, their metadata values, and refused rows."""

import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import orjson
import polars as pl

from turret_pipeline.events.formats import Event, Refused, parse_record
from turret_pipeline.events.reading import RAW_LIMIT, Record
from turret_pipeline.tables import EVENT_VALUES, EVENTS, REJECTED_EVENTS

BATCH_ROWS = 50_000
DEPTH_LIMIT = 100

EVENT_PART_SCHEMA = pl.Schema(
    {name: kind for name, kind in EVENTS.schema.items() if name != "is_session_derived"}
    | {"content_sha256": pl.String()}
)
"""An event as its file tells it: the session may be missing, the event_id may stand in another file too."""

VALUE_PART_SCHEMA = pl.Schema(
    {**EVENT_VALUES.schema, "content_sha256": pl.String(), "line_number": pl.Int64(), "item_number": pl.Int64()}
)


@dataclass(frozen=True)
class Parsed:
    """Frames of a batch of rows: EVENT_PART_SCHEMA, VALUE_PART_SCHEMA and REJECTED_EVENTS."""

    events: pl.DataFrame
    values: pl.DataFrame
    rejected: pl.DataFrame
    row_count: int


@dataclass
class _Rows:
    events: list[tuple[Any, ...]] = field(default_factory=list)
    values: list[tuple[Any, ...]] = field(default_factory=list)
    rejected: list[tuple[Any, ...]] = field(default_factory=list)

    def frames(self, row_count: int) -> Parsed:
        return Parsed(
            pl.DataFrame(self.events, EVENT_PART_SCHEMA, orient="row"),
            pl.DataFrame(self.values, VALUE_PART_SCHEMA, orient="row"),
            pl.DataFrame(self.rejected, REJECTED_EVENTS.schema, orient="row"),
            row_count,
        )


def parse_records(
    records: Iterable[Record], source_file: str, content_sha256: str, batch_rows: int = BATCH_ROWS
) -> Iterator[Parsed]:
    """The frames of a file, a batch of rows at a time; at least one batch, which may be empty."""
    iterator, seen = iter(records), Counter[str]()
    first = True
    while (batch := list(islice(iterator, batch_rows))) or first:
        first = False
        rows = _Rows()
        for record in batch:
            _parse_row(record, source_file, content_sha256, seen, rows)
        yield rows.frames(len(batch))


def _parse_row(record: Record, source_file: str, content_sha256: str, seen: Counter[str], rows: _Rows) -> None:
    try:
        if isinstance(record.value, Refused):
            raise record.value
        events = [(event, _checked_json(event.metadata)) for event in parse_record(record.value)]
        for item_number, (event, metadata) in enumerate(events, start=1):
            place = (content_sha256, record.line_number, item_number)
            event_id = event.event_id or _content_id(event, metadata, seen)
            rows.events.append(_event_row(event, event_id, metadata, source_file, place))
            values = {value[0]: value for value in _values(event.metadata)}  # {"a.b": 1, "a": {"b": 2}} is one field
            rows.values.extend((event_id, *value, *place) for value in values.values())
    except Refused as refused:
        raw = record.raw if record.raw is not None else _shown(record.value)
        position = (source_file, content_sha256, record.line_number)
        rows.rejected.append((*position, refused.code, refused.reason, raw.rstrip("\r\n")[:RAW_LIMIT]))


def _event_row(
    event: Event, event_id: str, metadata: str, source_file: str, place: tuple[str, int, int]
) -> tuple[Any, ...]:
    content_sha256, line_number, item_number = place
    names = (event_id, event.event_name, event.session_id, event.user_id)
    source = (event.source_format, source_file, line_number, item_number)
    return (*names, event.event_at, event.received_at, *source, metadata, content_sha256)


def _content_id(event: Event, metadata: str, seen: Counter[str]) -> str:
    """An id for an event that has none: a hash of its content and of how often that came before in the file.

    The same file read again, or grown, gives the same ids; two equal rows of one file stay two events.
    """
    parts = (
        event.source_format,
        event.event_name,
        event.session_id,
        event.user_id,
        event.event_at.isoformat(),
        metadata,
    )
    digest = hashlib.blake2b("\x1f".join(part or "" for part in parts).encode(), digest_size=12).hexdigest()
    seen[digest] += 1
    return f"h{digest}" if seen[digest] == 1 else f"h{digest}-{seen[digest]}"


def _checked_json(metadata: Mapping[str, Any]) -> str:
    if _depth(metadata) > DEPTH_LIMIT:
        raise Refused("nested_too_deep", f"metadata is nested more than {DEPTH_LIMIT} levels deep.")
    return _json(metadata)


def _depth(value: object) -> int:
    """Levels of nesting, at most DEPTH_LIMIT + 1, found without recursion."""
    level, values = 0, [value]
    while values and level <= DEPTH_LIMIT:
        inner: list[object] = []
        for item in values:
            if isinstance(item, Mapping):
                inner.extend(item.values())
            elif isinstance(item, list | tuple):
                inner.extend(item)
        values = [item for item in inner if isinstance(item, Mapping | list | tuple)]
        level += 1
    return level


def _shown(value: object) -> str:
    try:
        return _json(value)
    except RecursionError:
        return "(nested too deep to be shown)"


def _json(value: object) -> str:
    try:
        return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    except TypeError:  # integers beyond 64 bits, which JSON allows
        return json.dumps(value, default=str, ensure_ascii=False)


def _values(metadata: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str, str, float | None]]:
    """Field, JSON type, value as text and as number of every leaf that is not null; nested keys joined by dots."""
    for key, value in metadata.items():
        path = f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from _values(value, f"{path}.")
        elif isinstance(value, bool):
            yield path, "boolean", str(value).lower(), None
        elif isinstance(value, int | float):
            number = _number(str(value))
            if number is not None:
                yield path, "number", _json(value), number
        elif isinstance(value, list | tuple):
            yield path, "list", _json(value), None
        elif value is not None:
            yield path, "string", str(value), _number(str(value))


def _number(text: str) -> float | None:
    """The number that a string spells, or nothing; '007', 'nan' and '1_000' are no numbers."""
    stripped = text.strip()
    digits = stripped.lstrip("+-")
    if not digits[:1].isdigit() or (len(digits) > 1 and digits[0] == "0" and digits[1].isdigit()) or "_" in digits:
        return None
    try:
        number = float(stripped)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
