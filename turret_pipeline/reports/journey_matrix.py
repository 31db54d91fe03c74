"""The step matrix of the sessions of a scope, counted in SQL (``journeys.matrix``)."""

import duckdb
import polars as pl

from turret_pipeline.reports.journey_scope import quote, quote_all, read_shares
from turret_pipeline.tables import END, OTHER

_NODES = """
select node_id from scoped_steps where step_number <= {depth} group by node_id order by count(*) desc, node_id
"""

_HITS = """
create or replace temp table matrix_hits as
with named as (
    select step_number, {node} as node_id, cluster, bool_or(is_user) as is_user, count(*) as hits
    from scoped_steps where step_number <= {depth} group by all
),
sizes as (select cluster, bool_or(is_user) as is_user, sum(hits) as size from named where step_number = 1 group by all),
reached as (select step_number, cluster, sum(hits) as hits from named group by all),
ended as (
    select number as step_number, {end} as node_id, cluster, is_user, (size - coalesce(hits, 0))::bigint as hits
    from sizes cross join range(2, {depth} + 1) as numbers(number)
    left join (select step_number as number, cluster, hits from reached) using (number, cluster)
    where size > coalesce(hits, 0)
)
from named union all from ended
"""

_SUPPRESS = """
update matrix_hits set node_id = {other} where node_id <> {end} and (step_number, node_id) in (
    select (step_number, node_id) from matrix_hits group by step_number, node_id
    having count(distinct cluster) filter (is_user) < {min_users}
)
"""


def list_matrix_nodes(connection: duckdb.DuckDBPyConnection, depth: int, max_nodes: int) -> list[str]:
    """The nodes with a row of their own: those of most steps up to ``depth``."""
    return [row[0] for row in connection.sql(_NODES.format(depth=int(depth))).fetchall()][:max_nodes]


def read_matrix(connection: duckdb.DuckDBPyConnection, depth: int, max_nodes: int, min_users: int = 1) -> pl.DataFrame:
    """The rows of ``journeys.matrix.step_matrix``: step_number, node_id and the columns of ``read_shares``."""
    names = list_matrix_nodes(connection, depth, max_nodes)
    node = f"if(node_id in {quote_all(names)}, node_id, {quote(OTHER)})" if names else "node_id"
    connection.execute(_HITS.format(depth=int(depth), node=node, end=quote(END)))
    if min_users > 1:
        connection.execute(_SUPPRESS.format(other=quote(OTHER), end=quote(END), min_users=int(min_users)))
    ranks = {name: place for place, name in enumerate([*names, OTHER, END])}
    rank = pl.col("node_id").replace_strict(ranks, return_dtype=pl.Int64)
    return read_shares(connection, "from matrix_hits", ["step_number", "node_id"]).sort("step_number", rank)
