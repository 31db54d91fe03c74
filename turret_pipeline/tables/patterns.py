"""Tables of what recurs in journeys: loops and paths, and how segments and outcomes differ."""

from turret_pipeline.tables.contract import Column, Table, boolean, integer, number, text
from turret_pipeline.tables.journeys import DIMENSION

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
        DIMENSION,
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
        DIMENSION,
        Column("path", "texts", "Nodes of the steps in their order"),
        integer("step_count", "Nodes of the path"),
        boolean("is_whole_session", "Whether it is all that a session does, of any length"),
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
        DIMENSION,
        text("from_node_id", "Node of the earlier event, or (start)"),
        text("to_node_id", "Node of the later event, or (end)"),
        text("segment_field", "Enum field"),
        text(
            "segment_value",
            "Its value. A value is compared where 10 transitions from the node and 5 users have it, and as many do not "
            "(or sessions where the user is not known; privacy_min_users where that is more)",
        ),
        integer(
            "transition_count",
            "Transitions of the edge with the value. Left out where they are of fewer users than privacy_min_users "
            "(events without a user count as nobody's), and where all that is left out of the node with the value, or "
            "of the edge with the field, is of fewer",
        ),
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
        integer(
            "outcome_session_count",
            "Those in which the event comes after the first visit to the topic. Left out where these, or the others of "
            "the topic, are of fewer users than privacy_min_users (sessions without a user count as nobody's), and "
            "where all that is left out of the event is of fewer",
        ),
        number("outcome_share", "outcome_session_count over session_count"),
        number(
            "baseline_share",
            "The same share of the sessions' first visits to each other topic of the field. Place counts: after a "
            "topic that opens sessions more is left to come, and a late one scores low by its place alone",
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
