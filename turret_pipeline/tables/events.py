"""Tables of what was read: events, refused rows, files, and the values that events carry."""

from dataclasses import replace

from turret_pipeline.tables.contract import Table, boolean, integer, number, text, timestamp

METADATA = text("metadata", "Everything else that the source says, as a JSON object")

EVENTS = Table(
    "events",
    "One row per accepted distinct event.",
    ("event_id",),
    (
        text("event_id", "Id from the source, or a hash of the content where the source gives none"),
        text("event_name", "What happened"),
        text("session_id", "Conversation or visit; derived from user and time where the source gives none"),
        text("user_id", "Who; null where the source does not say", nullable=True),
        timestamp("event_at", "When it happened (UTC)"),
        timestamp("received_at", "When it was received, where the source says (UTC)", nullable=True),
        text("source_format", "Name of the format that it was read as; `turret formats` lists them"),
        text("source_file", "File that it was read from"),
        text("content_sha256", "Hash of that file's bytes"),
        integer("line_number", "Line, array item or Parquet row in that file, from 1"),
        integer("item_number", "Position among the events of one line, from 1; the generation of an LLM event is 2"),
        boolean("is_session_derived", "Whether session_id was derived by the pipeline"),
        boolean("is_time_assumed", "Whether the source gives no time, and event_at is that of its file"),
        boolean("is_zone_assumed", "Whether the source gives a time without a zone, which was taken for UTC"),
        boolean("is_time_ahead", "Whether event_at is later than its receipt or reading, by more than a clock may err"),
        METADATA,
    ),
)

LAKE_EVENTS = replace(EVENTS, columns=tuple(column for column in EVENTS.columns if column != METADATA))
"""What the lake keeps of an event in this table; its metadata stay in the part that it was read into."""

REJECTED_EVENTS = Table(
    "rejected_events",
    "One row per refused input row.",
    ("content_sha256", "line_number"),
    (
        text("source_file", "File that it was read from"),
        text("content_sha256", "Hash of that file's bytes"),
        integer("line_number", "Line, array item or Parquet row in that file, from 1"),
        text("reason_code", "Short name of the reason, to count by"),
        text("reason", "What is wrong and what would be right"),
        text("raw_text", "The row as it was read, without what identifies a person, cut after 4,000 characters"),
        boolean("is_mended", "Whether `turret replay` has read it again since, and it was accepted"),
    ),
)

SOURCE_FILES = Table(
    "source_files",
    "One row per landing file read.",
    ("content_sha256",),
    (
        text("source_file", "Path as it was given"),
        text("content_sha256", "Hash of the bytes: the same content is read once, whatever its name"),
        text("source_format", "Formats found, comma separated", nullable=True),
        integer("row_count", "Rows read = accepted + duplicate + rejected"),
        integer("accepted_count", "Rows with at least one event kept"),
        integer("duplicate_count", "Rows whose events are all known by event_id from elsewhere"),
        integer("rejected_count", "Rows refused"),
        integer("id_assumed_count", "Accepted events that the source gives no id"),
        integer("time_assumed_count", "Accepted events that the source gives no time"),
        integer("zone_assumed_count", "Accepted events whose time has no zone"),
        integer("late_count", "Accepted events of days before the latest that was published when the file was read"),
        timestamp("first_event_at", "Earliest event of the file", nullable=True),
        timestamp("last_event_at", "Latest event of the file", nullable=True),
        timestamp("ingested_at", "When the file was read"),
    ),
)

SCRUBBED_VALUES = Table(
    "scrubbed_values",
    "One row per landing file, metadata field and kind of mark that stands there for what was hidden.",
    ("content_sha256", "field", "kind"),
    (
        text("source_file", "File that it was read from"),
        text("content_sha256", "Hash of that file's bytes"),
        text("field", "Path of the value in the metadata, nested keys joined by dots"),
        text("kind", "What was hidden: email, phone, card, iban, ip or key"),
        integer("value_count", "Values of the file's events with such a mark, duplicates too"),
    ),
)

EVENT_VALUES = Table(
    "event_values",
    "One row per accepted event and metadata field present on it.",
    ("event_id", "field"),
    (
        text("event_id", "The event"),
        text("field", "Path of the value in the metadata, nested keys joined by dots"),
        text("json_type", "string, number, boolean or list"),
        text("value", "The value as text"),
        number("number", "The value as a number, where it is one", nullable=True),
    ),
)
