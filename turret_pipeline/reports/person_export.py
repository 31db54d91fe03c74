"""Everything that the published tables hold about a person, for an access request."""

import json
from collections.abc import Collection, Iterator
from typing import Any

import duckdb
import polars as pl

from turret_pipeline.reports.published_tables import PublishedTables
from turret_pipeline.tables import MART_TABLES, Table

_PERSONS = """
    create temp table persons as
    select min(user_id) as user_id from marts.identities where sent_id in (select unnest($ids))
    group by sent_id having min(user_id) = max(user_id)
    union
    select user_id from marts.identities where user_id in (select unnest($ids))"""

_KEYS = {
    "user_id": "from persons",
    "session_id": "select session_id from marts.events where user_id in (from persons)",
    "event_id": "select event_id from marts.events where user_id in (from persons)",
    "exchange_id": "select event_id from marts.events where user_id in (from persons)",
}
"""Columns by which rows are of a person, the most direct one first."""


def export_person(published: PublishedTables, ids: Collection[str]) -> Iterator[tuple[str, pl.DataFrame]]:
    """Each published table with rows about the person of these ids, and those rows.

    Rows are found by the person's user_id, or by the sessions, events and exchanges of the person. Rejected rows belong
    to no user, and are those that contain one of the person's ids.
    """
    with published.open() as connection:
        connection.execute(_PERSONS, {"ids": list(ids)})
        for table in MART_TABLES.values():
            rows = _rows_of(connection, table)
            if rows.height:
                yield table.name, rows


def list_rows(name: str, rows: pl.DataFrame) -> Iterator[dict[str, Any]]:
    """The rows as JSON objects, each with the name of its table."""
    times = pl.selectors.temporal()
    for row in rows.with_columns(times.cast(pl.String)).iter_rows(named=True):
        yield {"table": name, **row}


def flatten_lists(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with lists as JSON text."""
    lists = [name for name, kind in rows.schema.items() if isinstance(kind, pl.List)]
    texts = [pl.Series(name, [None if v is None else json.dumps(list(v)) for v in rows[name]]) for name in lists]
    return rows.with_columns(texts)


def _rows_of(connection: duckdb.DuckDBPyConnection, table: Table) -> pl.DataFrame:
    if table.name == "rejected_events":
        found: pl.DataFrame = connection.sql(_REJECTED).pl()
        return found
    key = next((name for name in _KEYS if name in table.schema), None)
    if key is None:
        return table.empty()
    rows: pl.DataFrame = connection.sql(f"select * from marts.{table.name} where {key} in ({_KEYS[key]})").pl()
    return rows


_REJECTED = """
    select * from marts.rejected_events
    where exists (
        select 1 from marts.identities
        where user_id in (from persons)
            and regexp_matches(raw_text, '(^|\\W)' || regexp_escape(sent_id) || '(\\W|$)')
    )"""
