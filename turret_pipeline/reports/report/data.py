"""Rows of the published file from which a report is made."""

from dataclasses import dataclass

import duckdb
import numpy as np
import polars as pl

from turret_pipeline.journeys.visits import NAME
from turret_pipeline.reports.published_tables import PublishedTables
from turret_pipeline.reports.report.limits import format_limit, round_limit
from turret_pipeline.reports.scope import Scope
from turret_pipeline.reports.scoped_tables import open_scope
from turret_pipeline.tables import JOURNEY_SEGMENTS
from turret_pipeline.tables.signals import RESOLVED, SIGNALS_OF_STRUGGLE, STRUGGLE

TOPICS = """
select topic_id, field, label, theme_label, role, cohesion, example_texts from marts.topics where status = 'active'
"""

OCCURRENCES = """
select field, topic_id, coalesce(continues_topic_id, topic_id) as subject_topic_id, session_id, user_id,
    content_sha256, is_time_ahead, timezone(?, event_at)::date as event_date
from marts.event_topics join scoped_events using (event_id)
order by field, event_at, event_id
"""

SIGNAL_FLAGS = [f"is_{signal}" for signal in (*SIGNALS_OF_STRUGGLE, STRUGGLE, RESOLVED)]

EXCHANGES = f"""
select exchanges.* exclude (prompt_event_id, answer_event_id, prompt_at), {", ".join(SIGNAL_FLAGS)},
    timezone(?, prompt_at)::date as event_date, is_time_ahead
from scoped_exchanges as exchanges left join marts.exchange_signals using (exchange_id)
join marts.events on event_id = prompt_event_id
order by prompt_at, exchange_id
"""

SEGMENTS = """
select number as exchange_id, field as segment_field, min_by(text_value, side != 'prompt') as segment_value,
    min_by(side, side != 'prompt') as side
from marts.exchange_values join selected_exchanges using (exchange_id)
where text_value is not null and side != 'feedback'
group by all
order by segment_field, exchange_id
"""
"""The value that was known when the prompt was sent, or else that of the answer."""

ROWS_AT_ONCE = 1_000_000
"""Rows of SEGMENTS that are in memory as text."""

NUMBER = "number"
"""Side of the values of number fields of prompts."""

SEGMENT = pl.Schema({"exchange_id": pl.UInt32(), **dict.fromkeys(("segment_field", "segment_value", "side"), NAME)})

NUMBERS = """
select number as exchange_id, field as segment_field, number_value
from marts.exchange_values join selected_exchanges using (exchange_id)
where isfinite(number_value) and side = 'prompt'
order by segment_field, exchange_id
"""

PEOPLE = "select count(distinct session_id) as session_count, count(distinct user_id) as user_count from scoped_events"
EXCHANGE_ROLES = "select role, event_name, field, reason from marts.exchange_roles order by all"
JOURNEY_SEGMENTS_OF = f"select {', '.join(JOURNEY_SEGMENTS.schema)} from marts.journey_segments"
LAST_RUN = "(select max(run_number) from marts.pipeline_runs)"
TOPIC_RUNS = f"select * from marts.topic_runs where run_number = {LAST_RUN}"
BORN = f"""
select topic_id from marts.topic_lineage join marts.pipeline_runs using (run_id)
where change = 'born' and run_number = {LAST_RUN}
"""
NEW_FILES = f"""
select content_sha256 from marts.source_files
where ingested_at > (select max(published_at) from marts.pipeline_runs where run_number < {LAST_RUN})
"""
"""Files read since the previous run published: a run that was interrupted may have read them."""


@dataclass(frozen=True)
class ReportData:
    """Rows of a scope. Days select exchanges and events by their own time, and segments select sessions.

    ``occurrences`` has a row per event and text field, ``exchanges`` one per exchange with its SIGNAL_FLAGS; both with
    event_date in the time zone of the weeks and cluster_id, which numbers the users, and the sessions without a user.
    To save memory, exchange_id is the number of the exchange, and user_id that of the user, null without one.
    ``segments`` has the enum values of exchanges, and the halves of numbers of prompts (NUMBER). ``journey_segments``
    and ``topic_outcomes`` are the tables of these names, empty in a part of the data, and ``exchange_roles`` is that of
    all data. ``topic_runs`` are those of the last run, ``born`` the topics that it found, and ``new_files`` the files
    that the previous published run had not read, none after the first.
    """

    scope: Scope
    topics: pl.DataFrame
    occurrences: pl.DataFrame
    exchanges: pl.DataFrame
    segments: pl.DataFrame
    journey_segments: pl.DataFrame
    topic_outcomes: pl.DataFrame
    topic_runs: pl.DataFrame
    born: pl.DataFrame
    new_files: pl.DataFrame
    exchange_roles: pl.DataFrame
    is_later_run: bool
    session_count: int
    user_count: int


