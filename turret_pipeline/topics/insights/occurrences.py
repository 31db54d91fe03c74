"""Where topics occur: the events of each text field with their topic, their day, and whom they hang together with."""

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
"""One row per event and text field present on it. ``topic_id`` is null where the text has none. ``cluster_id`` numbers
the users, and the sessions of events whose user is not known: events of one cluster are not independent."""


def collect_occurrences(events: pl.DataFrame, event_texts: pl.DataFrame, text_topics: pl.DataFrame) -> pl.DataFrame:
    """OCCURRENCES_SCHEMA, from the tables of these names."""
    who = pl.coalesce(pl.lit("user ") + pl.col("user_id"), pl.lit("session ") + pl.col("session_id"))
    placed = events.select(
        "event_id",
        "session_id",
        who.rank("dense").cast(pl.Int64).alias("cluster_id"),
        pl.col("event_at").dt.date().alias("event_date"),
    )
    return (
        event_texts.join(text_topics.select("field", "text_id", "topic_id"), on=["field", "text_id"], how="left")
        .join(placed, on="event_id", validate="m:1")
        .select(OCCURRENCES_SCHEMA.names())
    )


def dense(column: pl.Series) -> tuple[pl.Series, IntArray]:
    """The distinct values in order, null left out, and the position of every value among them, -1 for null."""
    names = column.drop_nulls().unique().sort()
    positions = names.to_frame().with_row_index("position")
    found = column.to_frame().join(positions, on=column.name, how="left", maintain_order="left")
    return names, found["position"].cast(pl.Int64).fill_null(-1).to_numpy()
