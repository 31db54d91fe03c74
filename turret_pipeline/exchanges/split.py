"""Splitting events, texts and values of the lake into shards: those of the sessions with the same remainder of a hash.

Each table of the lake is read once, however many shards there are. Positions stand for events from here on, and for
sessions, by their first event: integers are joined and sorted faster than ids. A shard needs nothing of the others, so
shards can be built in any order, and anywhere (``shards/``).
"""

from collections.abc import Mapping
from pathlib import Path

import duckdb

from turret_pipeline.exchanges.fields import NUMBER
from turret_pipeline.storage.lake import escape_sql_path, escape_sql_target
from turret_pipeline.tables.exchanges import PROMPT

_HAS_TEXT = "(value >= '!' or trim(value, e' \\t\\n\\r') != '')"
"""True for a value that is not blank. The comparison decides nearly all of them, and is ten times as fast."""

_ROLE_VALUES = f"""
select event_id, field, text_id is not null as is_present, text_id
from lake_event_texts where field in (select field from candidate_fields where is_text)
union all
select event_id, field, {_HAS_TEXT}, null
from lake_event_values where field in (select field from candidate_fields where not is_text)
"""
"""Values that may give their events a role. Texts are long: only table ``event_texts`` is read of them."""

ROLE_COUNTS = f"""
select event_name, field, count(*) as event_count
from ({_ROLE_VALUES}) as role_values join lake_events using (event_id)
where is_present
group by all
union all
select event_name, '', count(*) from lake_events group by event_name
"""
"""Events by name, and by name and field with a value: the input of ``roles.assign_roles``."""

_SESSION_FACTS = """
create table session_facts as
select session_id, session, hash(session_id) % $shards as shard, user_id, ended_at, last_at,
    case when user_id is not null
        then row_number() over (partition by user_id order by started_at, session) end as session_number
from (
    select session_id, any_value(user_id) as user_id, min(event_at) as started_at, max(event_at) as ended_at,
        min(position) as session
    from lake_events group by session_id
), (select coalesce(max(event_at) filter (not is_time_ahead), max(event_at)) as last_at from lake_events)
"""

_EVENTS = """
select shard, session, position, event_id, event_name, event_at
from lake_events join session_facts using (session_id)
where event_name in (select event_name from event_roles)
"""

_PLACES = f"create temp table places as select shard, position, event_id from ({_EVENTS})"

_TEXTS = f"""
select shard, position, role_values.field, is_present, topic_id,
    coalesce(continues_topic_id, topic_id) as subject_topic_id
from ({_ROLE_VALUES}) as role_values
join places using (event_id)
left join (
    select * from lake_text_topics where field in (select field from event_roles where role = '{PROMPT}')
) as topics using (field, text_id)
left join lake_continuations using (event_id, field)
where role_values.field in (select field from event_roles)
"""

_VALUES = f"""
select shard, position, field, number, case when has_text then value end as value
from lake_event_values
join (select field, bool_or(use != '{NUMBER}') as has_text from used_fields group by field) using (field)
join places using (event_id)
where {_HAS_TEXT}
"""

_SESSIONS = "from session_facts"

SHARD_TABLES = {"sessions": _SESSIONS, "events": _EVENTS, "texts": _TEXTS, "values": _VALUES}


def split_into_shards(connection: duckdb.DuckDBPyConnection, folder: Path, shards: int) -> None:
    """Write the tables of every shard as files of a folder (``list_shard_files``)."""
    connection.execute(_SESSION_FACTS, {"shards": shards})
    connection.execute(_PLACES)
    for name, query in SHARD_TABLES.items():
        options = "format parquet, compression lz4_raw, partition_by (shard)"
        connection.execute(f"copy ({query}) to '{escape_sql_target(folder / name)}' ({options})")
        no_rows = f"select * exclude (shard) from ({query}) limit 0"
        connection.execute(f"copy ({no_rows}) to '{escape_sql_target(_empty_file(folder, name))}' (format parquet)")
    connection.execute("drop table places; drop table session_facts")


def list_shard_files(folder: Path, shard: int) -> dict[str, Path]:
    """The files of a shard, each named by its table and a number. Each table has one at least."""
    return {
        f"{name}_{number}": file
        for name in SHARD_TABLES
        for number, file in enumerate(
            [_empty_file(folder, name), *sorted((folder / name / f"shard={shard}").glob("*.parquet"))]
        )
    }


def create_shard_views(connection: duckdb.DuckDBPyConnection, files: Mapping[str, Path]) -> None:
    """Make ``shard_TABLE``, for each of SHARD_TABLES, those of the files of a shard."""
    for name in SHARD_TABLES:
        of_table = [file for each, file in files.items() if each.rpartition("_")[0] == name]
        paths = ", ".join(f"'{escape_sql_path(file)}'" for file in of_table)
        connection.execute(
            f"create or replace temp view shard_{name} as from read_parquet([{paths}], hive_partitioning = false)"
        )


def _empty_file(folder: Path, name: str) -> Path:
    """A file with the columns and no rows: where a shard has no rows, it has no files."""
    return folder / f"{name}-empty.parquet"
