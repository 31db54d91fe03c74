"""Parts of all files to the canonical tables: each event once, in order, with a session; every row accounted for.

Made by DuckDB, which spills to disk: the tables may be larger than memory.
"""

from dataclasses import dataclass

import duckdb
import polars as pl

from turret_pipeline.events.parsing import EVENT_PART_SCHEMA, REJECTED_PART_SCHEMA
from turret_pipeline.ingest.parts import Sources
from turret_pipeline.ingest.spilling import parquet, spilling
from turret_pipeline.scrubbing.stored import SCRUBBED_COUNTS
from turret_pipeline.storage.lake import Lake
from turret_pipeline.tables import LAKE_EVENTS, REJECTED_EVENTS


@dataclass(frozen=True)
class Rules:
    """How events of all files are put together.

    ``session_gap_minutes`` of silence end a session that is derived; an event that is more than
    ``clock_tolerance_minutes`` later than its receipt, or than the reading of its file, has a clock that is ahead.
    """

    session_gap_minutes: float = 30
    clock_tolerance_minutes: float = 10


def write_canonical(sources: Sources, lake: Lake, rules: Rules) -> None:
    """Write ``events``, ``rejected_events``, ``source_files`` and ``scrubbed_values`` anew from all parts.

    Events come in order of time, then of file and line. Of equal event_id the first that names a user is kept, or the
    first: a Langfuse observation repeats without its user what its trace tells. An event that its source gives no id
    has one of its content, with a number where a file says the same more than once: what is dumped again is not counted
    again, equal rows of one dump are.
    """
    with spilling(lake) as connection:
        _read(connection, sources)
        _name(connection)
        _drop_repeated(connection)
        _give_sessions(connection, rules.session_gap_minutes)
        lake.copy(connection, "events", _EVENTS, {"tolerance": rules.clock_tolerance_minutes})
        connection.register("mended", sources.mended())
        lake.copy(connection, "rejected_events", _REFUSED)
        lake.copy(connection, "source_files", _ACCOUNTS)
        lake.copy(connection, "scrubbed_values", _SCRUBBED)


_PARTS = (
    ("parts", "events", EVENT_PART_SCHEMA),
    ("rejected", "rejected", REJECTED_PART_SCHEMA),
    ("scrubbed", "scrubbed", SCRUBBED_COUNTS),
)
"""View, kind of parts, and their columns."""


def _read(connection: duckdb.DuckDBPyConnection, sources: Sources) -> None:
    """Tables ``files``, with a number in order of name and content, and a view of each kind of parts."""
    known = sources.files().sort("source_file", "content_sha256").with_row_index("file_number")
    connection.register("read_files", known)
    connection.execute("create temp table files as from read_files")
    connection.execute(_NAMES)
    for view, kind, schema in _PARTS:
        files = sources.part_files(kind)
        columns = f"file_number, {', '.join(schema.names())}, source_file, content_sha256"
        connection.register(f"no_{kind}", pl.DataFrame(schema=schema))
        found = f"{parquet(files, 'filename')} as part join files on content_sha256 = parse_path(part.filename)[-2]"
        connection.execute(
            f"create temp view {view} as select {columns} from {found if files else f'no_{kind}, files'}"
        )


def _name(connection: duckdb.DuckDBPyConnection) -> None:
    """View ``named``: parts with an event_id, which is of the content where the source gives none."""
    if not _any(connection, "from parts where content_id is not null"):
        connection.execute("create temp view named as from parts")
        return
    connection.execute(f"""
        create temp table numbered as
        select {_PLACE}, 'h' || content_id || case when nth > 1 then '-' || nth else '' end as content_id
        from (
            select {_PLACE}, content_id,
                row_number() over (partition by file_number, content_id order by line_number, item_number) as nth
            from parts where content_id is not null
        )""")
    connection.execute(f"""
        create temp view named as
        select parts.* replace (coalesce(parts.event_id, numbered.content_id) as event_id)
        from parts left join numbered using ({_PLACE})""")


def _drop_repeated(connection: duckdb.DuckDBPyConnection) -> None:
    """View ``kept``: of equal event_id the first that names a user, or the first."""
    connection.execute("create temp table repeated as select event_id from named group by event_id having count(*) > 1")
    if not _any(connection, "from repeated"):
        connection.execute("create temp view kept as from named")
        return
    connection.execute(f"""
        create temp table duplicates as
        select {_PLACE} from named where event_id in (from repeated)
        qualify row_number() over (partition by event_id order by user_id is null, event_at, {_PLACE}) > 1""")
    connection.execute(f"create temp view kept as select * from named anti join duplicates using ({_PLACE})")


