"""Conversion of a block of rows to data frames of events and of rejected rows."""

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
import polars as pl

from turret_pipeline.events.formats import (
    FORMATS,
    MAPPED,
    Event,
    Format,
    Rejection,
    build_events,
    choose_format,
    split_record,
)
from turret_pipeline.events.formats.links import find_links, find_time
from turret_pipeline.events.formats.tools import drop_tool_calls
from turret_pipeline.events.formats.turret import TURRET
from turret_pipeline.events.identities import IDENTITY_PART_SCHEMA, IdentityRow, build_identities
from turret_pipeline.events.plain_lines import parse_plain_lines
from turret_pipeline.events.privacy import (
    NOTHING_HIDDEN,
    Privacy,
    protect_events,
    protect_identities,
    protect_rejected,
)
from turret_pipeline.events.rows import RAW_LIMIT, Block, Lines, Record, json_record
from turret_pipeline.scrubbing.batch import SCRUBBED_COUNTS
from turret_pipeline.tables import POLARS_TYPES

DEPTH_LIMIT = 100

EVENT_PART_SCHEMA = pl.Schema(
    {
        "line_number": pl.Int64(),
        "row_in_line": pl.Int64(),
        "item_number": pl.Int64(),
        "event_id": pl.String(),
        "content_id": pl.String(),
        "event_name": pl.String(),
        "session_id": pl.String(),
        "user_id": pl.String(),
        "trace_id": pl.String(),
        "event_at": POLARS_TYPES["timestamp"],
        "received_at": POLARS_TYPES["timestamp"],
        "nanosecond": POLARS_TYPES["integer"],
        "source_format": pl.String(),
        "is_time_assumed": pl.Boolean(),
        "is_zone_assumed": pl.Boolean(),
        "is_textless": pl.Boolean(),
        "is_session_lone": pl.Boolean(),
        "is_session_assumed": pl.Boolean(),
        "is_user_assumed": pl.Boolean(),
        "metadata": pl.String(),
    }
)
"""An event as read from its file. It has either the event_id of its source or a content_id, which equal rows share.

A line is one row, or several if it is a batch of spans: ``row_in_line`` numbers them. ``item_number`` numbers the
events of a line.
"""

REJECTED_PART_SCHEMA = pl.Schema(
    {"line_number": pl.Int64(), "reason_code": pl.String(), "reason": pl.String(), "raw_text": pl.String()}
)


@dataclass(frozen=True)
class ParseOptions:
    """Options for the conversion of rows to events."""

    default_time: dt.datetime | None = None
    """Time of events that have none; without it, such events are rejected."""
    selected_format: Format | None = None
    """Format of all rows; without it, the format of each row is detected."""
    privacy: Privacy = NOTHING_HIDDEN
    time_zone: dt.tzinfo = dt.UTC
    """Zone of times without one, except in formats whose times are known to be UTC."""
    is_default_for_chats_only: bool = False
    """If true, only messages of chats get ``default_time``, because they seldom have times."""
    keeps_tool_calls: bool = True
    """If false, calls of tools are no events."""

    def default_time_of(self, source_format: str) -> dt.datetime | None:
        """Time of events of a format that have none, or None to reject them."""
        spec = self.selected_format if source_format == MAPPED else FORMATS.get(source_format)
        is_chat = spec is not None and spec.conversation is not None
        return self.default_time if is_chat or not self.is_default_for_chats_only else None


@dataclass(frozen=True)
class Parsed:
    """Events (EVENT_PART_SCHEMA) and rejected rows (REJECTED_PART_SCHEMA) of a block, in line order.

    ``row_count`` is the number of rows in the block, ``repaired_count`` that of the rows that became events after a
    value was replaced that no table can hold, and ``scrubbed`` the number of marks by metadata field (SCRUBBED_COUNTS).
    ``identities`` is the evidence in all rows that several ids are of one person (IDENTITY_PART_SCHEMA).
    """

    events: pl.DataFrame
    rejected: pl.DataFrame
    row_count: int
    repaired_count: int = 0
    scrubbed: pl.DataFrame = field(default_factory=SCRUBBED_COUNTS.to_frame)
    identities: pl.DataFrame = field(default_factory=IDENTITY_PART_SCHEMA.to_frame)


