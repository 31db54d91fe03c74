"""Sessions that fulfil conditions: how many, of whom, and those of a page of a list with their subjects and signals."""

import duckdb
import polars as pl

from turret_pipeline.reports.exchange_filter import Selection
from turret_pipeline.reports.exchange_lists import SHOWN_SIGNALS, RowRange
from turret_pipeline.reports.session_filter import SessionFilter, find_sessions
from turret_pipeline.tables import USER


def list_sessions(
    connection: duckdb.DuckDBPyConnection, conditions: SessionFilter, rows: RowRange, dimension: str, min_users: int = 1
) -> tuple[int, int, pl.DataFrame]:
    """The number of sessions that fulfil all conditions, that of their known users, and some of them as rows.

    Rows are the newest first. ``subjects`` are the labels of the session's steps in the dimension, in order.
    """
    found = find_sessions(connection, conditions, min_users)
    if conditions.is_of_journeys:  # follows steps once, not for the count and again for the rows
        connection.execute(f"create or replace temp table found_sessions as {found.sql}", found.values)
        found = Selection("from found_sessions", {})
    return _list_found(connection, found, rows, dimension.removeprefix(USER))


def list_sessions_of_sequences(
    connection: duckdb.DuckDBPyConnection, selected: str, rows: RowRange, dimension: str
) -> tuple[int, int, pl.DataFrame]:
    """The same for the sessions of the query ``selected`` (sequence), which is one of a dimension of sessions."""
    connection.execute(
        f"create or replace temp table found_sessions as from marts.sessions where rowid in (from ({selected}))"
    )
    return _list_found(connection, Selection("from found_sessions", {}), rows, dimension)


def _list_found(
    connection: duckdb.DuckDBPyConnection, found: Selection, rows: RowRange, dimension: str
) -> tuple[int, int, pl.DataFrame]:
    count, users = connection.execute(
        f"select count(*), count(distinct user_id) from ({found.sql})", found.values
    ).fetchall()[0]
    return count, users, _read_rows(connection, found, rows, dimension)


def _read_rows(connection: duckdb.DuckDBPyConnection, found: Selection, rows: RowRange, dimension: str) -> pl.DataFrame:
    connection.execute(
        f"create or replace temp table page_sessions as select * from ({found.sql}) "
        f"order by started_at desc, session_id limit {rows.limit:d} offset {rows.offset:d}",
        found.values,
    )
    frame: pl.DataFrame = connection.sql(_DETAILS, params={"dimension": dimension}).pl()
    return frame


_SIGNALS = ", ".join(f"case when bool_or(is_{name}) then '{name}' end" for name in SHOWN_SIGNALS)
_DETAILS = f"""
with subjects as (
    select sequence_id as session_id, list(coalesce(node_label, node_id) order by step_number) as subjects
    from marts.journey_steps left join marts.journey_nodes using (dimension, node_id)
    where dimension = $dimension and sequence_id in (select session_id from page_sessions)
    group by sequence_id
),
exchanges as (
    select session_id, count(*) as exchange_count, min(rating) as lowest_rating,
        list_filter([{_SIGNALS}], lambda name: name is not null) as signals
    from (from marts.exchanges where session_id in (select session_id from page_sessions))
    left join marts.exchange_signals using (exchange_id)
    group by session_id
)
select session_id, started_at, duration_seconds, user_id, event_count, coalesce(exchange_count, 0) as exchange_count,
    subjects, signals, lowest_rating
from page_sessions left join exchanges using (session_id) left join subjects using (session_id)
order by started_at desc, session_id
"""
