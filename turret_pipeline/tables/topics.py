"""Tables of texts and topics: distinct texts, their topics, and the changes of topics over runs."""

from turret_pipeline.tables.contract import Column, Table, boolean, integer, number, text, timestamp
from turret_pipeline.tables.insights import TREND

ACTIVE, RETIRED = "active", "retired"
"""Values of the status of a topic, beside merged."""

CHANGES = ("born", "split", "merged", "retired", "revived", "renamed")
"""Changes of topics in a run, as topic_lineage lists and topic_runs counts them."""

EVENT_TEXTS = Table(
    "event_texts",
    "One row per event and text field present on it.",
    ("event_id", "field"),
    (
        text("event_id", "Id of the event"),
        text("field", "Text field"),
        text("text_id", "Hash of the text without surplus white space; null if the text is empty", nullable=True),
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
        integer("event_count", "Events with the text"),
        text("language", "Language of the text (ISO 639 code); null without letters", nullable=True),
    ),
)

TEXT_TOPICS = Table(
    "text_topics",
    "One row per text field and distinct text of all runs.",
    ("field", "text_id"),
    (
        text("field", "Text field"),
        text("text_id", "Hash of the text"),
        text("topic_id", "Topic of the text; null if unassigned", nullable=True),
        number(
            "similarity", "Cosine to the centroid of the topic, or of the nearest topic if unassigned", nullable=True
        ),
        text("runner_up_topic_id", "Next nearest topic", nullable=True),
        number("runner_up_similarity", "Cosine to the centroid of that topic", nullable=True),
        text("found_topic_id", "Topic before a person merged it into another; null if unassigned", nullable=True),
        text(
            "embedding_model",
            "Model that embedded the text, or its student (setting embedding_method); null if no available model reads "
            "its language",
            nullable=True,
        ),
    ),
)

_TOPIC = (
    text("topic_id", "FIELD-NUMBER, assigned once and never reused; FIELD-other for suppressed topics"),
    text("field", "Text field"),
    text("label", "Name of the topic"),
    text(
        "label_source",
        "Origin of the label: keywords, llm, person, or privacy (topics of too few users, combined into one; setting "
        "privacy_min_users)",
    ),
    text(
        "description",
        "Three phrases, or a sentence from an LLM, and facts: number of texts and, in the published table, of users",
    ),
    Column("keywords", "texts", "Words that distinguish it from the other topics of the field, strongest first"),
    Column("example_texts", "texts", "Up to 5 texts that are near its centroid and differ from each other"),
    text("theme_id", "Theme of the topic: FIELD-theme-NUMBER"),
    text("theme_label", "Name of the theme"),
    text("status", "active, or retired (without texts)"),
    boolean("is_locked", "True if a person locked the topic: runs neither split nor merge it"),
    text(
        "role", "subject, or continuation: its texts follow up on the subject of a session (yes please, 3100, thanks)"
    ),
    text("role_reason", "Reason for the role: its place in sessions, or an edit of a person"),
    text("merged_into_topic_id", "Topic into which a person merged it", nullable=True),
    number("cohesion", "Mean cosine between two of its texts; 1 if all texts mean the same", nullable=True),
    number(
        "separation", "1 minus the cosine of its centroid to the nearest other centroid of the field", nullable=True
    ),
    text("nearest_topic_id", "Topic with the nearest centroid", nullable=True),
    number(
        "map_x",
        "Position on the map of the field's topics, -1 to 1; similar topics are near each other; kept between runs",
        nullable=True,
    ),
    number("map_y", "Position on that map, upwards", nullable=True),
)

TOPIC_DEFINITIONS = Table(
    "topic_definitions",
    "One row per topic, including retired topics.",
    ("topic_id",),
    (
        *_TOPIC,
        text("found_label", "Label before a person changed it", nullable=True),
        text("found_label_source", "Origin of that label: keywords or llm", nullable=True),
        text("split_edit_id", "Edit by which a person split it from another topic", nullable=True),
    ),
)

CONTINUATIONS = Table(
    "continuations",
    "One row per event and text field whose text is a follow-up in its session.",
    ("event_id", "field"),
    (
        text("event_id", "Id of the event"),
        text("field", "Text field"),
        text("continues_topic_id", "Subject that it continues, or that it leads up to at the start of a session"),
    ),
)