@dataclass
class _RowParser:
    """Parser of one row at a time, which collects events, rejections and evidence of identities."""

    options: ParseOptions
    events: list[tuple[Any, ...]] = field(default_factory=list)
    rejected: list[tuple[Any, ...]] = field(default_factory=list)
    identities: list[IdentityRow] = field(default_factory=list)
    row_count: int = 0
    repaired_count: int = 0

    def add(self, record: Record) -> None:
        """Add the events or the rejection of each row in a record."""
        rows = split_record(record.value)
        item_number = 1
        for row_in_line, row in enumerate(rows, start=1):
            self.row_count += 1
            try:
                if isinstance(row, Rejection):
                    raise row
                events = self._parse(record.line_number, row)
                events = events if self.options.keeps_tool_calls else drop_tool_calls(events)
                self.events += [
                    _event_row(event, record.line_number, row_in_line, item, self.options)
                    for item, event in enumerate(events, start=item_number)
                ]
                item_number += len(events)
                self.repaired_count += record.repaired_count > 0 or any(event.is_repaired for event in events)
            except Rejection as rejection:
                raw = record.raw if record.raw is not None and len(rows) == 1 else _raw_text(row)
                text = raw.rstrip("\r\n")[:RAW_LIMIT]
                self.rejected.append((record.line_number, rejection.code, rejection.reason, text))

    def _parse(self, line_number: int, value: object) -> list[Event]:
        """Events of a row. Its evidence counts even if the row is no event. Raises Rejection."""
        row, spec = choose_format(value, self.options.selected_format, self.options.time_zone)
        events: list[Event] = []
        try:
            events = build_events(row, spec)
            return events
        finally:
            if links := find_links(row, spec):
                seen_at = events[0].event_at if events else find_time(row, spec)
                self.identities += [(line_number, *link, seen_at) for link in links]

    def events_frame(self) -> pl.DataFrame:
        return pl.DataFrame(self.events, EVENT_PART_SCHEMA, orient="row")

    def rejected_frame(self) -> pl.DataFrame:
        return pl.DataFrame(self.rejected, REJECTED_PART_SCHEMA, orient="row")


def parse_block(block: Block, options: ParseOptions) -> Parsed:
    """Frames of a block, ready to be stored: each row becomes one or more events, or a rejection."""
    selected = options.selected_format
    if isinstance(block, Lines) and (selected is None or selected.name == TURRET.name):
        parsed = _parse_lines(block, options)
    else:
        parsed = parse_records(block.records(), options)
    events, scrubbed = protect_events(parsed.events, parsed.identities, options.privacy)
    return replace(
        parsed,
        events=events,
        rejected=protect_rejected(parsed.rejected, options.privacy),
        scrubbed=scrubbed,
        identities=protect_identities(parsed.identities, options.privacy),
    )


def parse_records(records: Iterable[Record], options: ParseOptions) -> Parsed:
    """Frames of rows, parsed one by one; personal data stays in them."""
    parser = _RowParser(options)
    for record in records:
        parser.add(record)
    return Parsed(
        parser.events_frame(),
        parser.rejected_frame(),
        parser.row_count,
        parser.repaired_count,
        identities=build_identities(parser.identities),
    )


def _parse_lines(lines: Lines, options: ParseOptions) -> Parsed:
    """Frames of JSON lines: plain lines are parsed column by column, others one by one."""
    is_time_optional = options.default_time_of(TURRET.name) is not None
    plain, others = parse_plain_lines(lines, is_time_optional=is_time_optional, zone=options.time_zone)
    records = (json_record(number, line) for number, line in others)
    rest = parse_records((record for record in records if record is not None), options)
    events = _complete_plain_events(plain, options)
    if rest.events.height:
        events = pl.concat([events, rest.events]).sort("line_number", "item_number")
    return replace(rest, events=events, row_count=plain.height + rest.row_count)


