"""Tables of sessions, and of their journeys through topics and event names."""

from turret_pipeline.tables.contract import Table, boolean, integer, number, text, timestamp

START, END = "(start)", "(end)"
"""Pseudo-nodes before the first and after the last event of a session."""

OTHER = "(other)"
"""Pseudo-node for transitions of too few users to be shown: edges lead to it and from it."""

STRUGGLE_OUTCOME = "(struggle)"
"""Name of exchanges that went wrong among the outcome events of topics. No event may have it, or that of a pseudo-node.
"""

EVENT_NAME = "event_name"
"""The journey dimension whose nodes are the names of the events."""

USER = "user:"
"""Prefix of the journey dimensions in which all events of a user are one sequence."""

SESSIONS = Table(
    "sessions",
    "One row per session.",
    ("session_id",),
    (
        text("session_id", "Id of the session"),
        text("user_id", "User of all its events; null if unknown", nullable=True),
        timestamp("started_at", "Time of its first event (UTC)"),
        timestamp("ended_at", "Time of its last event (UTC)"),
        number("duration_seconds", "Seconds from its first to its last event"),
        integer("event_count", "Events of the session"),
        boolean("is_derived", "True if the pipeline derived the session"),
    ),
)

DIMENSION = text(
    "dimension",
    "event_name, or a text field whose topics are the nodes; user:event_name or user:FIELD: the same nodes, with all "
    "events of a user as one sequence, so that counts and shares of sessions are counts and shares of users",
)

_DEPENDENT = "wider if users differ more than chance explains"
_SUPPRESSED = "null if they have fewer users than privacy_min_users, unless that is 1 or less"

JOURNEY_STEPS = Table(
    "journey_steps",
    "One row per step of a sequence in a dimension: consecutive events on one node.",
    ("dimension", "sequence_id", "step_number"),
    (
        DIMENSION,
        text("sequence_id", "The session_id, or the user_id in a dimension that starts with user:"),
        text("session_id", "The session; null in a dimension that starts with user:", nullable=True),
        text("user_id", "User of the first event of the step", nullable=True),
        integer("step_number", "Position of the step in the sequence, from 1, without gaps"),
        text("node_id", "Event name or topic_id"),
        timestamp("started_at", "Time of the first event of the step (UTC)"),
        timestamp("ended_at", "Time of the last event of the step (UTC)"),
        integer("event_count", "Events of the step"),
        number(
            "seconds_to_next",
            "Seconds from its last event to the first event of the next step; null for the last step",
            nullable=True,
        ),
    ),
)

JOURNEY_EDGES = Table(
    "journey_edges",
    "One row per pair of nodes that directly follow each other in a dimension, including a node that follows itself.",
    ("dimension", "from_node_id", "to_node_id"),
    (
        DIMENSION,
        text("from_node_id", "Node of the earlier event, (start) or (other)"),
        text(
            "to_node_id",
            "Node of the later event, (end) or (other). An edge of fewer users than privacy_min_users is counted as an "
            "edge to (other) and an edge from it",
        ),
        integer("transition_count", "Transitions from the one node to the other"),
        integer("session_count", "Sessions with at least one such transition"),
        integer("user_count", "Users with at least one such transition"),
        number(
            "probability", "transition_count divided by all transitions from from_node_id, including those to (end)"
        ),
        number("probability_low", f"Lower end of its 95 % confidence interval (Wilson); {_DEPENDENT}"),
        number("probability_high", "Upper end of that interval"),
        number(
            "median_seconds",
            "Median seconds between the two events; null from (start), from (other) and to (end)",
            nullable=True,
        ),
        number(
            "p95_seconds", "95th percentile of these seconds, interpolated; null if median_seconds is", nullable=True
        ),
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
        integer("session_count", "Sessions that visit the node"),
        integer("start_count", f"Sessions that start on the node; {_SUPPRESSED}", nullable=True),
        number(
            "start_share",
            "start_count divided by the sessions of the dimension; null if start_count is",
            nullable=True,
        ),
        number("start_share_low", f"Lower end of its 95 % confidence interval (Wilson); {_DEPENDENT}", nullable=True),
        number("start_share_high", "Upper end of that interval", nullable=True),
        integer("end_count", f"Sessions that end on the node; {_SUPPRESSED}", nullable=True),
        number("end_share", "end_count divided by the sessions of the dimension; null if end_count is", nullable=True),
        number("end_share_low", f"Lower end of its 95 % confidence interval (Wilson); {_DEPENDENT}", nullable=True),
        number("end_share_high", "Upper end of that interval", nullable=True),
        number("drop_off_share", "end_count divided by session_count; null if end_count is", nullable=True),
        number(
            "other_drop_off_share",
            "The same share for the other nodes together: of all visits of a session to one of them, counted once per "
            "session and node, those at whose node the session ends; null without other nodes, or if end_count is null",
            nullable=True,
        ),
        number(
            "drop_off_q_value",
            "Expected share of false findings among the nodes with this q-value or less; a finding is a drop_off_share "
            "that differs from that of the other nodes (Benjamini-Hochberg over the nodes of the dimension; sessions "
            "of one user count as dependent). Null if fewer than 10 sessions or 5 users (sessions if the user is "
            "unknown) visit the node, or visit another one, or if end_count is null",
            nullable=True,
        ),
        number(
            "repeat_share",
            f"Share of the events on the node that directly follow another event on it; {_SUPPRESSED}",
            nullable=True,
        ),
        number(
            "pagerank",
            "PageRank on the graph of transitions between nodes, weighted by transition_count; sums to 1 per dimension",
        ),
        number(
            "betweenness",
            "Share of the shortest paths between other nodes that pass through the node; the length of an edge is "
            "-log(probability). Estimated from the paths of a sample of nodes if there are more than 100,000,000 pairs "
            "of a node and an edge",
        ),
    ),
)
