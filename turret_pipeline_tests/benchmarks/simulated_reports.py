"""Simulated rows of a report in which nothing differs: no topic changes or fails, and no segment is special."""

import numpy as np
import polars as pl

from turret_pipeline.journeys.visits import NAME
from turret_pipeline.reports.report.data import ReportData
from turret_pipeline.reports.scope import Scope
from turret_pipeline.tables import JOURNEY_SEGMENTS, TOPIC_OUTCOMES
from turret_pipeline.tables.signals import ABANDONED, BADLY_RATED, REPHRASED, RESOLVED
from turret_pipeline_tests.benchmarks.simulated import World, simulate_occurrences


def simulate_report_data(rng: np.random.Generator, world: World) -> ReportData:
    """Rows of a scope with one exchange per simulated event, and values that have nothing to do with its topic.

    Users differ in their latencies, errors and ratings, so that exchanges of one user are not independent.
    """
    made, _ = simulate_occurrences(rng, world)
    user = pl.format("user-{}", "user") if world.known_users else pl.lit(None, pl.String)
    rows = made.sort("user", "session_id", "event_date", "event_id", maintain_order=True).select(
        "field",
        "topic_id",
        pl.col("topic_id").alias("subject_topic_id"),
        "session_id",
        user.alias("user_id"),
        pl.lit("file").alias("source_file"),
        pl.lit("sha").alias("content_sha256"),
        pl.lit(value=False).alias("is_time_ahead"),
        "event_date",
        "cluster_id",
        pl.col("user").alias("person"),
        pl.col("event_id").alias("exchange_id"),
    )
    exchanges = _with_values(rng, rows)
    return ReportData(
        scope=Scope(),
        topics=_list_topics(rows),
        occurrences=rows.drop("person", "exchange_id"),
        exchanges=exchanges.drop("person"),
        segments=_draw_segments(rng, exchanges),
        journey_segments=JOURNEY_SEGMENTS.empty(),
        topic_outcomes=TOPIC_OUTCOMES.empty(),
        topic_runs=pl.DataFrame(schema={"field": pl.String(), "note": pl.String()}),
        born=pl.DataFrame(schema={"topic_id": pl.String()}),
        new_files=pl.DataFrame(schema={"content_sha256": pl.String()}),
        exchange_roles=pl.DataFrame(
            {"role": ["prompt"], "event_name": ["ask"], "field": ["prompt"], "reason": ["field"]}
        ),
        is_later_run=False,
        session_count=rows["session_id"].n_unique(),
        user_count=rows["user_id"].drop_nulls().n_unique(),
    )


def _with_values(rng: np.random.Generator, rows: pl.DataFrame) -> pl.DataFrame:
    """The exchanges with latency, tokens, errors, ratings and endings."""
    person, size = rows["person"].to_numpy(), rows.height
    habit = rng.normal(0, 0.5, int(person.max()) + 1)[person]
    is_last = pl.col("exchange_number") == pl.len().over("session_id")
    return rows.with_columns(
        pl.int_range(1, pl.len() + 1).over("session_id").alias("exchange_number"),
        pl.Series("latency_seconds", np.exp(rng.normal(0, 0.7, size) + habit)),
        pl.Series("seconds_to_answer", np.full(size, 1.0)),
        pl.Series("output_tokens", np.exp(rng.normal(5, 1, size) + habit).round()),
        pl.lit(None, pl.Float64).alias("cost_usd"),
        pl.when(pl.Series(rng.random(size) < 0.2))
        .then(pl.Series(np.clip((rng.normal(3.5, 1, size) - habit).round(), 1, 5)))
        .alias("rating"),
        pl.Series("is_error", rng.random(size) < 0.03 * np.exp(habit)),
        pl.Series("answer_count", (rng.random(size) > 0.05).astype(np.int64)),
        pl.Series("is_declined", rng.random(size) < 0.04 * np.exp(habit)),
        pl.Series("is_corrected", rng.random(size) < 0.05 * np.exp(habit)),
        pl.Series("model", rng.choice(["small", "large", "other"], size, p=[0.5, 0.3, 0.2])),
    ).with_columns(
        *(pl.lit(None, pl.Boolean).alias(f"is_{name}") for name in (REPHRASED, ABANDONED, BADLY_RATED, RESOLVED)),
        (pl.col("is_error") | (pl.col("answer_count") == 0)).alias("is_unanswered"),
        pl.any_horizontal("is_error", pl.col("answer_count") == 0, "is_declined", "is_corrected").alias("is_struggle"),
        pl.when(is_last).then(pl.lit("ended")).otherwise(pl.lit("continued")).alias("ending"),
    )


def _draw_segments(rng: np.random.Generator, exchanges: pl.DataFrame) -> pl.DataFrame:
    """Values of an enum field with 3 values per user, and of one with 10."""
    person = exchanges["person"].to_numpy()
    parts = []
    for field, count in (("plan", 3), ("industry", 10)):
        weights = 1 / np.arange(1, count + 1)
        drawn = rng.choice(count, int(person.max()) + 1, p=weights / weights.sum())
        parts.append(
            exchanges.select(
                "exchange_id",
                pl.lit(field, NAME).alias("segment_field"),
                pl.Series("segment_value", drawn[person]).cast(pl.String).cast(NAME),
                pl.lit("prompt", NAME).alias("side"),
            )
        )
    return pl.concat(parts)


def _list_topics(rows: pl.DataFrame) -> pl.DataFrame:
    return (
        rows.select("topic_id", "field")
        .unique()
        .sort("topic_id")
        .with_columns(
            pl.col("topic_id").alias("label"),
            pl.lit("theme").alias("theme_label"),
            pl.lit("subject").alias("role"),
            pl.lit(0.6).alias("cohesion"),
            pl.lit(None, pl.List(pl.String())).alias("example_texts"),
        )
    )
