"""Paths and back-and-forth of the sessions of a scope, counted in SQL (``journeys.paths``, ``journeys.loops``)."""

import duckdb
import polars as pl

from turret_pipeline.reports.journey_scope import read_shares
from turret_pipeline.reports.node_numbers import select_named
from turret_pipeline.storage.numbered_tables import NEIGHBOURS

_LOOPS = "select node, next_node as other_node, cluster, 1 as hits from scoped_steps where is_first_bounce"

_BOUNCES = """
select node, next_node as other_node, count(*) as bounce_count
from scoped_steps where node = next_node_2 group by node, next_node
"""

_WHOLE = """
select list(node order by step_number) as path, any_value(cluster) as cluster, 1 as hits
from scoped_steps group by sequence
"""

_SUBPATHS = """
select {nodes}, any_value(cluster) as cluster, 1 as hits from scoped_steps where {last} is not null
group by {nodes}, sequence
"""


def read_loops(connection: duckdb.DuckDBPyConnection, min_users: int = 1) -> pl.DataFrame:
    """Pairs of nodes where sessions leave the first for the other and come right back, most common first.

    The frame has node_id, other_node_id, bounce_count and the columns of ``read_shares``.
    """
    nodes = ("node", "other_node")
    loops = read_shares(connection, _LOOPS, [], nodes=nodes)
    bounces = connection.sql(select_named(_BOUNCES, *nodes)).pl()
    shown = loops.filter(pl.col("user_count") >= min_users) if min_users > 1 else loops
    return shown.join(bounces, on=["node_id", "other_node_id"], how="left", maintain_order="left")


def read_paths(connection: duckdb.DuckDBPyConnection, step_count: int | None, min_users: int = 1) -> pl.DataFrame:
    """Paths of 2 to 5 steps, or without a number those of whole sessions, most common first.

    The frame has path, step_count, is_whole_session and the columns of ``read_shares``.
    """
    found = _read_whole_paths(connection) if step_count is None else _read_subpaths(connection, step_count)
    shown = found.filter(pl.col("user_count") >= min_users) if min_users > 1 else found
    return shown.with_columns(
        pl.col("path").list.len().cast(pl.Int64).alias("step_count"),
        pl.lit(value=step_count is None).alias("is_whole_session"),
    )


def _read_subpaths(connection: duckdb.DuckDBPyConnection, step_count: int) -> pl.DataFrame:
    nodes = ["node", *(NEIGHBOURS[ahead] for ahead in range(1, step_count))]
    found = read_shares(connection, _SUBPATHS.format(nodes=", ".join(nodes), last=nodes[-1]), [], nodes=nodes)
    ids = [f"{node}_id" for node in nodes]
    return found.select(pl.concat_list(ids).alias("path"), pl.exclude(ids))


def _read_whole_paths(connection: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    return _name_paths(connection, read_shares(connection, _WHOLE, ["path"]))


def _name_paths(connection: duckdb.DuckDBPyConnection, paths: pl.DataFrame) -> pl.DataFrame:
    """The paths with ids of nodes instead of their numbers, which count from 0."""
    names = connection.sql("select node_id from numbered.nodes order by node").pl().to_series()
    numbers = paths.select("path", pl.int_range(pl.len()).alias("row")).explode("path")
    named = numbers.with_columns(names.gather(numbers["path"]).alias("path"))
    return paths.with_columns(named.group_by("row", maintain_order=True).agg("path")["path"])


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
