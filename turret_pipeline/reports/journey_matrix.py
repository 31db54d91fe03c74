"""The step matrix of the sessions of a scope, counted in SQL (``journeys.matrix``)."""

from collections.abc import Sequence

import duckdb
import polars as pl

from turret_pipeline.reports.journey_scope import read_shares
from turret_pipeline.reports.node_numbers import find_numbers, numbers_of, select_named
from turret_pipeline.tables import END, OTHER

_NODES = """
select node, count(*) as visit_count from scoped_steps where step_number <= {depth} group by node
"""

_HITS = """
create or replace temp table matrix_hits as
with named as (
    select step_number, {node} as node, cluster, count(*) as hits
    from scoped_steps where step_number <= {depth} group by all
),
sizes as (select cluster, sum(hits) as size from named where step_number = 1 group by all),
reached as (select step_number, cluster, sum(hits) as hits from named group by all),
ended as (
    select number as step_number, {end} as node, cluster, (size - coalesce(hits, 0))::bigint as hits
    from sizes cross join range(2, {depth} + 1) as numbers(number)
    left join (select step_number as number, cluster, hits from reached) using (number, cluster)
    where size > coalesce(hits, 0)
)
from named union all from ended
"""

_SUPPRESS = """
update matrix_hits set node = {other} where node <> {end} and (step_number, node) in (
    select (step_number, node) from matrix_hits group by step_number, node
    having count(distinct cluster) filter (cluster >= 0) < {min_users}
)
"""


def list_matrix_nodes(connection: duckdb.DuckDBPyConnection, depth: int, max_nodes: int) -> list[str]:
    """The nodes with a row of their own: those of most steps up to ``depth``."""
    named = select_named(_NODES.format(depth=int(depth)), "node")
    return [row[0] for row in connection.sql(f"{named} order by visit_count desc, node_id").fetchall()][:max_nodes]


def read_matrix(
    connection: duckdb.DuckDBPyConnection,
    depth: int,
    max_nodes: int,
    min_users: int = 1,
    named: Sequence[str] | None = None,
) -> pl.DataFrame:
    """The rows of ``journeys.matrix.step_matrix``: step_number, node_id and the columns of ``read_shares``.

    With ``named``, these nodes have a row of their own, as in the matrix of another scope that it is compared with.
    """
    names = list_matrix_nodes(connection, depth, max_nodes) if named is None else list(named)
    end, other = find_numbers(connection, (END, OTHER))
    node = f"if(node in {numbers_of(names)}, node, {other})" if names else str(other)
    connection.execute(_HITS.format(depth=int(depth), node=node, end=end))
    if min_users > 1:
        connection.execute(_SUPPRESS.format(other=other, end=end, min_users=int(min_users)))
    ranks = {name: place for place, name in enumerate([*names, OTHER, END])}
    rank = pl.col("node_id").replace_strict(ranks, return_dtype=pl.Int64)
    return read_shares(connection, "from matrix_hits", ["step_number"], nodes=["node"]).sort("step_number", rank)
