"""The contract of every table: grain, key, and columns with type and meaning.

Belongs here: what a table promises. Not here: how it is made. The lake checks each write against it, the quality
checks each built table, and Dagster, dbt's tests and the comments in the published file repeat it.
"""

from dataclasses import dataclass
from typing import Literal

import polars as pl

Kind = Literal["text", "integer", "number", "boolean", "timestamp", "date", "texts"]

POLARS_TYPES: dict[Kind, pl.DataType] = {
    "text": pl.String(),
    "integer": pl.Int64(),
    "number": pl.Float64(),
    "boolean": pl.Boolean(),
    "timestamp": pl.Datetime("us", "UTC"),
    "date": pl.Date(),
    "texts": pl.List(pl.String()),
}

DUCKDB_TYPES: dict[Kind, str] = {
    "text": "VARCHAR",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
    "date": "DATE",
    "texts": "VARCHAR[]",
}

FIELD_TYPES = ("text", "enum", "number", "identifier", "datetime", "list", "empty")
"""What a metadata field can be. Only text is clustered, only enum makes segments, only number is charted."""

START, END = "(start)", "(end)"
"""Pseudo-nodes before the first and after the last event of a session."""

OTHER = "(other)"
"""Pseudo-node of what too few users do to be shown: edges lead to it and from it."""

EVENT_NAME = "event_name"
"""The journey dimension whose nodes are the names of the events."""

USER = "user:"
"""Prefix of the journey dimensions in which all events of a user are one sequence."""


@dataclass(frozen=True)
class Column:
    """A column: its name, its type, what it means, and whether it may be null."""

    name: str
    kind: Kind
    meaning: str
    nullable: bool = False


@dataclass(frozen=True)
class Table:
    """A table: ``grain`` begins with "One row per", ``key`` names the columns that identify a row."""

    name: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def schema(self) -> pl.Schema:
        """The polars schema, columns in order."""
        return pl.Schema({column.name: POLARS_TYPES[column.kind] for column in self.columns})

    def empty(self) -> pl.DataFrame:
        """The table without a row."""
        return pl.DataFrame(schema=self.schema)


def text(name: str, meaning: str, *, nullable: bool = False) -> Column:
    """A text column."""
    return Column(name, "text", meaning, nullable)


def integer(name: str, meaning: str, *, nullable: bool = False) -> Column:
    """A column of whole numbers."""
    return Column(name, "integer", meaning, nullable)


def number(name: str, meaning: str, *, nullable: bool = False) -> Column:
    """A column of real numbers."""
    return Column(name, "number", meaning, nullable)


def timestamp(name: str, meaning: str, *, nullable: bool = False) -> Column:
    """A column of UTC times."""
    return Column(name, "timestamp", meaning, nullable)


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

FIELDS = Table(
    "fields",
    "One row per metadata field.",
    ("field",),
    (
        text("field", "Path of the value in the metadata, nested keys joined by dots"),
        text("type", f"Type in force: {', '.join(FIELD_TYPES)}"),
        text("detected_type", "Type that the values suggest"),
        Column("is_overridden", "boolean", "Whether a person set the type (setting field_types)"),
        text("reason", "Why the detected type was chosen"),
        integer("event_count", "Events that carry the field"),
        number("present_share", "event_count over all events"),
        integer("distinct_count", "Distinct values"),
        Column("example_values", "texts", "Up to 5 commonest values of an enum or number field; else none"),
        number("number_min", "Smallest value of a number field", nullable=True),
        number("number_mean", "Mean value of a number field", nullable=True),
        number("number_max", "Largest value of a number field", nullable=True),
        timestamp("first_seen_at", "Earliest event that carries the field"),
        integer("validated_event_count", "Events whose value fits the type in force"),
    ),
)

FIELD_VALUES = Table(
    "field_values",
    "One row per enum field and value.",
    ("field", "value"),
    (
        text("field", "Enum field"),
        text("value", "Value as text"),
        integer("event_count", "Events with the value"),
        integer("session_count", "Sessions with at least one such event"),
        integer("user_count", "Users with at least one such event"),
        number("event_share", "event_count over the events whose value of the field is not blank"),
    ),
)

