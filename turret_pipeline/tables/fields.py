"""Tables of the metadata fields: what each is, and what values it takes."""

from turret_pipeline.tables.contract import Column, Table, boolean, integer, number, text, timestamp

FIELD_TYPES = ("text", "enum", "number", "identifier", "datetime", "structured", "constant")
"""What a metadata field can be. Only text is clustered, only enum makes segments, only number is charted.

Structured are lists, and objects written as text (objects themselves are flattened). Constant is a number or a phrase
that never changes, and a field whose values are all blank; a single word that never changes is an enum of one value.
"""

TYPE_CHANGE_CAUSES = ("first_event", "hundred_events", "more_values", "new_rules", "override", "unset")

FIELDS = Table(
    "fields",
    "One row per metadata field.",
    ("field",),
    (
        text("field", "Path of the value in the metadata, nested keys joined by dots"),
        text("type", f"Type in force: {', '.join(FIELD_TYPES)}"),
        text("detected_type", "Type that the values suggest"),
        boolean("is_overridden", "Whether a person set the type (turret fields set, or setting field_types)"),
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

FIELD_TYPE_CHANGES = Table(
    "field_type_changes",
    "One row per change of a field's type; its first type is one.",
    ("field", "change_number"),
    (
        text("field", "Path of the value in the metadata, nested keys joined by dots"),
        integer("change_number", "Position among the changes of the field"),
        text("run_id", "Run that made the change"),
        timestamp("changed_at", "When that run decided on the types"),
        text("previous_type", "Type before; null for the first", nullable=True),
        text("type", "Type from then on"),
        text(
            "cause",
            "first_event or hundred_events (detection on as many events), more_values (on all events of a run), "
            "new_rules (on the same events, by another version), override, unset (of an override)",
        ),
        text("reason", "Why that type"),
        integer("event_count", "Events with the field that were looked at"),
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
