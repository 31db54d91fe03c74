"""The rows of the published tables that belong to a scope, as views of a connection.

A range of days selects exchanges and events by their own time, because a session may go on for weeks. Journeys need
whole sessions: there, the range selects the sessions that start in it. Segments always select sessions.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import duckdb

from turret_pipeline.reports.published_tables import PublishedTables, select_sessions
from turret_pipeline.reports.scope import Scope

TIMES = {"exchanges": "prompt_at", "events": "event_at", "sessions": "started_at"}
"""Tables that have a view ``scoped_<table>``, with the column of their time. All have session_id."""

_OF_SEGMENTS = "selected_sessions"


@contextmanager
def open_scope(published: PublishedTables, scope: Scope) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with the views scoped_exchanges, scoped_events and scoped_sessions of the rows of a scope.

    Raises TurretError if a segment is unknown.
    """
    published.check_segments(scope)
    with published.open() as connection:
        if scope.segments:
            sql, values = select_sessions(replace(scope, since=None, until=None))
            connection.execute(f"create or replace temp table {_OF_SEGMENTS} as {sql}", values)
        for table, time in TIMES.items():
            condition = " and ".join(_list_conditions(scope, time)) or "true"
            connection.execute(f"create or replace temp view scoped_{table} as from marts.{table} where {condition}")
        yield connection


def _list_conditions(scope: Scope, time: str) -> Sequence[str]:
    limits = {f"{time} >=": scope.since, f"{time} <": scope.until}
    conditions = [f"{start} timestamptz '{limit.isoformat()}'" for start, limit in limits.items() if limit is not None]
    of_segments = f"session_id in (select session_id from {_OF_SEGMENTS})"
    return [*conditions, of_segments] if scope.segments else conditions