def _complete_plain_events(plain: pl.DataFrame, options: ParseOptions) -> pl.DataFrame:
    """Plain events with all columns of EVENT_PART_SCHEMA."""
    without_id = plain.filter(pl.col("event_id").is_null())
    columns = ("event_name", "session_id", "user_id", "event_at", "metadata")
    ids = [_content_id(options.privacy.salt, TURRET.name, *row) for row in without_id.select(columns).iter_rows()]
    content_ids = pl.DataFrame(
        {"line_number": without_id["line_number"], "content_id": pl.Series(ids, dtype=pl.String)}
    )
    joined = plain.join(content_ids, on="line_number", how="left", maintain_order="left") if ids else plain
    return joined.with_columns(
        pl.lit(1, pl.Int64).alias("row_in_line"),
        pl.lit(1, pl.Int64).alias("item_number"),
        pl.lit(value=False).alias("is_textless"),
        pl.lit(value=False).alias("is_session_lone"),
        pl.lit(TURRET.name).alias("source_format"),
        pl.lit(None, pl.String).alias("trace_id"),
        pl.col("event_at").is_null().alias("is_time_assumed"),
        pl.coalesce("event_at", pl.lit(options.default_time, POLARS_TYPES["timestamp"])).alias("event_at"),
        *([] if ids else [pl.lit(None, pl.String).alias("content_id")]),
    ).select(EVENT_PART_SCHEMA.names())


def _event_row(
    event: Event, line_number: int, row_in_line: int, item_number: int, options: ParseOptions
) -> tuple[Any, ...]:
    """Row of EVENT_PART_SCHEMA. Raises Rejection."""
    metadata = _metadata_json(event.metadata)
    event_at = event.event_at or options.default_time_of(event.source_format)
    if event_at is None:
        raise Rejection("missing_timestamp", "timestamp is missing: an event needs a time.")
    names = (event.event_name, event.session_id, event.user_id)
    salt = options.privacy.salt
    content_id = None if event.event_id else _content_id(salt, event.source_format, *names, event.event_at, metadata)
    times = (event_at, event.received_at, event.nanosecond)
    source = (event.source_format, event.event_at is None, event.is_zone_assumed, event.is_textless)
    ids = (event.event_id, content_id, *names, event.trace_id)
    marks = (event.is_session_lone, event.is_session_assumed, event.is_user_assumed)
    return (line_number, row_in_line, item_number, *ids, *times, *source, *marks, metadata)


def _content_id(
    salt: str | None,
    source_format: str,
    name: str,
    session_id: str | None,
    user_id: str | None,
    event_at: dt.datetime | None,
    metadata: str,
) -> str:
    """Id for an event without one: a hash of its content, independent of its place in a file.

    The hash is keyed with the salt of user ids, so that nobody can find a user by hashing guesses.
    """
    time = None if event_at is None else event_at.isoformat()
    parts = (source_format, name, session_id, user_id, time, _sort_json_keys(metadata))
    return hashlib.blake2b(
        "\x1f".join(part or "" for part in parts).encode(), digest_size=12, key=_hash_key(salt)
    ).hexdigest()


def _hash_key(salt: str | None) -> bytes:
    return b"" if salt is None else hashlib.blake2b(salt.encode()).digest()


def _sort_json_keys(metadata: str) -> str:
    try:
        return orjson.dumps(orjson.loads(metadata), option=orjson.OPT_SORT_KEYS).decode()
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):  # numbers out of range
        return metadata


def _metadata_json(metadata: Mapping[str, Any]) -> str:
    if _nesting_depth(metadata) > DEPTH_LIMIT:
        raise Rejection("nested_too_deep", f"metadata has more than {DEPTH_LIMIT} levels of nesting: use fewer.")
    return _to_json(metadata)


def _nesting_depth(value: object) -> int:
    """Levels of nesting, up to DEPTH_LIMIT + 1, counted without recursion."""
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


def _raw_text(value: object) -> str:
    try:
        return _to_json(value)
    except (RecursionError, ValueError):
        return "(cannot be shown)"


def _to_json(value: object) -> str:
    try:
        return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    except TypeError:  # integers beyond 64 bits, which JSON allows
        return json.dumps(value, default=str, ensure_ascii=False)
