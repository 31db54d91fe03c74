"""Steps: runs of events on one node within a session."""

import polars as pl

from turret_pipeline.journeys.visits import NAME, same_as, seconds
from turret_pipeline.tables import JOURNEY_STEPS, USER


def journey_steps(visits: pl.DataFrame) -> pl.DataFrame:
    """Table ``journey_steps`` from visits in order."""
    return spelled(collect_steps(visits))


def spelled(steps: pl.DataFrame) -> pl.DataFrame:
    """Steps with their names as text, as the table has them."""
    return steps.cast({NAME: pl.String})


def collect_steps(visits: pl.DataFrame) -> pl.DataFrame:
    """Table ``journey_steps`` with the names as they are in the visits, which take a fraction of the memory."""
    row, at = pl.int_range(pl.len(), dtype=pl.Int64), pl.col("event_at")
    last_at = visits["event_at"].last()
    steps = visits.select(
        "dimension",
        "sequence_id",
        "user_id",
        "node_id",
        at.alias("started_at"),
        at.shift().alias("before_at"),
        row.alias("row"),
        same_as(1, "node_id").alias("goes_on"),
    ).filter(~pl.col("goes_on"))
    is_first, is_of_user = ~same_as(1), pl.col("dimension").str.starts_with(USER)
    number, next_row = pl.int_range(pl.len(), dtype=pl.Int64), pl.col("row").shift(-1).fill_null(visits.height)
    pause = pl.col("started_at").shift(-1) - pl.col("ended_at")
    return (
        steps.with_columns(
            pl.when(~is_of_user).then("sequence_id").alias("session_id"),
            (number - pl.when(is_first).then(number).forward_fill() + 1).alias("step_number"),
            (next_row - pl.col("row")).alias("event_count"),
            pl.coalesce(pl.col("before_at").shift(-1), pl.lit(last_at, visits.schema["event_at"])).alias("ended_at"),
        )
        .with_columns(pl.when(same_as(-1)).then(seconds(pause)).alias("seconds_to_next"))
        .select(JOURNEY_STEPS.schema.names())
    )
