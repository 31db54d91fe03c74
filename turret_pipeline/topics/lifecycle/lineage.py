"""What changed among the topics of a field in a run, and how the run went."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from turret_pipeline.tables import CHANGES, TOPIC_LINEAGE, TOPIC_RUNS
from turret_pipeline.topics.lifecycle.plan import Plan, Run
from turret_pipeline.topics.lifecycle.topic_table import ACTIVE, RETIRED
from turret_pipeline.topics.tracking.reconcile import Change, Options

TEXT = "text"
"""The type of fields that have topics."""

FOUND_WITH = ("granularity", "min_texts", "floor")
"""Settings (topic_...) and options whose change known topics follow with a refit only."""


def changes_of(
    before: pl.DataFrame, after: pl.DataFrame, field: str, moves: Sequence[Change], run: Run
) -> pl.DataFrame:
    """Lineage rows: ``moves`` among known topics, and topics that came, went, came back or got another name."""
    moved = pl.DataFrame(
        [(f"{field}-{move.topic}", move.kind, f"{field}-{move.other}", move.overlap_share) for move in moves],
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
    statuses = _statuses(both).join(moved, on="topic_id", how="anti", maintain_order="left")
    return (
        pl.concat([moved, statuses, _names(both)], how="diagonal")
        .unique(["topic_id", "change"], keep="first", maintain_order=True)
        .with_columns(
            pl.lit(run.run_id).alias("run_id"),
            pl.lit(run.started_at).cast(TOPIC_LINEAGE.schema["changed_at"]).alias("changed_at"),
            pl.lit(field).alias("field"),
        )
        .select(TOPIC_LINEAGE.schema.names())
        .sort(pl.col("topic_id").str.extract(r"-(\d+)$").cast(pl.Int64), "change")
    )


def births(lineage: pl.DataFrame) -> dict[str, str]:
    """The run in which each topic was born, by topic_id: that of its first row of lineage."""
    first = lineage.sort("changed_at", maintain_order=True).unique("topic_id", keep="first", maintain_order=True)
    return dict(first.select("topic_id", "run_id").iter_rows())


def _statuses(both: pl.DataFrame) -> pl.DataFrame:
    before, now = pl.col("status_before"), pl.col("status")
    change = (
        pl.when(before.is_null()).then(pl.lit("born"))
        .when((before == RETIRED) & (now == ACTIVE)).then(pl.lit("revived"))
        .when((before == ACTIVE) & (now == RETIRED)).then(pl.lit("retired"))
    )  # fmt: skip
    return both.select("topic_id", change.alias("change")).drop_nulls("change")


def _names(both: pl.DataFrame) -> pl.DataFrame:
    renamed = pl.col("label_before").is_not_null() & (pl.col("label") != pl.col("label_before"))
    return both.filter(renamed).select("topic_id", pl.lit("renamed").alias("change"))


def describe_run(
    definitions: pl.DataFrame,
    text_topics: pl.DataFrame,
    changes: pl.DataFrame,
    before: pl.DataFrame,
    stability: float | None,
    kept_share: float | None,
    field: str,
    plan: Plan,
    run: Run,
    *,
    is_anew: bool,
) -> pl.DataFrame:
    """The row of table ``topic_runs`` for a field; ``is_anew``: no known topic was carried on."""
    active = definitions.filter(pl.col("status") == ACTIVE)
    count = text_topics.height
    if stability is None and before.height:
        stability = before["stability"][-1]
    row = {
        "run_id": run.run_id,
        "started_at": run.started_at,
        "field": field,
        "text_count": count,
        "topic_count": active.height,
        "theme_count": active["theme_id"].n_unique(),
        "coverage": round(1 - text_topics["topic_id"].null_count() / count, 6) if count else None,
        "stability": None if stability is None else round(stability, 6),
        "kept_share": None if kept_share is None else round(kept_share, 6),
        **{f"{change}_count": int((changes["change"] == change).sum()) for change in CHANGES},
        "note": _note(field, count, active.height, plan),
        **_found_with(before, plan.options, is_anew=is_anew),
    }
    return pl.DataFrame([row], schema=TOPIC_RUNS.schema)


def _found_with(before: pl.DataFrame, options: Options, *, is_anew: bool) -> dict[str, object]:
    """The options with which the topics were last found anew; None where a version found them that did not note it."""
    if is_anew or before.is_empty():
        return {f"found_{name}": getattr(options, name) for name in FOUND_WITH}
    return {f"found_{name}": before[f"found_{name}"][-1] for name in FOUND_WITH}


def run_in_words(row: Mapping[str, Any]) -> str:
    """What a run changed among the topics of a field and how little chance had to do with them, from ``topic_runs``."""
    changed = ", ".join(f"{row[f'{change}_count']} {change}" for change in CHANGES if row[f"{change}_count"])
    parts = [
        f"In the last run: {changed or 'no topic changed'}",
        *([] if row["kept_share"] is None else [f"{row['kept_share']:.1%} of the known texts kept their topic"]),
        *([] if row["stability"] is None else [f"stability {row['stability']:.2f}"]),
    ]
    return "; ".join(parts)


def waiting_settings(row: Mapping[str, Any], options: Options) -> str | None:
    """Which settings wait for a refit, as a sentence from a field's last row of ``topic_runs``; None: none does."""
    waiting = [
        f"topic_{name} {found:g} (now {getattr(options, name):g})"
        for name in FOUND_WITH
        if (found := row.get(f"found_{name}")) not in {None, getattr(options, name)}
    ]
    if not waiting or not row["topic_count"]:
        return None
    return (
        f"The topics of {row['field']} were found with {', '.join(waiting)}: those known stay as they are until "
        "turret topics refit."
    )


def _note(field: str, texts: int, topics: int, plan: Plan) -> str | None:
    """Why there are no topics; none where there are."""
    min_texts, now = plan.options.min_texts, plan.types.get(field, TEXT)
    if topics:
        return None
    if now != TEXT:
        return f"{field} is no text field any more (now {now}): setting field_types brings it back."
    if texts < 2 * min_texts:
        are = "text is" if texts == 1 else "texts are"
        return (
            f"{texts} distinct {are} too few: a topic has at least {min_texts} (setting topic_min_texts), "
            f"and topics are looked for from {2 * min_texts} on."
        )
    return (
        f"No {min_texts} of the {texts} distinct texts are alike enough for a topic "
        "(settings topic_min_texts, topic_floor)."
    )
