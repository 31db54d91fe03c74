"""Nodes: counts of sessions that start, end and stay on a node, and its place in the graph of transitions."""

import math

import networkx as nx
import numpy as np
import polars as pl

from turret_pipeline.journeys.betweenness import measure_betweenness
from turret_pipeline.journeys.segments import rank_codes
from turret_pipeline.journeys.transitions import cluster_codes, clustered_shares, count_pairs
from turret_pipeline.journeys.visits import is_same_sequence, rank_names, split_by_dimension
from turret_pipeline.stats.groups import compare_with_rest
from turret_pipeline.stats.shares import q_values, share_interval
from turret_pipeline.tables import END, JOURNEY_NODES, OTHER, START

NODE = ["dimension", "node_id"]
PSEUDO_NODES = (START, END, OTHER)
DROP_OFF = ("drop_off_share", "other_drop_off_share", "drop_off_q_value")
_ADDED_LATER = ("node_label", "repeat_share", "pagerank", "betweenness")


def journey_nodes(visits: pl.DataFrame, edges: pl.DataFrame, labels: pl.DataFrame, min_users: int = 1) -> pl.DataFrame:
    """Table ``journey_nodes`` from visits, all ``journey_edges`` and labels (dimension, node_id, node_label).

    Figures on starts, ends and repeats of fewer than ``min_users`` users are null, as their edges are suppressed too.
    """
    tables = [JOURNEY_NODES.empty().drop(*_ADDED_LATER)]
    for dimension, part in split_by_dimension(visits):
        tables.append(_count_visits(part).with_columns(pl.lit(dimension).alias("dimension")).select(tables[0].columns))
    is_repeat = pl.col("from_node_id") == pl.col("to_node_id")
    repeats = edges.filter(is_repeat).select(
        "dimension", pl.col("to_node_id").alias("node_id"), pl.col("transition_count").alias("repeat_count")
    )
    nodes = (
        pl.concat(tables)
        .join(_graph_measures(edges), on=NODE)
        .join(repeats, on=NODE, how="left", validate="1:1")
        .join(labels.select(*NODE, "node_label"), on=NODE, how="left", validate="1:1")
        .with_columns(
            pl.coalesce("node_label", "node_id").alias("node_label"),
            (pl.col("repeat_count").fill_null(0) / pl.col("event_count")).alias("repeat_share"),
        )
    )
    if min_users > 1:
        nodes = _suppress_rare(nodes, edges.filter(pl.col("user_count") >= min_users))
    return nodes.select(JOURNEY_NODES.schema.names()).sort(NODE)


def _suppress_rare(nodes: pl.DataFrame, disclosed_edges: pl.DataFrame) -> pl.DataFrame:
    """Set figures to null that follow from an edge that is not shown."""
    source, target = pl.col("from_node_id"), pl.col("to_node_id")
    sides = (
        (target, source == START, ("start_count", "start_share", *_interval("start"))),
        (source, target == END, ("end_count", "end_share", *_interval("end"), *DROP_OFF)),
        (source, source == target, ("repeat_share",)),
    )
    for node, is_side, columns in sides:
        is_shown = pl.lit(value=True).alias("is_shown")
        shown = disclosed_edges.filter(is_side).select("dimension", node.alias("node_id"), is_shown)
        nodes = nodes.join(shown, on=NODE, how="left", validate="1:1")
        nodes = nodes.with_columns(pl.when("is_shown").then(pl.col(*columns))).drop("is_shown")
    return nodes


def _interval(side: str) -> tuple[str, str]:
    return f"{side}_share_low", f"{side}_share_high"