def _give_sessions(connection: duckdb.DuckDBPyConnection, gap_minutes: float) -> None:
    """View ``seated``: where an event has no session, its user's events without a longer silence are one.

    Such a session is named after its first event. An event without a user is a session by itself.
    """
    if not _any(connection, "from kept where session_id is null"):
        connection.execute("create temp view seated as select kept.*, false as is_session_derived from kept")
        return
    connection.execute(
        f"""
        create temp table derived as
        with gaps as (
            select {_PLACE}, event_id, user_id, event_at,
                event_at - lag(event_at) over (partition by user_id order by event_at, {_PLACE}) as silence
            from kept where session_id is null and user_id is not null
        ),
        openers as (
            select *, if(silence is null or silence > to_microseconds($gap), event_id, null) as opener from gaps
        )
        select {_PLACE}, 'session-' || last_value(opener ignore nulls) over (
            partition by user_id order by event_at, {_PLACE} rows between unbounded preceding and current row
        ) as session_id
        from openers
        union all
        select {_PLACE}, 'session-' || event_id from kept where session_id is null and user_id is null""",
        {"gap": int(gap_minutes * 60e6)},
    )
    connection.execute(f"""
        create temp view seated as
        select kept.* replace (coalesce(kept.session_id, derived.session_id) as session_id),
            kept.session_id is null as is_session_derived
        from kept left join derived using ({_PLACE})""")


def _any(connection: duckdb.DuckDBPyConnection, query: str) -> bool:
    return bool(connection.execute(f"select exists ({query})").fetchall()[0][0])


_PLACE = "file_number, line_number, item_number"

_NAMES = """
    set variable source_files = (select list(source_file order by file_number) from files);
    set variable contents = (select list(content_sha256 order by file_number) from files)"""

_EVENTS = f"""
    select {", ".join(LAKE_EVENTS.schema.names())}
    from (
        select *, getvariable('source_files')[file_number + 1] as source_file,
            getvariable('contents')[file_number + 1] as content_sha256
        from (
            select seated.* exclude (source_file, content_sha256),
                event_at > coalesce(received_at, ingested_at) + to_microseconds(
                    ($tolerance * 60e6)::bigint) as is_time_ahead
            from seated join files using (file_number)
            order by event_at, {_PLACE}
        )
    )"""
"""Names of files are put in once events are in order: to carry them through the sort takes half of its time."""

_REFUSED = f"""
    select {", ".join(REJECTED_EVENTS.schema.names())}
    from (select *, (content_sha256, line_number) in (from mended) as is_mended from rejected)
    order by file_number, line_number"""

_SCRUBBED = """
    select source_file, content_sha256, field, kind, sum(value_count)::bigint as value_count
    from scrubbed group by all order by source_file, content_sha256, field, kind"""

_ACCOUNTS = """
    with parsed as (
        select file_number, count(*) filter (item_number = 1) as parsed_count,
            string_agg(distinct source_format, ',' order by source_format) as source_format,
            min(event_at) as first_event_at, max(event_at) as last_event_at
        from parts group by file_number
    ),
    accepted as (
        select file_number, count(distinct line_number) as accepted_count,
            count(*) filter (is_time_assumed) as time_assumed_count,
            count(*) filter (is_zone_assumed) as zone_assumed_count,
            count(*) filter (content_id is not null) as id_assumed_count,
            count(*) filter (event_at::date < published_until::date) as late_count
        from kept join files using (file_number) group by file_number
    ),
    refused as (select file_number, count(*) as rejected_count from rejected group by file_number)
    select source_file, content_sha256, source_format, row_count,
        coalesce(accepted_count, 0) as accepted_count,
        coalesce(parsed_count, 0) - coalesce(accepted_count, 0) as duplicate_count,
        coalesce(rejected_count, 0) as rejected_count,
        coalesce(id_assumed_count, 0) as id_assumed_count,
        coalesce(time_assumed_count, 0) as time_assumed_count,
        coalesce(zone_assumed_count, 0) as zone_assumed_count,
        coalesce(late_count, 0) as late_count,
        first_event_at, last_event_at, ingested_at
    from files
    left join parsed using (file_number)
    left join accepted using (file_number)
    left join refused using (file_number)
    order by source_file, content_sha256"""
