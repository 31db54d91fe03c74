"""Which event is on which node: the sequences that all journey tables are read from."""

from collections.abc import Iterator, Sequence

import polars as pl

from turret_pipeline.tables import EVENT_NAME, USER

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
"""One row per event on a node of a dimension; ``position`` is the place of the event among all events."""

SEQUENCE = ("dimension", "session_id")


def collect_visits(
    events: pl.DataFrame,
    event_texts: pl.DataFrame,
    text_topics: pl.DataFrame,
    continuations: pl.DataFrame,
    fields: Sequence[str],
) -> Iterator[pl.DataFrame]:
    """The visits of each dimension that has any, ordered by session and position, a dimension at a time.

    ``events`` come in their order. An event is on the topic that it carries on (table ``continuations``), else on that
    of its text; one that has neither is on no node of that field. After each dimension comes that of the users: all
    events of a user are one sequence, whose session_id is the user's. A text field that is called like one of these
    dimensions makes none: the name is taken.
    """
    ordered = events.select("event_id", "session_id", "user_id", "event_name", "event_at").with_row_index("position")
    yield from _both(ordered.with_columns(pl.col("event_name").alias("node_id")), EVENT_NAME)
    for field in sorted(set(fields)):
        if field != EVENT_NAME and not field.startswith(USER):
            on_topics = (
                event_texts.filter(pl.col("field") == field)
                .join(text_topics.select("field", "text_id", "topic_id"), on=["field", "text_id"], validate="m:1")
                .join(continuations, on=["event_id", "field"], how="left", validate="1:1")
                .select("event_id", pl.coalesce("continues_topic_id", "topic_id").alias("node_id"))
                .drop_nulls()
            )
            yield from _both(ordered.join(on_topics, on="event_id", validate="1:1"), field)


def _both(placed: pl.DataFrame, dimension: str) -> Iterator[pl.DataFrame]:
    """The visits of a dimension by session, and by user; those that there are."""
    for name in (dimension, USER + dimension):
        visits = place(placed, name)
        if visits.height:
            yield visits


def place(placed: pl.DataFrame, dimension: str) -> pl.DataFrame:
    """The visits of one dimension in order, from session_id, user_id, event_at, position and node_id of its events."""
    if dimension.startswith(USER):
        placed = placed.filter(pl.col("user_id").is_not_null()).with_columns(pl.col("user_id").alias("session_id"))
    columns = [pl.col(column).cast(kind) for column, kind in VISITS_SCHEMA.items() if column != "dimension"]
    return placed.sort("session_id", "position").select(pl.lit(dimension).alias("dimension"), *columns)


def same_as(offset: int, *columns: str) -> pl.Expr:
    """Whether the row so many rows before (after, if below 0) is of the same sequence, and of the same ``columns``.

    For frames in the order of visits: neighbours are compared, which takes a fraction of the time of windows.
    """
    parts = [pl.col(name).eq_missing(pl.col(name).shift(offset)) for name in (*SEQUENCE, *columns)]
    is_there = pl.int_range(pl.len()) >= offset if offset > 0 else pl.int_range(pl.len()) < pl.len() + offset
    return pl.all_horizontal(is_there, *parts)


def seconds(duration: pl.Expr) -> pl.Expr:
    """A duration as a number of seconds."""
    return duration.dt.total_microseconds() / 1e6
