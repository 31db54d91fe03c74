"""Table ``fields``: types of the metadata fields, and summaries of their values."""

from collections.abc import Mapping

import polars as pl

from turret_pipeline.fields.close_calls import decide_type
from turret_pipeline.fields.profiles import EPOCH, PATTERNS, profile_fields
from turret_pipeline.tables import FIELDS


def describe_fields(
    values: pl.DataFrame | pl.LazyFrame,
    events: pl.DataFrame,
    overrides: Mapping[str, str],
    known_types: Mapping[str, str] | None = None,
) -> pl.DataFrame:
    """Table ``fields`` from ``event_values``, which need not fit in memory, and ``events``.

    ``overrides`` are types set by a person, by field; ``known_types`` those detected for the last published tables,
    which are kept in close calls.
    """
    values, known = values.lazy(), known_types or {}
    decisions = [(profile.field, *decide_type(profile, known.get(profile.field))) for profile in profile_fields(values)]
    if not decisions:
        return FIELDS.empty()
    names = ("field", "detected_type", "is_uncertain", "reason")
    detected = pl.DataFrame(decisions, {name: FIELDS.schema[name] for name in names}, orient="row")
    override = pl.col("field").replace_strict(overrides, default=None, return_dtype=pl.String)
    typed = detected.with_columns(
        override.is_not_null().alias("is_overridden"),
        (pl.col("is_uncertain") & override.is_null()).alias("is_uncertain"),
        pl.coalesce(override, "detected_type").alias("type"),
    )
    return (
        typed.join(_summarize(values, events, typed), on="field", how="left", validate="1:1")
        .with_columns(
            (pl.col("event_count") / events.height).alias("present_share"),
            pl.when(pl.col("type").is_in(["enum", "number"]))
            .then("example_values")
            .otherwise(pl.lit([], pl.List(pl.String)))
            .alias("example_values"),
            *(
                pl.when(pl.col("type") == "number").then(name).alias(name)
                for name in ("number_min", "number_mean", "number_max")
            ),
        )
        .sort("field")
    )


def _summarize(values: pl.LazyFrame, events: pl.DataFrame, typed: pl.DataFrame) -> pl.DataFrame:
    """Counts, examples and numbers of each field. All but the time is computed once per distinct value."""
    moments = values.select("field", "event_id").join(events.lazy().select("event_id", "event_at"), on="event_id")
    first_seen = moments.group_by("field").agg(pl.col("event_at").min().alias("first_seen_at"))
    rows = values.group_by("field", "value", "json_type", "number").agg(pl.len().cast(pl.Int64).alias("count"))
    distinct, first_seen_at = pl.collect_all([rows, first_seen], engine="streaming")
    text = pl.col("value").str.strip_chars().alias("text")
    counted = _with_usual_texts(distinct.join(typed.select("field", "type"), on="field").with_columns(text))
    filled, finite = pl.col("text") != "", pl.col("number").is_finite()
    # sorted, so that rounding is the same in any order of rows
    total = (pl.col("number") * pl.col("count")).filter(finite).sort().sum()
    summary = counted.group_by("field").agg(
        pl.col("count").sum().alias("event_count"),
        pl.col("value").filter(filled).n_unique().cast(pl.Int64).alias("distinct_count"),
        pl.col("number").filter(finite).min().alias("number_min"),
        pl.when(finite.any()).then(total / pl.col("count").filter(finite).sum()).alias("number_mean"),
        pl.col("number").filter(finite).max().alias("number_max"),
        pl.col("count").filter(_matches_type(set(typed["type"]))).sum().alias("validated_event_count"),
    )
    counts = counted.filter(filled).group_by("field", "value").agg(pl.col("count").sum())
    ranked = counts.sort("count", "value", descending=[True, False])
    examples = ranked.group_by("field").agg(pl.col("value").head(5).alias("example_values"))
    found = summary.join(first_seen_at, on="field").join(examples, on="field", how="left")
    return found.with_columns(pl.col("example_values").fill_null(pl.lit([], pl.List(pl.String))))


def _with_usual_texts(counted: pl.DataFrame) -> pl.DataFrame:
    """The rows with ``usual``, the most common text of fields that are constant; the last in order of several."""
    texts = counted.filter(pl.col("type") == "constant").group_by("field", "text").agg(pl.col("count").sum())
    usual = texts.sort("count", "text").group_by("field", maintain_order=True).agg(pl.col("text").last().alias("usual"))
    return counted.join(usual, on="field", how="left")


def _matches_type(types: set[str]) -> pl.Expr:
    """True for values that match the type of their field. Only the checks that these types need are computed."""
    text = pl.col("text")
    is_list = pl.col("json_type") == "list"
    checks = {
        "number": pl.col("number").is_not_null(),
        "structured": is_list | text.str.contains(PATTERNS["is_object"]),
        "datetime": text.str.contains(PATTERNS["is_datetime"]) | EPOCH.fill_null(value=False),
        "constant": text == pl.col("usual"),
    }
    matches = (text != "") & ~is_list
    for kind in sorted(types & checks.keys()):
        matches = pl.when(pl.col("type") == kind).then(checks[kind]).otherwise(matches)
    return matches
