"""Notes of the summary: rejected rows, assumptions about times, users and sessions, and edits of topics."""

import duckdb

from turret_pipeline.reports.report.words import plural

MAX_REASONS, MAX_EDITS = 3, 5


def list_rejections(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The most frequent reasons of rejected rows, each with an example, and the codes of the others, as lines."""
    rows = connection.execute(
        "select reason_code, count(*) as n, min_by(reason, (source_file, line_number)) from marts.rejected_events "
        "group by reason_code order by n desc, reason_code"
    ).fetchall()
    reasons = [f"- {count:,} {code}, for example: {reason}" for code, count, reason in rows[:MAX_REASONS]]
    rest = rows[MAX_REASONS:]
    more = [f"- {sum(count for _, count, _ in rest):,} more: {', '.join(code for code, *_ in rest)}"] if rest else []
    head = "Rejected rows (`turret rejects` shows file, line, reason and text):"
    return [head, *reasons, *more]


REPAIRS = "a broken character became U+FFFD, or a number out of range null (repaired_count in marts.source_files)"
ASSUMPTIONS = {
    "assumed_time_count": ("has no time and got the time of its file", "have no time and got the time of their file"),
    "assumed_zone_count": (
        "has no time zone and was read in input_time_zone",
        "have no time zone and were read in input_time_zone",
    ),
    "ahead_count": ("is dated after its receipt", "are dated after their receipt"),
    "late_count": ("arrived after its day was published", "arrived after their day was published"),
}
"""Words for one event, and for several."""


def note_assumed_times(connection: duckdb.DuckDBPyConnection) -> str:
    """Assumptions about event times, with the number of events; empty if there are none."""
    (row,) = (
        connection.sql(
            "select sum(assumed_time_count)::bigint as assumed_time_count, sum(assumed_zone_count)::bigint as "
            "assumed_zone_count, sum(late_count)::bigint as late_count, "
            "(select count(*) filter (is_time_ahead) from marts.events) as ahead_count from marts.source_files"
        )
        .pl()
        .iter_rows(named=True)
    )
    assumptions = [
        f"{row[name]:,} {one if row[name] == 1 else several}"
        for name, (one, several) in ASSUMPTIONS.items()
        if row[name]
    ]
    return f"Event times: {'; '.join(assumptions)}." if assumptions else ""


def note_textless_exchanges(connection: duckdb.DuckDBPyConnection) -> str:
    """The number of exchanges without text by file, the most first; empty if there are none."""
    rows = connection.execute(
        "select source_file, textless_exchange_count from marts.source_files where textless_exchange_count > 0 "
        "order by textless_exchange_count desc, source_file"
    ).fetchall()
    if not rows:
        return ""
    files = ", ".join(f"{count:,} in {file}" for file, count in rows[:MAX_REASONS])
    more = f" and {plural(len(rows) - MAX_REASONS, 'more file')}" if len(rows) > MAX_REASONS else ""
    return (
        f"Exchanges without text: {files}{more}. Either the source does not store texts, or it stores them in a form "
        "that Turret does not read: `turret inspect FILE` shows what was read."
    )


def note_forgotten(connection: duckdb.DuckDBPyConnection) -> str:
    """The number of rows that were erased or dropped since; empty if there are none."""
    files = connection.sql("select * from marts.source_files")
    if "forgotten_count" not in files.columns:  # published by a version that erased nothing
        return ""
    count = int(files.sum("forgotten_count").fetchall()[0][0] or 0)
    return f"Forgotten: {plural(count, 'row')} (erased by turret forget or retention_days)." if count else ""


USER_COUNTS = """
select
    coalesce(sum(split_session_count), 0)::bigint,
    coalesce(sum(assumed_user_count), 0)::bigint,
    (select count(distinct sent_id) from marts.identities where sent_id != user_id),
    (select count(distinct user_id) from marts.identities where sent_id != user_id)
from marts.source_files
"""


def note_users_and_sessions(connection: duckdb.DuckDBPyConnection) -> str:
    """Decisions about users and sessions, with the number of events or ids; empty if there are none."""
    split, assumed, ids, users = connection.execute(USER_COUNTS).fetchall()[0]
    notes = []
    if split:
        came = "it came" if split == 1 else "they came"
        notes.append(
            f"{plural(split, 'event')} got a new session id, because another user had the one {came} with first"
        )
    if assumed:
        have, count = ("has", "counts as an event") if assumed == 1 else ("have", "count as events")
        notes.append(
            f"{plural(assumed, 'event')} {have} a user id that the collector made up, and {count} without a user"
        )
    if ids:
        were = "was" if ids == 1 else "were"
        kinds = "of anonymous visitors, of devices, or aliases"
        notes.append(f"{plural(ids, 'id')} ({kinds}) {were} resolved to {plural(users, 'user')}")
    return f"Users and sessions: {'; '.join(notes)}." if notes else ""


def list_applied_edits(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The user's edits that the last published run applied, as lines; empty if there are none.

    Edits of suppressed topics are left out.
    """
    last = "select edits from marts.pipeline_runs order by run_number desc limit 1"
    edits = connection.sql(last).pl()["edits"].explode().drop_nulls().to_list()
    if not edits:
        return []
    more = [f"- and {len(edits) - MAX_EDITS:,} more (turret topics edits)"] if len(edits) > MAX_EDITS else []
    return [f"Edits applied: {len(edits):,}", *(f"- {edit}" for edit in edits[:MAX_EDITS]), *more]
