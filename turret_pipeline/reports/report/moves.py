"""Moves and outcomes: what follows what in sessions, from the tables journey_segments and topic_outcomes."""

import functools
from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from turret_pipeline.journeys.facts import name_outcome, percent
from turret_pipeline.reports.report.comparisons import is_notable
from turret_pipeline.reports.report.data import ReportData
from turret_pipeline.reports.report.family import Comparisons, Family
from turret_pipeline.reports.report.model import DIFFERS, Finding
from turret_pipeline.reports.report.words import certainty, share_of
from turret_pipeline.reports.scope import format_segment
from turret_pipeline.stats.groups import MIN_EVENTS
from turret_pipeline.stats.shares import bound_p_values
from turret_pipeline.tables import END, EVENT_NAME, START, USER
from turret_pipeline.tables.exchanges import ANSWER, PROMPT

MOVE = ("dimension", "from_node_id", "to_node_id", "segment_field")


def compare_moves(data: ReportData, labels: Mapping[str, str], period: object) -> Iterator[Family]:
    """Transitions of sessions that a segment takes more, or less, often than others.

    Moves that all segments together take fewer than MIN_EVENTS times are left out. Most moves are rare, no difference
    of them can be a claim, and their number would hide the others (Tarone 1990). Their sum says nothing of differences.
    """
    of_sessions = data.journey_segments.filter(~pl.col("dimension").str.starts_with(USER))
    if of_sessions.is_empty():
        return
    share, other = pl.col("probability_in_segment"), pl.col("probability_elsewhere")
    other_count = (other * pl.col("other_leaving_count")).round().cast(pl.Int64)
    counted = _with_p_values(of_sessions, "dimension").with_columns(other_count.alias("other_count"))
    is_enough = pl.max_horizontal("transition_count", "other_count") >= MIN_EVENTS
    rows = counted.filter(pl.col("transition_count") + pl.col("other_count") >= MIN_EVENTS).with_columns(
        pl.col("difference").abs().alias("size"), (is_notable(share, other) & is_enough).alias("is_relevant")
    )
    describe = functools.partial(_describe_move, labels, period)
    yield Family(DIFFERS, (Comparisons("moves in segments", rows, describe, MOVE),))


def _describe_move(labels: Mapping[str, str], period: object, row: Mapping[str, Any], q_value: float) -> Finding:
    source, target = (_name_node(row[name], row["dimension"], labels) for name in ("from_node_id", "to_node_id"))
    move = f"{target} comes directly after {source}"
    if row["from_node_id"] == START:
        move = f"sessions start with {target}"
    elif row["to_node_id"] == END:
        move = f"sessions end after {source}"
    count, total = row["transition_count"], row["leaving_count"]
    other_count, other_total = row["other_count"], row["other_leaving_count"]
    return Finding(
        kind="move",
        sentence=f"With {row['segment_field']} = {row['segment_value']}: {move} in {share_of(count, total, 'case')}, "
        f"elsewhere in {share_of(other_count, other_total)} {certainty(q_value, period)}.",
        period=str(period),
        count=count,
        total=total,
        other_count=other_count,
        other_total=other_total,
        field=row["segment_field"],
        low=row["difference_low"],
        high=row["difference_high"],
        evidence={
            "dimension": row["dimension"],
            "segment": format_segment(row["segment_field"], row["segment_value"]),
            **_select_move(row["from_node_id"], row["to_node_id"]),
        },
    )


def _select_move(source: str, target: str) -> dict[str, str]:
    """Filter of the sessions that make the move."""
    if source == START:
        return {"start": target}
    return {"end": source} if target == END else {"from": source, "to": target}


def compare_outcomes(data: ReportData, labels: Mapping[str, str], period: object) -> Iterator[Family]:
    """Events that follow a topic more, or less, often than others, without prompts and answers."""
    if data.topic_outcomes.is_empty():
        return
    share, other = pl.col("outcome_share"), pl.col("baseline_share")
    names = data.exchange_roles.filter(pl.col("role").is_in([PROMPT, ANSWER]))["event_name"]
    rows = _with_p_values(data.topic_outcomes, "field").filter(~pl.col("outcome_event_name").is_in(names.implode()))
    rows = rows.with_columns(
        pl.col("difference").abs().alias("size"),
        (is_notable(share, other) & (pl.col("session_count") >= MIN_EVENTS)).alias("is_relevant"),
    )
    describe = functools.partial(_describe_outcome, labels, period)
    once = ("topic_id", "outcome_event_name")
    yield Family(DIFFERS, (Comparisons("events that follow topics", rows, describe, once),))


def _describe_outcome(labels: Mapping[str, str], period: object, row: Mapping[str, Any], q_value: float) -> Finding:
    count, total = row["outcome_session_count"], row["session_count"]
    label = labels[row["topic_id"]]
    return Finding(
        kind="outcome",
        sentence=f"{name_outcome(row['outcome_event_name'])} follows {label} in {share_of(count, total, 'session')}, "
        f"other topics in {percent(row['baseline_share'])} {certainty(q_value, period)}.",
        period=str(period),
        count=count,
        total=total,
        topic_id=row["topic_id"],
        label=label,
        low=row["difference_low"],
        high=row["difference_high"],
        evidence={"topic": row["topic_id"], "outcome": row["outcome_event_name"]},
    )


def _with_p_values(rows: pl.DataFrame, family: str) -> pl.DataFrame:
    """The rows with p_value, from their q-values within each family of the table."""
    parts = [
        part.with_columns(pl.Series("p_value", bound_p_values(part["q_value"].to_numpy())))
        for _, part in rows.group_by(family, maintain_order=True)
    ]
    return pl.concat(parts)


def _name_node(node: str, dimension: str, labels: Mapping[str, str]) -> str:
    return node if dimension == EVENT_NAME else labels.get(node, node)
