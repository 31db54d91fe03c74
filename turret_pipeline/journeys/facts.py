"""Facts: what a person would want to read first of the journeys of a dimension, in sentences."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from turret_pipeline.stats.groups import MIN_CLUSTERS, MIN_EVENTS
from turret_pipeline.stats.shares import LEVEL
from turret_pipeline.tables import END, EVENT_NAME, OTHER, START, USER

THREE = 3
FACT_TABLES = ("journey_nodes", "journey_edges", "journey_loops", "journey_segments", "topic_outcomes")


def journey_facts(tables: Mapping[str, pl.DataFrame], dimension: str) -> list[str]:
    """Sentences on a dimension from FACT_TABLES: starts, follow-ups, loops, ends, drop-off, segments and outcomes.

    What fewer than MIN_CLUSTERS sessions do, or of fewer than MIN_EVENTS, is no fact.
    """
    of = {name: tables[name].filter(pl.col(_dimension_of(tables[name])) == dimension) for name in FACT_TABLES}
    nodes, starts = of["journey_nodes"], of["journey_edges"].filter(pl.col("from_node_id") == START)
    sessions = int(starts["transition_count"].sum())  # also those that start where too few do to be told
    if sessions < MIN_EVENTS:
        return []
    labels = dict(nodes.select("node_id", "node_label").iter_rows())
    who = "users" if dimension.startswith(USER) else "sessions"
    kind = "event names" if dimension.removeprefix(USER) == EVENT_NAME else "topics"
    if nodes.height == 1:
        return [f"All {sessions:,} {who} stay on {nodes['node_label'][0]}: there is nothing else to move to."]
    facts = [
        _leaders(nodes, f"{sessions:,} {who}", "start"),
        _follow_up(of["journey_edges"], labels),
        _bounce(of["journey_loops"], labels, f"{sessions:,} {who}"),
        _leaders(nodes, f"{sessions:,} {who}", "end"),
        _drop_off(nodes, who, kind),
        _segment(of["journey_segments"], labels, who),
        _outcome(of["topic_outcomes"], labels),
    ]
    return [fact for fact in facts if fact]


def percent(share: float) -> str:
    """A share in words: whole percents, below one with a decimal."""
    if share and share < 0.001:
        return "under 0.1%"
    return f"{share:.1%}" if 0 < share < 0.01 else f"{share:.0%}"


def duration(seconds: float) -> str:
    """A time in words."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _dimension_of(table: pl.DataFrame) -> str:
    return "dimension" if "dimension" in table.columns else "field"


def _leaders(nodes: pl.DataFrame, sessions: str, side: str) -> str | None:
    """The nodes on which most sessions start or end."""
    count = f"{side}_count"
    ranked = nodes.filter(pl.col(count) >= MIN_CLUSTERS).sort(count, "node_id", descending=[True, False]).head(THREE)
    if ranked.is_empty():
        return None
    (first, share), *others = ranked.select("node_label", f"{side}_share").iter_rows()
    rest = "".join(f", {percent(share)} on {label}" for label, share in others)
    return f"{percent(share)} of {sessions} {side} on {first}{rest}."


def _follow_up(edges: pl.DataFrame, labels: Mapping[str, str]) -> str | None:
    """The commonest move from a node to another."""
    left = edges.with_columns(pl.col("transition_count").sum().over("from_node_id").alias("leaving"))
    moves = left.filter(
        ~pl.col("from_node_id").is_in([START, OTHER])
        & ~pl.col("to_node_id").is_in([END, OTHER])
        & (pl.col("from_node_id") != pl.col("to_node_id"))
        & (pl.col("session_count") >= MIN_CLUSTERS)
        & (pl.col("leaving") >= MIN_EVENTS)
    )
    by_share = moves.sort("probability", descending=True, maintain_order=True)  # of moves as common, the likeliest
    move = _first(by_share, pl.col("transition_count"))
    if not move:
        return None
    after = f", in the median after {duration(move['median_seconds'])}" if move["median_seconds"] is not None else ""
    return (
        f"The commonest move is from {labels[move['from_node_id']]} to {labels[move['to_node_id']]}: "
        f"{move['transition_count']:,} of {move['leaving']:,} times ({percent(move['probability'])}){after}."
    )


