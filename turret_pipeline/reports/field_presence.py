"""Presence of fields: the sessions and users that have a field at all, with a topic or without one."""

import duckdb

from turret_pipeline.tables import EVENT_NAME, USER


def count_sequences_with_field(
    connection: duckdb.DuckDBPyConnection, dimension: str, sessions: str = "marts.sessions"
) -> int | None:
    """The sessions, or in a dimension of users the users, that have the text field; None for event names.

    ``sessions`` is the relation of the sessions that count. An empty text counts, as the field is present.
    """
    field, unit = dimension.removeprefix(USER), "user_id" if dimension.startswith(USER) else "session_id"
    if field == EVENT_NAME:
        return None
    (count,) = connection.execute(
        f"select count(distinct events.{unit}) from marts.events join marts.event_topics using (event_id) "
        f"semi join {sessions} as selected on selected.session_id = events.session_id where field = ?",
        [field],
    ).fetchall()[0]
    return int(count)
