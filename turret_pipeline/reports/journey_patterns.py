"""Paths and back-and-forth of the sessions of a scope, counted in SQL (``journeys.paths``, ``journeys.loops``)."""

import duckdb
import polars as pl

_LOOPS = """
select node_id, next_node_id as other_node_id, count(*) as bounce_count,
    count(distinct sequence_number) as session_count, count(distinct cluster) filter (is_user) as user_count
from scoped_steps where node_id = after_next_node_id group by node_id, next_node_id
"""

_WHOLE = """
select path, len(path) as step_count, true as is_whole_session, count(*) as session_count,
    count(distinct cluster) filter (is_user) as user_count
from (
    select list(node_id order by step_number) as path, any_value(cluster) as cluster, any_value(is_user) as is_user
    from scoped_steps group by sequence_number
) group by path
"""

_SUBPATHS = """
select path, {length}::bigint as step_count, false as is_whole_session, count(*) as session_count,
    count(distinct cluster) filter (is_user) as user_count
from (
    select path, sequence_number, any_value(cluster) as cluster, any_value(is_user) as is_user
    from (
        select sequence_number, cluster, is_user, [{nodes}] as path
        from (from ordered_steps) qualify lead(sequence_number, {ahead}) over () = sequence_number
    ) group by path, sequence_number
) group by path
"""

_RANKED = """
with found as ({paths}), whole as (select count(*) as total from scoped_sequences)
select *, session_count / total as share from found cross join whole
where user_count >= {min_users} or {min_users} <= 1
order by session_count desc, {key}
"""


def read_loops(connection: duckdb.DuckDBPyConnection, min_users: int = 1) -> pl.DataFrame:
    """Pairs of nodes where sessions leave the first for the other and come right back, most common first.

    The frame has node_id, other_node_id, bounce_count, session_count, user_count, total and share (of the sessions).
    """
    sql = _RANKED.format(paths=_LOOPS, min_users=int(min_users), key="node_id, other_node_id")
    found: pl.DataFrame = connection.sql(sql).pl()
    return found


def read_paths(connection: duckdb.DuckDBPyConnection, step_count: int | None, min_users: int = 1) -> pl.DataFrame:
    """Paths of 2 to 5 steps, or without a number those of whole sessions, most common first.

    The frame has path, step_count, is_whole_session, session_count, user_count, total and share (of the sessions).
    """
    paths = _WHOLE if step_count is None else _select_subpaths(step_count)
    sql = _RANKED.format(paths=paths, min_users=int(min_users), key="step_count, path")
    found: pl.DataFrame = connection.sql(sql).pl()
    return found


def _select_subpaths(length: int) -> str:
    nodes = ["node_id", *(f"lead(node_id, {ahead}) over ()" for ahead in range(1, length))]
    return _SUBPATHS.format(length=length, ahead=length - 1, nodes=", ".join(nodes))


def read_published_loops(connection: duckdb.DuckDBPyConnection, dimension: str) -> pl.DataFrame:
    """The loops of all sessions, as published, with the columns of ``read_loops``."""
    return _read_published(connection, "journey_loops", "dimension = ?", [dimension], "node_id, other_node_id")


def read_published_paths(connection: duckdb.DuckDBPyConnection, dimension: str, step_count: int | None) -> pl.DataFrame:
    """The paths of all sessions, as published, with the columns of ``read_paths``."""
    if step_count is None:
        return _read_published(connection, "journey_paths", "dimension = ? and is_whole_session", [dimension], "path")
    condition = "dimension = ? and not is_whole_session and step_count = ?"
    return _read_published(connection, "journey_paths", condition, [dimension, step_count], "path")


def _read_published(
    connection: duckdb.DuckDBPyConnection, table: str, condition: str, values: list[object], order: str
) -> pl.DataFrame:
    frame: pl.DataFrame = connection.sql(
        "select * exclude (dimension, session_share), (select count(*) from scoped_sequences) as total, "
        f"session_share as share from marts.{table} where {condition} order by session_count desc, {order}",
        params=values,
    ).pl()
    return frame
