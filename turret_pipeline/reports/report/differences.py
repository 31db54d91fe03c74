"""For whom it differs: topics, failures, moves and outcomes whose share in a segment is another than elsewhere."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import polars as pl

from turret_pipeline.journeys.facts import percent
from turret_pipeline.reports.report.comparisons import FIGURES, compare_counted, compare_items, rank_by_difference
from turret_pipeline.reports.report.data import ReportData
from turret_pipeline.reports.report.failures import list_measures
from turret_pipeline.reports.report.family import Family
from turret_pipeline.reports.report.model import DIFFERS, Finding
from turret_pipeline.reports.report.words import certainty, share_of
from turret_pipeline.stats.shares import q_values
from turret_pipeline.tables import END, EVENT_NAME, START
from turret_pipeline.tables.exchanges import PROMPT
from turret_pipeline.topics.insights.periods import MIN_RATIO

Compare = Callable[[pl.DataFrame], pl.DataFrame]


def compare_segments(data: ReportData, labels: Mapping[str, str], period: object, min_users: int) -> Iterator[Family]:
    """Families of differences between segments, and of what follows topics."""
    models = data.exchanges.filter(pl.col("model").is_not_null())
    named = models.select("exchange_id", pl.lit("model").alias("segment_field"), pl.col("model").alias("segment_value"))
    segments = pl.concat([data.segments.drop("side"), named])
    known_when_asked = data.segments.filter(pl.col("side") == PROMPT)
    if known_when_asked.height:
        yield _compare_topics(data.exchanges, known_when_asked, labels, period, min_users)
    if segments.height:
        yield from _compare_failures(data.exchanges, segments, period, min_users)
    if data.journey_segments.height:
        yield _compare_moves(data.journey_segments, labels, period)
    if data.topic_outcomes.height:
        of_exchanges = pl.col("outcome_event_name").is_in(data.exchange_events.implode())
        yield _compare_outcomes(data.topic_outcomes.filter(~of_exchanges), labels, period)


def _compare_topics(
    exchanges: pl.DataFrame, segments: pl.DataFrame, labels: Mapping[str, str], period: object, min_users: int
) -> Family:
    """Topics that a segment asks about more, or less, than others."""
    rows = _compare_by_field(
        exchanges, segments, lambda part: compare_items(part, "topic_id", "segment_value", min_users)
    )

    def describe(row: Mapping[str, Any], q_value: float) -> Finding:
        label = labels[row["topic_id"]]
        share, other = share_of(row["count"], row["total"], "prompt"), share_of(row["other_count"], row["other_total"])
        return Finding(
            kind="topic",
            sentence=f"{_name(row)}: {share} are about {label}, elsewhere {other} {certainty(q_value, period)}.",
            period=str(period),
            field=row["segment_field"],
            topic_id=row["topic_id"],
            label=label,
            **{name: row[name] for name in FIGURES},
        )

    return Family(DIFFERS, rows, describe, ("topic_id", "segment_field"))


def _compare_failures(
    exchanges: pl.DataFrame, segments: pl.DataFrame, period: object, min_users: int
) -> Iterator[Family]:
    """Segments whose exchanges are slow, expensive, badly rated, unanswered or wrong more often than elsewhere."""
    parts = []
    for measure in list_measures(exchanges):
        if measure.key != "ends":
            compared = _compare_by_field(
                measure.rows, segments, lambda part: compare_counted(part, "segment_value", min_users)
            )
            parts.append(compared.with_columns(**measure.texts()))
    if not parts:
        return

    def describe(row: Mapping[str, Any], q_value: float) -> Finding:
        share, other = (
            share_of(row["count"], row["total"], row["noun"]),
            share_of(row["other_count"], row["other_total"]),
        )
        return Finding(
            kind=row["key"],
            sentence=f"{_name(row)}: {share} {row['verdict']}, elsewhere {other} {certainty(q_value, period)}.",
            period=str(period),
            field=row["segment_field"],
            **{name: row[name] for name in FIGURES},
        )

    rows = pl.concat(parts)
    yield Family(DIFFERS, _with_q_values(rows), describe, ("key", "segment_field"))


def _compare_moves(journey_segments: pl.DataFrame, labels: Mapping[str, str], period: object) -> Family:
    """Transitions of sessions that a segment takes more, or less, often than others (table ``journey_segments``)."""
    of_sessions = ~pl.col("dimension").str.starts_with("user:")
    share, other = pl.col("probability_in_segment"), pl.col("probability_elsewhere")
    rows = journey_segments.filter(of_sessions).with_columns(
        pl.col("difference").abs().alias("size"),
        ((share >= MIN_RATIO * other) | (other >= MIN_RATIO * share)).alias("is_relevant"),
    )

    def describe(row: Mapping[str, Any], q_value: float) -> Finding:
        source, target = (_name_node(row[name], row["dimension"], labels) for name in ("from_node_id", "to_node_id"))
        total = round(row["transition_count"] / row["probability_in_segment"]) if row["transition_count"] else 0
        move = f"{target} comes directly after {source}"
        if row["from_node_id"] == START:
            move = f"sessions start with {target}"
        elif row["to_node_id"] == END:
            move = f"sessions end after {source}"
        share = f"{percent(row['probability_in_segment'])} ({row['transition_count']:,} of {total:,})"
        return Finding(
            kind="move",
            sentence=f"{_name(row)}: {move} in {share}, elsewhere in {percent(row['probability_elsewhere'])} "
            f"{certainty(q_value, period)}.",
            period=str(period),
            count=row["transition_count"],
            total=total,
            field=row["segment_field"],
            low=row["difference_low"],
            high=row["difference_high"],
        )

    return Family(DIFFERS, rows, describe, ("dimension", "from_node_id", "to_node_id", "segment_field"))


def _compare_outcomes(topic_outcomes: pl.DataFrame, labels: Mapping[str, str], period: object) -> Family:
    """Events that follow a topic more, or less, often than others (table ``topic_outcomes``)."""
    share, other = pl.col("outcome_share"), pl.col("baseline_share")
    rows = topic_outcomes.with_columns(
        pl.col("difference").abs().alias("size"),
        ((share >= MIN_RATIO * other) | (other >= MIN_RATIO * share)).alias("is_relevant"),
    )

    def describe(row: Mapping[str, Any], q_value: float) -> Finding:
        count, total = row["outcome_session_count"], row["session_count"]
        label = labels[row["topic_id"]]
        return Finding(
            kind="outcome",
            sentence=f"{row['outcome_event_name']} follows {label} in {share_of(count, total, 'session')}, "
            f"other topics in {percent(row['baseline_share'])} {certainty(q_value, period)}.",
            period=str(period),
            count=count,
            total=total,
            topic_id=row["topic_id"],
            label=label,
            low=row["difference_low"],
            high=row["difference_high"],
        )

    return Family(DIFFERS, rows, describe, ("topic_id", "outcome_event_name"))


def _compare_by_field(rows: pl.DataFrame, segments: pl.DataFrame, compare: Compare) -> pl.DataFrame:
    """The comparisons of the values of each enum field, with q-values over all of them."""
    both = rows.join(segments, on="exchange_id", maintain_order="left")
    parts = [
        compare(part).with_columns(pl.lit(str(name[0])).alias("segment_field"))
        for name, part in both.sort("segment_field", maintain_order=True).group_by("segment_field", maintain_order=True)
    ]
    return _with_q_values(rank_by_difference(pl.concat(parts)))


def _with_q_values(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(pl.Series("q_value", q_values(rows["p_value"].to_numpy())))


def _name(row: Mapping[str, Any]) -> str:
    return f"With {row['segment_field']} = {row['segment_value']}"


def _name_node(node: str, dimension: str, labels: Mapping[str, str]) -> str:
    return node if dimension == EVENT_NAME else labels.get(node, node)
