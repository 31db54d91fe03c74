"""The summary of a published file."""

from collections.abc import Sequence

import duckdb
import pytest

from turret_pipeline.reports.summary import Line, summarize_counts, summarize_text_fields
from turret_pipeline.reports.summary_notes import list_applied_edits, list_rejections, note_users_and_sessions

SEVEN = [f"edit-{number}: lock prompt-{number}" for number in range(1, 8)]


@pytest.mark.parametrize(
    ("edits", "listed"),
    [
        (None, []),
        ([], []),
        (SEVEN[:1], ["Edits applied: 1", "- edit-1: lock prompt-1"]),
        (SEVEN[:5], ["Edits applied: 5", *(f"- {edit}" for edit in SEVEN[:5])]),
        (SEVEN, ["Edits applied: 7", *(f"- {edit}" for edit in SEVEN[:5]), "- and 2 more (turret topics edits)"]),
    ],
)
def test_the_edits_of_the_last_run_are_listed(edits: Sequence[str] | None, listed: list[str]) -> None:
    with duckdb.connect() as connection:
        connection.execute("create schema marts")
        connection.execute("create table marts.pipeline_runs (run_id text, run_number bigint, edits text[])")
        rows = [("b", 1, ["edit-9: lock prompt-9"]), ("a", 2, edits)]
        connection.executemany("insert into marts.pipeline_runs values (?, ?, ?)", rows)
        assert list_applied_edits(connection) == listed


def test_the_most_frequent_reasons_have_an_example_and_the_others_a_count() -> None:
    codes = ["invalid_json"] * 4 + ["missing_timestamp"] * 3 + ["invalid_name"] * 2 + ["not_an_object", "unknown_shape"]
    rows = [(code, f"{code} of line {line}", "a.jsonl", line) for line, code in enumerate(codes, start=1)]
    with duckdb.connect() as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.rejected_events (reason_code text, reason text, source_file text, line_number bigint)"
        )
        connection.executemany("insert into marts.rejected_events values (?, ?, ?, ?)", rows)
        assert list_rejections(connection)[1:] == [
            "- 4 invalid_json, for example: invalid_json of line 1",
            "- 3 missing_timestamp, for example: missing_timestamp of line 5",
            "- 2 invalid_name, for example: invalid_name of line 8",
            "- 2 more: not_an_object, unknown_shape",
        ]


@pytest.mark.parametrize(
    ("split", "assumed", "ids", "note"),
    [
        ([0, 0], 0, [("u", "u")], ""),
        ([], 0, [], ""),
        (
            [2000, 1],
            0,
            [("u", "u")],
            "2,001 events got a new session id, because another user had the one they came with first.",
        ),
        ([0], 4, [], "4 events have a user id that the collector made up, and count as events without a user."),
        (
            [0],
            0,
            [("a", "u"), ("b", "u"), ("b", "v"), ("u", "u")],
            "2 ids (of anonymous visitors, of devices, or aliases) were resolved to 2 users.",
        ),
        (
            [1],
            1,
            [("a", "u"), ("u", "u")],
            "1 event got a new session id, because another user had the one it came with first; "
            "1 event has a user id that the collector made up, and counts as an event without a user; "
            "1 id (of anonymous visitors, of devices, or aliases) was resolved to 1 user.",
        ),
    ],
)
def test_decisions_about_users_and_sessions_are_noted(
    split: Sequence[int], assumed: int, ids: Sequence[tuple[str, str]], note: str
) -> None:
    with duckdb.connect() as connection:
        connection.execute("create schema marts")
        connection.execute("create table marts.source_files (split_session_count bigint, assumed_user_count bigint)")
        connection.execute("create table marts.identities (sent_id text, user_id text)")
        for count in split:
            connection.execute("insert into marts.source_files values (?, ?)", [count, assumed])
        for row in ids:
            connection.execute("insert into marts.identities values (?, ?)", row)
        assert note_users_and_sessions(connection) == (f"Users and sessions: {note}" if note else "")


def test_of_many_text_fields_those_of_prompts_come_first_then_those_of_most_events() -> None:
    with duckdb.connect() as connection:
        connection.execute(
            """
            create schema marts;
            create table marts.event_topics as
                select 'key_' || i as field, null as topic_id, null as continues_topic_id
                from range(100) as fields(i), range(i + 1);
            create table marts.exchange_roles as select * from (values
                ('prompt', 'chat', 'key_3'), ('prompt', 'ask', 'key_3'), ('answer', 'chat', 'key_4'),
                ('answer', 'reply', '')) as roles(role, event_name, field);
            create table marts.topic_runs as
                select distinct field, 1 as run_number, 'Too few.' as note from marts.event_topics;
            create table marts.topics (
                label text, theme_label text, event_count bigint, event_share double, exchange_count bigint,
                user_count bigint,
                example_texts text[], field text, status text, topic_id text, role text)
            """
        )
        lines = [part.text for part in summarize_text_fields(connection) if isinstance(part, Line) and part.text]
    assert lines[:2] == ["No topics in key_3. Too few.", "No topics in key_99. Too few."]
    assert lines[10:] == ["Further text fields: 90 (marts.topic_runs)"]


@pytest.mark.parametrize(
    ("count", "lines"),
    [
        (
            1,
            [
                "1 event, 1 session, 1 user, 2026-09-01 to 2026-09-01 (rejected 0 rows, ignored 1 duplicate row)",
                "Repaired 1 row: a broken character became U+FFFD, or a number out of range null (repaired_count in "
                "marts.source_files).",
                "Event times: 1 has no time and got the time of its file; 1 has no time zone and was read in "
                "input_time_zone; 1 is dated after its receipt; 1 arrived after its day was published.",
            ],
        ),
        (
            2,
            [
                "2 events, 2 sessions, 2 users, 2026-09-01 to 2026-09-01 (rejected 0 rows, ignored 2 duplicate rows)",
                "Repaired 2 rows: a broken character became U+FFFD, or a number out of range null (repaired_count in "
                "marts.source_files).",
                "Event times: 2 have no time and got the time of their file; 2 have no time zone and were read in "
                "input_time_zone; 2 are dated after their receipt; 2 arrived after their day was published.",
            ],
        ),
    ],
)
def test_one_event_and_one_session_are_singular(count: int, lines: Sequence[str]) -> None:
    with duckdb.connect() as connection:
        connection.execute(
            f"""
            create schema marts;
            create table marts.events as
                select 'u' || i as user_id, timestamp '2026-09-01 10:00' as event_at, true as is_time_ahead
                from range({count}) as numbers(i);
            create table marts.sessions as select user_id as session_id from marts.events;
            create table marts.identities (sent_id text, user_id text);
            create table marts.source_files as
                select 'a.jsonl' as source_file, {count} as duplicate_count, 0 as rejected_count,
                    {count} as repaired_count, {count} as assumed_time_count, {count} as assumed_zone_count,
                    {count} as late_count, 0 as textless_exchange_count, 0 as split_session_count,
                    0 as assumed_user_count;
            """
        )
        assert [part.text for part in summarize_counts(connection) if isinstance(part, Line) and part.text] == lines
