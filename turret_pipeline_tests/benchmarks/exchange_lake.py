"""A lake of generated prompts, answers and feedback, of any size, for measuring the time and memory of exchanges.

Each session has ten events: four prompts with their answers, a feedback, and an opened page. An event has about eight
values: texts, numbers, enums, and an id that the three events of an exchange share. Sessions overlap in time, and the
values are in order of field and event, as in a real lake.
"""

import duckdb

from turret_pipeline.storage.lake import Lake
from turret_pipeline.storage.scratch_database import open_scratch_database
from turret_pipeline.tables import LAKE_TABLES
from turret_pipeline.tables.contract import DUCKDB_TYPES

EVENTS_PER_SESSION, SESSIONS_PER_USER, TOPICS = 10, 5, 60
KINDS = "prompt answer prompt answer feedback prompt answer page prompt answer".split()
NAMES = {"prompt": "prompt_sent", "answer": "answer_given", "feedback": "rated", "page": "page_opened"}
TYPES = {
    **dict.fromkeys(("comment", "generation", "prompt"), "text"),
    **dict.fromkeys(("country", "device", "finish_reason", "model", "page", "plan"), "enum"),
    **dict.fromkeys(
        ("cost_usd", "input_tokens", "latency_seconds", "output_tokens", "prompt_chars", "stars"), "number"
    ),
    "request_id": "identifier",
}

_EVENTS = f"""
create table generated as
select 'evt_' || hash(n)::varchar as event_id, 'session_' || hash(n // {EVENTS_PER_SESSION}, 1)::varchar as session_id,
    'user_' || hash(n // {EVENTS_PER_SESSION * SESSIONS_PER_USER}, 2)::varchar as user_id,
    ({KINDS})[n % {EVENTS_PER_SESSION} + 1] as kind,
    timestamptz '2026-01-05 00:00:00Z' + to_microseconds(
        ((hash(n // {EVENTS_PER_SESSION}, 3) % 5184000) * 1000000 + n % {EVENTS_PER_SESSION} * 20000000)::bigint
    ) as event_at,
    row_number() over (order by event_at, n) as position, (hash(n, 4) >> 1)::bigint as draw, n // 2 as pair
from range($events) as numbers (n) order by position
"""

_SENTENCE = "'please tell me about ' || repeat(md5((draw % 1000000 + {0})::varchar) || ' ', {1})"
_VALUES = {
    "comment": ("feedback", _SENTENCE.format(1, 1)),
    "cost_usd": ("answer", "(draw % 1000 / 100000.0)::double"),
    "country": ("prompt feedback page", "['CH', 'DE', 'FR', 'US', 'IN', 'BR'][draw % 6 + 1]"),
    "device": ("prompt feedback page", "['ios', 'android', 'web'][draw % 3 + 1]"),
    "finish_reason": ("answer", "['stop', 'length'][draw % 2 + 1]"),
    "generation": ("answer", _SENTENCE.format(2, 8)),
    "input_tokens": ("answer", "(draw % 900)::double"),
    "latency_seconds": ("answer", "(draw % 7000 / 1000.0)::double"),
    "model": ("answer", "['small-1', 'large-2'][draw % 2 + 1]"),
    "output_tokens": ("answer", "(draw % 400)::double"),
    "page": ("page", "'page_' || draw % 9"),
    "plan": ("prompt answer feedback page", "['free', 'pro', 'team', 'business'][draw % 4 + 1]"),
    "prompt": ("prompt", _SENTENCE.format(3, 3)),
    "prompt_chars": ("prompt", "(draw % 300)::double"),
    "request_id": ("prompt answer feedback", "'req_' || hash(pair, 5)"),
    "stars": ("feedback", "(draw % 5 + 1)::double"),
}


def write_lake(lake: Lake, event_count: int) -> None:
    """Write the tables from which exchanges are built."""
    lake.root.mkdir(parents=True, exist_ok=True)
    with open_scratch_database(lake, "1500MB") as connection:
        connection.execute("set enable_progress_bar = false")
        connection.execute(_EVENTS, {"events": event_count})
        names = ", ".join(f"'{kind}': '{name}'" for kind, name in NAMES.items())
        event_name = f"(map {{{names}}})[kind]"
        copy_rows(
            connection,
            lake,
            "events",
            f"select event_id, {event_name} as event_name, session_id, user_id, event_at, false as is_time_ahead "
            "from generated order by position",
        )
        copy_rows(connection, lake, "event_values", " union all ".join(map(_select_values, _VALUES)))
        text_fields = [field for field, kind in TYPES.items() if kind == "text"]
        texts = " union all ".join(
            f"(select event_id, '{field}' as field, md5('{field}' || draw) as text_id, draw from generated "
            f"where kind = '{_VALUES[field][0]}' order by event_id)"
            for field in text_fields
        )
        connection.execute(f"create view texts as {texts}")
        copy_rows(connection, lake, "event_texts", "select event_id, field, text_id from texts")
        topic = f"case when draw % 5 > 0 then field || '-' || (draw % {TOPICS} + 1) end"
        copy_rows(connection, lake, "text_topics", f"select distinct field, text_id, {topic} as topic_id from texts")
        continues = f"'prompt-' || (draw % {TOPICS} + 1) as continues_topic_id"
        followers = "from texts where field = 'prompt' and draw % 10 = 0"
        copy_rows(connection, lake, "continuations", f"select event_id, field, {continues} {followers}")
        rows = ", ".join(f"('{field}', '{kind}')" for field, kind in TYPES.items())
        copy_rows(connection, lake, "fields", f"select * from (values {rows}) as types (field, type)")


def _select_values(field: str) -> str:
    """The values of a field, in order of their events."""
    kinds, value = _VALUES[field]
    is_number = TYPES[field] == "number"
    return f"""(
        select event_id, '{field}' as field, '{"number" if is_number else "string"}' as json_type,
            ({value})::varchar as value, {value if is_number else "null"}::double as number
        from generated where kind in {(*kinds.split(), "")} order by position)"""


def copy_rows(connection: duckdb.DuckDBPyConnection, lake: Lake, table: str, query: str) -> None:
    """Write the rows of a query as a table, with null in the columns that it lacks."""
    found = [name for name, *_ in connection.execute(f"describe {query}").fetchall()]
    columns = (
        column.name if column.name in found else f"null::{DUCKDB_TYPES[column.kind]} as {column.name}"
        for column in LAKE_TABLES[table].columns
    )
    lake.copy(connection, table, f"select {', '.join(columns)} from ({query})")
