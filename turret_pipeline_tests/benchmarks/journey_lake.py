"""A lake of generated journeys, of any size, for measuring the time and memory of building the journey tables.

Sizes of topics follow Zipf's law; topics lead to themselves most, and to some topics more than to others. There are a
dozen event names, on average ten events per session and five sessions per user, texts on four of five events, and enum
values on every event. Only the columns that journeys need are filled; the others are null.
"""

import datetime as dt

import numpy as np
import polars as pl

from turret_pipeline.stats.array_types import FloatArray, IntArray
from turret_pipeline.storage.lake import Lake
from turret_pipeline.tables import LAKE_TABLES

TOPICS, NAMES = 60, 12
FIELD = "prompt"
SEGMENTS = {"plan": 4, "model": 3, "language": 8}
EVENTS_PER_SESSION, SESSIONS_PER_USER = 10, 5
FIRST_AT = dt.datetime(2026, 1, 5, tzinfo=dt.UTC)


def draw_transition_matrix(rng: np.random.Generator, nodes: int, stay: float) -> FloatArray:
    """Transition probabilities between nodes, shape (nodes, nodes); rows sum to 1."""
    weights = (1 / np.arange(1, nodes + 1)) * rng.gamma(0.5, size=(nodes, nodes))
    return np.asarray(stay * np.eye(nodes) + (1 - stay) * weights / weights.sum(axis=1, keepdims=True))


def draw_walks(rng: np.random.Generator, moves: FloatArray, lengths: IntArray) -> IntArray:
    """The nodes of sessions of these lengths, one session after the other; first nodes follow Zipf's law."""
    nodes, offsets = len(moves), np.r_[0, np.cumsum(lengths)[:-1]]
    bounds = (np.cumsum(moves, axis=1).clip(max=1 - 1e-12) + np.arange(nodes)[:, None]).ravel()
    starts = 1 / np.arange(1, nodes + 1)
    walked = np.empty(lengths.sum(), np.int16)
    here = rng.choice(nodes, len(lengths), p=starts / starts.sum())
    for step in range(int(lengths.max(initial=0))):
        active = np.flatnonzero(lengths > step)
        if step:
            here[active] = (
                np.searchsorted(bounds, here[active] + rng.random(len(active))).clip(max=nodes * nodes - 1) % nodes
            )
        walked[offsets[active] + step] = here[active]
    return walked


def generate_events(event_count: int, seed: int = 1) -> pl.DataFrame:
    """Events in order of time: ids, event_name, event_at, and the numbers of their topic, user and session."""
    rng = np.random.default_rng(seed)
    lengths = rng.geometric(1 / EVENTS_PER_SESSION, event_count // EVENTS_PER_SESSION)
    lengths[-1] += max(event_count - lengths.sum(), 0)
    session = np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)[:event_count]
    user = rng.integers(0, max(len(lengths) // SESSIONS_PER_USER, 1), len(lengths)).astype(np.int32)
    started = rng.integers(0, 60 * 86_400_000_000, len(lengths))
    pauses = np.cumsum(rng.exponential(20e6, len(session)).astype(np.int64))
    first = np.r_[0, np.cumsum(lengths)[:-1]].clip(max=event_count - 1)
    drawn = pl.DataFrame(
        {
            "session": session,
            "user": user[session],
            "name": draw_walks(rng, draw_transition_matrix(rng, NAMES, 0.2), lengths)[:event_count],
            "topic": draw_walks(rng, draw_transition_matrix(rng, TOPICS, 0.5), lengths)[:event_count],
            "event_at": started[session] + pauses - pauses[first[session]],
        }
    )
    return drawn.sort("event_at").select(
        (pl.lit("evt_") + pl.int_range(pl.len()).hash(1).cast(pl.String)).alias("event_id"),
        (pl.lit("session_") + pl.col("session").hash(2).cast(pl.String)).alias("session_id"),
        (pl.lit("user_") + pl.col("user").hash(3).cast(pl.String)).alias("user_id"),
        (pl.lit("did_") + pl.col("name").cast(pl.String)).alias("event_name"),
        (pl.lit(FIRST_AT) + pl.duration(microseconds="event_at")).cast(pl.Datetime("us", "UTC")).alias("event_at"),
        "topic",
        "user",
        "session",
    )


def write_lake(lake: Lake, event_count: int, seed: int = 1) -> None:
    """Write the tables from which journeys are built."""
    generated = generate_events(event_count, seed)
    lake.root.mkdir(parents=True, exist_ok=True)
    _write(lake, "events", generated.drop("topic", "user", "session"))
    row = pl.int_range(pl.len())
    values = [
        generated.select(
            "event_id", pl.lit(field).alias("field"), (pl.col("user" if count == 4 else "session").hash(count) % count)
        )
        .rename({"user" if count == 4 else "session": "value"})
        .with_columns(pl.col("value").cast(pl.String))
        for field, count in SEGMENTS.items()
    ]
    _write(lake, "event_values", pl.concat(values))
    texts = generated.filter(row % 5 > 0).select(
        "event_id", pl.lit(FIELD).alias("field"), "topic", (row % 3).alias("third")
    )
    with_ids = texts.with_columns(  # every third text is common
        pl.when(pl.col("third") == 0)
        .then(row % 1000 * 100 + pl.col("topic"))
        .otherwise(-row)
        .hash(5)
        .cast(pl.String)
        .alias("text_id"),
        (pl.lit(f"{FIELD}-") + pl.col("topic").cast(pl.String)).alias("topic_id"),
    )
    _write(lake, "event_texts", with_ids.select("event_id", "field", "text_id"))
    _write(lake, "text_topics", with_ids.unique("text_id").select("field", "text_id", "topic_id"))
    continued = with_ids.filter(row % 10 == 0)
    _write(lake, "continuations", continued.select("event_id", "field", pl.col("topic_id").alias("continues_topic_id")))
    is_struggle = (pl.col("event_id").hash(7) % 7 == 0).alias("is_struggle")
    _write(lake, "exchange_signals", with_ids.select(pl.col("event_id").alias("exchange_id"), is_struggle))
    labels = with_ids.select("field", "topic_id", pl.col("topic_id").alias("label")).unique().sort("topic_id")
    _write(lake, "topic_definitions", labels)
    types = {FIELD: "text", **dict.fromkeys(SEGMENTS, "enum")}
    _write(lake, "fields", pl.DataFrame({"field": list(types), "type": list(types.values())}))


def _write(lake: Lake, table: str, rows: pl.DataFrame) -> None:
    """Write a table with nulls in the columns that the rows lack."""
    columns = LAKE_TABLES[table].schema.items()
    filled = (pl.col(name) if name in rows.columns else pl.lit(None, kind).alias(name) for name, kind in columns)
    rows.select(filled).write_parquet(lake.path(table))
