"""Table ``fields``: what each metadata field is, and what its values are like."""

from collections.abc import Mapping

import polars as pl

from turret_pipeline.fields.detection import detect_type
from turret_pipeline.fields.facts import EPOCH, PATTERNS, field_facts
from turret_pipeline.tables import FIELDS


def describe_fields(values: pl.DataFrame, events: pl.DataFrame, overrides: Mapping[str, str]) -> pl.DataFrame:
    """Table ``fields`` from ``event_values`` and ``events``; ``overrides`` maps fields to the type a person set."""
    if values.is_empty():
        return FIELDS.empty()
    verdicts = [(facts.field, *detect_type(facts)) for facts in field_facts(values)]
    detected = pl.DataFrame(
        verdicts, {"field": pl.String, "detected_type": pl.String, "reason": pl.String}, orient="row"
    )
    override = pl.col("field").replace_strict(overrides, default=None, return_dtype=pl.String)
    typed = detected.with_columns(
        override.is_not_null().alias("is_overridden"), pl.coalesce(override, "detected_type").alias("type")
    )
    return (
        typed.join(_summaries(values, events, typed), on="field", how="left", validate="1:1")
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


def _summaries(values: pl.DataFrame, events: pl.DataFrame, typed: pl.DataFrame) -> pl.DataFrame:
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
        finite.sort().mean().alias("number_mean"),  # sorted: the sum, and so its last digit, is the same in any order
        finite.max().alias("number_max"),
        pl.col("event_at").min().alias("first_seen_at"),
        _fits(set(typed["type"])).sum().cast(pl.Int64).alias("validated_event_count"),
    )
    counts = joined.filter(filled).group_by("field", "value").len().sort("len", "value", descending=[True, False])
    examples = counts.group_by("field").agg(pl.col("value").head(5).alias("example_values"))
    return summary.join(examples, on="field", how="left").with_columns(
        pl.col("example_values").fill_null(pl.lit([], pl.List(pl.String)))
    )


def _fits(types: set[str]) -> pl.Expr:
    """Whether a value is one of the type in force, among those of its field; only what these types ask is looked at."""
    text = pl.col("value").str.strip_chars()
    is_list = pl.col("json_type") == "list"
    rules = {
        "number": pl.col("number").is_not_null(),
        "structured": is_list | text.str.contains(PATTERNS["is_object"]),
        "datetime": text.str.contains(PATTERNS["is_datetime"]) | EPOCH.fill_null(value=False),
        "constant": text == text.mode().max(),
    }
    fits = (text != "") & ~is_list
    for kind in sorted(types & rules.keys()):
        fits = pl.when(pl.col("type") == kind).then(rules[kind]).otherwise(fits)
    return fits
