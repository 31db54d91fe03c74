"""The rows of the published tables that belong to a scope, as views of a connection.

A range of days selects exchanges and events by their own time, because a session may go on for weeks. Journeys need
whole sessions: there, the range selects the sessions that start in it. Segments always select sessions.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import duckdb

from turret_pipeline.reports.published_tables import PublishedTables
from turret_pipeline.reports.scope import Scope

TIMES = {"exchanges": "prompt_at", "events": "event_at", "sessions": "started_at"}
"""Tables that have a view ``scoped_<table>``, with the column of their time. All have session_id."""


@contextmanager
def open_scope(published: PublishedTables, scope: Scope) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with the views scoped_exchanges, scoped_events and scoped_sessions of the rows of a scope.

    Raises TurretError if a segment is unknown.
    """
    published.check_segments(scope)
    with published.open() as connection, published.select_segments(connection, scope) as selected:
        for table, time in TIMES.items():
            condition = " and ".join(_list_conditions(scope, time, selected)) or "true"
            connection.execute(f"create or replace temp view scoped_{table} as from marts.{table} where {condition}")
        yield connection


def _list_conditions(scope: Scope, time: str, selected: str) -> Sequence[str]:
    limits = {f"{time} >=": scope.since, f"{time} <": scope.until}
    conditions = [f"{start} timestamptz '{limit.isoformat()}'" for start, limit in limits.items() if limit is not None]
    return [*conditions, f"hash(session_id) in (from {selected})"] if selected else conditions
