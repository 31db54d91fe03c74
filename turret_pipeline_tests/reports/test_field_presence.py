"""Sessions that have a field."""

import duckdb

from turret_pipeline.reports.field_presence import count_sequences_with_field


def test_sessions_and_users_with_a_field_are_counted_once_with_a_topic_or_without() -> None:
    with duckdb.connect() as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.events as from (values ('e1', 's1', 'u1'), ('e2', 's1', 'u1'), ('e3', 's2', null), "
            "('e4', 's3', 'u1'), ('e5', 's4', 'u2')) as t(event_id, session_id, user_id)"
        )
        connection.execute("create table marts.sessions as select distinct session_id from marts.events")
        connection.execute(
            "create table marts.event_topics as from (values ('e1', 'prompt', 't'), ('e2', 'prompt', null), "
            "('e3', 'prompt', null), ('e4', 'prompt', 't'), ('e5', 'feedback', 't')) as t(event_id, field, topic_id)"
        )
        connection.execute("create table chosen as from (values ('s1'), ('s4')) as t(session_id)")
        assert count_sequences_with_field(connection, "prompt") == 3
        assert count_sequences_with_field(connection, "user:prompt") == 1
        assert count_sequences_with_field(connection, "prompt", "chosen") == 1
        assert count_sequences_with_field(connection, "event_name") is None
        assert count_sequences_with_field(connection, "notes") == 0
