"""Tables of texts and topics: what texts there are, the topic of each, and what became of the topics."""

from turret_pipeline.tables.contract import Column, Table, boolean, integer, number, text, timestamp
from turret_pipeline.tables.insights import TREND

CHANGES = ("born", "split", "merged", "retired", "revived", "renamed")
"""What becomes of topics in a run, as topic_lineage calls and topic_runs counts it."""

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
    boolean("is_locked", "Whether a person locked it: the machine neither splits nor merges it"),
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
        *(integer(f"{change}_count", f"Topics {change} in the run (topic_lineage)") for change in CHANGES),
        text("note", "Why there are no topics, or few", nullable=True),
        number("found_granularity", "topic_granularity when the field's topics were last found anew", nullable=True),
        integer("found_min_texts", "topic_min_texts at that time", nullable=True),
        number("found_floor", "topic_floor at that time", nullable=True),
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
        *TREND,
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