def _bounce(loops: pl.DataFrame, labels: Mapping[str, str], sessions: str) -> str | None:
    """The pair of nodes between which most sessions go to and fro."""
    loop = _first(loops.filter(pl.col("session_count") >= MIN_CLUSTERS), pl.col("session_count"), "node_id")
    if not loop:
        return None
    return (
        f"Most go back and forth at {labels[loop['node_id']]}: {loop['session_count']:,} of {sessions} "
        f"({percent(loop['session_share'])}) leave it for {labels[loop['other_node_id']]} and come right back."
    )


def _drop_off(nodes: pl.DataFrame, who: str, kind: str) -> str | None:
    """The node whose sessions end there more often than those of the other nodes, if that is more than chance."""
    differ = nodes.filter((pl.col("drop_off_q_value") <= LEVEL) & (pl.col("end_count") >= MIN_CLUSTERS))
    above = pl.col("drop_off_share") - pl.col("other_drop_off_share")
    node = _first(differ.filter(above > 0), above, "node_id")
    if not node:
        return None
    return (
        f"{node['node_label']} is where {who} break off: {node['end_count']:,} of the {node['session_count']:,} that "
        f"come to it end there ({percent(node['drop_off_share'])}), at other {kind} "
        f"{percent(node['other_drop_off_share'])}."
    )


def _segment(segments: pl.DataFrame, labels: Mapping[str, str], who: str) -> str | None:
    """The largest difference between a segment and the rest that survives correction."""
    if segments.is_empty():
        return None
    row = _first(
        segments.filter(pl.col("q_value") <= LEVEL),
        pl.col("difference").abs(),
        "from_node_id",
        "to_node_id",
        "segment_field",
        "segment_value",
    )
    if not row:
        return f"No move differs between segments beyond chance ({segments.height:,} compared, over all fields)."
    source, target = labels.get(row["from_node_id"], ""), labels.get(row["to_node_id"], "")
    what = f"{target} follows {source}"
    if row["from_node_id"] == START:
        what = f"{who} start on {target}"
    elif row["to_node_id"] == END:
        what = f"{who} end after {source}"
    return (
        f"With {row['segment_field']} = {row['segment_value']}, {what} in {percent(row['probability_in_segment'])} "
        f"instead of {percent(row['probability_elsewhere'])} (q {_q(row['q_value'])})."
    )


def _outcome(outcomes: pl.DataFrame, labels: Mapping[str, str]) -> str | None:
    """The topic that an event follows most above its base rate; where there is none, most below it."""
    if outcomes.is_empty():
        return None
    differ = outcomes.filter(pl.col("q_value") <= LEVEL)
    above = differ.filter(pl.col("difference") > 0)
    row = _first(differ if above.is_empty() else above, pl.col("difference").abs(), "topic_id", "outcome_event_name")
    if not row:
        return f"No topic leads to an event more or less often than the others do ({outcomes.height:,} compared)."
    return (
        f"{row['outcome_event_name']} comes after {labels[row['topic_id']]} in {percent(row['outcome_share'])} of "
        f"{row['session_count']:,} sessions, after other topics in {percent(row['baseline_share'])} "
        f"(q {_q(row['q_value'])})."
    )


def _first(rows: pl.DataFrame, size: pl.Expr, *key: str) -> dict[str, Any] | None:
    """The largest row, equal ones in the order of the key; None of none."""
    ranked = rows.sort(size, *key, descending=[True, *(False for _ in key)], maintain_order=True)
    return ranked.row(0, named=True) if ranked.height else None


def _q(value: float) -> str:
    return "under 0.001" if value < 0.001 else f"{value:.3f}"
