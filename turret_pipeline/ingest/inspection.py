"""Reading of a file as a run would read it, without storing anything: what its rows become, and what they lack."""

import datetime as dt
import io
import itertools
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

import orjson
import polars as pl
from upath import UPath

from turret_pipeline.events.formats import is_of_format
from turret_pipeline.events.parsing import Parsed, ParseOptions, parse_block
from turret_pipeline.events.privacy import protect_events
from turret_pipeline.events.rows import Record, Rows
from turret_pipeline.events.suggestions import Suggestion, suggest_mapping
from turret_pipeline.fields.values import metadata_values
from turret_pipeline.ingest.growing_files import READ_BUFFER
from turret_pipeline.ingest.hashing import HashedFile
from turret_pipeline.ingest.reading import read_blocks
from turret_pipeline.ingest.source_files import open_binary

_BATCH_RECORDS = 1000
_SAMPLED = 1000
"""Rows that are kept to find a mapping: of those that no format reads, and of the others."""

_MAPPABLE = frozenset(("unknown_shape", "not_of_format", "missing_name", "missing_timestamp"))
"""Reasons of rejections that a mapping can cure."""

_TEXT_KEYS = ("prompt", "generation", "text")


@dataclass(frozen=True)
class RejectedRows:
    """Rows with the same reason, with the first of them."""

    code: str
    row_count: int
    reason: str
    line_number: int
    raw_text: str


@dataclass
class Inspection:
    """The outcome of reading a file. ``is_complete`` is false if only the first rows were read."""

    name: str
    is_complete: bool = True
    row_count: int = 0
    event_count: int = 0
    rows_by_format: Counter[str] = field(default_factory=Counter)
    missing: Counter[str] = field(default_factory=Counter)
    """Events without a value of their own, by kind: event_at, zone, session_id, user_id, event_id, text."""
    sessions: set[str] = field(default_factory=set)
    users: set[str] = field(default_factory=set)
    first_at: dt.datetime | None = None
    last_at: dt.datetime | None = None
    fields: Counter[str] = field(default_factory=Counter)
    """Events by metadata field."""
    first_events: list[dict[str, Any]] = field(default_factory=list)
    rejected: dict[str, RejectedRows] = field(default_factory=dict)
    suggestion: Suggestion | None = None
    suggested_events: list[dict[str, Any]] = field(default_factory=list)
    changed_count: int = 0
    """Rows that are read now, and that the suggested mapping would read in another way."""

    def add_times(self, times: list[dt.datetime]) -> None:
        """Extend the span of time of the events."""
        self.first_at = min([*times, *([self.first_at] if self.first_at else [])], default=None)
        self.last_at = max([*times, *([self.last_at] if self.last_at else [])], default=None)

    @property
    def rejected_count(self) -> int:
        """Rows that are not read."""
        return sum(rows.row_count for rows in self.rejected.values())

    @property
    def accepted_count(self) -> int:
        """Rows that are read."""
        return self.row_count - self.rejected_count


def inspect_file(path: Path | UPath, options: ParseOptions, *, row_limit: int, event_limit: int) -> Inspection:
    """Inspection of the first rows of a file, with its first events. Raises TurretError if it cannot be read."""
    found, unknown, known = Inspection(str(path)), list[Record](), list[Record]()
    with open_binary(path) as raw:
        records = _list_records(io.BufferedReader(HashedFile(raw), READ_BUFFER), path.name)
        first = itertools.islice(records, row_limit)
        while batch := list(itertools.islice(first, _BATCH_RECORDS)):
            parsed = parse_block(Rows(batch), options)
            _add(found, parsed, event_limit)
            mappable = set(parsed.rejected.filter(pl.col("reason_code").is_in(_MAPPABLE))["line_number"])
            for record in batch:
                kept = unknown if record.line_number in mappable else known
                if len(kept) < _SAMPLED:
                    kept.append(record)
        found.is_complete = next(records, None) is None
    found.suggestion = suggest_mapping(unknown, options)
    if found.suggestion is not None:
        spec = found.suggestion.mapping.to_format()
        found.changed_count = sum(isinstance(row.value, Mapping) and is_of_format(row.value, spec) for row in known)
        parsed = found.suggestion.parsed
        events, _ = protect_events(parsed.events.head(event_limit), parsed.identities, options.privacy)
        found.suggested_events = _show_events(events)
    return found


def _list_records(file: IO[bytes], name: str) -> Iterator[Record]:
    for block in read_blocks(file, name):
        yield from block.records()


def _add(found: Inspection, parsed: Parsed, event_limit: int) -> None:
    """Add what a batch of rows becomes to the inspection."""
    events = parsed.events
    found.row_count += parsed.row_count
    found.event_count += events.height
    rows = events.unique(["line_number", "row_in_line"])
    found.rows_by_format.update(dict(rows["source_format"].value_counts().iter_rows()))
    found.missing.update({kind: count for kind, count in events.select(**_MISSING).row(0, named=True).items() if count})
    found.sessions.update(events["session_id"].drop_nulls())
    found.users.update(events["user_id"].drop_nulls())
    found.add_times(events.filter(~pl.col("is_time_assumed"))["event_at"].to_list())
    found.fields.update(dict(metadata_values(events["metadata"])["field"].value_counts().sort("field").iter_rows()))
    found.first_events += _show_events(events.head(event_limit - len(found.first_events)))
    for code, line_number, reason, raw_text, count in _group_rejected(parsed.rejected).iter_rows():
        before = found.rejected.get(code)
        found.rejected[code] = (
            RejectedRows(code, count, reason, line_number, raw_text)
            if before is None
            else replace(before, row_count=before.row_count + count)
        )


_MISSING = {
    "event_at": pl.col("is_time_assumed").sum(),
    "zone": pl.col("is_zone_assumed").sum(),
    "session_id": pl.col("session_id").is_null().sum(),
    "user_id": pl.col("user_id").is_null().sum(),
    "event_id": pl.col("event_id").is_null().sum(),
    "text": pl.col("is_textless").sum(),
}


def _group_rejected(rejected: pl.DataFrame) -> pl.DataFrame:
    """Rejected rows by reason, each with its first row and its number of rows."""
    first = (pl.col(name).first() for name in ("line_number", "reason", "raw_text"))
    return rejected.group_by("reason_code", maintain_order=True).agg(*first, pl.len().alias("row_count"))


def _show_events(events: pl.DataFrame) -> list[dict[str, Any]]:
    """Events as a person reads them, with the text in their metadata."""
    columns = ("event_at", "event_name", "session_id", "user_id")
    return [
        {**{column: row[column] for column in columns}, "text": _find_text(orjson.loads(row["metadata"]))}
        for row in events.iter_rows(named=True)
    ]


def _find_text(metadata: Mapping[str, Any]) -> str | None:
    """The text of a prompt or an answer, else the longest text of several words, or None."""
    for key in _TEXT_KEYS:
        if isinstance(text := metadata.get(key), str):
            return text
    texts = [value for value in metadata.values() if isinstance(value, str) and " " in value.strip()]
    return max(texts, key=len, default=None)
