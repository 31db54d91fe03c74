"""Which event is on which node: the sequences that steps and edges are read from."""

from collections.abc import Sequence

import polars as pl

from turret_pipeline.tables import EVENT_NAME

VISITS_SCHEMA = pl.Schema(
    {
        "dimension": pl.String(),
        "session_id": pl.String(),
        "user_id": pl.String(),
        "node_id": pl.String(),
        "event_at": pl.Datetime("us", "UTC"),
        "position": pl.Int64(),
    }
)
"""One row per event on a node of a dimension; ``position`` orders the events of all sessions."""


def collect_visits(
    events: pl.DataFrame,
    event_texts: pl.DataFrame,
    text_topics: pl.DataFrame,
    continuations: pl.DataFrame,
    fields: Sequence[str],
) -> pl.DataFrame:
    """The visits of dimension event_name and of every text field, ordered by dimension, session and position.

    ``events`` come in their order. An event is on the topic that it carries on (table ``continuations``), else on that
    of its text; one that has neither is on no node of that field. A text field that is called event_name makes no
    dimension: the name is taken.
    """
    ordered = events.select("event_id", "session_id", "user_id", "event_name", "event_at").with_row_index("position")
    named = ordered.with_columns(pl.lit(EVENT_NAME).alias("dimension"), pl.col("event_name").alias("node_id"))
    topical = (
        event_texts.filter(pl.col("field").is_in([field for field in fields if field != EVENT_NAME]))
        .join(text_topics.select("field", "text_id", "topic_id"), on=["field", "text_id"], validate="m:1")
        .join(continuations, on=["event_id", "field"], how="left", validate="1:1")
        .with_columns(
            pl.col("field").alias("dimension"), pl.coalesce("continues_topic_id", "topic_id").alias("node_id")
        )
        .filter(pl.col("node_id").is_not_null())
        .join(ordered, on="event_id", validate="m:1")
    )
    columns = [pl.col(name).cast(kind) for name, kind in VISITS_SCHEMA.items()]
    return pl.concat([named.select(columns), topical.select(columns)]).sort("dimension", "session_id", "position")
