"""Changes: topics in the last complete weeks, compared with those before, and in what the last run added."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import polars as pl

from turret_pipeline.reports.report.comparisons import FIGURES, compare_items, rank_by_difference
from turret_pipeline.reports.report.data import ReportData
from turret_pipeline.reports.report.family import Comparisons, Family
from turret_pipeline.reports.report.model import CHANGED, Finding, TopicShift
from turret_pipeline.reports.report.privacy import find_shown
from turret_pipeline.reports.report.words import name_texts, plural, q_text, share_of
from turret_pipeline.stats.groups import MIN_CLUSTERS, MIN_EVENTS
from turret_pipeline.topics.insights.occurrences import factorize
from turret_pipeline.topics.insights.periods import (
    PERIODS,
    Period,
    PeriodPair,
    WeekStart,
    choose_periods,
    classify_changes,
    compare_periods,
    complete_weeks,
)

VERBS = {"new": "is new", "gone": "is gone", "growing": "grew", "shrinking": "shrank"}


def choose_comparisons(period: Period | None, week_start: WeekStart) -> dict[str, PeriodPair]:
    """Pairs of periods that are compared, by name: week and month, without those that have too few complete weeks."""
    if period is None:
        return {}
    pairs = choose_periods(complete_weeks(period.first, period.last, week_start))
    return {name: pair for name, pair in pairs.items() if pair is not None}


def compare_topics_over_time(
    data: ReportData, labels: Mapping[str, str], pairs: Mapping[str, PeriodPair], min_users: int
) -> Family:
    """The changes of the topics of all text fields, between all pairs of periods and with the last run."""
    return Family(CHANGED, (*_find_changes(data, labels, pairs, min_users), *_describe_run(data, labels, min_users)))


def _find_changes(
    data: ReportData, labels: Mapping[str, str], pairs: Mapping[str, PeriodPair], min_users: int
) -> Iterator[Comparisons]:
    """The changes between each pair of periods."""
    for name, pair in pairs.items():
        parts = []
        for field, rows in data.occurrences.group_by("field", maintain_order=True):
            changes = _drop_rare(compare_periods(rows, pair.recent, pair.before), rows, pair, min_users)
            parts.append(changes.with_columns(pl.lit(str(field[0])).alias("field")))
        if parts:
            yield _compare(name, pair, pl.concat(parts), labels)


def list_shifts(
    data: ReportData, labels: Mapping[str, str], pairs: Mapping[str, PeriodPair], min_users: int
) -> Iterator[TopicShift]:
    """The topics with enough events to be compared in the longest pair of periods, the largest difference first."""
    if not pairs:
        return
    pair = max(pairs.values(), key=lambda one: one.recent.days)
    for field, rows in data.occurrences.group_by("field", maintain_order=True):
        changes = _drop_rare(compare_periods(rows, pair.recent, pair.before), rows, pair, min_users)
        compared = changes.filter(pl.col("p_value").is_not_null())
        ranked = compared.sort(pl.col("difference").abs(), descending=True, maintain_order=True)
        for row in ranked.iter_rows(named=True):
            yield TopicShift(
                field=str(field[0]),
                topic_id=row["topic_id"],
                label=labels[row["topic_id"]],
                period=str(pair.recent),
                before_period=str(pair.before),
                share=row["recent_share"],
                before_share=row["before_share"],
                low=row["difference_low"],
                high=row["difference_high"],
            )


def _drop_rare(changes: pl.DataFrame, rows: pl.DataFrame, pair: PeriodPair, min_users: int) -> pl.DataFrame:
    """The changes without those that would show fewer than ``min_users`` users in one of the periods."""
    if min_users <= 1:
        return changes
    periods = [pl.col("event_date").is_between(period.first, period.last) for period in (pair.recent, pair.before)]
    compared = rows.filter(pl.any_horizontal(periods)).with_columns(periods[0].alias("is_recent"))
    topics, topic = factorize(compared["topic_id"])
    user = np.where(compared["user_id"].is_not_null().to_numpy(), compared["cluster_id"].to_numpy(), -1)
    is_recent = compared["is_recent"].cast(pl.Int64).to_numpy()
    is_shown = find_shown(topic, is_recent, user, (len(topics), 2), min_users)
    return changes.join(topics.filter(pl.Series(is_shown.any(axis=1))).to_frame(), on="topic_id", how="semi")


def _compare(name: str, pair: PeriodPair, changes: pl.DataFrame, labels: Mapping[str, str]) -> Comparisons:
    """The changes between two periods."""
    tested = changes.filter(pl.col("p_value").is_not_null())
    assumed = classify_changes(tested, np.zeros(tested.height))  # the kind that each has if it is beyond chance
    rows = assumed.with_columns(
        pl.col("change_kind").is_not_null().alias("is_relevant"),
        pl.col("difference").abs().alias("size"),
    )

    def describe(row: Mapping[str, Any], q: float) -> Finding:
        label, noun = labels[row["topic_id"]], name_texts(row["field"])
        recent, before = (share_of(row[f"{which}_event_count"], row[f"{which}_total"], noun) for which in PERIODS)
        return Finding(
            kind=f"{row['change_kind']}_{name}",
            sentence=f"{label} {VERBS[row['change_kind']]}: {recent} in {pair.recent}, after {before} in {pair.before} "
            f"({q_text(q)}).",
            period=str(pair.recent),
            count=row["recent_event_count"],
            total=row["recent_total"],
            other_count=row["before_event_count"],
            other_total=row["before_total"],
            field=row["field"],
            topic_id=row["topic_id"],
            label=label,
            low=row["difference_low"],
            high=row["difference_high"],
            evidence={
                "dimension": row["field"],
                "topic": row["topic_id"],
                "own": "1",
                "since": str(pair.recent.first),
                "until": str(pair.recent.last),
            },
        )

    return Comparisons(f"shares of topics by {name}", rows, describe)


def _describe_run(data: ReportData, labels: Mapping[str, str], min_users: int) -> Iterator[Comparisons]:
    """The topics whose share among the rows of files that the last run added differs from that of earlier rows."""
    is_new = pl.col("content_sha256").cast(pl.String).is_in(data.new_files["content_sha256"].implode())
    marked = data.occurrences.with_columns(
        pl.when(is_new).then(pl.lit("new")).otherwise(pl.lit("earlier")).alias("age")
    )
    parts = [
        compare_items(rows, "topic_id", "age", min_users).with_columns(pl.lit(str(field[0])).alias("field"))
        for field, rows in marked.group_by("field", maintain_order=True)
        if rows["age"].n_unique() > 1
    ]
    if not parts:
        return
    compared = rank_by_difference(pl.concat(parts)).filter(
        (pl.col("age") == "new") & (pl.col("count") + pl.col("other_count") >= MIN_EVENTS)
    )
    rows = compared.with_columns(pl.col("is_relevant") & _has_evidence())

    def describe(row: Mapping[str, Any], q_value: float) -> Finding:
        label, noun = labels[row["topic_id"]], name_texts(row["field"])
        is_larger = row["count"] * row["other_total"] > row["other_count"] * row["total"]
        kind = "new" if not row["other_count"] else "growing" if is_larger else "shrinking"
        new, earlier = share_of(row["count"], row["total"], noun), share_of(row["other_count"], row["other_total"])
        return Finding(
            kind=f"{kind}_run",
            sentence=f"{label} {VERBS[kind]} with this run: {new} that it added, {earlier} of the earlier ones "
            f"({q_text(q_value)}).",
            period="this run",
            field=row["field"],
            topic_id=row["topic_id"],
            label=label,
            evidence={"dimension": row["field"], "topic": row["topic_id"], "own": "1"},
            **{name: row[name] for name in FIGURES},
        )

    yield Comparisons("shares of topics with this run", rows, describe)


def _has_evidence() -> pl.Expr:
    """True with enough events in the larger of the two groups to tell of them."""
    return pl.max_horizontal("count", "other_count") >= MIN_EVENTS


def count_born(data: ReportData, labels: Mapping[str, str]) -> str | None:
    """Sentence about the topics that the last run found; None without topics of enough events and users."""
    of_topics = data.occurrences.join(data.born, on="topic_id", how="semi").group_by("topic_id")
    sizes = of_topics.agg(pl.len(), pl.col("cluster_id").n_unique().alias("users"))
    told = sizes.filter((pl.col("len") >= MIN_EVENTS) & (pl.col("users") >= MIN_CLUSTERS))
    named = told.sort("len", "topic_id", descending=[True, False])
    if named.is_empty():
        return None
    topics = ", ".join(f"{labels[topic]} ({plural(count, 'event')})" for topic, count, _ in named.iter_rows())
    return f"This run found {plural(named.height, 'new topic')}: {topics}."