def _count_visits(visits: pl.DataFrame) -> pl.DataFrame:
    """One row per node of one dimension: its counts, shares and drop-off."""
    names, node = rank_names(visits["node_id"])
    cluster, _ = cluster_codes(visits)
    bounds = visits.select(
        (~is_same_sequence(1)).alias("start"),
        (~is_same_sequence(-1)).alias("end"),
        (~is_same_sequence(1)).cum_sum().alias("session"),
    )
    nodes = (
        count_pairs(node, bounds["session"])
        .group_by("number")
        .agg(pl.col("count").sum().alias("event_count"), pl.len().cast(pl.Int64).alias("session_count"))
        .sort("number")
        .with_columns(names.alias("node_id"))
    )
    session_count, same_source = int(bounds["start"].sum()), pl.repeat(0, len(names), dtype=pl.UInt32, eager=True)
    for side in ("start", "end"):
        shares = clustered_shares(count_pairs(node.filter(bounds[side]), cluster.filter(bounds[side])), same_source)
        renamed = {"count": f"{side}_count", "share": f"{side}_share"}
        interval = dict(zip(("low", "high"), _interval(side), strict=True))
        nodes = nodes.join(shares.rename(renamed | interval), on="number", how="left")
        _, high_of_zero = share_interval(0, session_count)
        nodes = nodes.with_columns(
            pl.col(*renamed.values()).fill_null(0),
            pl.col(interval["low"]).fill_null(0.0),
            pl.col(interval["high"]).fill_null(float(high_of_zero)),
        )
    return nodes.with_columns(_compare_drop_off(node, cluster, bounds, len(names)))


def _compare_drop_off(node: pl.Series, cluster: pl.Series, bounds: pl.DataFrame, node_count: int) -> pl.DataFrame:
    """DROP_OFF of each node: the share of its sessions that end on it, against that of all other nodes.

    A session counts once for each node that it visits. Sessions of a user are dependent, as users differ in the nodes
    on which they end.
    """
    session_cluster = rank_codes(cluster.filter(bounds["start"]).to_numpy())[1]
    visited = count_pairs(node, bounds["session"] - 1)
    at, session = (visited[name].cast(pl.Int64).to_numpy() for name in ("number", "other"))
    is_end = node.filter(bounds["end"]).to_numpy()[session] == at
    shares = compare_with_rest(is_end, at, session_cluster[session])
    q_value = np.full(node_count, np.nan)
    q_value[shares.groups] = q_values(shares.comparison.p_value)
    ends, visits = (np.bincount(part, minlength=node_count) for part in (at[is_end], at))
    others = np.divide(is_end.sum() - ends, len(at) - visits, out=np.full(node_count, np.nan), where=visits < len(at))
    return pl.DataFrame(dict(zip(DROP_OFF, (ends / visits, others, q_value), strict=True))).select(
        pl.all().fill_nan(None)
    )


def transition_graph(edges: pl.DataFrame) -> "nx.DiGraph[str]":
    """The graph of transitions from the ``journey_edges`` of one dimension, without pseudo-nodes."""
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(sorted({*edges["from_node_id"], *edges["to_node_id"]} - {*PSEUDO_NODES}))
    inner = edges.filter(~pl.col("from_node_id").is_in(PSEUDO_NODES) & ~pl.col("to_node_id").is_in(PSEUDO_NODES))
    for edge in inner.iter_rows(named=True):
        graph.add_edge(
            edge["from_node_id"],
            edge["to_node_id"],
            weight=edge["transition_count"],
            length=max(-math.log(edge["probability"]), 1e-9),  # lengths are above 0
        )
    return graph


def _graph_measures(edges: pl.DataFrame) -> pl.DataFrame:
    rows: list[tuple[str, str, float, float]] = []
    for (dimension,), part in edges.sort("dimension", "from_node_id", "to_node_id").group_by(
        "dimension", maintain_order=True
    ):
        graph = transition_graph(part)
        pagerank = nx.pagerank(graph, weight="weight")
        betweenness = measure_betweenness(graph, "length")
        rows.extend((str(dimension), node, pagerank[node], betweenness[node]) for node in graph)
    schema = {"dimension": pl.String, "node_id": pl.String, "pagerank": pl.Float64, "betweenness": pl.Float64}
    return pl.DataFrame(rows, schema, orient="row")
