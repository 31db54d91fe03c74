"""The graph of journeys as a file for other programs."""

import polars as pl

from turret_pipeline.journeys.edges import journey_edges
from turret_pipeline.journeys.graph import format_graph, journey_graph
from turret_pipeline.journeys.nodes import journey_nodes
from turret_pipeline.reports.published_tables import PublishedTables


def render_graph(published: PublishedTables, dimension: str, visits: pl.DataFrame, file_format: str) -> tuple[str, int]:
    """The graph of these visits in one of ``journeys.graph.FORMATS``, and its number of edges.

    Edges of fewer users than the privacy threshold are suppressed.
    """
    min_users = published.min_users
    edges = journey_edges(visits)
    shown = edges if min_users <= 1 else journey_edges(visits, min_users)
    labels = published.labels(dimension)
    names = pl.DataFrame(
        {"node_id": list(labels), "node_label": list(labels.values())}, {"node_id": pl.String, "node_label": pl.String}
    ).select(pl.lit(dimension).alias("dimension"), pl.all())
    nodes = journey_nodes(visits, edges, names, min_users)
    return format_graph(journey_graph(nodes, shown), file_format), shown.height
