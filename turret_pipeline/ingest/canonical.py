"""Canonical tables of the lake from the parts of all files.

Each event is kept once, in order and with a session, and every input row is accounted for. DuckDB does the work and
spills to disk, so the tables may be larger than memory.
"""

from dataclasses import dataclass

import duckdb
import polars as pl

from turret_pipeline.events.parsing import EVENT_PART_SCHEMA, REJECTED_PART_SCHEMA
from turret_pipeline.ingest.parts import PartStore
from turret_pipeline.ingest.scratch_database import open_scratch_database, read_parquet_sql
from turret_pipeline.scrubbing.batch import SCRUBBED_COUNTS
from turret_pipeline.storage.lake import Lake
from turret_pipeline.tables import LAKE_EVENTS, REJECTED_EVENTS


@dataclass(frozen=True)
class CanonicalOptions:
    """Settings of sessions and clocks.

    A gap of more than ``session_gap_minutes`` ends a derived session. An event that is more than
    ``clock_tolerance_minutes`` later than its receipt, or else than the reading of its file, has ``is_time_ahead`` set.
    """

    session_gap_minutes: float = 30
    clock_tolerance_minutes: float = 10


def write_canonical(parts: PartStore, lake: Lake, options: CanonicalOptions) -> None:
    """Write ``events``, ``rejected_events``, ``source_files`` and ``scrubbed_values`` from all parts.

    Events are ordered by time to the nanosecond, then by file and line. Of several events with one event_id the first
    with a user is kept, or else the first: a Langfuse trace and its observation repeat the same event, and only the
    trace has a user. An event without an id from its source gets one derived from its content, with a number for
    repetitions within a file: a row that comes again in another dump is a duplicate, but equal rows of one dump are
    separate events.
    """
    with open_scratch_database(lake) as connection:
        _create_part_views(connection, parts)
        _assign_event_ids(connection)
        _drop_duplicates(connection)
        _sessionize(connection, options.session_gap_minutes)
        tolerance: dict[str, object] = {"tolerance": options.clock_tolerance_minutes}
        lake.copy(connection, "events", _EVENTS, tolerance)
        connection.register("fixed_lines", parts.fixed_lines())
        lake.copy(connection, "rejected_events", _REJECTED_EVENTS)
        lake.copy(connection, "source_files", _SOURCE_FILES, tolerance)
        lake.copy(connection, "scrubbed_values", _SCRUBBED_VALUES)


_PARTS = (
    ("parts", "events", EVENT_PART_SCHEMA),
    ("rejected", "rejected", REJECTED_PART_SCHEMA),
    ("scrubbed", "scrubbed", SCRUBBED_COUNTS),
)
"""Views, with the kind of their parts and its columns."""


def _create_part_views(connection: duckdb.DuckDBPyConnection, parts: PartStore) -> None:
    """Create the table ``files``, numbered by name and content, and a view of each kind of parts."""
    known = parts.source_files().sort("source_file", "content_sha256").with_row_index("file_number")
    connection.register("read_files", known)
    connection.execute("create temp table files as from read_files")
    connection.execute(_FILE_VARIABLES)
    for view, kind, schema in _PARTS:
        files = parts.part_files(kind)
        columns = f"file_number, {', '.join(schema.names())}, source_file, content_sha256"
        connection.register(f"no_{kind}", pl.DataFrame(schema=schema))
        rows = (
            f"{read_parquet_sql(files, 'filename')} as part "
            "join files on content_sha256 = parse_path(part.filename)[-2]"
        )
        connection.execute(f"create temp view {view} as select {columns} from {rows if files else f'no_{kind}, files'}")


