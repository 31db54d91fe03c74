"""Texts of a text field that are no prompts, by topic and outcome, with their events."""

import datetime as dt
from dataclasses import dataclass

import duckdb
import polars as pl

from turret_pipeline.reports.conversations import read_text
from turret_pipeline.reports.event_texts import read_metadata
from turret_pipeline.reports.exchange_filter import NO_TOPIC
from turret_pipeline.reports.exchange_lists import CHUNK, PROMPT_LENGTH, Counts, RowRange

OUTCOMES = ("assigned", "continuation", "outlier", "unreadable", "empty")


@dataclass(frozen=True)
class TextFilter:
    """Conditions of texts; one that is None selects all. ``topic_id`` is the topic of the text itself.

    NO_TOPIC selects those without one. ``since`` and ``until`` are the first moment, and the first one after it.
    """

    field: str
    topic_id: str | None = None
    outcome: str | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None


def list_texts(
    connection: duckdb.DuckDBPyConnection, conditions: TextFilter, rows: RowRange, min_users: int = 1
) -> tuple[Counts, pl.DataFrame]:
    """The texts of the scope of a connection that fulfil all conditions, and some as rows, newest first.

    Texts are null if their topic has fewer than ``min_users`` users, and cut after PROMPT_LENGTH characters;
    ``text_length`` has the characters of the whole one.
    """
    tests = {
        f"coalesce(topic_id, '{NO_TOPIC}') = $topic": ("topic", conditions.topic_id),
        "outcome = $outcome": ("outcome", conditions.outcome),
        "event_at >= $since": ("since", conditions.since),
        "event_at < $until": ("until", conditions.until),
    }
    given = {sql: pair for sql, pair in tests.items() if pair[1] is not None}
    values: dict[str, object] = {"field": conditions.field, **dict(given.values())}
    connection.execute(
        "create or replace temp table found_texts as "
        "select event_id, session_id, user_id, event_at, event_name, topic_id, outcome, similarity "
        "from (select event_id, topic_id, outcome, similarity from marts.event_topics where field = $field) "
        f"join scoped_events using (event_id) where {' and '.join(['true', *given])}",
        values,
    )
    counts = connection.execute(
        "select count(*), count(distinct session_id), count(distinct user_id) from found_texts"
    ).fetchall()[0]
    frame: pl.DataFrame = connection.sql(
        f"""
        select event_id, session_id, user_id, event_at, event_name, null::text as text, null::bigint as text_length,
            topic_id, label as topic, outcome, similarity,
            $min_users <= 1 or coalesce(user_count >= $min_users, false) as is_shown
        from (from found_texts order by event_at desc, event_id limit {rows.limit:d} offset {rows.offset:d})
        left join (select topic_id, label, user_count from marts.topics) using (topic_id)
        order by event_at desc, event_id
        """,
        params={"min_users": min_users},
    ).pl()
    return Counts(*counts), _add_texts(connection, frame, conditions.field).drop("is_shown")


def _add_texts(connection: duckdb.DuckDBPyConnection, frame: pl.DataFrame, field: str) -> pl.DataFrame:
    texts: list[str | None] = []
    for chunk in frame.iter_slices(CHUNK):
        metadata = read_metadata(connection, chunk.filter("is_shown").select("event_id", "event_at"))
        texts += [read_text(metadata.get(event_id), field) for event_id in chunk["event_id"]]
    return frame.with_columns(
        pl.Series("text", [text and text[:PROMPT_LENGTH] for text in texts], pl.String),
        pl.Series("text_length", [None if text is None else len(text) for text in texts], pl.Int64),
    )