NUMBER_DAYS = Table(
    "number_days",
    "One row per number field and day (UTC).",
    ("field", "event_date"),
    (
        text("field", "Number field"),
        Column("event_date", "date", "Day of the events (UTC)"),
        integer("value_count", "Values of that day"),
        number("value_mean", "Mean"),
        number("value_p50", "Median, interpolated"),
        number("value_p95", "95th percentile, interpolated"),
    ),
)

EVENT_TEXTS = Table(
    "event_texts",
    "One row per event and text field present on it.",
    ("event_id", "field"),
    (
        text("event_id", "The event"),
        text("field", "Text field"),
        text("text_id", "Hash of the text without surplus white space; null where nothing is left", nullable=True),
    ),
)

TEXTS = Table(
    "texts",
    "One row per text field and distinct text.",
    ("field", "text_id"),
    (
        text("field", "Text field"),
        text("text_id", "Hash of the text"),
        text("text", "The text without surplus white space"),
        integer("event_count", "Events that carry it"),
    ),
)

TEXT_TOPICS = Table(
    "text_topics",
    "One row per text field and distinct text that was ever seen.",
    ("field", "text_id"),
    (
        text("field", "Text field"),
        text("text_id", "Hash of the text"),
        text("topic_id", "Topic of the text; null: none", nullable=True),
        number(
            "similarity", "Cosine to the centroid of the topic, or of the nearest one where it has none", nullable=True
        ),
        text("runner_up_topic_id", "Next nearest topic", nullable=True),
        number("runner_up_similarity", "Cosine to the centroid of that topic", nullable=True),
        text("found_topic_id", "Topic before a person merged it into another; null: none", nullable=True),
    ),
)

_TOPIC = (
    text("topic_id", "FIELD-NUMBER, given once and never reused; FIELD-other: topics folded for privacy"),
    text("field", "Text field"),
    text("label", "Short name"),
    text(
        "label_source",
        "Who named it: keywords, llm, person, or privacy: topics of too few users, "
        "folded into one (setting privacy_min_users)",
    ),
    text("description", "One sentence about it"),
    Column("keywords", "texts", "Words that set it apart from the other topics of the field, strongest first"),
    Column("example_texts", "texts", "Up to 5 texts near to its centre and unlike each other"),
    text("theme_id", "Theme it belongs to: FIELD-theme-NUMBER"),
    text("theme_label", "Short name of the theme"),
    text("status", "active, or retired: no text is left in it"),
    Column("is_locked", "boolean", "Whether a person locked it: the machine neither splits nor merges it"),
    text("role", "subject, or continuation: its texts carry on what a session is about (yes please, 3100, thanks)"),
    text("role_reason", "Why: what its place in sessions shows, or that a person said so"),
    text("merged_into_topic_id", "Topic that a person merged it into", nullable=True),
    number("cohesion", "Mean cosine between two of its texts: 1 where all say the same", nullable=True),
    number("separation", "1 - cosine of its centroid to the nearest other one of the field", nullable=True),
    text("nearest_topic_id", "Topic with the nearest centroid", nullable=True),
    number("map_x", "Place on the map of the field's topics, -1 to 1; near is alike; kept between runs", nullable=True),
    number("map_y", "Place on that map, upwards", nullable=True),
)

TOPIC_DEFINITIONS = Table(
    "topic_definitions",
    "One row per topic that ever lived.",
    ("topic_id",),
    (
        *_TOPIC,
        text("found_label", "Name before a person changed it", nullable=True),
        text("found_label_source", "Who gave that name: keywords or llm", nullable=True),
        text("split_edit_id", "Edit by which a person split it from another topic", nullable=True),
    ),
)

CONTINUATIONS = Table(
    "continuations",
    "One row per event and text field whose text carries on a subject of its session.",
    ("event_id", "field"),
    (
        text("event_id", "The event"),
        text("field", "Text field"),
        text("continues_topic_id", "The subject that it carries on, or that it leads up to at the start of a session"),
    ),
)

