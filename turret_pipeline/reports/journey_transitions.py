"""Transitions of the sessions of a scope, their starts and ends, counted in SQL (``journeys.edges``, ``.nodes``)."""

import duckdb
import polars as pl

from turret_pipeline.reports.journey_scope import add_intervals, read_shares
from turret_pipeline.reports.node_numbers import find_numbers, select_named
from turret_pipeline.tables import END, OTHER, START

_MOVES = """
select {edge} as edge, sequence, cluster, 1 as times, is_first_move as is_first
from (select node as from_node, coalesce(next_node, {end}) as to_node, * from scoped_steps)
union all
select {edge}, sequence, cluster, 1, true
from (select {start} as from_node, node as to_node, * from scoped_steps where step_number = 1)
union all
select {edge}, sequence, cluster, event_count - 1, is_first_repeat
from (select node as from_node, node as to_node, * from scoped_steps where event_count > 1)
"""
"""One of the rows of a sequence with an edge is the first."""

_EDGE, _FROM, _TO = "from_node::bigint << 32 | to_node", "(edge >> 32)::int", "(edge & 4294967295)::int"
"""An edge is one number, because grouping by two takes longer."""

_RARE = f"""
create or replace temp table rare_edges as
select edge, {_FROM} as from_node, {_TO} as to_node
from moves group by edge having count(distinct cluster) filter (cluster >= 0) < {{min_users}}
"""

_SUPPRESSED = """
select edge, sequence, any_value(cluster) as cluster, sum(times)::bigint as times, true as is_first from (
    select coalesce(from_node::bigint << 32 | {other}, edge) as edge, sequence, cluster, times
    from moves left join rare_edges using (edge)
    union all
    select {other}::bigint << 32 | to_node, sequence, cluster, times from moves join rare_edges using (edge)
) group by edge, sequence
"""

_EDGES = f"""
with counts as (
    select edge, cluster, sum(times) as times, count(*) filter (is_first) as sessions from moves group by edge, cluster
),
leaving as (select {_FROM} as source, cluster, sum(times) as size from counts group by source, cluster),
whole as (
    select source, sum(size)::bigint as total, sum(size * size) as total_squares, count(*) as cluster_count
    from leaving group by source
),
sums as (
    select edge, any_value(source) as source, sum(times)::bigint as transition_count,
        sum(sessions)::bigint as session_count, count(*) filter (cluster >= 0) as user_count,
        sum(times * times) as squares, sum(times * size) as crossed
    from (select *, {_FROM} as source from counts) join leaving using (source, cluster) group by edge
)
select {_FROM} as from_node, {_TO} as to_node, sums.* exclude (edge, source), whole.* exclude (source)
from sums join whole using (source)
"""

_TIMES = f"""
select {_FROM} as from_node, {_TO} as to_node, seconds[1] as median_seconds, seconds[2] as p95_seconds from (
    select node::bigint << 32 | next_node as edge, quantile_cont(seconds_to_next, [0.5, 0.95]) as seconds
    from scoped_steps where next_node is not null group by edge
)
"""

_ENDS = "select node, cluster, 1 as hits from scoped_steps where {condition}"

_VISITORS = """
select node, count(*) as visit_count from scoped_steps where is_first_visit group by node
"""

_NODES = ("from_node", "to_node")

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
    start, end, other = find_numbers(connection, (START, END, OTHER))
    moves = _MOVES.format(edge=_EDGE, start=start, end=end)
    kind = "view" if min_users <= 1 else "table"
    connection.execute(f"create or replace temp {kind} moves as {moves}")
    if min_users > 1:
        connection.execute(_RARE.format(min_users=int(min_users)))
        suppressed = _SUPPRESSED.format(other=other)
        connection.execute(f"create or replace temp table suppressed_moves as {suppressed}")
        connection.execute("drop table moves; alter table suppressed_moves rename to moves")
    edges = connection.sql(f"from ({select_named(_EDGES, *_NODES)}) order by from_node_id, to_node_id").pl()
    times = connection.sql(select_named(_TIMES, *_NODES)).pl()
    with_intervals = add_intervals(edges, "transition_count")
    return with_intervals.join(times, on=["from_node_id", "to_node_id"], how="left", maintain_order="left")


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
    condition = "step_number = 1" if is_start else "next_node is null"
    found = read_shares(connection, _ENDS.format(condition=condition), [], nodes=["node"])
    shown = found.filter(pl.col("user_count") >= min_users) if min_users > 1 else found
    if is_start:
        return shown
    visits = connection.sql(select_named(_VISITORS, "node")).pl()
    joined = shown.join(visits, on="node_id", how="left", maintain_order="left")
    return joined.with_columns((pl.col("session_count") / pl.col("visit_count")).alias("drop_off_share"))
