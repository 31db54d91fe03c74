"""A published file of any size, written by SQL: sessions of prompts and answers about topics, with every mart.

Seeded, without any of the pipeline's work: only readers of the published file are measured on it. Topics and users
are Zipf-like, sessions have 5 events on average, and half of all prompts follow up on the subject before.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import duckdb

from turret_pipeline.storage.data_dir import FORMAT_VERSION, DataDir
from turret_pipeline.storage.numbered_tables import write_numbered_tables
from turret_pipeline.tables import DUCKDB_TYPES, MART_TABLES
from turret_pipeline.tables.signals import SIGNALS_OF_TOPICS
from turret_pipeline_tests.benchmarks.published_journeys import (
    COUNTED,
    DIMENSIONS,
    SOURCES,
    read_patterns,
    select_steps,
)

DAYS = 180
START = "timestamptz '2026-01-01 00:00:00+00'"
WORDS = (
    "how do I change the invoice address of my order why does the export fail with an error please write a short text "
    "about our new product can you translate this contract into German what is the refund policy for yearly plans"
).split()


@dataclass(frozen=True)
class Size:
    """Numbers of sessions, users and topics. A session has 2 or 3 prompts, each with an answer."""

    sessions: int = 1_000_000
    users: int = 200_000
    topics: int = 300


def write_published(folder: Path, size: Size, run_number: int = 1) -> Path:
    """Write the published file of a data folder, and return its path. A published file is superseded, as by a run."""
    warehouse, run_id = DataDir(folder).warehouse, f"run-{run_number}"
    path = warehouse.build_path(run_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    (folder / "format.json").write_text(f'{{"format_version": {FORMAT_VERSION}, "package_version": "0"}}\n')
    with duckdb.connect(str(path)) as connection:
        connection.execute("set timezone = 'UTC'; select setseed(0.5); create schema marts")
        _create_sources(connection, size)
        queries = {**_list_queries(), "pipeline_runs": RUNS.format(number=run_number)}
        for name in dict.fromkeys((*queries, *MART_TABLES)):
            _create_table(connection, name, queries.get(name, "select 1 as nothing where false"))
        _add_journeys(connection)
        connection.execute("drop table turns; drop table people; drop table topic_names; checkpoint")
    warehouse.publish(path, run_number, run_id)
    return warehouse.published


def _add_journeys(connection: duckdb.DuckDBPyConnection) -> None:
    """Fill the tables of journeys; with all steps at once, sorting would need much memory."""
    connection.execute(SOURCES)
    for dimension in DIMENSIONS:
        connection.execute(f"insert into marts.journey_steps by name {select_steps(dimension)}")
    for name, query in COUNTED.items():
        connection.execute(f"insert into marts.{name} by name {query}")
    write_numbered_tables(connection)
    for name, frame in read_patterns(connection).items():
        kept = frame.select(column.name for column in MART_TABLES[name].columns)
        connection.register("counted", kept.to_arrow())
        connection.execute(f"insert into marts.{name} by name from counted")
        connection.unregister("counted")
    connection.execute("drop view topic_events; drop view named_events")


def _create_table(connection: duckdb.DuckDBPyConnection, name: str, query: str) -> None:
    """Create a mart from a query of some of its columns; the others are null."""
    found = {column[0] for column in connection.execute(f"describe {query}").fetchall()}
    columns = ", ".join(
        f"{column.name if column.name in found else 'null'}::{DUCKDB_TYPES[column.kind]} as {column.name}"
        for column in MART_TABLES[name].columns
    )
    connection.execute(f"create table marts.{name} as select {columns} from ({query})")


def _create_sources(connection: duckdb.DuckDBPyConnection, size: Size) -> None:
    """Create the tables from which all marts are derived: topics, sessions with their user, and turns."""
    connection.execute(f"""
        create table topic_names as select number, 'prompt-' || number as topic_id, 'Topic about ' || number as label,
            'Theme ' || (1 + number % 20) as theme_label
        from range(1, {size.topics} + 1) as numbers (number)
    """)
    connection.execute(f"""
        create table people as
        select 's' || lpad(number::varchar, 9, '0') as session_id, number,
            'u' || lpad(floor({size.users} * pow(random(), 2))::varchar, 7, '0') as user_id,
            {START} + to_seconds(number * {DAYS * 86_400 - 4000} // {size.sessions}) as started_at,
            1 + floor({size.topics} * pow(random(), 3))::bigint as first_topic, 2 + number % 2 as turn_count
        from range({size.sessions}) as numbers (number)
    """)
    connection.execute(f"""
        create table turns as
        select *, md5(session_id || turn) as prompt_id, md5(session_id || turn || 'answer') as answer_id,
            started_at + to_seconds(turn * 60) as prompt_at,
            if(turn = 0 or chance < 0.5, first_topic, 1 + floor({size.topics} * pow(random(), 3))::bigint)
                as topic_number
        from (select *, unnest(range(turn_count)) as turn, random() as chance from people)
        order by prompt_at, session_id
    """)


def _list_queries() -> dict[str, str]:
    words = "['" + "', '".join(WORDS) + "']"
    topic = "'prompt-' || topic_number"
    places = (f"{words}[1 + (hash(prompt_id, {place}) % {len(WORDS)})::int]" for place in range(12))
    text = f"concat_ws(' ', {', '.join(places)})"
    shared = "false as is_session_derived, false as is_time_assumed, false as is_zone_assumed, false as is_time_ahead, "
    shared += "'jsonl' as source_format, 'events.jsonl' as source_file, 'x' as content_sha256, 0 as nanosecond"
    return {
        "events": f"""
            select prompt_id as event_id, 'prompt_sent' as event_name, session_id, user_id, prompt_at as event_at,
                2 * turn as line_number, 1 as item_number, json_object('prompt', {text}, 'plan', 'free') as metadata,
                {shared} from turns
            union all by name
            select answer_id, 'answer_shown' as event_name, session_id, user_id, prompt_at + to_seconds(5) as event_at,
                2 * turn + 1 as line_number, 1 as item_number, json_object('answer', 'Here it is') as metadata, {shared}
            from turns
        """,
        "sessions": """
            select session_id, user_id, started_at, started_at + to_seconds(60 * turn_count) as ended_at,
                60 * turn_count as duration_seconds, 2 * turn_count as event_count, false as is_derived from people
        """,
        "session_values": """
            select session_id, 'plan' as field, ['free', 'team', 'business'][1 + (hash(user_id) % 3)::int] as value
            from people
            union all
            select session_id, 'locale', ['en', 'de', 'fr', 'es', 'ja'][1 + (hash(user_id, 1) % 5)::int] from people
            union all
            select session_id, 'platform', ['web', 'ios', 'android'][1 + (hash(session_id) % 3)::int] from people
            order by field, value, session_id
        """,
        "topics": """
            select topic_id, 'prompt' as field, label, 'keywords' as label_source, 'About it. 10 texts.' as description,
                ['invoice', 'order'] as keywords, ['how do I change it', 'why does it fail'] as example_texts,
                theme_label as theme_id, theme_label, 'active' as status, false as is_locked, 'subject' as role,
                'its place in sessions' as role_reason, 0.6 as cohesion, 0.4 as separation, cos(number) as map_x,
                sin(number) * (number % 7) / 7 as map_y, n as event_count, n as text_count, s as session_count,
                u as user_count, n / sum(n) over () as event_share, 0.6 as mean_similarity, first_at as first_event_at,
                last_at as last_event_at, false as is_emerging
            from topic_names join (
                select topic_number as number, count(*) as n, count(distinct session_id) as s,
                    count(distinct user_id) as u, min(prompt_at) as first_at, max(prompt_at) as last_at
                from turns group by topic_number
            ) using (number)
        """,
        "event_topics": f"""
            select prompt_id as event_id, 'prompt' as field, {topic} as topic_id, 'assigned' as outcome,
                0.5 + chance / 2 as similarity, 'prompt-1' as runner_up_topic_id, 0.4 as runner_up_similarity
            from turns order by event_id
        """,
        "topic_runs": """
            select 'run-1' as run_id, 1 as run_number, 'prompt' as field, count(*) as text_count,
                (select count(*) from topic_names) as topic_count from turns
        """,
        "topic_signals": f"""
            select 'prompt' as field, topic_id, signal, 1000 as exchange_count, 30 as signal_count,
                0.03 as signal_share, 0.02 as share_low, 0.04 as share_high, 0.03 as base_share,
                0.01 as difference, 0.5 as q_value
            from topic_names cross join (select unnest({list(SIGNALS_OF_TOPICS)}) as signal)
        """,
        "topic_segments": """
            select 'prompt' as field, topic_id, field as segment_field, value as segment_value, 1000 as event_count,
                0.02 as share_in_segment, 0.01 as share_elsewhere, 0.01 as difference, 0.0 as difference_low,
                0.02 as difference_high, 0.04 as q_value
            from topic_names cross join (select distinct field, value from marts.session_values)
        """,
        "topic_outcomes": """
            select 'prompt' as field, topic_id, 'answer_shown' as outcome_event_name, 1000 as session_count,
                900 as outcome_session_count, 0.9 as outcome_share, 0.9 as baseline_share, 0.0 as difference,
                -0.1 as difference_low, 0.1 as difference_high, 0.5 as q_value
            from topic_names
        """,
        "topic_retention": """
            select 'prompt' as field, topic_id, date '2026-01-05' as cohort_week_date, weeks as weeks_since,
                1000 as cohort_count, 500 as returned_count, 100 as returned_to_topic_count
            from topic_names cross join (select unnest(range(1, 9)) as weeks)
        """,
        "topic_days": f"""
            select 'prompt' as field, {topic} as topic_id, prompt_at::date as event_date, count(*) as event_count,
                count(distinct session_id) as session_count, count(distinct user_id) as user_count, 0.1 as event_share
            from turns group by all order by topic_id, event_date
        """,
        "exchanges": f"""
            select prompt_id as exchange_id, prompt_id as prompt_event_id, answer_id as answer_event_id, session_id,
                user_id, prompt_at, 'prompt' as field, {topic} as topic_id, topic_id as subject_topic_id,
                1 as session_number, turn + 1 as exchange_number, turn + 1 as subject_number, 5 as seconds_to_answer,
                1 as answer_count, ['small', 'large'][1 + (hash(prompt_id) % 2)::int] as model,
                10 + hash(prompt_id) % 90 as
                input_tokens, 50 + hash(answer_id) % 900 as output_tokens, (50 + hash(answer_id) % 900) / 1e5 as
                cost_usd, 1 + 5 * chance * chance as latency_seconds, chance < 0.01 as is_error,
                if(chance > 0.9, 1 + hash(prompt_id) % 5, null) as rating, (chance > 0.9)::int as feedback_count,
                if(turn + 1 = turn_count, 'ended', 'continued') as ending
            from turns
        """,
        "exchange_values": """
            select prompt_id as exchange_id, 'plan' as field, 'prompt' as side, null as number_value,
                ['free', 'team', 'business'][1 + (hash(user_id) % 3)::int] as text_value from turns
            union all
            select prompt_id, 'prompt_chars', 'prompt', 20 + hash(prompt_id) % 200, null from turns
        """,
        "exchange_signals": """
            select prompt_id as exchange_id, chance < 0.05 as is_rephrased, 'says it again' as rephrased_reason,
                chance < 0.02 as is_corrected, chance < 0.03 as is_declined, chance < 0.02 as is_unanswered,
                chance < 0.01 as is_abandoned, chance < 0.2 as is_repeated_later, chance > 0.97 as is_badly_rated,
                chance < 0.05 or chance > 0.97 as is_struggle, 'rephrased' as struggle_reason
            from turns order by exchange_id
        """,
        "exchange_roles": """
            select * from (values
                ('prompt', 'prompt_sent', 'prompt', 1, 'field'), ('answer', 'answer_shown', 'answer', 1, 'field')
            ) as roles (role, event_name, field, event_count, reason)
        """,
        "field_values": """
            select field, value, count(*) as event_count, count(*) as session_count, 1 as user_count, 0.1 as event_share
            from marts.session_values group by all
        """,
        "fields": """
            select *, type as detected_type, 'generated' as reason, false as is_overridden, false as is_uncertain,
                1 as event_count, 1 as validated_event_count, 1.0 as present_share, 1 as distinct_count
            from (values ('prompt', 'text'), ('answer', 'text'), ('plan', 'enum'), ('locale', 'enum'),
                ('platform', 'enum'), ('prompt_chars', 'number')) as fields (field, type)
        """,
        "quality_checks": """
            select 'events' as table_name, 'contract' as check_name, true as is_passed, true as is_blocking
        """,
        "report_lines": """
            select * from (values ('what_people_talk_about', 1, 'nothing', 'A generated file has no report.'))
                as lines (answer, line_number, kind, sentence)
        """,
    }


RUNS = f"""
select 'run-{{number}}' as run_id, {{number}} as run_number, {START} as started_at,
    {START} + to_days({DAYS}) as published_at, (select count(*) from marts.events) as event_count,
    (select count(*) from marts.topics) as topic_count, 0.0 as no_topic_share, 'none' as embedding_model,
    'x' as settings_sha256, '0' as package_version, 'x' as input_sha256, 'x' as code_sha256, 'x' as topic_state_id
"""


def main() -> None:
    """Write a published file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sessions", type=int, default=Size.sessions)
    parser.add_argument("--users", type=int, default=Size.users)
    parser.add_argument("--topics", type=int, default=Size.topics)
    options = parser.parse_args()
    path = write_published(options.folder, Size(options.sessions, options.users, options.topics))
    print(f"{path}: {path.stat().st_size / 1e6:,.0f} MB")


if __name__ == "__main__":
    main()
