"""A block of rows to frames: events, and refused rows."""

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
import polars as pl

from turret_pipeline.events.formats import FORMATS, Event, Format, Rejection, parse_record
from turret_pipeline.events.formats.turret import TURRET
from turret_pipeline.events.plain_lines import plain_events
from turret_pipeline.events.privacy import NOTHING_HIDDEN, Privacy, protect_events, protect_rejected
from turret_pipeline.events.rows import RAW_LIMIT, Block, Lines, Record, json_record
from turret_pipeline.scrubbing.stored import SCRUBBED_COUNTS
from turret_pipeline.tables import POLARS_TYPES

DEPTH_LIMIT = 100

EVENT_PART_SCHEMA = pl.Schema(
    {
        "line_number": pl.Int64(),
        "item_number": pl.Int64(),
        "event_id": pl.String(),
        "content_id": pl.String(),
        "event_name": pl.String(),
        "session_id": pl.String(),
        "user_id": pl.String(),
        "event_at": POLARS_TYPES["timestamp"],
        "received_at": POLARS_TYPES["timestamp"],
        "source_format": pl.String(),
        "is_time_assumed": pl.Boolean(),
        "is_zone_assumed": pl.Boolean(),
        "metadata": pl.String(),
    }
)
"""An event as its file tells it: it has an event_id from there, or a content_id, which equal rows share."""

REJECTED_PART_SCHEMA = pl.Schema(
    {"line_number": pl.Int64(), "reason_code": pl.String(), "reason": pl.String(), "raw_text": pl.String()}
)


@dataclass(frozen=True)
class ParseOptions:
    """How rows become events.

    ``time_missing`` is the time of events that have none, or ``only_chats`` of messages of chats, which seldom have
    one; the others are refused. ``chosen`` is the format of all rows; without it their shapes tell. ``privacy`` says
    what is hidden.
    """

    time_missing: dt.datetime | None = None
    chosen: Format | None = None
    privacy: Privacy = NOTHING_HIDDEN
    only_chats: bool = False

    def time_for(self, source_format: str) -> dt.datetime | None:
        """The time of an event of a format that has none; without one it is refused."""
        table = FORMATS.get(source_format)
        is_chat = table is not None and table.conversation is not None
        return self.time_missing if is_chat or not self.only_chats else None


@dataclass(frozen=True)
class Parsed:
    """A block as frames: EVENT_PART_SCHEMA and REJECTED_PART_SCHEMA, both by line; and how many rows it had.

    ``scrubbed`` counts the marks by metadata field (SCRUBBED_COUNTS).
    """

    events: pl.DataFrame
    rejected: pl.DataFrame
    row_count: int
    scrubbed: pl.DataFrame = field(default_factory=SCRUBBED_COUNTS.to_frame)


@dataclass
class _Rows:
    """Rows taken one by one."""

    reading: ParseOptions
    events: list[tuple[Any, ...]] = field(default_factory=list)
    rejected: list[tuple[Any, ...]] = field(default_factory=list)
    row_count: int = 0

    def take(self, record: Record) -> None:
        """Add a row's events, or its refusal."""
        self.row_count += 1
        try:
            if isinstance(record.value, Rejection):
                raise record.value
            events = parse_record(record.value, self.reading.chosen)
            self.events += [
                _event_row(event, record.line_number, item, self.reading) for item, event in enumerate(events, start=1)
            ]
        except Rejection as refused:
            raw = record.raw if record.raw is not None else _shown(record.value)
            self.rejected.append((record.line_number, refused.code, refused.reason, raw.rstrip("\r\n")[:RAW_LIMIT]))

    def events_frame(self) -> pl.DataFrame:
        return pl.DataFrame(self.events, EVENT_PART_SCHEMA, orient="row")

    def rejected_frame(self) -> pl.DataFrame:
        return pl.DataFrame(self.rejected, REJECTED_PART_SCHEMA, orient="row")


def parse_block(block: Block, reading: ParseOptions) -> Parsed:
    """The frames of a block of rows, as they may be stored; every row is an event, or more than one, or a refusal."""
    if isinstance(block, Lines) and (reading.chosen is None or reading.chosen.name == TURRET.name):
        parsed = _parse_lines(block, reading)
    else:
        parsed = parse_records(block.records(), reading)
    events, scrubbed = protect_events(parsed.events, reading.privacy)
    return Parsed(events, protect_rejected(parsed.rejected, reading.privacy), parsed.row_count, scrubbed)


