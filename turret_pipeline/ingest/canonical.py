"""Canonical tables of the lake from the parts of all files.

Each event is kept once, in order and with a session, and every input row is accounted for. DuckDB does the work and
spills to disk, so the tables may be larger than memory.
"""

from dataclasses import dataclass

import duckdb

from turret_pipeline.ingest.duplicates import assign_event_ids, drop_duplicates, drop_invented_ids
from turret_pipeline.ingest.part_views import ORDER, create_part_views
from turret_pipeline.ingest.parts import PartStore
from turret_pipeline.ingest.persons import IDENTITIES, resolve_users
from turret_pipeline.ingest.sessions import separate_persons, sessionize
from turret_pipeline.ingest.traces import complete_from_traces
from turret_pipeline.storage.lake import Lake
from turret_pipeline.storage.scratch_database import open_scratch_database
from turret_pipeline.tables import LAKE_EVENTS, REJECTED_EVENTS


@dataclass(frozen=True)
class CanonicalOptions:
    """Settings of sessions, clocks and users.

    A gap of more than ``session_gap_minutes`` ends a derived session. An event that is more than
    ``clock_tolerance_minutes`` later than its receipt, or else than the reading of its file, has ``is_time_ahead`` set.
    With ``resolve_identities`` the ids of one person become one user.
    """

    session_gap_minutes: float = 30
    clock_tolerance_minutes: float = 10
    resolve_identities: bool = True


def write_canonical(parts: PartStore, lake: Lake, options: CanonicalOptions) -> None:
    """Write ``events``, ``identities``, ``rejected_events``, ``source_files`` and ``scrubbed_values`` from all parts.

    Events are ordered by time to the nanosecond, then by file and line. An event without session or user has
    those of its trace. Of several events with one event_id the one read last is kept.
    An event without an id from its source gets one derived from its content, with a number for repetitions within a
    file: a row that comes again in another dump is a duplicate, but equal rows of one dump are separate events.
    """
    with open_scratch_database(lake) as connection:
        create_event_views(connection, parts, options)
        tolerance: dict[str, object] = {"tolerance": options.clock_tolerance_minutes}
        lake.copy(connection, "events", _EVENTS, tolerance)
        lake.copy(connection, "identities", IDENTITIES)
        connection.register("fixed_lines", parts.replays.fixed_lines())
        lake.copy(connection, "rejected_events", _REJECTED_EVENTS)
        lake.copy(connection, "source_files", _SOURCE_FILES, tolerance)
        lake.copy(connection, "scrubbed_values", _SCRUBBED_VALUES)


def create_event_views(connection: duckdb.DuckDBPyConnection, parts: PartStore, options: CanonicalOptions) -> None:
    """Create the views of all parts, and those of their events with ids, users and sessions (``sessionized``)."""
    create_part_views(connection, parts)
    drop_invented_ids(connection)
    assign_event_ids(connection)
    complete_from_traces(connection)
    drop_duplicates(connection)
    resolve_users(connection, is_enabled=options.resolve_identities)
    separate_persons(connection)
    sessionize(connection, options.session_gap_minutes)


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
            order by {ORDER}
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
    with gone as (select file_number, line_number, row_in_line from forgotten union from (
        select file_number, line_number, row_in_line from erased
    )),
    forgotten_rows as (
        select file_number, count(*) as forgotten_count
        from gone anti join parts using (file_number, line_number, row_in_line) group by file_number
    ),
    parsed as (
        select file_number,
            count(distinct line_number) filter (row_in_line = 1)
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
            count(*) filter (is_time_assumed) as assumed_time_count,
            count(*) filter (is_zone_assumed) as assumed_zone_count,
            count(*) filter (content_id is not null) as assumed_id_count,
            count(*) filter (is_user_invented) as assumed_user_count,
            count(*) filter (event_at::date < first_published_until::date) as late_count
        from deduplicated group by file_number
    ),
    lost_lines as (select distinct file_number, line_number from repeats where place > 1 and not is_content_id),
    kept_lines as (
        select file_number, line_number from deduplicated semi join lost_lines using (file_number, line_number)
    ),
    superseded as (
        select file_number, count(*) as superseded_count
        from lost_lines anti join kept_lines using (file_number, line_number) group by file_number
    ),
    splits as (select file_number, count(*) as split_session_count from split_events where has_other_id group by all),
    rejections as (select file_number, count(*) as rejected_count from rejected group by file_number)
    select source_file, content_sha256, source_format, row_count,
        coalesce(accepted_count, 0) as accepted_count,
        coalesce(parsed_count, 0) - coalesce(accepted_count, 0) as duplicate_count,
        coalesce(superseded_count, 0) as superseded_count,
        coalesce(rejected_count, 0) as rejected_count,
        coalesce(forgotten_count, 0) as forgotten_count,
        repaired_count,
        coalesce(assumed_id_count, 0) as assumed_id_count,
        coalesce(assumed_time_count, 0) as assumed_time_count,
        coalesce(assumed_zone_count, 0) as assumed_zone_count,
        coalesce(textless_exchange_count, 0) as textless_exchange_count,
        coalesce(assumed_user_count, 0) as assumed_user_count,
        coalesce(split_session_count, 0) as split_session_count,
        coalesce(late_count, 0) as late_count,
        first_event_at, last_event_at, ingested_at
    from files
    left join parsed using (file_number)
    left join accepted using (file_number)
    left join superseded using (file_number)
    left join splits using (file_number)
    left join rejections using (file_number)
    left join forgotten_rows using (file_number)
    order by source_file, content_sha256"""
