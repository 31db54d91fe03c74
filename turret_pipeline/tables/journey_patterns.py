"""Tables of patterns in journeys: loops and paths, and differences between segments and between topics."""

from turret_pipeline.tables.contract import Column, Table, boolean, integer, number, text
from turret_pipeline.tables.journeys import DIMENSION, STRUGGLE_OUTCOME

_SUPPRESSED = "rows of fewer users than privacy_min_users are left out"
_INTERVAL = (
    number("difference_low", "Lower end of its 95 % confidence interval; events of one user count as dependent"),
    number("difference_high", "Upper end of that interval"),
)

JOURNEY_LOOPS = Table(
    "journey_loops",
    "One row per pair of nodes in a dimension where sessions leave the first for the second and come right back.",
    ("dimension", "node_id", "other_node_id"),
    (
        DIMENSION,
        text("node_id", "Node that is left and returned to"),
        text("other_node_id", "Node of the step in between"),
        integer(
            "bounce_count", "Times that sessions leave and come right back; A, B, A, B is once from A and once from B"
        ),
        integer("session_count", "Sessions that do so at least once"),
        integer("user_count", f"Users who do so at least once; {_SUPPRESSED}"),
        number("session_share", "session_count divided by the sessions of the dimension"),
    ),
)

JOURNEY_PATHS = Table(
    "journey_paths",
    "One row per path of 2 to 5 steps that a session takes in a dimension, and per path of a whole session.",
    ("dimension", "is_whole_session", "path"),
    (
        DIMENSION,
        Column("path", "texts", "Nodes of the steps, in order"),
        integer("step_count", "Steps of the path"),
        boolean("is_whole_session", "True if the path is all steps of a session, of any number"),
        integer("session_count", "Sessions that take the path at least once"),
        integer("user_count", f"Users who take the path; {_SUPPRESSED}"),
        number("session_share", "session_count divided by the sessions of the dimension"),
    ),
)

JOURNEY_SEGMENTS = Table(
    "journey_segments",
    "One row per edge of a dimension, enum field and value, over transitions whose earlier event has the field "
    "(from (start): whose later event has it).",
    ("dimension", "from_node_id", "to_node_id", "segment_field", "segment_value"),
    (
        DIMENSION,
        text("from_node_id", "Node of the earlier event, or (start)"),
        text("to_node_id", "Node of the later event, or (end)"),
        text("segment_field", "Enum field"),
        text(
            "segment_value",
            "Value of the enum field. A value is compared if at least 10 transitions from the node and 5 users have "
            "it, and as many do not. If the user is unknown, sessions count instead of users; privacy_min_users "
            "replaces 5 if it is larger",
        ),
        integer(
            "transition_count",
            "Transitions of the edge with the value. Rows are left out if these have fewer users than "
            "privacy_min_users (unknown users do not count), or if all that is left out of the node with the value, or "
            "of the edge with the field, has fewer",
        ),
        integer("leaving_count", "All transitions with the value from from_node_id"),
        integer("other_leaving_count", "All transitions with other values of the enum field from from_node_id"),
        number("probability_in_segment", "transition_count divided by leaving_count"),
        number("probability_elsewhere", "The same share of other_leaving_count"),
        number("difference", "probability_in_segment minus probability_elsewhere"),
        *_INTERVAL,
        number(
            "q_value",
            "Expected share of false findings among the rows with this q-value or less (Benjamini-Hochberg over all "
            "rows of the dimension, of all enum fields together)",
        ),
    ),
)

JOURNEY_STRUGGLES = Table(
    "journey_struggles",
    "One row per edge to a topic: how often the exchange that it leads to goes wrong, compared with other ways there.",
    ("dimension", "from_node_id", "to_node_id"),
    (
        text("dimension", "Text field whose topics are the nodes, or user:FIELD, as in journey_edges"),
        text("from_node_id", "Node before the exchange, or (start); the same topic if the session stays on it"),
        text(
            "to_node_id",
            "Topic of the exchange. An edge is compared if at least 10 moves of 5 users take it, and as many take "
            "other edges to the topic. If the user is unknown, sessions count instead of users; privacy_min_users "
            "replaces 5 if it is larger. Topics whose exchanges all go wrong, or none of them, are left out: no edge "
            "to them differs",
        ),
        integer(
            "move_count",
            "Moves of the edge to an exchange in which exchange_signals.is_struggle is decided. Rows are left out if "
            "the exchanges that go wrong, or those that do not, have fewer users than privacy_min_users (unknown users "
            "do not count), or if all that is left out of the topic has fewer",
        ),
        integer("struggle_count", "Of these, moves to an exchange with is_struggle"),
        number("struggle_share", "struggle_count divided by move_count"),
        number("other_struggle_share", "The same share of all other moves to the topic"),
        number("difference", "struggle_share minus other_struggle_share"),
        *_INTERVAL,
        number(
            "q_value",
            "Expected share of false findings among the rows with this q-value or less (Benjamini-Hochberg over all "
            "rows of the dimension)",
        ),
    ),
)

TOPIC_OUTCOMES = Table(
    "topic_outcomes",
    "One row per topic and outcome event: how often the event follows a session's first visit to the topic.",
    ("field", "topic_id", "outcome_event_name"),
    (
        text("field", "Text field"),
        text(
            "topic_id",
            "Topic; a follow-up counts for the topic that it continues. A topic is compared if at least 10 sessions "
            "and 5 users visit it, and as many visit another one; at the same places, at least 10 sessions must visit "
            "it, and others as often. If the user is unknown, sessions count instead of users; privacy_min_users "
            "replaces 5 if it is larger",
        ),
        text(
            "outcome_event_name",
            f"Name of the event; every event name may be an outcome. {STRUGGLE_OUTCOME}, which no event is named, is "
            "an exchange with exchange_signals.is_struggle. One in which that is not decided does not count: if no "
            "other follows, the outcome does not follow",
        ),
        integer("session_count", "Sessions that visit the topic"),
        integer(
            "outcome_session_count",
            "Sessions in which the event follows the first visit to the topic. Rows are left out if these, or the "
            "other sessions of the topic, have fewer users than privacy_min_users (unknown users do not count), or if "
            "all that is left out of the event has fewer",
        ),
        number("outcome_share", "outcome_session_count divided by session_count"),
        number(
            "baseline_share",
            "The same share after first visits to the other topics of the field at the same places, weighted to the "
            "topic's distribution over places (direct standardization). A place is the number of the visit in its "
            "session: more events follow an early visit. Where no other topic is visited, the topic's own share counts",
        ),
        number("difference", "outcome_share minus baseline_share"),
        *_INTERVAL,
        number(
            "q_value",
            "Expected share of false findings among the rows with this q-value or less (Benjamini-Hochberg over all "
            "topics and outcomes of the text field)",
        ),
    ),
)
