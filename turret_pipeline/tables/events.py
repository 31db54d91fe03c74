"""Tables of what was read: events, refused rows, files, and the values that events carry."""

from turret_pipeline.tables.contract import Column, Table, integer, number, text, timestamp

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
        text("source_format", "turret, trubrics_event or trubrics_llm"),
        text("source_file", "File that it was read from"),
        integer("line_number", "Line, array item or Parquet row in that file, from 1"),
        integer("item_number", "Position among the events of one line, from 1; the generation of an LLM event is 2"),
        text("metadata", "Everything else that the source says, as a JSON object"),
        Column("is_session_derived", "boolean", "Whether session_id was derived by the pipeline"),
    ),
)

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
        text("raw_text", "The row as it was read, cut after 2,000 characters"),
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
        timestamp("first_event_at", "Earliest event of the file", nullable=True),
        timestamp("last_event_at", "Latest event of the file", nullable=True),
        timestamp("ingested_at", "When the file was read"),
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
