"""Steps: consecutive events of a sequence on one node."""

import polars as pl

from turret_pipeline.journeys.visits import NAME, is_same_sequence, total_seconds
from turret_pipeline.tables import JOURNEY_STEPS, USER


def journey_steps(visits: pl.DataFrame) -> pl.DataFrame:
    """Table ``journey_steps`` from visits in order."""
    return with_text_names(collect_steps(visits))


def with_text_names(steps: pl.DataFrame) -> pl.DataFrame:
    """Steps with their names as text, as the table has them."""
    return steps.cast({NAME: pl.String})


def collect_steps(visits: pl.DataFrame) -> pl.DataFrame:
    """Table ``journey_steps`` with categorical names as in the visits, which take a fraction of the memory of text."""
    row, at = pl.int_range(pl.len(), dtype=pl.Int64), pl.col("event_at")
    last_at = visits["event_at"].last()
    steps = visits.select(
        "dimension",
        "sequence_id",
        "user_id",
        "node_id",
        at.alias("started_at"),
        at.shift().alias("previous_at"),
        row.alias("row"),
        is_same_sequence(1, "node_id").alias("is_same_step"),
    ).filter(~pl.col("is_same_step"))
    is_first, is_of_user = ~is_same_sequence(1), pl.col("dimension").str.starts_with(USER)
    number, next_row = pl.int_range(pl.len(), dtype=pl.Int64), pl.col("row").shift(-1).fill_null(visits.height)
    pause = pl.col("started_at").shift(-1) - pl.col("ended_at")
    return (
        steps.with_columns(
            pl.when(~is_of_user).then("sequence_id").alias("session_id"),
            (number - pl.when(is_first).then(number).forward_fill() + 1).alias("step_number"),
            (next_row - pl.col("row")).alias("event_count"),
            pl.coalesce(pl.col("previous_at").shift(-1), pl.lit(last_at, visits.schema["event_at"])).alias("ended_at"),
        )
        .with_columns(pl.when(is_same_sequence(-1)).then(total_seconds(pause)).alias("seconds_to_next"))
        .select(JOURNEY_STEPS.schema.names())
    )
