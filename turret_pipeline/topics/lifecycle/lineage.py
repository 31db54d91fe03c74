"""Changes among the topics of a field in a run, and a summary of the run."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from turret_pipeline.tables import CHANGES, TOPIC_LINEAGE, TOPIC_RUNS
from turret_pipeline.tables.topics import ACTIVE, RETIRED
from turret_pipeline.topics.lifecycle.plan import Plan, Run
from turret_pipeline.topics.options import TopicOptions
from turret_pipeline.topics.topic_id import TopicId

if TYPE_CHECKING:
    from turret_pipeline.topics.tracking.reconcile import Change

REFIT_OPTIONS = ("granularity", "min_texts", "floor")
"""Options (settings topic_...) whose change has an effect on known topics with a refit only."""


def build_lineage(
    before: pl.DataFrame, after: pl.DataFrame, field: str, changes: "Sequence[Change]", run: Run
) -> pl.DataFrame:
    """Rows of table ``topic_lineage`` for a run, from the topic tables before and after it.

    ``changes`` are the splits and merges. The tables show births, retirements, revivals and new labels.
    """
    moved = pl.DataFrame(
        [
            (str(TopicId(field, change.topic)), change.kind, str(TopicId(field, change.other)), change.overlap_share)
            for change in changes
        ],
        {"topic_id": pl.String, "change": pl.String, "other_topic_id": pl.String, "overlap_share": pl.Float64},
        orient="row",
    )
    both = after.join(before, on="topic_id", how="left", maintain_order="left", suffix="_before")
    merged = both.filter(
        pl.col("merged_into_topic_id").is_not_null()
        & pl.col("merged_into_topic_id").ne_missing(pl.col("merged_into_topic_id_before"))
    ).select(
        "topic_id",
        pl.lit("merged").alias("change"),
        pl.col("merged_into_topic_id").alias("other_topic_id"),
        pl.lit(1.0).alias("overlap_share"),
    )
    moved = pl.concat([moved, merged])
    statuses = _status_changes(both).join(moved, on="topic_id", how="anti", maintain_order="left")
    found = pl.concat([moved, statuses, _label_changes(both)], how="diagonal")
    found = found.unique(["topic_id", "change"], keep="first", maintain_order=True)
    rows = to_lineage_rows(found.with_columns(pl.lit(field).alias("field")), run)
    return rows.sort(pl.col("topic_id").str.extract(r"-(\d+)$").cast(pl.Int64), "change")


def to_lineage_rows(changes: pl.DataFrame, run: Run) -> pl.DataFrame:
    """Rows of table ``topic_lineage`` for changes of a run: field, topic_id, change.

    Changes that involve a second topic also have other_topic_id and overlap_share.
    """
    of_run = changes.with_columns(
        pl.lit(run.run_id).alias("run_id"),
        pl.lit(run.started_at).cast(TOPIC_LINEAGE.schema["changed_at"]).alias("changed_at"),
    )
    return pl.concat([TOPIC_LINEAGE.empty(), of_run], how="diagonal").select(TOPIC_LINEAGE.schema.names())


def births(lineage: pl.DataFrame) -> dict[str, str]:
    """Id of the run in which each topic was born, by topic id: the run of its first row of lineage."""
    first = lineage.unique("topic_id", keep="first", maintain_order=True)
    return dict(first.select("topic_id", "run_id").iter_rows())


def _status_changes(both: pl.DataFrame) -> pl.DataFrame:
    before, now = pl.col("status_before"), pl.col("status")
    change = (
        pl.when(before.is_null()).then(pl.lit("born"))
        .when((before == RETIRED) & (now == ACTIVE)).then(pl.lit("revived"))
        .when((before == ACTIVE) & (now == RETIRED)).then(pl.lit("retired"))
    )  # fmt: skip
    return both.select("topic_id", change.alias("change")).drop_nulls("change")


def _label_changes(both: pl.DataFrame) -> pl.DataFrame:
    renamed = pl.col("label_before").is_not_null() & (pl.col("label") != pl.col("label_before"))
    return both.filter(renamed).select("topic_id", pl.lit("renamed").alias("change"))


def build_run_row(
    topics: pl.DataFrame,
    text_topics: pl.DataFrame,
    changes: pl.DataFrame,
    before: pl.DataFrame,
    stability: float | None,
    kept_share: float | None,
    note: str | None,
    models: str,
    field: str,
    plan: Plan,
    run: Run,
    *,
    is_anew: bool,
) -> pl.DataFrame:
    """Row of table ``topic_runs`` for a field. ``is_anew`` is true if no known topic was continued."""
    active = topics.filter(pl.col("status") == ACTIVE)
    read = text_topics.filter(pl.col("embedding_model").is_not_null())
    if stability is None and before.height:
        stability = before["stability"][-1]
    row = {
        "run_id": run.run_id,
        "run_number": run.run_number,
        "started_at": run.started_at,
        "field": field,
        "text_count": text_topics.height,
        "topic_count": active.height,
        "theme_count": active["theme_id"].n_unique(),
        "coverage": _measure_coverage(text_topics),
        "readable_coverage": _measure_coverage(read),
        "embedding_models": models,
        "stability": None if stability is None else round(stability, 6),
        "kept_share": None if kept_share is None else round(kept_share, 6),
        **{f"{change}_count": int((changes["change"] == change).sum()) for change in CHANGES},
        "note": note,
        **_options_found_with(before, plan.options, is_anew=is_anew),
    }
    return pl.DataFrame([row], schema=TOPIC_RUNS.schema)


def _measure_coverage(text_topics: pl.DataFrame) -> float | None:
    share = text_topics["topic_id"].is_not_null().mean()
    return round(float(share), 6) if isinstance(share, float) else None


def _options_found_with(before: pl.DataFrame, options: TopicOptions, *, is_anew: bool) -> dict[str, object]:
    """Options of the last run that found the topics from scratch; None if its version did not store them."""
    if is_anew or before.is_empty():
        return {f"found_{name}": getattr(options, name) for name in REFIT_OPTIONS}
    return {f"found_{name}": before[f"found_{name}"][-1] for name in REFIT_OPTIONS}


def describe_changes(row: Mapping[str, Any]) -> str:
    """Sentence about the changes of the last run and the stability of its clusters, from a row of ``topic_runs``."""
    changed = ", ".join(f"{row[f'{change}_count']} {change}" for change in CHANGES if row[f"{change}_count"])
    parts = [
        f"In the last run: {changed or 'no topic changed'}",
        *([] if row["kept_share"] is None else [f"{row['kept_share']:.1%} of the known texts kept their topic"]),
        *([] if row["stability"] is None else [f"stability {row['stability']:.2f}"]),
    ]
    return "; ".join(parts)


def describe_pending_settings(row: Mapping[str, Any], options: TopicOptions) -> str | None:
    """Sentence about settings that a refit would apply, from a field's last row of ``topic_runs``; None without any."""
    pending = [
        f"topic_{name} {found:g} (now {getattr(options, name):g})"
        for name in REFIT_OPTIONS
        if (found := row.get(f"found_{name}")) not in {None, getattr(options, name)}
    ]
    if not pending or not row["topic_count"]:
        return None
    return (
        f"Topics of {row['field']} were found with {', '.join(pending)}: run turret topics refit to apply the change "
        "to known topics."
    )
