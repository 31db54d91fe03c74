"""What changed: topics in the last complete weeks, compared with those before, and in what the last run added."""

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from turret_pipeline.reports.report.comparisons import FIGURES, compare_items, rank_by_difference
from turret_pipeline.reports.report.data import ReportData
from turret_pipeline.reports.report.family import Family
from turret_pipeline.reports.report.model import CHANGED, Finding
from turret_pipeline.reports.report.words import name_texts, plural, q_text, share_of
from turret_pipeline.stats.groups import MIN_CLUSTERS, MIN_EVENTS
from turret_pipeline.stats.shares import q_values
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


def find_changes(data: ReportData, labels: Mapping[str, str], pairs: Mapping[str, PeriodPair]) -> Iterator[Family]:
    """A family of changes per pair of periods, over the topics of all text fields."""
    for name, pair in pairs.items():
        parts = []
        for field, rows in data.occurrences.group_by("field", maintain_order=True):
            changes = compare_periods(rows, pair.recent, pair.before)
            parts.append(changes.with_columns(pl.lit(str(field[0])).alias("field")))
        if parts:
            yield _build_family(name, pair, pl.concat(parts), labels)


def _build_family(name: str, pair: PeriodPair, changes: pl.DataFrame, labels: Mapping[str, str]) -> Family:
    """The changes between two periods as a family of comparisons."""
    tested = changes.filter(pl.col("p_value").is_not_null())
    q_value = q_values(tested["p_value"].to_numpy())
    assumed = classify_changes(tested, q_value * 0)  # the kind that each has if it is beyond chance
    rows = assumed.with_columns(
        pl.Series("q_value", q_value),
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
        )

    return Family(CHANGED, rows, describe)


def describe_run(data: ReportData, labels: Mapping[str, str], min_users: int) -> Iterator[Family]:
    """The topics whose share among the rows of files that the last run read first differs from that of earlier rows."""
    is_new = pl.col("content_sha256").is_in(data.new_files["content_sha256"].implode())
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
    compared = rank_by_difference(pl.concat(parts)).filter((pl.col("age") == "new") & _has_evidence())
    rows = compared.with_columns(pl.Series("q_value", q_values(compared["p_value"].to_numpy())))

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
            **{name: row[name] for name in FIGURES},
        )

    yield Family(CHANGED, rows, describe)


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