TOPIC_RUNS = Table(
    "topic_runs",
    "One row per run and text field: how topics were found and what changed.",
    ("run_id", "field"),
    (
        text("run_id", "The run"),
        timestamp("started_at", "When it started"),
        text("field", "Text field"),
        integer("text_count", "Distinct texts"),
        integer("topic_count", "Active topics"),
        integer("theme_count", "Themes of these"),
        number("coverage", "Share of the distinct texts that have a topic", nullable=True),
        number(
            "stability",
            "Share of repeated groupings with other seeds in which neighbours of one group were together, mean; "
            "of the last run that grouped",
            nullable=True,
        ),
        number("kept_share", "Share of the texts with a topic before that keep it", nullable=True),
        *(
            integer(f"{change}_count", f"Topics {change} in the run (topic_lineage)")
            for change in ("born", "split", "merged", "retired", "revived", "renamed")
        ),
        text("note", "Why there are no topics, or few", nullable=True),
    ),
)

_TREND = (
    number(
        "growth",
        "Relative change of the topic's share of its field's events: the last days (setting trend_days, ending on the "
        "day of the latest event, UTC) against the up to four times as many days before; 1 is twice the share. Null "
        "where the topic has no event before, and throughout a field known for less than twice trend_days",
        nullable=True,
    ),
    Column(
        "is_emerging",
        "boolean",
        "Whether its share grew by half or more, beyond chance (emerging_q_value at most 0.05), with 3 or more users "
        "in the last days (sessions where the user is not known); null where nothing can be compared",
        nullable=True,
    ),
)

TOPICS = Table(
    "topics",
    "One row per topic that ever lived.",
    ("topic_id",),
    (
        *_TOPIC,
        integer("text_count", "Distinct texts"),
        integer("event_count", "Events"),
        integer("session_count", "Sessions with at least one event of the topic"),
        integer("user_count", "Users with at least one event of the topic"),
        number("event_share", "event_count over the events on which the field is present"),
        number("mean_similarity", "Mean cosine of its distinct texts to its centroid", nullable=True),
        timestamp("first_event_at", "Earliest event", nullable=True),
        timestamp("last_event_at", "Latest event", nullable=True),
        *_TREND,
        number(
            "emerging_q_value",
            "Share of chance to expect among the field's topics that grew as clearly (Benjamini-Hochberg over the "
            "field's topics); users who come back and days that differ are allowed for",
            nullable=True,
        ),
    ),
)

EVENT_TOPICS = Table(
    "event_topics",
    "One row per event and text field present on it.",
    ("event_id", "field"),
    (
        text("event_id", "The event"),
        text("field", "Text field"),
        text("topic_id", "Topic of the event's own words; null: none", nullable=True),
        text(
            "outcome",
            "assigned, continuation (carries on a subject of the session), outlier (unlike everything else, or of "
            "topics with too few users to be shown, where there is none to carry on), or empty",
        ),
        *TEXT_TOPICS.columns[3:6],
        text(
            "continues_topic_id",
            "Subject of the session that a continuation carries on, or leads up to before the first; journeys follow "
            "it",
            nullable=True,
        ),
    ),
)

TOPIC_DAYS = Table(
    "topic_days",
    "One row per topic and day (UTC) on which it occurs.",
    ("topic_id", "event_date"),
    (
        text("field", "Text field"),
        text("topic_id", "Topic"),
        Column("event_date", "date", "Day of the events (UTC)"),
        integer("event_count", "Events of the topic on that day"),
        integer("session_count", "Sessions"),
        integer("user_count", "Users"),
        number("event_share", "event_count over the events of that day on which the field is present"),
    ),
)

TOPIC_LINEAGE = Table(
    "topic_lineage",
    "One row per change of a topic in a run.",
    ("run_id", "topic_id", "change"),
    (
        text("run_id", "Run that made the change"),
        timestamp("changed_at", "When that run started"),
        text("field", "Text field"),
        text("topic_id", "Topic"),
        text(
            "change",
            "born, split (off the other topic), merged (into the other topic), retired, revived, renamed, or its new "
            "role: subject, continuation",
        ),
        text("other_topic_id", "Topic on the other side of a split or merge", nullable=True),
        number("overlap_share", "Share of texts in common with that topic", nullable=True),
    ),
)

