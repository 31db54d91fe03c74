"""Tables of exchanges: prompts with their answers and feedback, and what they tell of topics, users and weeks."""

from turret_pipeline.tables.contract import Column, Table, boolean, integer, number, text, timestamp

PROMPT, ANSWER, FEEDBACK = "prompt", "answer", "feedback"
BY_SETTING, BY_FIELD, BY_NAME = "setting", "field", "event name"
"""Reasons for a role."""

EXCHANGE = "exchange"
CONTINUED, ENDED, OPEN = "continued", "ended", "open"

EXCHANGE_ROLES = Table(
    "exchange_roles",
    "One row per event name and field that mark events as prompts, answers or feedback.",
    ("role", "event_name", "field"),
    (
        text("role", f"{PROMPT}, {ANSWER} or {FEEDBACK}; one event can be both a prompt and an answer"),
        text("event_name", "Name of the events"),
        text("field", "Field that such an event has a value in (a prompt may be blank); empty for all of that name"),
        integer("event_count", "Events with that name and field"),
        text("reason", "setting (prompt_events, answer_events, feedback_events), field, or event name"),
    ),
)

_ID = text("exchange_id", "Exchange: the event_id of its prompt")
_NOT_NEGATIVE = "numbers below 0 are left out"

EXCHANGES = Table(
    "exchanges",
    "One row per prompt of a session, with the answers and the feedback before the session's next prompt.",
    ("exchange_id",),
    (
        _ID,
        text("prompt_event_id", "Event of the prompt"),
        text(
            "answer_event_id",
            "Event of the first answer, which may be the event of the prompt itself; null without an answer",
            nullable=True,
        ),
        text("session_id", "Session of the prompt"),
        text("user_id", "User of the session; null if unknown", nullable=True),
        timestamp("prompt_at", "Time of the prompt (UTC)"),
        text("field", "Text field of the prompt; of several, one that is not blank"),
        text("topic_id", "Topic of the prompt's own text; null if it has none", nullable=True),
        text(
            "subject_topic_id",
            "Topic that the prompt is about: the one that it continues, or else topic_id; null without either",
            nullable=True,
        ),
        integer(
            "session_number",
            "Position of the session among the sessions of its user, from 1; null without a user",
            nullable=True,
        ),
        integer("exchange_number", "Position of the exchange in its session, from 1"),
        integer(
            "subject_number",
            "Position of the subject in its session, from 1: it rises when subject_topic_id is another than that of "
            "the last exchange with a subject. Null before the first subject",
            nullable=True,
        ),
        number(
            "seconds_to_answer",
            "Seconds from the prompt to the first answer; null without an answer, or if both are one event",
            nullable=True,
        ),
        integer("answer_count", "Answers before the session's next prompt"),
        text("model", "Model of the first answer that names one, or else of the prompt", nullable=True),
        number(
            "input_tokens",
            f"Input tokens of the prompt, or else the sum of those of its answers; {_NOT_NEGATIVE}",
            nullable=True,
        ),
        number(
            "output_tokens",
            f"Sum of the output tokens of the answers, or else those of the prompt; {_NOT_NEGATIVE}",
            nullable=True,
        ),
        number(
            "cost_usd",
            f"Sum of the costs of the answers, or else that of the prompt, in US dollars; {_NOT_NEGATIVE}",
            nullable=True,
        ),
        number(
            "latency_seconds",
            f"Latency of the first answer that has one, or else of the prompt, in seconds; {_NOT_NEGATIVE}",
            nullable=True,
        ),
        boolean("is_error", "True if the prompt or an answer failed; null if none says so or denies it", nullable=True),
        number(
            "rating",
            "Last rating of the feedback, or else of the answer: a number (field rating, stars or score), or 1 for "
            "thumbs up and its like, 0 for thumbs down",
            nullable=True,
        ),
        integer("feedback_count", "Feedback events that name the exchange by an id, or come before the next prompt"),
        text(
            "ending",
            f"{CONTINUED} if another prompt of the session follows, {ENDED} if not, or {OPEN} if the session may still "
            "go on: its last event is less than session_gap_minutes before the last event of all",
        ),
    ),
)

