"""The use of the product: exchanges, sessions and users of a scope, in all and over time."""

from dataclasses import dataclass
from typing import Literal

import duckdb
import polars as pl

from turret_pipeline.topics.insights.periods import WEEKDAYS, WeekStart

Unit = Literal["exchange", "event"]
"""Units that are counted: exchanges, or events in data without any prompt."""

Bucket = Literal["day", "week"]
MAX_DAYS = 100
"""Days of a trend by day; a longer one is by week."""

_UNITS = {
    "exchange": "select exchange_id as unit_id, session_id, user_id, prompt_at as unit_at from scoped_exchanges",
    "event": "select event_id as unit_id, session_id, user_id, event_at as unit_at from scoped_events",
}


@dataclass(frozen=True)
class Activity:
    """Exchanges (or events), the sessions they are in, and their known users."""

    unit: Unit
    unit_count: int
    session_count: int
    user_count: int


def choose_unit(connection: duckdb.DuckDBPyConnection) -> Unit:
    """Exchanges, or events if no event of all data is a prompt."""
    has_exchanges = connection.sql("select count(*) > 0 from marts.exchanges").fetchall()[0][0]
    return "exchange" if has_exchanges else "event"


def read_activity(connection: duckdb.DuckDBPyConnection) -> Activity:
    """The activity of the scope of a connection (``open_scope``)."""
    unit = choose_unit(connection)
    counts = connection.sql(
        f"select count(*), count(distinct session_id), count(distinct user_id) from ({_UNITS[unit]})"
    ).fetchall()[0]
    return Activity(unit, *counts)


def read_trend(
    connection: duckdb.DuckDBPyConnection, time_zone: str, week_start: WeekStart
) -> tuple[Bucket, pl.DataFrame]:
    """Activity by day, or by week if there are more than MAX_DAYS days, without gaps.

    The frame has bucket_date (the first day), unit_count, session_count and user_count: those with an exchange in it.
    Days are those of the time zone. Sums per session first, and hashes instead of texts, take half of the time.
    """
    units = _UNITS[choose_unit(connection)]
    bucket, first = choose_bucket(connection, units, time_zone, week_start)
    frame: pl.DataFrame = connection.sql(f"""
        with sums as (
            select {first} as bucket_date, hash(session_id) as session, user_id is not null as has_user,
                hash(user_id) as person, count(*) as n
            from ({units}) group by all
        ),
        counts as (
            select bucket_date, sum(n)::bigint as unit_count, count(distinct session) as session_count,
                count(distinct person) filter (has_user) as user_count
            from sums group by bucket_date
        ),
        buckets as (
            select unnest(generate_series(min(bucket_date), max(bucket_date), interval 1 {bucket}))::date as bucket_date
            from counts
        )
        select bucket_date, coalesce(unit_count, 0) as unit_count, coalesce(session_count, 0) as session_count,
            coalesce(user_count, 0) as user_count
        from buckets left join counts using (bucket_date) order by bucket_date
    """).pl()
    return bucket, frame


def choose_bucket(
    connection: duckdb.DuckDBPyConnection, units: str, time_zone: str, week_start: WeekStart
) -> tuple[Bucket, str]:
    """Day or week, whichever suits the times unit_at of a query, and the SQL of the first day of a row's bucket."""
    zone = time_zone.replace("'", "''")
    day = f"timezone('{zone}', unit_at)::date"
    ends = f"select timezone('{zone}', min(unit_at))::date, timezone('{zone}', max(unit_at))::date from ({units})"
    first, last = connection.sql(ends).fetchall()[0]
    if first is None or (last - first).days < MAX_DAYS:
        return "day", day
    shift = (7 - WEEKDAYS.index(week_start)) % 7
    return "week", f"(date_trunc('week', {day} + {shift}) - interval {shift} day)::date"