TOPIC_TRENDS = Table(
    "topic_trends",
    "One row per topic that occurs.",
    ("topic_id",),
    (
        text("topic_id", "Topic"),
        text("field", "Text field"),
        integer("recent_event_count", "Events in the last days (setting trend_days, up to that of the latest event)"),
        integer("before_event_count", "Events in the up to four times as many days before"),
        number(
            "recent_share", "recent_event_count over those days' events on which the field is present", nullable=True
        ),
        number(
            "before_share", "before_event_count over those days' events on which the field is present", nullable=True
        ),
        *_TREND,
        number("p_value", "One-sided p-value of its growth; null where it does not occur in those days", nullable=True),
        number("q_value", "Benjamini-Hochberg q-value of it, over the topics of the field", nullable=True),
    ),
)

_SEGMENT = (
    text("segment_field", "Enum field"),
    text(
        "segment_value",
        "Its value. A value is compared where 10 events and 5 users have it, and as many do not (or sessions where "
        "the user is not known; privacy_min_users where that is more)",
    ),
)

TOPIC_SEGMENTS = Table(
    "topic_segments",
    "One row per topic, enum field and value; events count that carry both the text field and the enum field.",
    ("topic_id", "segment_field", "segment_value"),
    (
        text("field", "Text field"),
        text("topic_id", "Topic"),
        *_SEGMENT,
        integer("event_count", "Events of the topic with the value"),
        integer("session_count", "Sessions with at least one such event"),
        number("share_in_segment", "event_count over the events with the value that carry the text field"),
        number("share_elsewhere", "The same share of the events with another value of the enum field"),
        number("difference", "share_in_segment less share_elsewhere"),
        number("difference_low", "Lower end of its 95 % confidence interval; events of one user count as dependent"),
        number("difference_high", "Upper end of it"),
        number(
            "q_value",
            "Share of chance to expect among the rows that differ as clearly (Benjamini-Hochberg over all rows of the "
            "text field, whatever the enum field)",
        ),
    ),
)

TOPIC_NUMBERS = Table(
    "topic_numbers",
    "One row per topic and number field; events count that carry both.",
    ("topic_id", "number_field"),
    (
        text("field", "Text field"),
        text("topic_id", "Topic"),
        text("number_field", "Number field"),
        integer("value_count", "Values on events of the topic"),
        number("value_mean", "Mean"),
        number("value_p50", "Median, interpolated"),
        number("value_p95", "95th percentile, interpolated"),
    ),
)

SESSIONS = Table(
    "sessions",
    "One row per session.",
    ("session_id",),
    (
        text("session_id", "The session"),
        text("user_id", "User of its first event that names one", nullable=True),
        timestamp("started_at", "First event"),
        timestamp("ended_at", "Last event"),
        number("duration_seconds", "From first to last event"),
        integer("event_count", "Events"),
        Column("is_derived", "boolean", "Whether the session was derived by the pipeline"),
    ),
)

_DIMENSION = text(
    "dimension",
    "event_name, or a text field whose topics are the nodes; user:event_name or user:FIELD: the same nodes, with all "
    "events of a user as one session whose session_id is the user_id, so that what is called session counts users",
)

JOURNEY_STEPS = Table(
    "journey_steps",
    "One row per step of a session in a dimension: a run of events on one node.",
    ("dimension", "session_id", "step_number"),
    (
        _DIMENSION,
        text("session_id", "The session; in a dimension user: the user_id"),
        text("user_id", "User of the step's first event", nullable=True),
        integer("step_number", "Position of the step in the session, from 1, without gaps"),
        text("node_id", "Event name or topic_id"),
        timestamp("started_at", "First event of the step"),
        timestamp("ended_at", "Last event of the step"),
        integer("event_count", "Events of the step"),
        number("seconds_to_next", "From its last event to the first of the next step; null on the last", nullable=True),
    ),
)

