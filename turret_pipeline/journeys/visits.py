"""Which event is on which node: the sequences that all journey tables are read from."""

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl

from turret_pipeline.tables import EVENT_NAME, USER

NAME = pl.Categorical()
VISITS_SCHEMA = pl.Schema(
    {
        "dimension": pl.String(),
        "sequence_id": NAME,
        "user_id": NAME,
        "node_id": NAME,
        "event_at": pl.Datetime("us", "UTC"),
        "position": pl.Int64(),
    }
)
"""One row per event on a node of a dimension; ``position`` is the place of the event among all events.

``sequence_id`` is the session_id, or the user_id in a dimension that starts with USER. Names are categorical, which
takes four bytes each and lets readers count numbers. Text works as well, but takes longer.
"""

SEQUENCE = ("dimension", "sequence_id")
PACKED = 2**32
"""Two numbers below it are one of 64 bits, which is sorted and counted faster than two columns are."""


def collect_visits(
    events: pl.DataFrame,
    event_texts: pl.DataFrame | pl.LazyFrame,
    text_topics: pl.DataFrame | pl.LazyFrame,
    continuations: pl.DataFrame | pl.LazyFrame,
    fields: Sequence[str],
) -> Iterator[pl.DataFrame]:
    """The visits of each dimension that has any, ordered by sequence and position, a dimension at a time.

    ``events`` come in their order. An event is on the topic that it carries on (table ``continuations``), else on that
    of its text; one that has neither is on no node of that field. After each dimension comes that of the users: all
    events of a user are one sequence. A text field that is called like one of these dimensions makes none: the name
    is taken.
    """
    coded = events.select(pl.col("session_id", "user_id").cast(NAME), "event_at")
    ranks = {who: numbered(coded[who])[1] for who in ("session_id", "user_id")}
    named = events.select(_POSITION, pl.col("event_name").cast(NAME).alias("node_id"))
    yield from _both(coded, ranks, named, EVENT_NAME)
    placed = events.lazy().select("event_id", _POSITION)
    for field in sorted(set(fields)):
        if field != EVENT_NAME and not field.startswith(USER):
            is_of_field = pl.col("field") == field
            topics = text_topics.lazy().filter(is_of_field).select("text_id", pl.col("topic_id").cast(NAME))
            carried = continuations.lazy().filter(is_of_field)
            on_topics = (
                event_texts.lazy()
                .filter(is_of_field)
                .select("event_id", "text_id")
                .join(topics, on="text_id", validate="m:1")
                .join(carried.select("event_id", pl.col("continues_topic_id").cast(NAME)), on="event_id", how="left")
                .select("event_id", pl.coalesce("continues_topic_id", "topic_id").alias("node_id"))
                .drop_nulls()
                .join(placed, on="event_id", validate="1:1")
                .select("position", "node_id")
            )
            yield from _both(coded, ranks, on_topics.collect(engine="streaming").sort("position"), field)


_POSITION = pl.int_range(pl.len(), dtype=pl.UInt32).alias("position")


def _both(
    coded: pl.DataFrame, ranks: dict[str, pl.Series], placed: pl.DataFrame, dimension: str
) -> Iterator[pl.DataFrame]:
    """The visits of a dimension by session, and by user."""
    for name, who in ((dimension, "session_id"), (USER + dimension, "user_id")):
        row = pl.int_range(pl.len(), dtype=pl.UInt64)
        keys = placed.select(ranks[who].gather(placed["position"]).cast(pl.UInt64) * PACKED + row).to_series()
        in_order = placed.select(pl.all().gather(keys.drop_nulls().sort() % PACKED))
        if in_order.height:
            at = coded.select(pl.all().gather(in_order["position"]))
            yield at.select(
                pl.lit(name).alias("dimension"),
                pl.col(who).alias("sequence_id"),
                "user_id",
                in_order["node_id"],
                "event_at",
                in_order["position"].cast(pl.Int64),
            )


def numbered(names: pl.Series) -> tuple[pl.Series, pl.Series]:
    """The distinct names in their order as text, and the place of each of ``names`` among them, null where it is."""
    coded = names.cast(NAME)
    distinct = coded.unique().drop_nulls().sort()
    codes = distinct.to_physical().to_numpy()
    places = np.zeros(int(codes.max(initial=0)) + 1, np.uint32)
    places[codes] = np.arange(len(codes))
    return distinct.cast(pl.String), pl.Series(names.name, places).gather(coded.to_physical())


def of_each_dimension(visits: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    """The rows of each dimension, which lie together; those of a single one are not copied."""
    if visits.height:
        dimension = visits["dimension"]
        ends = [*(dimension != dimension.shift(-1)).arg_true().to_list(), visits.height - 1]
        for start, end in zip([0, *(end + 1 for end in ends)], ends, strict=False):
            yield str(dimension[start]), visits.slice(start, end + 1 - start)


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
