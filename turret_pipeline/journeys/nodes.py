"""Nodes: how often sessions start, end and stay on a node, and its place in the graph of transitions."""

import math

import networkx as nx
import numpy as np
import polars as pl

from turret_pipeline.journeys.segments import dense
from turret_pipeline.journeys.transitions import clusters, pair_counts, shares
from turret_pipeline.journeys.visits import numbered, of_each_dimension, same_as
from turret_pipeline.stats.groups import compare_with_rest
from turret_pipeline.stats.shares import q_values, share_interval
from turret_pipeline.tables import END, JOURNEY_NODES, OTHER, START

NODE = ["dimension", "node_id"]
EDGES_WALKED, LEAST_STARTS = 2_000_000, 50
"""So many nodes are starts of shortest paths that so many edges are walked, which takes seconds; but no fewer nodes."""

PSEUDO = (START, END, OTHER)
DROP_OFF = ("drop_off_share", "other_drop_off_share", "drop_off_q_value")
NOT_COUNTED = ("node_label", "repeat_share", "pagerank", "betweenness")


def journey_nodes(visits: pl.DataFrame, edges: pl.DataFrame, labels: pl.DataFrame, min_users: int = 1) -> pl.DataFrame:
    """Table ``journey_nodes`` from visits, all ``journey_edges`` and labels (dimension, node_id, node_label).

    Starts, ends and repeats of fewer than ``min_users`` users are null: they are the edges that are not shown either.
    """
    tables = [JOURNEY_NODES.empty().drop(*NOT_COUNTED)]
    for dimension, part in of_each_dimension(visits):
        tables.append(_counted(part).with_columns(pl.lit(dimension).alias("dimension")).select(tables[0].columns))
    is_repeat = pl.col("from_node_id") == pl.col("to_node_id")
    repeats = edges.filter(is_repeat).select(
        "dimension", pl.col("to_node_id").alias("node_id"), pl.col("transition_count").alias("repeat_count")
    )
    found = (
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
        found = _without_few(found, edges.filter(pl.col("user_count") >= min_users))
    return found.select(JOURNEY_NODES.schema.names()).sort(NODE)


def _without_few(nodes: pl.DataFrame, shown: pl.DataFrame) -> pl.DataFrame:
    """Nodes whose figures of an edge that is not ``shown`` are null."""
    source, target = pl.col("from_node_id"), pl.col("to_node_id")
    sides = (
        (target, source == START, ("start_count", "start_share", *_interval("start"))),
        (source, target == END, ("end_count", "end_share", *_interval("end"), *DROP_OFF)),
        (source, source == target, ("repeat_share",)),
    )
    for node, is_side, columns in sides:
        told = shown.filter(is_side).select("dimension", node.alias("node_id"), pl.lit(value=True).alias("is_told"))
        nodes = nodes.join(told, on=NODE, how="left", validate="1:1").with_columns(
            pl.when("is_told").then(pl.col(*columns))
        )
        nodes = nodes.drop("is_told")
    return nodes


def _interval(side: str) -> tuple[str, str]:
    return f"{side}_share_low", f"{side}_share_high"


def _counted(visits: pl.DataFrame) -> pl.DataFrame:
    """What is counted of each node of one dimension."""
    names, node = numbered(visits["node_id"])
    cluster, _ = clusters(visits)
    places = visits.select(
        (~same_as(1)).alias("start"), (~same_as(-1)).alias("end"), (~same_as(1)).cum_sum().alias("session")
    )
    found = (
        pair_counts(node, places["session"])
        .group_by("number")
        .agg(pl.col("count").sum().alias("event_count"), pl.len().cast(pl.Int64).alias("session_count"))
        .sort("number")
        .with_columns(names.alias("node_id"))
    )
    session_count, same_source = int(places["start"].sum()), pl.repeat(0, len(names), dtype=pl.UInt32, eager=True)
    for side in ("start", "end"):
        told = shares(pair_counts(node.filter(places[side]), cluster.filter(places[side])), same_source)
        renamed = {"count": f"{side}_count", "share": f"{side}_share"}
        ends = dict(zip(("low", "high"), _interval(side), strict=True))
        found = found.join(told.rename(renamed | ends), on="number", how="left")
        _, never = share_interval(0, session_count)
        found = found.with_columns(
            pl.col(*renamed.values()).fill_null(0),
            pl.col(ends["low"]).fill_null(0.0),
            pl.col(ends["high"]).fill_null(float(never)),
        )
    return found.with_columns(_drop_off(node, cluster, places, len(names)))


def _drop_off(node: pl.Series, cluster: pl.Series, places: pl.DataFrame, nodes: int) -> pl.DataFrame:
    """Each node against the others: does a session that comes to it end there?

    A session comes once to each node that it visits; those of a user depend, as users end on nodes of their own.
    """
    of_session = dense(cluster.filter(places["start"]).to_numpy())[1]
    visited = pair_counts(node, places["session"] - 1)
    at, session = (visited[name].cast(pl.Int64).to_numpy() for name in ("number", "other"))
    is_end = node.filter(places["end"]).to_numpy()[session] == at
    shares = compare_with_rest(is_end, at, of_session[session])
    q_value = np.full(nodes, np.nan)
    q_value[shares.groups] = q_values(shares.found.p_value)
    ends, visits = (np.bincount(part, minlength=nodes) for part in (at[is_end], at))
    others = np.divide(is_end.sum() - ends, len(at) - visits, out=np.full(nodes, np.nan), where=visits < len(at))
    return pl.DataFrame(dict(zip(DROP_OFF, (ends / visits, others, q_value), strict=True))).select(
        pl.all().fill_nan(None)
    )


def transition_graph(edges: pl.DataFrame) -> "nx.DiGraph[str]":
    """The transitions between nodes of one dimension, without the pseudo-nodes; ``edges`` is its ``journey_edges``."""
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(sorted({*edges["from_node_id"], *edges["to_node_id"]} - {*PSEUDO}))
    inner = edges.filter(~pl.col("from_node_id").is_in(PSEUDO) & ~pl.col("to_node_id").is_in(PSEUDO))
    for edge in inner.iter_rows(named=True):
        graph.add_edge(
            edge["from_node_id"],
            edge["to_node_id"],
            weight=edge["transition_count"],
            length=max(-math.log(edge["probability"]), 1e-9),  # networkx wants lengths above 0
        )
    return graph


def _betweenness(graph: "nx.DiGraph[str]") -> dict[str, float]:
    """From all nodes where EDGES_WALKED allows; else an estimate from some of them (Brandes and Pich 2007)."""
    affordable = max(EDGES_WALKED // max(graph.number_of_edges(), 1), LEAST_STARTS)
    sampled = affordable if affordable < len(graph) else None
    return nx.betweenness_centrality(graph, k=sampled, weight="length", seed=0)


def _graph_measures(edges: pl.DataFrame) -> pl.DataFrame:
    rows: list[tuple[str, str, float, float]] = []
    for (dimension,), part in edges.sort("dimension", "from_node_id", "to_node_id").group_by(
        "dimension", maintain_order=True
    ):
        graph = transition_graph(part)
        pagerank = nx.pagerank(graph, weight="weight")
        betweenness = _betweenness(graph)
        rows.extend((str(dimension), node, pagerank[node], betweenness[node]) for node in graph)
    schema = {"dimension": pl.String, "node_id": pl.String, "pagerank": pl.Float64, "betweenness": pl.Float64}
    return pl.DataFrame(rows, schema, orient="row")