JOURNEY_EDGES = Table(
    "journey_edges",
    "One row per pair of nodes that follow each other directly in a dimension; a node that follows itself counts.",
    ("dimension", "from_node_id", "to_node_id"),
    (
        _DIMENSION,
        text("from_node_id", "Node of the earlier event, (start), or (other)"),
        text(
            "to_node_id",
            "Node of the later event, (end), or (other): an edge of fewer users than privacy_min_users is counted as "
            "one to (other) and one from it",
        ),
        integer("transition_count", "Times that it happened"),
        integer("session_count", "Sessions in which it happened"),
        integer("user_count", "Users to whom it happened"),
        number("probability", "transition_count over all that leave from_node_id, (end) included"),
        number(
            "median_seconds",
            "Median time between the two events; null from (start) and (other), to (end)",
            nullable=True,
        ),
        number("p95_seconds", "95th percentile of it, interpolated; null where that is", nullable=True),
    ),
)

JOURNEY_NODES = Table(
    "journey_nodes",
    "One row per node of a dimension.",
    ("dimension", "node_id"),
    (
        _DIMENSION,
        text("node_id", "Event name or topic_id"),
        text("node_label", "Event name, or label of the topic"),
        integer("event_count", "Events on the node"),
        integer("session_count", "Sessions that visit it"),
        integer("start_count", "Sessions that start on it"),
        number("start_share", "start_count over the sessions of the dimension"),
        integer("end_count", "Sessions that end on it"),
        number("end_share", "end_count over the sessions of the dimension"),
        number("repeat_share", "Share of its events that directly follow another event on it"),
        number(
            "pagerank", "PageRank on the transitions between nodes, weight transition_count; sums to 1 in a dimension"
        ),
        number(
            "betweenness",
            "Share of the shortest paths between other nodes that pass it; length of an edge = -log probability; "
            "above 500 nodes an estimate from the paths of 500 of them",
        ),
    ),
)

_TOLD = "left out where they are fewer than privacy_min_users"
_INTERVAL = (
    number("difference_low", "Lower end of its 95 % confidence interval; events of one user count as dependent"),
    number("difference_high", "Upper end of it"),
)

JOURNEY_LOOPS = Table(
    "journey_loops",
    "One row per pair of nodes of which sessions leave the first for the other and come right back, in a dimension.",
    ("dimension", "node_id", "other_node_id"),
    (
        _DIMENSION,
        text("node_id", "Node of a step and of the next but one"),
        text("other_node_id", "Node of the step between"),
        integer("bounce_count", "Times that it happened; A, B, A, B is once from A and once from B"),
        integer("session_count", "Sessions in which it happened"),
        integer("user_count", f"Users to whom it happened; {_TOLD}"),
        number("session_share", "session_count over the sessions of the dimension"),
    ),
)

JOURNEY_PATHS = Table(
    "journey_paths",
    "One row per path of 2 to 5 steps that a session takes in a dimension, and per path of a whole session.",
    ("dimension", "is_whole_session", "path"),
    (
        _DIMENSION,
        Column("path", "texts", "Nodes of the steps in their order"),
        integer("step_count", "Nodes of the path"),
        Column("is_whole_session", "boolean", "Whether it is all that a session does, of any length"),
        integer("session_count", "Sessions that take it, at least once"),
        integer("user_count", f"Users who take it; {_TOLD}"),
        number("session_share", "session_count over the sessions of the dimension"),
    ),
)

JOURNEY_SEGMENTS = Table(
    "journey_segments",
    "One row per edge of a dimension, enum field and value; transitions count whose earlier event carries the field "
    "(from (start): whose later one does).",
    ("dimension", "from_node_id", "to_node_id", "segment_field", "segment_value"),
    (
        _DIMENSION,
        text("from_node_id", "Node of the earlier event, or (start)"),
        text("to_node_id", "Node of the later event, or (end)"),
        text("segment_field", "Enum field"),
        text(
            "segment_value",
            "Its value. A value is compared where 10 transitions from the node and 5 users have it, and as many do not "
            "(or sessions where the user is not known; privacy_min_users where that is more)",
        ),
        integer("transition_count", "Transitions of the edge with the value"),
        number("probability_in_segment", "transition_count over all with the value that leave from_node_id"),
        number("probability_elsewhere", "The same share of the transitions with another value of the enum field"),
        number("difference", "probability_in_segment less probability_elsewhere"),
        *_INTERVAL,
        number(
            "q_value",
            "Share of chance to expect among the rows that differ as clearly (Benjamini-Hochberg over all rows of the "
            "dimension, whatever the enum field)",
        ),
    ),
)

