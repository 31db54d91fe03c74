"""Facts: sentences on the most important findings about the journeys of a dimension."""

from collections.abc import Collection, Mapping
from typing import Any

import polars as pl

from turret_pipeline.stats.groups import MIN_CLUSTERS, MIN_EVENTS
from turret_pipeline.stats.shares import Q_VALUE_THRESHOLD
from turret_pipeline.tables import END, EVENT_NAME, OTHER, START, STRUGGLE_OUTCOME, USER

LEADERS = 3
COUNTED_ELSEWHERE = " (the report counts the prompts about a topic instead)"
FACT_TABLES = (
    *("journey_nodes", "journey_edges", "journey_loops", "journey_segments", "journey_struggles"),
    "topic_outcomes",
)


def journey_facts(
    tables: Mapping[str, pl.DataFrame],
    dimension: str,
    present: int | None = None,
    follow_ups: Collection[str] = (),
) -> list[str]:
    """Sentences on a dimension from FACT_TABLES: starts, next steps, loops, ends, segments, struggles and
    outcomes.

    ``present`` is the number of sessions (or users) with the field; if only some visit a node, the first sentence is
    about that. ``follow_ups`` are the topics of follow-ups, which are no subject that sessions end on.
    Findings of fewer than MIN_CLUSTERS sessions or MIN_EVENTS events are left out.
    """
    of = {name: tables[name].filter(pl.col(_dimension_column(tables[name])) == dimension) for name in FACT_TABLES}
    nodes, starts = of["journey_nodes"], of["journey_edges"].filter(pl.col("from_node_id") == START)
    sessions = int(starts["transition_count"].sum())  # includes sessions whose first node is suppressed
    if sessions < MIN_EVENTS:
        return []
    labels = dict(nodes.select("node_id", "node_label").iter_rows())
    unit = "users" if dimension.startswith(USER) else "sessions"
    kind = "event names" if dimension.removeprefix(USER) == EVENT_NAME else "topics"
    if nodes.height == 1:
        return [f"All {sessions:,} {unit} stay on {nodes['node_label'][0]}, the only one of the {kind}."]
    facts = [
        describe_coverage(sessions, present or sessions, dimension),
        _describe_starts(nodes, f"{sessions:,} {unit}"),
        _describe_move(of["journey_edges"], labels),
        _describe_bounce(of["journey_loops"], labels, f"{sessions:,} {unit}"),
        _describe_ends(nodes.filter(~pl.col("node_id").is_in(list(follow_ups))), unit, kind),
        _describe_segment(of["journey_segments"], labels, unit),
        _describe_struggle(of["journey_struggles"], labels),
        _describe_outcome(of["topic_outcomes"], labels),
    ]
    return [fact for fact in facts if fact]


def describe_coverage(visiting: int, present: int, dimension: str) -> str | None:
    """Sentence on the sessions (or users) with the field, of which only some visit a node; None if all do."""
    if visiting >= present:
        return None
    unit = "users" if dimension.startswith(USER) else "sessions"
    return (
        f"{visiting:,} of the {present:,} {unit} with {dimension.removeprefix(USER)} have a subject (a topic, or a "
        "follow-up of one); shares are of these."
    )


def name_outcome(outcome_event_name: str) -> str:
    """The subject of a sentence on an outcome: the name of the event, or words for STRUGGLE_OUTCOME."""
    return "An exchange that seems to go wrong" if outcome_event_name == STRUGGLE_OUTCOME else outcome_event_name


def percent(share: float) -> str:
    """A share as text: whole percents, and one decimal below one percent."""
    if share and share < 0.001:
        return "under 0.1%"
    return f"{share:.1%}" if 0 < share < 0.01 else f"{share:.0%}"


