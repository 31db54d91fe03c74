"""Transitions of the sessions of a scope, their starts and ends, counted in SQL (``journeys.edges``, ``.nodes``)."""

import duckdb
import polars as pl

from turret_pipeline.reports.journey_scope import add_intervals, read_shares
from turret_pipeline.tables import END, OTHER, START

_STEPS = """
create or replace temp table edge_steps as
select node_id, next_node_id, sequence_number, cluster, is_user, step_number, event_count, seconds_to_next
from scoped_steps
"""
"""A copy, because the view looks for the next step again each time."""

_ALL_MOVES = f"""
select node_id as from_node_id, coalesce(next_node_id, '{END}') as to_node_id, sequence_number, cluster, is_user,
    1 as times
from edge_steps
union all
select '{START}', node_id, sequence_number, cluster, is_user, 1 from edge_steps where step_number = 1
union all
select node_id, node_id, sequence_number, cluster, is_user, event_count - 1 from edge_steps where event_count > 1
"""

_NAMES = f"""
create or replace temp table edge_names as
select distinct hash(from_node_id, to_node_id) as edge, from_node_id, to_node_id from ({_ALL_MOVES})
"""

_MOVES = f"""
create or replace temp table moves as
select edge, sequence_number, any_value(cluster) as cluster, any_value(is_user) as is_user,
    sum(times)::bigint as times
from (select hash(from_node_id, to_node_id) as edge, sequence_number, cluster, is_user, times from ({_ALL_MOVES}))
group by edge, sequence_number
"""
"""Edges are numbers, because grouping by two names takes four times as long."""

_RARE = f"""
create or replace temp table rare_edges as
select *, hash(from_node_id, '{OTHER}') as edge_to_other, hash('{OTHER}', to_node_id) as edge_from_other
from edge_names join (
    select edge from moves group by edge having count(distinct cluster) filter (is_user) < {{min_users}}
) using (edge)
"""

_SUPPRESS = f"""
insert into edge_names
    select edge_to_other, from_node_id, '{OTHER}' from rare_edges
    union select edge_from_other, '{OTHER}', to_node_id from rare_edges;
create or replace temp table moves as
with marked as (
    select edge_to_other, edge_from_other, moves.* from moves left join rare_edges using (edge)
)
select edge, sequence_number, any_value(cluster) as cluster, any_value(is_user) as is_user,
    sum(times)::bigint as times
from (
    select coalesce(edge_to_other, edge) as edge, sequence_number, cluster, is_user, times from marked
    union all
    select edge_from_other, sequence_number, cluster, is_user, times from marked where edge_from_other is not null
) group by edge, sequence_number
"""

_EDGES = """
with counts as (
    select edge, cluster, bool_or(is_user) as is_user, sum(times) as times, count(*) as sessions
    from moves group by edge, cluster
),
of_sources as (select *, hash(from_node_id) as source from counts join edge_names using (edge)),
leaving as (select source, cluster, sum(times) as size from of_sources group by source, cluster),
whole as (
    select source, sum(size)::bigint as total, sum(size * size) as total_squares, count(*) as cluster_count
    from leaving group by source
),
sums as (
    select edge, any_value(source) as source, sum(times)::bigint as transition_count,
        sum(sessions)::bigint as session_count, count(*) filter (is_user) as user_count,
        sum(times * times) as squares, sum(times * size) as crossed
    from of_sources join leaving using (source, cluster) group by edge
)
select from_node_id, to_node_id, sums.* exclude (edge, source), whole.* exclude (source)
from sums join whole using (source) join edge_names using (edge) order by from_node_id, to_node_id
"""

_TIMES = """
select from_node_id, to_node_id, seconds[1] as median_seconds, seconds[2] as p95_seconds from (
    select hash(node_id, next_node_id) as edge, quantile_cont(seconds_to_next, [0.5, 0.95]) as seconds
    from edge_steps where next_node_id is not null group by edge
) join edge_names using (edge)
"""

_ENDS = "select node_id, cluster, is_user, 1 as hits from scoped_steps where {condition}"

_VISITORS = """
select node_id, count(distinct sequence_number) as visit_count from scoped_steps group by node_id
"""

PUBLISHED_EDGES = """
select * exclude (dimension),
    sum(transition_count) over (partition by from_node_id)::bigint as total
from marts.journey_edges where dimension = ? order by from_node_id, to_node_id
"""


def read_transitions(connection: duckdb.DuckDBPyConnection, min_users: int = 1) -> pl.DataFrame:
    """The edges of a scope (``open_journeys``): those of ``journeys.edges.journey_edges``, in its order.

    The frame has from_node_id, to_node_id, transition_count, session_count, user_count, total, cluster_count, share,
    low, high, design_effect, median_seconds and p95_seconds. The times between two events on one node are not known
    from steps, and those of suppressed edges are not told: they are null.
    """
    connection.execute(_STEPS)
    connection.execute(_NAMES)
    connection.execute(_MOVES)
    if min_users > 1:
        connection.execute(_RARE.format(min_users=int(min_users)))
        connection.execute(_SUPPRESS)
    edges = add_intervals(connection.sql(_EDGES).pl(), "transition_count")
    times = connection.sql(_TIMES).pl()
    return edges.join(times, on=["from_node_id", "to_node_id"], how="left", maintain_order="left")


def read_published_transitions(connection: duckdb.DuckDBPyConnection, dimension: str) -> pl.DataFrame:
    """The edges of all sessions, as published, with the columns of ``read_transitions`` apart from the effects."""
    edges: pl.DataFrame = connection.sql(PUBLISHED_EDGES, params=[dimension]).pl()
    renamed = {"probability": "share", "probability_low": "low", "probability_high": "high"}
    return edges.rename(renamed)


def read_ends(connection: duckdb.DuckDBPyConnection, *, is_start: bool, min_users: int = 1) -> pl.DataFrame:
    """Nodes with the sessions that start on them, or end on them, most common first.

    The frame has node_id and the columns of ``read_shares``, and for ends visit_count, the sessions that visit the
    node, and drop_off_share, the part of these that end on it. Nodes of fewer than ``min_users`` users are left out.
    """
    condition = "step_number = 1" if is_start else "next_node_id is null"
    found = read_shares(connection, _ENDS.format(condition=condition), ["node_id"])
    shown = found.filter(pl.col("user_count") >= min_users) if min_users > 1 else found
    if is_start:
        return shown
    visits = connection.sql(_VISITORS).pl()
    joined = shown.join(visits, on="node_id", how="left", maintain_order="left")
    return joined.with_columns((pl.col("session_count") / pl.col("visit_count")).alias("drop_off_share"))
