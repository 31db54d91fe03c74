"""The steps of the sessions of a scope in one dimension, as views of a connection.

Journeys need whole sessions: a range of days selects the sessions that start in it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import duckdb
import polars as pl

from turret_pipeline.reports.node_numbers import quote, select_named
from turret_pipeline.reports.published_tables import PublishedTables
from turret_pipeline.reports.scope import Scope
from turret_pipeline.reports.scoped_tables import open_scope
from turret_pipeline.stats.effects import share_design_effects
from turret_pipeline.stats.shares import share_interval
from turret_pipeline.storage.numbered_tables import STEP_COLUMNS
from turret_pipeline.tables import USER

_USER_STEPS = """
with visits as (
    select user_number as sequence, node, event_at from scoped_visits
    where dimension = {field} and user_number is not null order by sequence, position
),
numbered as (
    select *, row_number() over () as row, lag(event_at) over () as previous_at,
        (lag(sequence) over () = sequence and lag(node) over () = node) is true as is_same_step
    from visits
),
firsts as (
    select sequence, node, event_at as started_at, row, lead(sequence) over () as next_sequence,
        coalesce(lead(row) over (), (select count(*) + 1 from visits)) - row as event_count,
        lead(event_at) over () - lead(previous_at) over () as pause
    from numbered where not is_same_step
)
select sequence, sequence as cluster, (row_number() over (partition by sequence order by row))::int as step_number,
    node, event_count, case when next_sequence = sequence then epoch_us(pause) / 1e6 end as seconds_to_next
from firsts order by sequence, step_number
"""
"""A step of a user spans sessions, so those of some sessions are counted from their events."""


@contextmanager
def open_journeys(published: PublishedTables, scope: Scope, dimension: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection of ``open_scope`` with the views scoped_steps and scoped_sequences of a dimension.

    Both are rows of the journey index (``storage.numbered_tables``): scoped_steps has its columns but the dimension;
    ordered_steps are the same, in order. scoped_sequences (sequence, cluster) are the sessions, or users, with a step.
    The user of a cluster below 0 is unknown.
    """
    with open_scope(published, scope) as connection:
        define_steps(connection, dimension, is_filtered=scope != Scope())
        yield connection


def define_steps(connection: duckdb.DuckDBPyConnection, dimension: str, *, is_filtered: bool) -> None:
    """Create the views of ``open_journeys``; those of ``open_scope`` must exist if the sessions are filtered."""
    steps = f"select * exclude (dimension) from numbered.steps where dimension = {quote(dimension)}"
    if is_filtered and dimension.startswith(USER):
        field = quote(dimension.removeprefix(USER))
        connection.execute(f"create or replace temp table user_steps as {_USER_STEPS.format(field=field)}")
        steps = STEP_COLUMNS.format(steps="user_steps")
    elif is_filtered:
        steps += " and sequence in (select session_number from scoped_session_numbers)"
    connection.execute(f"create or replace temp view scoped_steps as {steps}")
    order = "order by sequence, step_number" if is_filtered else ""  # the filter may change the order
    connection.execute(f"create or replace temp view ordered_steps as from scoped_steps {order}")
    connection.execute(
        "create or replace temp view scoped_sequences as select sequence, cluster from scoped_steps "
        "where step_number = 1"
    )


def read_shares(
    connection: duckdb.DuckDBPyConnection,
    members: str,
    by: Sequence[str],
    sequences: str = "scoped_sequences",
    nodes: Sequence[str] = (),
) -> pl.DataFrame:
    """The groups of the query ``members`` with their share of all sequences and its interval.

    ``members`` has ``by``, ``nodes``, cluster and hits: a number of ``sequences``, which have a cluster. Groups are by
    both, and ``nodes`` are columns of node numbers, which are ids in the frame: node has node_id. The frame also has
    session_count, user_count, total, cluster_count, share, low, high and design_effect, as from
    ``journeys.shares.session_shares``.
    """
    keys = ", ".join([*by, *nodes])
    groups = f"""
        with sizes as (select cluster, count(*) as size from {sequences} group by cluster),
        whole as (select sum(size) as total, sum(size * size) as total_squares, count(*) as cluster_count from sizes),
        clusters as (select {keys}, cluster, sum(hits)::bigint as hits from ({members}) group by {keys}, cluster),
        sums as (
            select {keys}, sum(hits)::bigint as session_count, count(*) filter (cluster >= 0) as user_count,
                sum(hits * hits) as squares, sum(hits * size) as crossed
            from clusters join sizes using (cluster) group by {keys}
        )
        select {keys}, session_count, user_count, total::bigint as total, squares, crossed, total_squares, cluster_count
        from sums cross join whole
    """
    named = [*by, *(f"{node}_id" for node in nodes)]
    found = (
        f"from ({select_named(groups, *nodes) if nodes else groups}) order by session_count desc, {', '.join(named)}"
    )
    frame = connection.sql(found).pl()
    return add_intervals(frame.select(*named, *(name for name in frame.columns if name not in named)), "session_count")


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
