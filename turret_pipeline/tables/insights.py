"""Tables of topics over days, across segments, and with the numbers of their events."""

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
        integer("session_count", "Sessions with at least one such event"),
        integer("user_count", "Users with at least one such event"),
        number("event_share", "event_count divided by the events of that day on which the field is present"),
    ),
)

_WRONG_CLOCKS = (
    "Events with wrong clocks are left out: a single event, or at most 1 % of the compared events, with more than "
    "trend_days between them and all others"
)

DATA_DAYS = Table(
    "data_days",
    f"One row per period of the data: that of all events, if there are any. {_WRONG_CLOCKS}.",
    ("first_date",),
    (
        Column("first_date", "date", "First day with events (setting time_zone)"),
        Column("last_date", "date", "Last day with events (setting time_zone)"),
    ),
)

TREND = (
    number(
        "growth",
        "Relative change of the topic's share of its field's events, from the up to four times as many days before to "
        "the last days (setting trend_days, ending on the day of the latest event, UTC); 1 means that the share "
        "doubled. Null if the topic has no event before, and for all topics of a field known for less than twice "
        f"trend_days. {_WRONG_CLOCKS}",
        nullable=True,
    ),
    boolean(
        "is_emerging",
        "True if the share grew by half or more, beyond chance (emerging_q_value at most 0.05), with 10 or more events "
        "of 5 or more users in the last days (sessions if the user is unknown), and the topic's cohesion is not far "
        "below that of the field's other topics; null if nothing can be compared",
        nullable=True,
    ),
)

TOPIC_TRENDS = Table(
    "topic_trends",
    "One row per topic with events.",
    ("topic_id",),
    (
        text("topic_id", "Topic"),
        text("field", "Text field"),
        integer("recent_event_count", "Events in the last days (see growth)"),
        integer("before_event_count", "Events in the up to four times as many days before"),
        number(
            "recent_share",
            "recent_event_count divided by the events of those days on which the field is present",
            nullable=True,
        ),
        number(
            "before_share",
            "before_event_count divided by the events of those days on which the field is present",
            nullable=True,
        ),
        *TREND,
        number(
            "p_value",
            "One-sided p-value of the growth; null if the topic does not occur in those days",
            nullable=True,
        ),
        number("q_value", "Benjamini-Hochberg q-value of the growth, over the topics of the field", nullable=True),
    ),
)

SEGMENT = (
    text("segment_field", "Enum field"),
    text(
        "segment_value",
        "Value of the enum field. A value is compared if at least 10 events and 5 users have it, and as many do not. "
        "If the user is unknown, sessions count instead of users; privacy_min_users replaces 5 if it is larger",
    ),
)

TOPIC_SEGMENTS = Table(
    "topic_segments",
    "One row per topic, enum field and value, over events with both the text field and the enum field.",
    ("topic_id", "segment_field", "segment_value"),
    (
        text("field", "Text field"),
        text("topic_id", "Topic"),
        *SEGMENT,
        integer("event_count", "Events of the topic with the value"),
        integer("session_count", "Sessions with at least one such event"),
        number(
            "share_in_segment", "event_count divided by the events with the value on which the text field is present"
        ),
        number("share_elsewhere", "The same share among the events with other values of the enum field"),
        number("difference", "share_in_segment minus share_elsewhere"),
        number("difference_low", "Lower end of its 95 % confidence interval; events of one user count as dependent"),
        number("difference_high", "Upper end of that interval"),
        number(
            "q_value",
            "Expected share of false findings among the rows with this q-value or less (Benjamini-Hochberg over all "
            "rows of the text field, of all enum fields together)",
        ),
    ),
)

TOPIC_NUMBERS = Table(
    "topic_numbers",
    "One row per topic and number field, over events with both.",
    ("topic_id", "number_field"),
    (
        text("field", "Text field"),
        text("topic_id", "Topic"),
        text("number_field", "Number field"),
        integer("value_count", "Values on events of the topic"),
        number("value_mean", "Mean of the values"),
        number("value_p50", "Median of the values, interpolated"),
        number("value_p95", "95th percentile of the values, interpolated"),
    ),
)
