"""Steps: runs of events on one node within a session."""

import polars as pl

from turret_pipeline.tables import JOURNEY_STEPS

SESSION = ["dimension", "session_id"]


def journey_steps(visits: pl.DataFrame) -> pl.DataFrame:
    """Table ``journey_steps`` from visits in order."""
    changed = (pl.col("node_id") != pl.col("node_id").shift()).fill_null(value=True).over(SESSION)
    steps = (
        visits.with_columns(changed.cum_sum().over(SESSION).cast(pl.Int64).alias("step_number"))
        .group_by([*SESSION, "step_number"], maintain_order=True)
        .agg(
            pl.col("user_id").first(),
            pl.col("node_id").first(),
            pl.col("event_at").first().alias("started_at"),
            pl.col("event_at").last().alias("ended_at"),
            pl.len().cast(pl.Int64).alias("event_count"),
        )
    )
    pause = pl.col("started_at").shift(-1).over(SESSION) - pl.col("ended_at")
    return steps.with_columns(seconds(pause).alias("seconds_to_next")).select(JOURNEY_STEPS.schema.names())


def seconds(duration: pl.Expr) -> pl.Expr:
    """A duration as a number of seconds."""
    return duration.dt.total_microseconds() / 1e6
