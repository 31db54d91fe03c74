"""Tables of what topics tell: over days, between segments, and by the numbers of their events."""

from turret_pipeline.tables.contract import Column, Table, boolean, integer, number, text

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

TREND = (
    number(
        "growth",
        "Relative change of the topic's share of its field's events: the last days (setting trend_days, ending on the "
        "day of the latest event, UTC) against the up to four times as many days before; 1 is twice the share. Null "
        "where the topic has no event before, and throughout a field known for less than twice trend_days. Left out "
        "are events of wrong clocks: one event, or at most 1 % of those compared, with a silence of more than "
        "trend_days between them and all others",
        nullable=True,
    ),
    boolean(
        "is_emerging",
        "Whether its share grew by half or more, beyond chance (emerging_q_value at most 0.05), with 3 or more users "
        "in the last days (sessions where the user is not known); null where nothing can be compared",
        nullable=True,
    ),
)

TOPIC_TRENDS = Table(
    "topic_trends",
    "One row per topic that occurs.",
    ("topic_id",),
    (
        text("topic_id", "Topic"),
        text("field", "Text field"),
        integer("recent_event_count", "Events in the last days (see growth)"),
        integer("before_event_count", "Events in the up to four times as many days before"),
        number(
            "recent_share", "recent_event_count over those days' events on which the field is present", nullable=True
        ),
        number(
            "before_share", "before_event_count over those days' events on which the field is present", nullable=True
        ),
        *TREND,
        number("p_value", "One-sided p-value of its growth; null where it does not occur in those days", nullable=True),
        number("q_value", "Benjamini-Hochberg q-value of it, over the topics of the field", nullable=True),
    ),
)

SEGMENT = (
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
        *SEGMENT,
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
