"""Assets of group journeys: steps, edges and nodes of every dimension."""

from collections.abc import Iterator

import dagster as dg
import polars as pl

from turret_pipeline.journeys.edges import journey_edges
from turret_pipeline.journeys.nodes import journey_nodes
from turret_pipeline.journeys.steps import journey_steps
from turret_pipeline.journeys.visits import collect_visits
from turret_pipeline.pipeline.figures import transitions
from turret_pipeline.pipeline.resources import Workspace
from turret_pipeline.pipeline.specs import lake_spec, result

DEPS = ("events", "fields", "event_texts", "text_topics", "topic_definitions", "continuations")
TABLES = ("journey_steps", "journey_edges", "journey_nodes")


@dg.multi_asset(
    specs=[lake_spec(table, "journeys", DEPS) for table in TABLES],
    name="journeys",
)
def journeys(workspace: dg.ResourceParam[Workspace]) -> Iterator[dg.MaterializeResult[None]]:
    """Read the sequences of every dimension."""
    lake = workspace.lake
    names = lake.read("fields").filter(pl.col("type") == "text")["field"].to_list()
    visits = collect_visits(
        lake.read("events"), lake.read("event_texts"), lake.read("text_topics"), lake.read("continuations"), names
    )
    labels = lake.read("topic_definitions").select(
        pl.col("field").alias("dimension"), pl.col("topic_id").alias("node_id"), pl.col("label").alias("node_label")
    )
    with workspace.progress.during("Reading journeys"):
        edges = journey_edges(visits)
        frames = dict(zip(TABLES, (journey_steps(visits), edges, journey_nodes(visits, edges, labels)), strict=True))
    frames = {table: lake.write(table, frame) for table, frame in frames.items()}
    nodes = frames["journey_nodes"]
    yield result("journey_steps", frames["journey_steps"])
    yield result("journey_edges", edges, transitions=transitions(edges, nodes, workspace.figures_dir))
    yield result(
        "journey_nodes", nodes, where_sessions_start=_leaders(nodes, "start"), where_they_end=_leaders(nodes, "end")
    )


def _leaders(nodes: pl.DataFrame, side: str) -> pl.DataFrame:
    """The three nodes of each dimension on which most sessions start or end."""
    ranked = nodes.filter(pl.col(f"{side}_count") > 0).sort(
        "dimension", f"{side}_count", "node_id", descending=[False, True, False]
    )
    return ranked.group_by("dimension", maintain_order=True).head(3).select("dimension", "node_label", f"{side}_share")
