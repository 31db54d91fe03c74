"""Tables of the metadata fields: their types and their values."""

from turret_pipeline.tables.contract import Column, Table, boolean, integer, number, text, timestamp

FIELD_TYPES = ("text", "enum", "number", "identifier", "datetime", "structured", "constant")
"""Types of metadata fields. Only text is clustered, only enum makes segments, only number is charted.

Structured fields hold lists, or objects written as text (objects themselves are flattened). A constant field holds a
number or a phrase that never changes, or only blank values; a single word that never changes is an enum of one value.
"""


FIELDS = Table(
    "fields",
    "One row per metadata field.",
    ("field",),
    (
        text("field", "Path of the value in the metadata, with nested keys joined by dots"),
        text("type", f"Type in force: {', '.join(FIELD_TYPES)}"),
        text("detected_type", "Type detected from the values"),
        boolean("is_overridden", "True if a person set the type (turret fields set, or setting field_types)"),
        boolean(
            "is_uncertain",
            "True if the type is a close call: the values nearly have another type, which the reason names, and no "
            "person set one",
        ),
        text("reason", "Reason for the detected type"),
        integer("event_count", "Events with the field"),
        number("present_share", "event_count divided by all events"),
        integer("distinct_count", "Distinct values"),
        Column(
            "example_values", "texts", "Up to 5 most common values of an enum or number field; empty for other types"
        ),
        number("number_min", "Smallest value of a number field", nullable=True),
        number("number_mean", "Mean value of a number field", nullable=True),
        number("number_max", "Largest value of a number field", nullable=True),
        timestamp("first_seen_at", "Time of the earliest event with the field (UTC)"),
        integer("validated_event_count", "Events whose value fits the type in force"),
    ),
)

FIELD_TYPE_CHANGES = Table(
    "field_type_changes",
    "One row per change of a field's type, including its first type.",
    ("field", "change_number"),
    (
        text("field", "Path of the value in the metadata, with nested keys joined by dots"),
        integer("change_number", "Position among the changes of the field, from 1"),
        text("run_id", "Run that made the change"),
        timestamp("changed_at", "Time at which that run decided on the types (UTC)"),
        text("previous_type", "Type before the change; null for the first type", nullable=True),
        text("type", "Type after the change"),
        text(
            "cause",
            "first_event or hundred_events (detection on that many events), more_values (detection on all events of a "
            "run), new_rules (the same events, but another version of the pipeline), override (set by a person), or "
            "unset (override removed)",
        ),
        text("reason", "Reason for the type"),
        integer("event_count", "Events with the field on which the type is based"),
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
        number("event_share", "event_count divided by the events whose value of the field is not blank"),
    ),
)

SESSION_VALUES = Table(
    "session_values",
    "One row per session and enum field that any of its events has a value in.",
    ("session_id", "field"),
    (
        text("session_id", "Session"),
        text("field", "Enum field"),
        text("value", "Value of the session's first event with a value of the field that is not blank"),
    ),
)

NUMBER_DAYS = Table(
    "number_days",
    "One row per number field and day (UTC).",
    ("field", "event_date"),
    (
        text("field", "Number field"),
        Column("event_date", "date", "Day of the events (UTC)"),
        integer("value_count", "Values on that day"),
        number("value_mean", "Mean of the values"),
        number("value_p50", "Median of the values, interpolated"),
        number("value_p95", "95th percentile of the values, interpolated"),
    ),
)