def parse_records(records: Iterable[Record], reading: ParseOptions) -> Parsed:
    """The frames of rows, one by one, nothing hidden."""
    rows = _Rows(reading)
    for record in records:
        rows.take(record)
    return Parsed(rows.events_frame(), rows.rejected_frame(), rows.row_count)


def _parse_lines(lines: Lines, reading: ParseOptions) -> Parsed:
    """The frames of lines of JSON: plain ones column by column, others one by one."""
    plain, others = plain_events(lines, time_may_miss=reading.time_for(TURRET.name) is not None)
    records = (json_record(number, line) for number, line in others)
    rest = parse_records((record for record in records if record is not None), reading)
    events = _of_part(plain, reading)
    if rest.events.height:
        events = pl.concat([events, rest.events]).sort("line_number", "item_number")
    return Parsed(events, rest.rejected, plain.height + rest.row_count)


def _of_part(plain: pl.DataFrame, reading: ParseOptions) -> pl.DataFrame:
    """EVENT_PART_SCHEMA of plain events."""
    nameless = plain.filter(pl.col("event_id").is_null())
    columns = ("event_name", "session_id", "user_id", "event_at", "metadata")
    ids = [_content_id(reading.privacy.salt, TURRET.name, *row) for row in nameless.select(columns).iter_rows()]
    content_ids = pl.DataFrame({"line_number": nameless["line_number"], "content_id": pl.Series(ids, dtype=pl.String)})
    named = plain.join(content_ids, on="line_number", how="left", maintain_order="left") if ids else plain
    return named.with_columns(
        pl.lit(1, pl.Int64).alias("item_number"),
        pl.lit(TURRET.name).alias("source_format"),
        pl.col("event_at").is_null().alias("is_time_assumed"),
        pl.coalesce("event_at", pl.lit(reading.time_missing, POLARS_TYPES["timestamp"])).alias("event_at"),
        *([] if ids else [pl.lit(None, pl.String).alias("content_id")]),
    ).select(EVENT_PART_SCHEMA.names())


def _event_row(event: Event, line_number: int, item_number: int, reading: ParseOptions) -> tuple[Any, ...]:
    metadata = _checked_json(event.metadata)
    event_at = event.event_at or reading.time_for(event.source_format)
    if event_at is None:
        raise Rejection("missing_timestamp", "timestamp is missing: an event needs a time.")
    names = (event.event_name, event.session_id, event.user_id)
    salt = reading.privacy.salt
    content_id = None if event.event_id else _content_id(salt, event.source_format, *names, event.event_at, metadata)
    times = (event_at, event.received_at)
    marks = (event.source_format, event.event_at is None, event.is_zone_assumed)
    return (line_number, item_number, event.event_id, content_id, *names, *times, *marks, metadata)


def _content_id(
    salt: str | None,
    source_format: str,
    name: str,
    session_id: str | None,
    user_id: str | None,
    event_at: dt.datetime | None,
    metadata: str,
) -> str:
    """An id for an event that has none: a hash of all that its source says, wherever in a file it says so.

    With the salt of user ids, so that nobody finds who it was by guessing.
    """
    time = None if event_at is None else event_at.isoformat()
    parts = (source_format, name, session_id, user_id, time, _in_key_order(metadata))
    return hashlib.blake2b(
        "\x1f".join(part or "" for part in parts).encode(), digest_size=12, key=_key(salt)
    ).hexdigest()


def _key(salt: str | None) -> bytes:
    return b"" if salt is None else hashlib.blake2b(salt.encode()).digest()


def _in_key_order(metadata: str) -> str:
    try:
        return orjson.dumps(orjson.loads(metadata), option=orjson.OPT_SORT_KEYS).decode()
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):  # numbers that fit no machine's
        return metadata


def _checked_json(metadata: Mapping[str, Any]) -> str:
    if _depth(metadata) > DEPTH_LIMIT:
        raise Rejection("nested_too_deep", f"metadata is nested more than {DEPTH_LIMIT} levels deep.")
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
    except (RecursionError, ValueError):
        return "(cannot be shown)"


def _json(value: object) -> str:
    try:
        return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    except TypeError:  # integers beyond 64 bits, which JSON allows
        return json.dumps(value, default=str, ensure_ascii=False)
