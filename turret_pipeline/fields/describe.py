"""Table ``fields``: types of the metadata fields, and summaries of their values."""

from collections.abc import Mapping

import polars as pl

from turret_pipeline.fields.close_calls import decide_type
from turret_pipeline.fields.profiles import EPOCH, PATTERNS, profile_fields
from turret_pipeline.tables import FIELDS


def describe_fields(
    values: pl.DataFrame,
    events: pl.DataFrame,
    overrides: Mapping[str, str],
    known_types: Mapping[str, str] | None = None,
) -> pl.DataFrame:
    """Table ``fields`` from ``event_values`` and ``events``.

    ``overrides`` are types set by a person, by field; ``known_types`` those detected for the last published tables,
    which are kept in close calls.
    """
    if values.is_empty():
        return FIELDS.empty()
    known = known_types or {}
    decisions = [(profile.field, *decide_type(profile, known.get(profile.field))) for profile in profile_fields(values)]
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


def _summarize(values: pl.DataFrame, events: pl.DataFrame, typed: pl.DataFrame) -> pl.DataFrame:
    text = pl.col("value").str.strip_chars()
    filled = text != ""
    joined = values.join(events.select("event_id", "event_at"), on="event_id").join(
        typed.select("field", "type"), on="field"
    )
    finite = pl.col("number").filter(pl.col("number").is_finite())
    summary = joined.group_by("field").agg(
        pl.len().cast(pl.Int64).alias("event_count"),
        pl.col("value").filter(filled).n_unique().cast(pl.Int64).alias("distinct_count"),
        finite.min().alias("number_min"),
        finite.sort().mean().alias("number_mean"),  # sorted, so that rounding is the same in any order of rows
        finite.max().alias("number_max"),
        pl.col("event_at").min().alias("first_seen_at"),
        _matches_type(set(typed["type"])).sum().cast(pl.Int64).alias("validated_event_count"),
    )
    counts = joined.filter(filled).group_by("field", "value").len().sort("len", "value", descending=[True, False])
    examples = counts.group_by("field").agg(pl.col("value").head(5).alias("example_values"))
    return summary.join(examples, on="field", how="left").with_columns(
        pl.col("example_values").fill_null(pl.lit([], pl.List(pl.String)))
    )


def _matches_type(types: set[str]) -> pl.Expr:
    """True for values that match the type of their field. Only the checks that these types need are computed."""
    text = pl.col("value").str.strip_chars()
    is_list = pl.col("json_type") == "list"
    checks = {
        "number": pl.col("number").is_not_null(),
        "structured": is_list | text.str.contains(PATTERNS["is_object"]),
        "datetime": text.str.contains(PATTERNS["is_datetime"]) | EPOCH.fill_null(value=False),
        "constant": text == text.mode().max(),
    }
    matches = (text != "") & ~is_list
    for kind in sorted(types & checks.keys()):
        matches = pl.when(pl.col("type") == kind).then(checks[kind]).otherwise(matches)
    return matches