TOPIC_OUTCOMES = Table(
    "topic_outcomes",
    "One row per topic and outcome event: how often a session's first visit to the topic is followed by the event.",
    ("field", "topic_id", "outcome_event_name"),
    (
        text("field", "Text field"),
        text(
            "topic_id",
            "Topic, as journeys follow it. It is compared where 10 sessions and 5 users visit it, and as many another "
            "(or sessions where the user is not known; privacy_min_users where that is more)",
        ),
        text("outcome_event_name", "Name of the event; any may be an outcome"),
        integer("session_count", "Sessions that visit the topic"),
        integer("outcome_session_count", "Those in which the event comes after the first visit to the topic"),
        number("outcome_share", "outcome_session_count over session_count"),
        number(
            "baseline_share",
            "The same share of the sessions' first visits to each other topic of the field: a visit to it and one to "
            "another are as likely to be followed by the event where topics do not matter",
        ),
        number("difference", "outcome_share less baseline_share"),
        *_INTERVAL,
        number(
            "q_value",
            "Share of chance to expect among the rows that differ as clearly (Benjamini-Hochberg over all topics and "
            "outcomes of the text field)",
        ),
    ),
)

PIPELINE_RUNS = Table(
    "pipeline_runs",
    "One row per run that was published.",
    ("run_id",),
    (
        text("run_id", "The run"),
        timestamp("started_at", "When it started"),
        timestamp("published_at", "When its tables were published"),
        integer("event_count", "Accepted events"),
        integer("topic_count", "Active topics"),
        number("no_topic_share", "Share of event and text field pairs without a topic", nullable=True),
        text("embedding_model", "Model of the embeddings"),
        text("settings_sha256", "Hash of the settings that change what is published"),
        text("package_version", "Version of the pipeline"),
        text("input_sha256", "Hash of the landing files: with settings and code it says whether there is anything new"),
        text("code_sha256", "Hash of the pipeline's code and models"),
        text("topic_state_id", "State of the topics that the next run continues from"),
    ),
)

QUALITY_CHECKS = Table(
    "quality_checks",
    "One row per check of a built table in the run that was published.",
    ("table_name", "check_name"),
    (
        text("table_name", "Table that was checked"),
        text("check_name", "What was checked"),
        Column("is_passed", "boolean", "Whether it held"),
        Column("is_blocking", "boolean", "Whether a failure would have stopped publishing"),
    ),
)

LAKE_TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        EVENTS, REJECTED_EVENTS, SOURCE_FILES, EVENT_VALUES, FIELDS, EVENT_TEXTS, TEXTS, TEXT_TOPICS, TOPIC_DEFINITIONS,
        TOPIC_LINEAGE, TOPIC_RUNS, CONTINUATIONS, TOPIC_TRENDS, TOPIC_SEGMENTS, JOURNEY_STEPS, JOURNEY_EDGES,
        JOURNEY_NODES, JOURNEY_LOOPS, JOURNEY_PATHS, JOURNEY_SEGMENTS, TOPIC_OUTCOMES,
    )
}  # fmt: skip
"""Written by Python as Parquet under lake/."""

MART_TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        EVENTS, REJECTED_EVENTS, SOURCE_FILES, FIELDS, FIELD_VALUES, NUMBER_DAYS, TOPICS, EVENT_TOPICS, TOPIC_DAYS,
        TOPIC_LINEAGE, TOPIC_RUNS, TOPIC_SEGMENTS, TOPIC_NUMBERS, SESSIONS, JOURNEY_STEPS, JOURNEY_EDGES, JOURNEY_NODES,
        JOURNEY_LOOPS, JOURNEY_PATHS, JOURNEY_SEGMENTS, TOPIC_OUTCOMES, QUALITY_CHECKS, PIPELINE_RUNS,
    )
}  # fmt: skip
"""Published in schema marts: built by dbt, but for quality_checks and pipeline_runs, which publishing writes."""