def read_report_data(published: PublishedTables, scope: Scope, time_zone: str) -> ReportData:
    """The rows of a scope. Raises TurretError if nothing is published or a segment is unknown."""
    with open_scope(published, scope) as connection:
        exchanges = _with_clusters(_query(connection, EXCHANGES, time_zone))
        numbered = exchanges.select("exchange_id").with_row_index("number")
        connection.register("selected_exchanges", numbered.to_arrow())
        exchanges = exchanges.with_columns(numbered["number"].alias("exchange_id"))
        is_whole = scope == Scope()
        return ReportData(
            scope=scope,
            topics=_query(connection, TOPICS),
            occurrences=_with_clusters(_query(connection, OCCURRENCES, time_zone)).with_columns(
                pl.col("content_sha256").cast(NAME)
            ),
            exchanges=exchanges,
            segments=pl.concat([_query_segments(connection), halve_numbers(_query(connection, NUMBERS))]),
            journey_segments=_query(connection, f"{JOURNEY_SEGMENTS_OF} where {is_whole}"),
            topic_outcomes=_query(connection, f"from marts.topic_outcomes where {is_whole}"),
            topic_runs=_query(connection, TOPIC_RUNS),
            born=_query(connection, BORN),
            new_files=_query(connection, NEW_FILES),
            exchange_roles=_query(connection, EXCHANGE_ROLES),
            is_later_run=_query(connection, f"select {LAST_RUN} > 1").item(),
            **_query(connection, PEOPLE).row(0, named=True),
        )


def halve_numbers(numbers: pl.DataFrame) -> pl.DataFrame:
    """The number fields of prompts as segments: over the median of the field, or up to it.

    ``numbers`` has exchange_id, segment_field and a finite number_value.
    """
    halves = [SEGMENT.to_frame()]
    for _, rows in numbers.group_by("segment_field", maintain_order=True):
        values = rows["number_value"]
        middle = round_limit(float(np.median(values.to_numpy())), values, is_inclusive=False)
        over, up_to = (pl.lit(f"{words} {format_limit(middle)}") for words in ("over", "up to"))
        value = pl.when(pl.col("number_value") > middle).then(over).otherwise(up_to)
        named = rows.with_columns(value.alias("segment_value"), pl.lit(NUMBER).alias("side"))
        halves.append(named.select(pl.col(name).cast(kind) for name, kind in SEGMENT.items()))
    return pl.concat(halves)


def _query(connection: duckdb.DuckDBPyConnection, sql: str, *values: object) -> pl.DataFrame:
    frame: pl.DataFrame = connection.sql(sql, params=list(values)).pl()
    return frame


def _query_segments(connection: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """The rows of SEGMENTS. Each part becomes numbers at once: as text, all rows would take four times the memory."""
    parts = connection.sql(SEGMENTS).to_arrow_reader(ROWS_AT_ONCE)
    frames = [pl.DataFrame(pl.from_arrow(part)).cast(SEGMENT) for part in parts]
    return pl.concat([SEGMENT.to_frame(), *frames])


def _with_clusters(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with cluster_id, and with numbers for users and sessions, which are counted often.

    Events of one user, or of one session without a user, are not independent.
    """
    cluster = pl.coalesce(pl.lit("user ") + pl.col("user_id"), pl.lit("session ") + pl.col("session_id"))
    numbered = rows.with_columns(cluster.rank("dense").cast(pl.Int64).alias("cluster_id"))
    return numbered.with_columns(
        pl.when(pl.col("user_id").is_not_null()).then("cluster_id").alias("user_id"), pl.col("session_id").cast(NAME)
    )