EXCHANGE_VALUES = Table(
    "exchange_values",
    "One row per exchange, number or enum field, and side, for all fields without a column in exchanges.",
    ("exchange_id", "field", "side"),
    (
        _ID,
        text("field", "Number or enum field"),
        text(
            "side",
            f"{PROMPT}, {ANSWER} or {FEEDBACK}: the events with the value; of several the first, for feedback the last",
        ),
        number("number_value", "The value of a number field", nullable=True),
        text("text_value", "The value of an enum field", nullable=True),
    ),
)

_TOPIC = (
    text("field", "Text field of the prompts"),
    text("topic_id", "Topic that the prompts are about, with follow-ups"),
)

TOPIC_EXCHANGE_NUMBERS = Table(
    "topic_exchange_numbers",
    "One row per topic, number field and side, over the exchanges about the topic, with follow-ups.",
    ("topic_id", "number_field", "side"),
    (
        *_TOPIC,
        text("number_field", "Number field, or number column of exchanges"),
        text("side", f"{PROMPT}, {ANSWER} or {FEEDBACK}; {EXCHANGE} for columns of exchanges"),
        integer("value_count", "Exchanges with a value"),
        number("value_sum", "Sum of the values"),
        number("value_mean", "Mean of the values"),
        number("value_p50", "Median of the values, interpolated"),
        number("value_p95", "95th percentile of the values, interpolated"),
    ),
)

_WEEK = Column("week_start_date", "date", "First day of the week (settings week_start and time_zone)")
_PARTIAL = boolean("is_partial", "True if the data begin after the first day of the week, or end before its last")
_OF_DATA = "from the first day of the data to the last, without days of wrong clocks (see topics.growth)"

TOPIC_WEEKS = Table(
    "topic_weeks",
    f"One row per topic and week in which it occurs, {_OF_DATA}.",
    ("topic_id", "week_start_date"),
    (
        text("field", "Text field"),
        text("topic_id", "Topic"),
        _WEEK,
        _PARTIAL,
        integer("event_count", "Events of the topic's own texts, without follow-ups"),
        integer("exchange_count", "Exchanges about the topic, with follow-ups; 0 for fields that hold no prompts"),
        integer("session_count", "Sessions with at least one such event or exchange"),
        integer("user_count", "Users with at least one such event or exchange"),
        number(
            "exchange_share",
            "exchange_count divided by all exchanges of the field in the week; null without exchanges",
            nullable=True,
        ),
    ),
)

USER_WEEKS = Table(
    "user_weeks",
    f"One row per week, {_OF_DATA}.",
    ("week_start_date",),
    (
        _WEEK,
        _PARTIAL,
        integer("active_count", "Users with at least one event"),
        integer("new_count", "Of these, users whose first event in these weeks is in the week"),
        integer("returning_count", "Of these, users with an event in an earlier week"),
    ),
)

TOPIC_RETENTION = Table(
    "topic_retention",
    "One row per topic, week of a user's first exchange about it, and number of weeks since, for the complete weeks of "
    "user_weeks.",
    ("topic_id", "cohort_week_date", "weeks_since"),
    (
        *_TOPIC,
        Column("cohort_week_date", "date", "Week of the user's first exchange about the topic: its first day"),
        integer("weeks_since", "Weeks after that week, from 1"),
        integer("cohort_count", "Users whose first exchange about the topic is in that week"),
        integer("returned_count", "Of these, users with any event weeks_since weeks later"),
        number("returned_share", "returned_count divided by cohort_count"),
        number("share_low", "Lower end of its 95 % confidence interval (Wilson)"),
        number("share_high", "Upper end of that interval"),
        integer("returned_to_topic_count", "Of these, users with an exchange about the topic in that later week"),
    ),
)
