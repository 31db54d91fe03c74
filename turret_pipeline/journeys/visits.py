"""Visits: events on nodes, in the sequences from which all journey tables are built."""

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
"""One row per event on a node of a dimension; ``position`` is the position of the event among all events.

``sequence_id`` is the session_id, or the user_id in a dimension that starts with USER. Names are categorical, which
takes four bytes each and lets readers count numbers. Text works as well, but takes longer.
"""

SEQUENCE = ("dimension", "sequence_id")
PACK_BASE = 2**32
"""Two numbers below it are packed into one of 64 bits, which sorts and counts faster than two columns."""

_POSITION = pl.int_range(pl.len(), dtype=pl.UInt32).alias("position")


def collect_visits(
    events: pl.DataFrame,
    event_texts: pl.DataFrame | pl.LazyFrame,
    text_topics: pl.DataFrame | pl.LazyFrame,
    continuations: pl.DataFrame | pl.LazyFrame,
    fields: Sequence[str],
) -> Iterator[pl.DataFrame]:
    """The visits of each dimension that has any, one frame per dimension, ordered by sequence and position.

    ``events`` come in their order. An event is on the topic that it continues (table ``continuations``), or else on the
    topic of its text; without either it is on no node of that field. Each dimension is followed by that of the users,
    in which all events of a user are one sequence. A text field with the name of one of these dimensions is skipped.
    """
    coded = events.select(pl.col("session_id", "user_id").cast(NAME), "event_at")
    ranks = {who: rank_names(coded[who])[1] for who in ("session_id", "user_id")}
    event_names = events.select(_POSITION, pl.col("event_name").cast(NAME).alias("node_id"))
    yield from _order_visits(coded, ranks, event_names, EVENT_NAME)
    positions = events.lazy().select("event_id", _POSITION)
    for field in sorted(set(fields)):
        if field != EVENT_NAME and not field.startswith(USER):
            is_of_field = pl.col("field") == field
            topics = text_topics.lazy().filter(is_of_field).select("text_id", pl.col("topic_id").cast(NAME))
            continued = continuations.lazy().filter(is_of_field)
            on_topics = (
                event_texts.lazy()
                .filter(is_of_field)
                .select("event_id", "text_id")
                .join(topics, on="text_id", validate="m:1")
                .join(continued.select("event_id", pl.col("continues_topic_id").cast(NAME)), on="event_id", how="left")
                .select("event_id", pl.coalesce("continues_topic_id", "topic_id").alias("node_id"))
                .drop_nulls()
                .join(positions, on="event_id", validate="1:1")
                .select("position", "node_id")
            )
            yield from _order_visits(coded, ranks, on_topics.collect(engine="streaming").sort("position"), field)


def _order_visits(
    coded: pl.DataFrame, ranks: dict[str, pl.Series], nodes: pl.DataFrame, dimension: str
) -> Iterator[pl.DataFrame]:
    """The visits of a dimension by session, then by user; ``nodes`` has the position and node_id of its events."""
    for name, who in ((dimension, "session_id"), (USER + dimension, "user_id")):
        row = pl.int_range(pl.len(), dtype=pl.UInt64)
        keys = nodes.select(ranks[who].gather(nodes["position"]).cast(pl.UInt64) * PACK_BASE + row).to_series()
        in_order = nodes.select(pl.all().gather(keys.drop_nulls().sort() % PACK_BASE))
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


def rank_names(names: pl.Series) -> tuple[pl.Series, pl.Series]:
    """The distinct names in order as text, and the rank of each of ``names`` among them, from 0; null if it is null."""
    coded = names.cast(NAME)
    distinct = coded.unique().drop_nulls().sort()
    codes = distinct.to_physical().to_numpy()
    ranks = np.zeros(int(codes.max(initial=0)) + 1, np.uint32)
    ranks[codes] = np.arange(len(codes))
    return distinct.cast(pl.String), pl.Series(names.name, ranks).gather(coded.to_physical())


def split_by_dimension(rows: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    """Each dimension with its rows, which must be adjacent. The frames are slices, not copies."""
    if rows.height:
        dimension = rows["dimension"]
        ends = [*(dimension != dimension.shift(-1)).arg_true().to_list(), rows.height - 1]
        for start, end in zip([0, *(end + 1 for end in ends)], ends, strict=False):
            yield str(dimension[start]), rows.slice(start, end + 1 - start)


def is_same_sequence(offset: int, *columns: str) -> pl.Expr:
    """True if the row ``offset`` rows before (after, if negative) has the same sequence and the same ``columns``.

    For frames in the order of visits: comparing neighbours takes a fraction of the time of window functions.
    """
    parts = [pl.col(name).eq_missing(pl.col(name).shift(offset)) for name in (*SEQUENCE, *columns)]
    is_in_frame = pl.int_range(pl.len()) >= offset if offset > 0 else pl.int_range(pl.len()) < pl.len() + offset
    return pl.all_horizontal(is_in_frame, *parts)


def total_seconds(duration: pl.Expr) -> pl.Expr:
    """A duration in seconds."""
    return duration.dt.total_microseconds() / 1e6