def _assign_event_ids(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the view ``identified``: parts with an event_id, derived from the content if the source has none."""
    if not _has_rows(connection, "from parts where content_id is not null"):
        connection.execute("create temp view identified as from parts")
        return
    connection.execute(f"""
        create temp table content_ids as
        select {_POSITION}, 'h' || content_id || case when nth > 1 then '-' || nth else '' end as content_id
        from (
            select {_POSITION}, content_id,
                row_number() over (partition by file_number, content_id order by line_number, item_number) as nth
            from parts where content_id is not null
        )""")
    connection.execute(f"""
        create temp view identified as
        select parts.* replace (coalesce(parts.event_id, content_ids.content_id) as event_id)
        from parts left join content_ids using ({_POSITION})""")


def _drop_duplicates(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the view ``deduplicated``: of equal event ids the first with a user, or else the first."""
    connection.execute("""
        create temp table repeated_ids as
        select event_id from identified group by event_id having count(*) > 1""")
    if not _has_rows(connection, "from repeated_ids"):
        connection.execute("create temp view deduplicated as from identified")
        return
    connection.execute(f"""
        create temp table duplicates as
        select {_POSITION} from identified where event_id in (from repeated_ids)
        qualify row_number() over (partition by event_id order by user_id is null, {_ORDER}) > 1""")
    connection.execute(f"""
        create temp view deduplicated as
        select * from identified anti join duplicates using ({_POSITION})""")


def _sessionize(connection: duckdb.DuckDBPyConnection, gap_minutes: float) -> None:
    """Create the view ``sessionized``: events without a session get one derived from their user and their time.

    A derived session holds events of one user without a longer gap and is named after its first event. An event without
    a user gets a session of its own.
    """
    if not _has_rows(connection, "from deduplicated where session_id is null"):
        connection.execute("""
            create temp view sessionized as
            select deduplicated.*, false as is_session_derived from deduplicated""")
        return
    connection.execute(
        f"""
        create temp table derived_sessions as
        with gaps as (
            select {_POSITION}, event_id, user_id, event_at, nanosecond,
                event_at - lag(event_at) over (partition by user_id order by {_ORDER}) as gap
            from deduplicated where session_id is null and user_id is not null
        ),
        session_starts as (
            select *, if(gap is null or gap > to_microseconds($gap), event_id, null) as first_event_id from gaps
        )
        select {_POSITION}, 'session-' || last_value(first_event_id ignore nulls) over (
            partition by user_id order by {_ORDER} rows between unbounded preceding and current row
        ) as session_id
        from session_starts
        union all
        select {_POSITION}, 'session-' || event_id from deduplicated where session_id is null and user_id is null""",
        {"gap": int(gap_minutes * 60e6)},
    )
    connection.execute(f"""
        create temp view sessionized as
        select deduplicated.* replace (coalesce(deduplicated.session_id, derived_sessions.session_id) as session_id),
            deduplicated.session_id is null as is_session_derived
        from deduplicated left join derived_sessions using ({_POSITION})""")


def _has_rows(connection: duckdb.DuckDBPyConnection, query: str) -> bool:
    return bool(connection.execute(f"select exists ({query})").fetchall()[0][0])


_POSITION = "file_number, line_number, item_number"
_ORDER = f"event_at, nanosecond, {_POSITION}"

_FILE_VARIABLES = """
    set variable source_files = (select list(source_file order by file_number) from files);
    set variable contents = (select list(content_sha256 order by file_number) from files)"""

_IS_TIME_AHEAD = """
    event_at > coalesce(received_at, ingested_at) + to_microseconds(($tolerance * 60e6)::bigint)"""

_EVENTS = f"""
    select {", ".join(LAKE_EVENTS.schema.names())}
    from (
        select *, getvariable('source_files')[file_number + 1] as source_file,
            getvariable('contents')[file_number + 1] as content_sha256
        from (
            select sessionized.* exclude (source_file, content_sha256), {_IS_TIME_AHEAD} as is_time_ahead
            from sessionized join files using (file_number)
            order by {_ORDER}
        )
    )"""
"""File names are added after the sort: carrying them through it would double its time."""

_REJECTED_EVENTS = f"""
    select {", ".join(REJECTED_EVENTS.schema.names())}
    from (select *, (content_sha256, line_number) in (from fixed_lines) as is_mended from rejected)
    order by file_number, line_number"""

_SCRUBBED_VALUES = """
    select source_file, content_sha256, field, kind, sum(value_count)::bigint as value_count
    from scrubbed group by all order by source_file, content_sha256, field, kind"""

_SOURCE_FILES = f"""
    with parsed as (
        select file_number,
            count(*) filter (row_in_line = 1 and item_number = 1)
                + count(distinct (line_number, row_in_line)) filter (row_in_line > 1) as parsed_count,
            string_agg(distinct source_format, ',' order by source_format) as source_format,
            min(event_at) as first_event_at, max(event_at) filter (not {_IS_TIME_AHEAD}) as last_event_at
        from parts join files using (file_number) group by file_number
    ),
    accepted as (
        select file_number,
            count(distinct line_number) filter (row_in_line = 1)
                + count(distinct (line_number, row_in_line)) filter (row_in_line > 1) as accepted_count,
            count(*) filter (is_textless) as textless_exchange_count,
            count(*) filter (is_time_assumed) as time_assumed_count,
            count(*) filter (is_zone_assumed) as zone_assumed_count,
            count(*) filter (content_id is not null) as id_assumed_count,
            count(*) filter (event_at::date < published_until::date) as late_count
        from deduplicated join files using (file_number) group by file_number
    ),
    rejections as (select file_number, count(*) as rejected_count from rejected group by file_number)
    select source_file, content_sha256, source_format, row_count,
        coalesce(accepted_count, 0) as accepted_count,
        coalesce(parsed_count, 0) - coalesce(accepted_count, 0) as duplicate_count,
        coalesce(rejected_count, 0) as rejected_count,
        repaired_count,
        coalesce(id_assumed_count, 0) as id_assumed_count,
        coalesce(time_assumed_count, 0) as time_assumed_count,
        coalesce(zone_assumed_count, 0) as zone_assumed_count,
        coalesce(textless_exchange_count, 0) as textless_exchange_count,
        coalesce(late_count, 0) as late_count,
        first_event_at, last_event_at, ingested_at
    from files
    left join parsed using (file_number)
    left join accepted using (file_number)
    left join rejections using (file_number)
    order by source_file, content_sha256"""
