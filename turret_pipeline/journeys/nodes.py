"""Nodes: how often sessions start, end and stay on a node, and its place in the graph of transitions."""

import math

import networkx as nx
import polars as pl

from turret_pipeline.tables import END, JOURNEY_NODES, OTHER, START

NODE = ["dimension", "node_id"]
EXACT_NODES = 500
PSEUDO = (START, END, OTHER)


def journey_nodes(visits: pl.DataFrame, edges: pl.DataFrame, labels: pl.DataFrame) -> pl.DataFrame:
    """Table ``journey_nodes`` from visits, all ``journey_edges`` and labels (dimension, node_id, node_label)."""
    counts = visits.group_by(NODE).agg(
        pl.len().cast(pl.Int64).alias("event_count"),
        pl.col("session_id").n_unique().cast(pl.Int64).alias("session_count"),
    )
    sessions = visits.group_by("dimension").agg(pl.col("session_id").n_unique().alias("sessions"))
    starts = _edge_counts(edges.filter(pl.col("from_node_id") == START), "to_node_id", "start_count")
    ends = _edge_counts(edges.filter(pl.col("to_node_id") == END), "from_node_id", "end_count")
    repeats = _edge_counts(edges.filter(pl.col("from_node_id") == pl.col("to_node_id")), "to_node_id", "repeat_count")
    joined = counts.join(sessions, on="dimension").join(_graph_measures(edges), on=NODE)
    for part in (starts, ends, repeats):
        joined = joined.join(part, on=NODE, how="left", validate="1:1")
    return (
        joined.join(labels.select(*NODE, "node_label"), on=NODE, how="left", validate="1:1")
        .with_columns(pl.col("start_count", "end_count", "repeat_count").fill_null(0))
        .with_columns(
            pl.coalesce("node_label", "node_id").alias("node_label"),
            (pl.col("start_count") / pl.col("sessions")).alias("start_share"),
            (pl.col("end_count") / pl.col("sessions")).alias("end_share"),
            (pl.col("repeat_count") / pl.col("event_count")).alias("repeat_share"),
        )
        .select(JOURNEY_NODES.schema.names())
        .sort(NODE)
    )


def _edge_counts(edges: pl.DataFrame, node: str, name: str) -> pl.DataFrame:
    return edges.select("dimension", pl.col(node).alias("node_id"), pl.col("transition_count").alias(name))


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
    """Exact up to EXACT_NODES, whose shortest paths take about a second; then from as many of the nodes."""
    sampled = EXACT_NODES if len(graph) > EXACT_NODES else None
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
