"""Tables of sessions, and of the ways that they take through topics and event names."""

from turret_pipeline.tables.contract import Table, boolean, integer, number, text, timestamp

START, END = "(start)", "(end)"
"""Pseudo-nodes before the first and after the last event of a session."""

OTHER = "(other)"
"""Pseudo-node of what too few users do to be shown: edges lead to it and from it."""

EVENT_NAME = "event_name"
"""The journey dimension whose nodes are the names of the events."""

USER = "user:"
"""Prefix of the journey dimensions in which all events of a user are one sequence."""

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
        boolean("is_derived", "Whether the session was derived by the pipeline"),
    ),
)

DIMENSION = text(
    "dimension",
    "event_name, or a text field whose topics are the nodes; user:event_name or user:FIELD: the same nodes, with all "
    "events of a user as one sequence, so that session counts and shares are counts and shares of users",
)

_DEPENDENT = "wider where users differ more than chance explains"
_TOLD = "null where they are of fewer users than privacy_min_users, if that is above 1"

JOURNEY_STEPS = Table(
    "journey_steps",
    "One row per step of a sequence in a dimension: consecutive events on one node.",
    ("dimension", "sequence_id", "step_number"),
    (
        DIMENSION,
        text("sequence_id", "The session_id, or the user_id in a dimension that starts with user:"),
        text("session_id", "The session; null in a dimension that starts with user:", nullable=True),
        text("user_id", "User of the step's first event", nullable=True),
        integer("step_number", "Position of the step in the sequence, from 1, without gaps"),
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
        DIMENSION,
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
        number("probability_low", f"Lower end of its 95 % confidence interval (Wilson); {_DEPENDENT}"),
        number("probability_high", "Upper end of it"),
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
        DIMENSION,
        text("node_id", "Event name or topic_id"),
        text("node_label", "Event name, or label of the topic"),
        integer("event_count", "Events on the node"),
        integer("session_count", "Sessions that visit it"),
        integer("start_count", f"Sessions that start on it; {_TOLD}", nullable=True),
        number("start_share", "start_count over the sessions of the dimension; null where that is", nullable=True),
        number("start_share_low", f"Lower end of its 95 % confidence interval (Wilson); {_DEPENDENT}", nullable=True),
        number("start_share_high", "Upper end of it", nullable=True),
        integer("end_count", f"Sessions that end on it; {_TOLD}", nullable=True),
        number("end_share", "end_count over the sessions of the dimension; null where that is", nullable=True),
        number("end_share_low", f"Lower end of its 95 % confidence interval (Wilson); {_DEPENDENT}", nullable=True),
        number("end_share_high", "Upper end of it", nullable=True),
        number("drop_off_share", "end_count over session_count; null where that is", nullable=True),
        number(
            "other_drop_off_share",
            "The same share of the sessions' visits to each other node, a session once per node; null where there is "
            "none, or where end_count is",
            nullable=True,
        ),
        number(
            "drop_off_q_value",
            "Share of chance to expect among the nodes whose drop_off_share differs as clearly from that of the others "
            "(Benjamini-Hochberg over the nodes of the dimension; sessions of one user count as dependent); null where "
            "fewer than 10 sessions or 5 users (sessions where the user is not known) come to it, or to another, or "
            "where end_count is",
            nullable=True,
        ),
        number("repeat_share", f"Share of its events that directly follow another event on it; {_TOLD}", nullable=True),
        number(
            "pagerank", "PageRank on the transitions between nodes, weight transition_count; sums to 1 in a dimension"
        ),
        number(
            "betweenness",
            "Share of the shortest paths between other nodes that pass it; length of an edge = -log probability; "
            "with over 2,000,000 pairs of node and edge an estimate from the paths of some of the nodes",
        ),
    ),
)
