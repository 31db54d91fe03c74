"""The rows of the published tables that belong to a scope, as views of a connection.

A range of days selects exchanges and events by their own time, because a session may go on for weeks. Journeys need
whole sessions: there, the range selects the sessions that start in it. Segments always select sessions.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import duckdb

from turret_pipeline.reports.published_tables import PublishedTables
from turret_pipeline.reports.scope import Scope

TIMES = {"exchanges": "prompt_at", "events": "event_at"}
"""Tables whose rows are selected by their own time: its column. They have a session_id."""

_SESSIONS = "(select *, rowid::int as session_number from marts.sessions)"


@contextmanager
def open_scope(published: PublishedTables, scope: Scope) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with the views scoped_exchanges, scoped_events and scoped_sessions of the rows of a scope.

    scoped_sessions also has the session_number. As numbers (``storage.numbered_tables``) the connection has
    scoped_units, the exchanges and events of text fields, and scoped_session_numbers and scoped_visits, the rows of
    ``numbered.sessions`` and ``numbered.visits`` of scoped_sessions. Raises TurretError if a segment is unknown.
    """
    published.check_segments(scope)
    with published.open() as connection, published.select_segments(connection, scope) as selected:
        for table, time in TIMES.items():
            in_segments = f"hash(session_id) in (select session from {selected})" if selected else "true"
            _define_view(connection, f"scoped_{table}", f"marts.{table}", [*_list_limits(scope, time), in_segments])
        _define_numbers(connection, scope, selected)
        yield connection


def _define_numbers(connection: duckdb.DuckDBPyConnection, scope: Scope, selected: str) -> None:
    in_segments = f"session_number in (select session_number from {selected})" if selected else "true"
    conditions = [*_list_limits(scope, "started_at"), in_segments]
    _define_view(connection, "scoped_sessions", _SESSIONS, conditions)
    _define_view(connection, "scoped_session_numbers", "numbered.sessions", conditions)
    _define_view(connection, "scoped_units", "numbered.units", [*_list_limits(scope, "unit_at"), in_segments])
    in_scope = "session_number in (select session_number from scoped_session_numbers)" if scope != Scope() else "true"
    _define_view(connection, "scoped_visits", "numbered.visits", [in_scope])


def _define_view(connection: duckdb.DuckDBPyConnection, name: str, table: str, conditions: Sequence[str]) -> None:
    connection.execute(f"create or replace temp view {name} as from {table} where {' and '.join(conditions)}")


def _list_limits(scope: Scope, time: str) -> Sequence[str]:
    limits = {f"{time} >=": scope.since, f"{time} <": scope.until}
    return [f"{start} timestamptz '{limit.isoformat()}'" for start, limit in limits.items() if limit is not None]
