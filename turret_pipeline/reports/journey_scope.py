"""The steps of the sessions of a scope in one dimension, as views of a connection.

Journeys need whole sessions: a range of days selects the sessions that start in it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import duckdb
import polars as pl

from turret_pipeline.reports.published_tables import ORDER, PublishedTables
from turret_pipeline.reports.scope import Scope
from turret_pipeline.reports.scoped_tables import open_scope
from turret_pipeline.stats.effects import share_design_effects
from turret_pipeline.stats.shares import share_interval
from turret_pipeline.tables import EVENT_NAME, USER

CLUSTER = "hash(coalesce(user_id, '(session) ' || sequence_id))"
"""The person that sessions depend on, as a number, which is fast: their user, or the session itself if unknown."""

_STEPS = f"""
select sequence_id, user_id, row_number() over () - step_number as sequence_number, {CLUSTER} as cluster,
    user_id is not null as is_user, step_number, node_id, event_count, seconds_to_next,
    case when lead(sequence_id) over () = sequence_id then lead(node_id) over () end as next_node_id,
    case when lead(sequence_id, 2) over () = sequence_id then lead(node_id, 2) over () end as after_next_node_id
from (from {{steps}})
"""
"""The steps are in the order of sequences and steps, and such a window keeps the order of rows: it needs no sort."""

_USER_STEPS = f"""
with visits as (
    select user_id as sequence_id, user_id, event_at, {{node}} as node_id,
        row_number() over (partition by user_id order by {ORDER}) as number
    from (from marts.events semi join scoped_sessions using (session_id)) {{topics}}
    where user_id is not null and {{where}}
),
runs as (
    select *, number - row_number() over (partition by sequence_id, node_id order by number) as run from visits
),
steps as (
    select sequence_id, any_value(user_id) as user_id, node_id, count(*) as event_count,
        min(event_at) as started_at, max(event_at) as ended_at, min(number) as number
    from runs group by sequence_id, node_id, run
)
select sequence_id, null::varchar as session_id, user_id, row_number() over by_time as step_number, node_id,
    event_count, epoch_us(lead(started_at) over by_time - ended_at) / 1e6 as seconds_to_next
from steps window by_time as (partition by sequence_id order by number)
order by sequence_id, step_number
"""
"""A step of a user spans sessions, so those of some sessions are counted from their events."""


@contextmanager
def open_journeys(published: PublishedTables, scope: Scope, dimension: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection of ``open_scope`` with the views scoped_steps and scoped_sequences of a dimension.

    scoped_steps has columns of ``journey_steps``, with next_node_id, after_next_node_id, a sequence_number, its
    cluster, and is_user; ordered_steps are the same, in order. scoped_sequences (sequence_id, user_id,
    sequence_number, cluster, is_user) are the sessions, or users, with a step.
    """
    with open_scope(published, scope) as connection:
        define_steps(connection, dimension, is_filtered=scope != Scope())
        yield connection


def define_steps(connection: duckdb.DuckDBPyConnection, dimension: str, *, is_filtered: bool) -> None:
    """Create the views of ``open_journeys``; scoped_sessions must exist if the sessions are filtered."""
    steps, semi_join = f"marts.journey_steps where dimension = {quote(dimension)}", ""
    if is_filtered and dimension.startswith(USER):
        connection.execute(f"create or replace temp table user_steps as {_select_user_steps(dimension)}")
        steps = "user_steps"
    elif is_filtered:
        semi_join = "semi join (select session_id as sequence_id from scoped_sessions) using (sequence_id)"
    connection.execute(f"create or replace temp view scoped_steps as from ({_STEPS.format(steps=steps)}) {semi_join}")
    order = "order by sequence_number, step_number" if is_filtered else ""  # a join may change the order
    connection.execute(f"create or replace temp view ordered_steps as from scoped_steps {order}")
    connection.execute(
        "create or replace temp view scoped_sequences as "
        "select sequence_id, user_id, sequence_number, cluster, is_user from scoped_steps where step_number = 1"
    )


def quote(text: str) -> str:
    """The text as a literal of SQL."""
    return "'" + text.replace("'", "''") + "'"


def quote_all(texts: Sequence[str]) -> str:
    """The texts as a list of literals of SQL."""
    return f"({', '.join(map(quote, texts))})"


def read_shares(
    connection: duckdb.DuckDBPyConnection, members: str, by: Sequence[str], sequences: str = "scoped_sequences"
) -> pl.DataFrame:
    """The groups of the query ``members`` with their share of all sequences and its interval.

    ``members`` has ``by``, cluster, is_user and hits: a number of ``sequences``, which have a cluster. The
    frame has ``by``, session_count, user_count, total, cluster_count, share, low, high and design_effect, as from
    ``journeys.shares.session_shares``.
    """
    keys = ", ".join(by)
    sums = connection.sql(f"""
        with sizes as (select cluster, count(*) as size from {sequences} group by cluster),
        whole as (select sum(size) as total, sum(size * size) as total_squares, count(*) as cluster_count from sizes),
        clusters as (
            select {keys}, cluster, bool_or(is_user) as is_user, sum(hits)::bigint as hits
            from ({members}) group by {keys}, cluster
        ),
        sums as (
            select {keys}, sum(hits)::bigint as session_count, count(*) filter (is_user) as user_count,
                sum(hits * hits) as squares, sum(hits * size) as crossed
            from clusters join sizes using (cluster) group by {keys}
        )
        select {keys}, session_count, user_count, total::bigint as total, squares, crossed, total_squares, cluster_count
        from sums cross join whole order by session_count desc, {keys}
    """).pl()
    return add_intervals(sums, "session_count")


def add_intervals(sums: pl.DataFrame, count: str) -> pl.DataFrame:
    """The rows with share, low, high and design_effect instead of squares, crossed and total_squares."""
    names = (count, "total", "squares", "crossed", "total_squares")
    parts = [sums[name].cast(pl.Float64).to_numpy() for name in names]
    effects = share_design_effects(*parts)
    low, high = share_interval(parts[0], parts[1], effects)
    return sums.drop("squares", "crossed", "total_squares").with_columns(
        (pl.col(count) / pl.col("total")).alias("share"),
        pl.Series("low", low, pl.Float64),
        pl.Series("high", high, pl.Float64),
        pl.Series("design_effect", effects, pl.Float64),
    )


def _select_user_steps(dimension: str) -> str:
    field = dimension.removeprefix(USER)
    if field == EVENT_NAME:
        return _USER_STEPS.format(node="event_name", topics="", where="true")
    return _USER_STEPS.format(
        node="coalesce(continues_topic_id, topic_id)",
        topics="join marts.event_topics using (event_id)",
        where=f"field = {quote(field)} and coalesce(continues_topic_id, topic_id) is not null",
    )
