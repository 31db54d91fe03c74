"""Occurrences of topics: the events of each text field with their topic, day, session and user."""

import polars as pl

from turret_pipeline.stats.array_types import IntArray

OCCURRENCES_SCHEMA = pl.Schema(
    {
        "field": pl.String(),
        "event_id": pl.String(),
        "topic_id": pl.String(),
        "session_id": pl.String(),
        "cluster_id": pl.Int64(),
        "event_date": pl.Date(),
    }
)
"""One row per event and text field of it. ``topic_id`` is null if the text is unassigned. ``cluster_id`` numbers the
users, and the sessions of events without a user: events of one cluster are not independent."""


def collect_occurrences(events: pl.DataFrame, event_texts: pl.DataFrame, text_topics: pl.DataFrame) -> pl.DataFrame:
    """Occurrences with the columns of OCCURRENCES_SCHEMA, from the tables of these names."""
    cluster = pl.coalesce(pl.lit("user ") + pl.col("user_id"), pl.lit("session ") + pl.col("session_id"))
    attributes = events.select(
        "event_id",
        "session_id",
        cluster.rank("dense").cast(pl.Int64).alias("cluster_id"),
        pl.col("event_at").dt.date().alias("event_date"),
    )
    return (
        event_texts.join(text_topics.select("field", "text_id", "topic_id"), on=["field", "text_id"], how="left")
        .join(attributes, on="event_id", validate="m:1")
        .select(OCCURRENCES_SCHEMA.names())
    )


def factorize(column: pl.Series) -> tuple[pl.Series, IntArray]:
    """Sorted distinct values without null, and the position of each value of the column among them, -1 for null."""
    values = column.drop_nulls().unique().sort()
    positions = values.to_frame().with_row_index("position")
    found = column.to_frame().join(positions, on=column.name, how="left", maintain_order="left")
    return values, found["position"].cast(pl.Int64).fill_null(-1).to_numpy()