TOPIC_RUNS = Table(
    "topic_runs",
    "One row per run and text field: the quality of the topics and the number of changes.",
    ("run_id", "field"),
    (
        text("run_id", "Id of the run"),
        integer("run_number", "Position of the run among the published runs, from 1"),
        timestamp("started_at", "Time at which the run started (UTC)"),
        text("field", "Text field"),
        integer("text_count", "Distinct texts"),
        integer("topic_count", "Active topics"),
        integer("theme_count", "Themes of the active topics"),
        number("coverage", "Share of the distinct texts that have a topic", nullable=True),
        number(
            "readable_coverage",
            "Share of the distinct texts in languages that a model reads that have a topic",
            nullable=True,
        ),
        text(
            "embedding_models",
            "Embedding models of the field's texts; the main one, named first, changes only with `turret topics refit`",
            nullable=True,
        ),
        number(
            "student_share",
            "Share of the distinct texts that a student of the model embedded (setting embedding_method)",
            nullable=True,
        ),
        number(
            "stability",
            "Mean share of repeated clusterings with other seeds in which neighbours of one cluster are together; of "
            "the last run that clustered",
            nullable=True,
        ),
        number("kept_share", "Share of the texts that had a topic before and keep it", nullable=True),
        *(integer(f"{change}_count", f"Topics {change} in the run (topic_lineage)") for change in CHANGES),
        text("note", "Reason for no topics, or signs that the topics say little", nullable=True),
        number(
            "found_granularity",
            "Setting topic_granularity when the field's topics were last found from scratch",
            nullable=True,
        ),
        integer("found_min_texts", "Setting topic_min_texts at that time", nullable=True),
        number("found_floor", "Setting topic_floor at that time", nullable=True),
    ),
)

FIELD_LANGUAGES = Table(
    "field_languages",
    "One row per text field and language of its texts.",
    ("field", "language"),
    (
        text("field", "Text field"),
        text("language", "Language (ISO 639 code); unknown for texts without letters"),
        integer("text_count", "Distinct texts in the language"),
        integer("event_count", "Events with these texts"),
        number("event_share", "event_count divided by the events whose text is not empty"),
        text("embedding_model", "Model that reads the language; null if no available model does", nullable=True),
        number(
            "reading",
            "How well that model reads the language: mean cosine of requests in it to the same requests in English, 1 "
            "at best; null if that was not measured",
            nullable=True,
        ),
        number("assigned_share", "Share of the events that have a topic"),
    ),
)

TOPICS = Table(
    "topics",
    "One row per topic, including retired topics.",
    ("topic_id",),
    (
        *_TOPIC,
        integer("text_count", "Distinct texts"),
        integer("event_count", "Events of the topic's own texts, without follow-ups"),
        integer("session_count", "Sessions with at least one event of the topic"),
        integer("user_count", "Users with at least one event of the topic"),
        number("event_share", "event_count divided by the events on which the field is present"),
        integer("exchange_count", "Exchanges about the topic, with follow-ups; 0 for fields that hold no prompts"),
        number("exchange_share", "exchange_count divided by the exchanges with a prompt in the field"),
        number("mean_similarity", "Mean cosine of its distinct texts to its centroid", nullable=True),
        timestamp("first_event_at", "Time of its earliest event (UTC)", nullable=True),
        timestamp("last_event_at", "Time of its latest event that is not ahead (UTC)", nullable=True),
        *TREND,
        number(
            "emerging_q_value",
            "Expected share of false findings among the field's topics with this q-value or less (Benjamini-Hochberg "
            "over the field's topics); allows for users with several events and for differences between days",
            nullable=True,
        ),
    ),
)

EVENT_TOPICS = Table(
    "event_topics",
    "One row per event and text field present on it.",
    ("event_id", "field"),
    (
        text("event_id", "Id of the event"),
        text("field", "Text field"),
        text("topic_id", "Topic of the event's own text; null if unassigned", nullable=True),
        text(
            "outcome",
            "assigned, continuation (follow-up of a subject of the session), outlier (unlike its nearest neighbours, "
            "or of a topic with too few users to be shown, and not a follow-up), unreadable (in a language that no "
            "available embedding model reads), or empty",
        ),
        *TEXT_TOPICS.columns[3:6],
        text(
            "continues_topic_id",
            "Subject that a follow-up continues, or leads up to at the start of a session; journeys use it as the node",
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
        timestamp("changed_at", "Time at which that run started (UTC)"),
        text("field", "Text field"),
        text("topic_id", "Topic"),
        text(
            "change",
            "born, split (from the other topic), merged (into the other topic), retired, revived, renamed, or the new "
            "role: subject, continuation",
        ),
        text("other_topic_id", "Other topic of a split or merge", nullable=True),
        number("overlap_share", "Share of the texts in common with that topic", nullable=True),
    ),
)
