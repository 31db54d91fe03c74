"""Exchanges that fulfil conditions: how many, of whom, and those of a page of a list with their prompts."""

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb
import polars as pl

from turret_pipeline.reports.conversations import read_text
from turret_pipeline.reports.event_texts import read_metadata
from turret_pipeline.reports.exchange_filter import (
    SEARCHED,
    SIGNAL_NAMES,
    ExchangeFilter,
    Selection,
    find_exchanges,
    select_exchanges,
)
from turret_pipeline.tables.signals import STRUGGLE

SHOWN_SIGNALS = tuple(name for name in SIGNAL_NAMES if name != STRUGGLE)
"""Signals of a list. A struggle is any of some of them."""

PROMPT_LENGTH = 1000
"""Characters of a prompt in a list; the page of its session has all."""

CHUNK = 5000
"""Exchanges whose texts are in memory at a time."""


@dataclass(frozen=True)
class Counts:
    """Exchanges or events, the sessions they are in, and their known users.

    ``unsearched_count`` are the older exchanges whose prompts were not searched for a text.
    """

    row_count: int
    session_count: int
    user_count: int
    unsearched_count: int = 0

    def is_of_fewer_users(self, min_users: int) -> bool:
        """True if there are rows, but of fewer users than ``min_users``: nothing of them may be shown then."""
        return bool(self.row_count) and self.user_count < min_users


@dataclass(frozen=True)
class RowRange:
    """The rows of a page of a list: at most ``limit``, after ``offset`` others."""

    limit: int
    offset: int = 0


def list_exchanges(
    connection: duckdb.DuckDBPyConnection, conditions: ExchangeFilter, rows: RowRange, min_users: int = 1
) -> tuple[Counts, pl.DataFrame]:
    """The exchanges of the scope of a connection (``open_scope``) that fulfil all conditions, and some as rows.

    Rows are the newest first, with prompt, topic and signals. Prompts are null if their topic has fewer than
    ``min_users`` users, and cut after PROMPT_LENGTH characters; ``prompt_length`` has the characters of the whole one.
    """
    found = find_exchanges(connection, conditions, min_users)
    return _count(connection, conditions, found), _read_rows(connection, found, rows, min_users)


def _count(connection: duckdb.DuckDBPyConnection, conditions: ExchangeFilter, found: Selection) -> Counts:
    counts = connection.execute(
        f"select count(*), count(distinct session_id), count(distinct user_id) from ({found.sql})", found.values
    ).fetchall()[0]
    unsearched = 0
    if conditions.search is not None:
        others = select_exchanges(conditions)
        count = connection.execute(f"select count(*) from ({others.sql})", others.values).fetchall()[0][0]
        unsearched = max(0, count - SEARCHED)
    rows, sessions, users = counts
    return Counts(rows, sessions, users, unsearched)


def _read_rows(connection: duckdb.DuckDBPyConnection, found: Selection, rows: RowRange, min_users: int) -> pl.DataFrame:
    connection.execute(
        f"create or replace temp table page_exchanges as select * from ({found.sql}) "
        f"order by prompt_at desc, exchange_id limit {rows.limit:d} offset {rows.offset:d}",
        found.values,
    )
    frame: pl.DataFrame = connection.sql(_DETAILS, params={"min_users": min_users}).pl()
    prompts = list(_read_prompts(connection, frame))
    return frame.with_columns(
        pl.Series("prompt", [text for text, _ in prompts], pl.String),
        pl.Series("prompt_length", [length for _, length in prompts], pl.Int64),
    ).drop("prompt_event_id", "is_shown")


def list_true_signals(table: str = "exchange_signals") -> str:
    """SQL of the list of the signals of an exchange that are true."""
    cases = ", ".join(f"case when {table}.is_{name} then '{name}' end" for name in SHOWN_SIGNALS)
    return f"list_filter([{cases}], lambda name: name is not null)"


_DETAILS = f"""
select page.exchange_id, prompt_event_id, page.session_id, exchange_number, user_id, prompt_at, page.field,
    null::text as prompt, null::bigint as prompt_length, subject_topic_id as topic_id, label as topic,
    page.topic_id is distinct from subject_topic_id as is_follow_up, {list_true_signals("signals")} as signals, rating,
    model, latency_seconds, cost_usd, input_tokens, output_tokens, is_error,
    $min_users <= 1 or coalesce(user_count >= $min_users, false) as is_shown
from page_exchanges as page
left join (
    from marts.exchange_signals where rowid in
    (select rowid from marts.exchange_signals where exchange_id in (select exchange_id from page_exchanges))
) as signals using (exchange_id)
left join (select topic_id, label, user_count from marts.topics) as topics on topics.topic_id = subject_topic_id
order by prompt_at desc, exchange_id
"""


def _read_prompts(
    connection: duckdb.DuckDBPyConnection, exchanges: pl.DataFrame
) -> Iterator[tuple[str | None, int | None]]:
    """The start of each prompt and its length; null where it may not be shown."""
    for chunk in exchanges.iter_slices(CHUNK):
        shown = chunk.filter("is_shown").select(
            pl.col("prompt_event_id").alias("event_id"), pl.col("prompt_at").alias("event_at")
        )
        metadata = read_metadata(connection, shown)
        for event_id, field in chunk.select("prompt_event_id", "field").iter_rows():
            text = read_text(metadata.get(event_id), field)
            yield (None, None) if text is None else (text[:PROMPT_LENGTH], len(text))