def duration(seconds: float) -> str:
    """A duration as text, in its largest unit."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _dimension_column(table: pl.DataFrame) -> str:
    return "dimension" if "dimension" in table.columns else "field"


def _describe_starts(nodes: pl.DataFrame, sessions: str) -> str | None:
    """Describe the nodes on which most sessions start."""
    common = nodes.filter(pl.col("start_count") >= MIN_CLUSTERS)
    ranked = common.sort("start_count", "node_id", descending=[True, False]).head(LEADERS)
    if ranked.is_empty():
        return None
    (first, share), *others = ranked.select("node_label", "start_share").iter_rows()
    rest = "".join(f", {percent(share)} on {label}" for label, share in others)
    return f"{percent(share)} of {sessions} start on {first}{rest}."


def _describe_move(edges: pl.DataFrame, labels: Mapping[str, str]) -> str | None:
    """Describe the most likely transition from one node to another."""
    left = edges.with_columns(pl.col("transition_count").sum().over("from_node_id").alias("leaving"))
    moves = left.filter(
        ~pl.col("from_node_id").is_in([START, OTHER])
        & ~pl.col("to_node_id").is_in([END, OTHER])
        & (pl.col("from_node_id") != pl.col("to_node_id"))
        & (pl.col("session_count") >= MIN_CLUSTERS)
        & (pl.col("leaving") >= MIN_EVENTS)
    )
    by_count = moves.sort("transition_count", descending=True, maintain_order=True)  # breaks ties of probability
    move = _largest_row(by_count, pl.col("probability"))
    if not move:
        return None
    after = f", after a median of {duration(move['median_seconds'])}" if move["median_seconds"] is not None else ""
    return (
        f"The most likely next step is from {labels[move['from_node_id']]} to {labels[move['to_node_id']]}: "
        f"{move['transition_count']:,} of {move['leaving']:,} times ({percent(move['probability'])}){after}."
    )


def _describe_bounce(loops: pl.DataFrame, labels: Mapping[str, str], sessions: str) -> str | None:
    """Describe the pair of nodes between which most sessions go back and forth."""
    loop = _largest_row(loops.filter(pl.col("session_count") >= MIN_CLUSTERS), pl.col("session_count"), "node_id")
    if not loop:
        return None
    return (
        f"The most common loop is from {labels[loop['node_id']]} to {labels[loop['other_node_id']]} and directly back: "
        f"{loop['session_count']:,} of {sessions} ({percent(loop['session_share'])})."
    )


def _describe_ends(nodes: pl.DataFrame, unit: str, kind: str) -> str | None:
    """Describe the nodes with the highest drop-off, of those that are significantly above the other nodes.

    The share of all sessions that end on a node tells only how large it is.
    """
    is_above = pl.col("drop_off_share") > pl.col("other_drop_off_share")
    has_evidence = (pl.col("drop_off_q_value") <= Q_VALUE_THRESHOLD) & (pl.col("end_count") >= MIN_CLUSTERS)
    higher = nodes.filter(is_above & has_evidence)
    ranked = higher.sort("drop_off_share", "end_count", "node_id", descending=[True, True, False])
    if ranked.is_empty():
        return None
    columns = ("node_label", "end_count", "session_count", "drop_off_share")
    (label, ends, visiting, share), *others = ranked.head(LEADERS).select(columns).iter_rows()
    rest = ", ".join(f"{other} ({end:,} of {visits:,}, {percent(part)})" for other, end, visits, part in others)
    return (
        f"The highest drop-off is at {label}: {ends:,} of the {visiting:,} {unit} that reach it end there "
        f"({percent(share)}), at other {kind} {percent(ranked['other_drop_off_share'][0])}"
        f"{f'; then {rest}' if rest else ''}{COUNTED_ELSEWHERE if kind == 'topics' else ''}."
    )


def _describe_segment(segments: pl.DataFrame, labels: Mapping[str, str], unit: str) -> str | None:
    """Describe the largest significant difference between a segment and all others."""
    if segments.is_empty():
        return None
    row = _largest_row(
        segments.filter(pl.col("q_value") <= Q_VALUE_THRESHOLD),
        pl.col("difference").abs(),
        "from_node_id",
        "to_node_id",
        "segment_field",
        "segment_value",
    )
    if not row:
        return None  # the report says what was compared, with topics and outcomes: other segments may differ
    source, target = labels.get(row["from_node_id"], ""), labels.get(row["to_node_id"], "")
    move = f"{target} follows {source}"
    if row["from_node_id"] == START:
        move = f"{unit} start on {target}"
    elif row["to_node_id"] == END:
        move = f"{unit} end after {source}"
    return (
        f"With {row['segment_field']} = {row['segment_value']}, {move} in {percent(row['probability_in_segment'])} "
        f"instead of {percent(row['probability_elsewhere'])} (q {_format_q_value(row['q_value'])})."
    )


def _describe_struggle(struggles: pl.DataFrame, labels: Mapping[str, str]) -> str | None:
    """Describe the move after which most exchanges go wrong, compared with other moves to the topic."""
    above = struggles.filter((pl.col("q_value") <= Q_VALUE_THRESHOLD) & (pl.col("difference") > 0))
    row = _largest_row(above, pl.col("difference"), "to_node_id", "from_node_id")
    if not row:
        return None
    target = labels[row["to_node_id"]]
    way = f"directly after {labels.get(row['from_node_id'], '')}"
    if row["from_node_id"] == START:
        way = "at the start"
    elif row["from_node_id"] == row["to_node_id"]:
        way = "directly after another one about it"
    share, other = percent(row["struggle_share"]), percent(row["other_struggle_share"])
    return (
        f"Exchanges about {target} that come {way} seem to go wrong in {share} of {row['move_count']:,} cases, "
        f"others about it in {other} (q {_format_q_value(row['q_value'])})."
    )


def _describe_outcome(outcomes: pl.DataFrame, labels: Mapping[str, str]) -> str | None:
    """Describe the topic that an event follows most above its baseline; None if no event does.

    Below the baseline is mostly the next prompt, after topics at which sessions end: that is said of the ends.
    """
    above = outcomes.filter((pl.col("q_value") <= Q_VALUE_THRESHOLD) & (pl.col("difference") > 0))
    row = _largest_row(above, pl.col("difference"), "topic_id", "outcome_event_name")
    if not row:
        return None
    return (
        f"{name_outcome(row['outcome_event_name'])} follows {labels[row['topic_id']]} in "
        f"{percent(row['outcome_share'])} of {row['session_count']:,} sessions, other topics at the same places in "
        f"{percent(row['baseline_share'])} (q {_format_q_value(row['q_value'])})."
    )


def _largest_row(rows: pl.DataFrame, size: pl.Expr, *key: str) -> dict[str, Any] | None:
    """The row of the largest size, ties in the order of the key; None without rows."""
    ranked = rows.sort(size, *key, descending=[True, *(False for _ in key)], maintain_order=True)
    return ranked.row(0, named=True) if ranked.height else None


def _format_q_value(value: float) -> str:
    return "under 0.001" if value < 0.001 else f"{value:.3f}"
