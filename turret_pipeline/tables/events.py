"""Tables of the input: events, rejected rows, files, and the values of events."""

from dataclasses import replace

from turret_pipeline.tables.contract import Table, boolean, integer, number, text, timestamp

METADATA = text("metadata", "All other values of the source, as a JSON object")

EVENTS = Table(
    "events",
    "One row per distinct accepted event.",
    ("event_id",),
    (
        text("event_id", "Id from the source, or a hash of the content if the source has none"),
        text("event_name", "Name of the event"),
        text(
            "session_id",
            "Session id from the source (with ~ and a hash for all but the first of several users), or derived from "
            "user and time if the source has none",
        ),
        text(
            "user_id",
            "Person of the event: its user id from the source, resolved by identities, or else the user of its "
            "session; null if unknown",
            nullable=True,
        ),
        timestamp("event_at", "Time of the event (UTC)"),
        timestamp(
            "received_at", "Time at which the event was received (UTC); null if the source has none", nullable=True
        ),
        integer("nanosecond", "Nanoseconds of the time after event_at, from 0 to 999, by which events are ordered too"),
        text("source_format", "Format as which the row was read; `turret formats` lists all formats"),
        text("source_file", "File from which the event was read"),
        text("content_sha256", "SHA-256 of the content of that file"),
        integer("line_number", "Line, array item or Parquet row in that file, from 1"),
        integer("item_number", "Position among the events of the line, from 1; the generation of an LLM event is 2"),
        boolean("is_session_derived", "True if the pipeline derived session_id"),
        boolean("is_time_assumed", "True if the source has no time, and event_at is the time of its file"),
        boolean("is_zone_assumed", "True if the source has a time without a zone, which was read in input_time_zone"),
        boolean(
            "is_time_ahead", "True if event_at is later than its receipt or reading by more than clocks may differ"
        ),
        METADATA,
    ),
)

LAKE_EVENTS = replace(EVENTS, columns=tuple(column for column in EVENTS.columns if column != METADATA))
"""The table in the lake, without metadata: they stay in the part of the landing file."""

REJECTED_EVENTS = Table(
    "rejected_events",
    "One row per rejected input row.",
    ("content_sha256", "line_number"),
    (
        text("source_file", "File from which the row was read"),
        text("content_sha256", "SHA-256 of the content of that file"),
        integer("line_number", "Line, array item or Parquet row in that file, from 1"),
        text("reason_code", "Short name of the reason, for counting"),
        text("reason", "Description of the error and its fix"),
        text("raw_text", "The row as it was read, with personal identifiers scrubbed, cut after 4,000 characters"),
        boolean("is_mended", "True if `turret replay` read the row again later and accepted it"),
    ),
)

SOURCE_FILES = Table(
    "source_files",
    "One row per landing file that was read.",
    ("content_sha256",),
    (
        text("source_file", "Path of the file, as it was given"),
        text("content_sha256", "SHA-256 of the content; equal content is read once, even under different names"),
        text("source_format", "Formats found in the file, comma separated", nullable=True),
        integer("row_count", "Rows read; sum of accepted_count, duplicate_count, rejected_count and forgotten_count"),
        integer("accepted_count", "Rows with at least one accepted event"),
        integer("duplicate_count", "Rows whose events all have an event_id that another row has too, which counts"),
        integer("superseded_count", "Of these, rows that lost to a row read later; the others repeat an equal row"),
        integer("rejected_count", "Rejected rows"),
        integer("forgotten_count", "Rows that were erased (turret forget, setting retention_days), or dropped since"),
        integer(
            "repaired_count",
            "Rows, except rejected ones, in which half of a surrogate pair became U+FFFD, or a number out of range "
            "null",
        ),
        integer("assumed_id_count", "Accepted events without an id in the source"),
        integer("assumed_time_count", "Accepted events without a time in the source"),
        integer("assumed_zone_count", "Accepted events whose time has no zone in the source"),
        integer(
            "textless_exchange_count",
            "Accepted prompts, answers and calls of language models for which the source has no text",
        ),
        integer(
            "assumed_user_count",
            "Accepted events whose user id the collector made up and no client sent back: they name no user",
        ),
        integer(
            "split_session_count",
            "Accepted events that got a new session id, because another user had the one they came with first",
        ),
        integer("late_count", "Accepted events from days before the latest day published when they were read first"),
        timestamp("first_event_at", "Time of the earliest event of the file (UTC)", nullable=True),
        timestamp("last_event_at", "Time of the latest event of the file that is not ahead (UTC)", nullable=True),
        timestamp("ingested_at", "Time at which the file was read (UTC)"),
    ),
)

IDENTITIES = Table(
    "identities",
    "One row per id of a user as sent, and the person that it belongs to.",
    ("sent_id", "user_id"),
    (
        text("sent_id", "User, anonymous or device id from the source"),
        text("id_kind", "Kind of the id: user, anonymous or device"),
        text("user_id", "Person: the user_id of their events. An anonymous id may belong to several persons in turn"),
        text("evidence", "Where the id was seen: event for the user id of an event, or the calls that link it"),
        timestamp("first_seen_at", "Time at which the id was first seen with this person (UTC)", nullable=True),
    ),
)

SCRUBBED_VALUES = Table(
    "scrubbed_values",
    "One row per landing file, metadata field and kind of scrubbed value.",
    ("content_sha256", "field", "kind"),
    (
        text("source_file", "File from which the values were read"),
        text("content_sha256", "SHA-256 of the content of that file"),
        text("field", "Path of the value in the metadata, with nested keys joined by dots"),
        text("kind", "Kind of identifier that was replaced by a mark: email, phone, card, iban, ip or key"),
        integer("value_count", "Values of the file's events with such a mark, including those of duplicates"),
    ),
)

EVENT_VALUES = Table(
    "event_values",
    "One row per accepted event and metadata field present on it.",
    ("event_id", "field"),
    (
        text("event_id", "Id of the event"),
        text("field", "Path of the value in the metadata, with nested keys joined by dots"),
        text("json_type", "Type of the value in JSON: string, number, boolean, list, or object if its keys are values"),
        text("value", "The value as text"),
        number(
            "number",
            "The value as a number, without thousands separators, percent and currency signs; null if it cannot be "
            "read as one or is beyond ±1e300",
            nullable=True,
        ),
    ),
)
