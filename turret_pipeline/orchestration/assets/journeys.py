"""Assets of group journeys: steps, transitions, paths and outcomes in every dimension."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import polars as pl

from turret_pipeline.journeys.build import TABLES, build_journey_tables
from turret_pipeline.journeys.dimensions import list_follow_ups, main_dimension
from turret_pipeline.journeys.facts import LEADERS, journey_facts
from turret_pipeline.journeys.flows import first_flows
from turret_pipeline.journeys.nodes import NODE
from turret_pipeline.journeys.visits import NAME, collect_visits
from turret_pipeline.orchestration.figures import save_figure
from turret_pipeline.orchestration.resources import Workspace
from turret_pipeline.orchestration.specs import SHOWN, lake_key, lake_spec, result, to_markdown_list
from turret_pipeline.orchestration.subsets import stage_assets
from turret_pipeline.plots.first_steps import draw_first_steps
from turret_pipeline.plots.transitions import draw_transitions
from turret_pipeline.stats.shares import Q_VALUE_THRESHOLD
from turret_pipeline.storage.lake import Lake
from turret_pipeline.tables import EVENT_NAME, USER

DEPS = (
    *("events", "event_values", "fields", "event_texts", "text_topics", "topic_definitions", "continuations"),
    *("exchange_roles", "exchange_signals"),
)
STEPS = "journey_steps"


@stage_assets("journeys", [lake_spec(table, "journeys", DEPS) for table in (STEPS, *TABLES)])
def journeys(workspace: Workspace) -> Iterator[dg.MaterializeResult[None]]:
    """Build the journey tables, one dimension at a time to limit memory."""
    with workspace.progress.during("Reading journeys"):
        step_count, frames = write_steps_and_build_tables(workspace.lake, workspace.settings.privacy_min_users)
    frames = {table: workspace.lake.write(table, frame) for table, frame in frames.items()}
    edges, nodes = frames["journey_edges"], frames["journey_nodes"]
    loops, paths = frames["journey_loops"], frames["journey_paths"]
    dimension = main_dimension(nodes, workspace.lake.read("exchange_roles"))
    follow_ups = list_follow_ups(workspace.lake.read("topic_definitions"))
    drawn = _first_steps(workspace, nodes, dimension)
    yield dg.MaterializeResult(
        asset_key=lake_key(STEPS), metadata={"dagster/row_count": step_count, "first_steps": drawn}
    )
    yield result(
        "journey_edges",
        edges,
        what_stands_out=_facts(frames, dimension, follow_ups),
        transitions=save_figure(draw_transitions(edges, nodes, dimension), workspace.data.figures, "transitions"),
    )
    yield result(
        "journey_nodes", nodes, where_sessions_start=_starts(nodes), where_they_end=_drop_off(nodes, follow_ups)
    )
    bounces = loops.with_columns(pl.concat_list("node_id", "other_node_id", "node_id").alias("path"))
    yield result("journey_loops", loops, most_bounced=_rank_paths(bounces, nodes))
    longer = paths.filter((pl.col("step_count") > 2) & ~pl.col("is_whole_session"))
    yield result("journey_paths", paths, most_common_of_three_or_more_steps=_rank_paths(longer, nodes))
    for table in ("journey_segments", "journey_struggles", "topic_outcomes"):
        different = frames[table].filter(pl.col("q_value") <= Q_VALUE_THRESHOLD)
        yield result(
            table, frames[table], rows_that_differ=different.height, largest_differences=_largest(different, nodes)
        )


def write_steps_and_build_tables(lake: Lake, min_users: int) -> tuple[int, dict[str, pl.DataFrame]]:
    """Write ``journey_steps``; return its row count and the other tables by name."""
    types = dict(lake.read("fields").select("field", "type").iter_rows())
    texts = [field for field, kind in types.items() if kind == "text"]
    enums = [field for field, kind in types.items() if kind == "enum"]
    names = pl.col("session_id", "user_id", "event_name").cast(NAME)
    events = lake.scan("events").select("event_id", names, "event_at").collect(engine="streaming")
    visits = collect_visits(
        events, lake.scan("event_texts"), lake.scan("text_topics"), lake.scan("continuations"), texts
    )
    values = lake.scan("event_values").filter(pl.col("field").is_in(enums)).select("event_id", "field", "value")
    signals = lake.scan("exchange_signals").select("exchange_id", "is_struggle")
    labels = lake.read("topic_definitions")
    heights: list[int] = []
    with lake.writing(STEPS) as write:

        def keep(steps: pl.DataFrame) -> None:
            write(steps)
            heights.append(steps.height)

        frames = build_journey_tables(visits, events, values, signals, labels, min_users, keep)
    return sum(heights), frames


def _first_steps(workspace: Workspace, nodes: pl.DataFrame, dimension: str) -> dg.MetadataValue[Any]:
    """The picture of the first steps in a dimension."""
    min_users = workspace.settings.privacy_min_users
    flows = first_flows(workspace.lake.scan(STEPS), dimension, min_users)
    labels = dict(nodes.filter(pl.col("dimension") == dimension).select("node_id", "node_label").iter_rows())
    figure = draw_first_steps(flows, labels, dimension, min_users)
    return save_figure(figure, workspace.data.figures, "first_steps")


def _facts(tables: dict[str, pl.DataFrame], dimension: str, follow_ups: list[str]) -> dg.MetadataValue[Any]:
    """The facts about a dimension that a run prints, and those about event names, as Markdown lists."""
    lists = [
        to_markdown_list(f"Journeys of {name}", facts)
        for name in dict.fromkeys((dimension, EVENT_NAME))
        if (facts := journey_facts(tables, name, follow_ups=follow_ups))
    ]
    return dg.MetadataValue.md("\n\n".join(lists) or "Too few sessions for any conclusion.")


def _starts(nodes: pl.DataFrame) -> pl.DataFrame:
    """The nodes per dimension on which most sessions start."""
    return _leaders(nodes.filter(pl.col("start_count") > 0), "start_share")


def _drop_off(nodes: pl.DataFrame, follow_ups: list[str]) -> pl.DataFrame:
    """The nodes per dimension with the highest drop-off, of those that can be compared, with their q-values."""
    compared = nodes.filter(pl.col("drop_off_q_value").is_not_null() & ~pl.col("node_id").is_in(follow_ups))
    return _leaders(compared, "drop_off_share", "end_count", "session_count", "drop_off_q_value")


def _leaders(nodes: pl.DataFrame, share: str, *counts: str) -> pl.DataFrame:
    """The first three nodes per dimension by a share."""
    ranked = nodes.sort("dimension", share, "node_id", descending=[False, True, False])
    first = ranked.group_by("dimension", maintain_order=True).head(LEADERS)
    return first.select("dimension", "node_label", *counts, share)


def _rank_paths(paths: pl.DataFrame, nodes: pl.DataFrame) -> pl.DataFrame:
    """The most common paths, with labels; without the user: dimensions, which repeat them."""
    labels = {(dimension, node): label for dimension, node, label in nodes.select(*NODE, "node_label").iter_rows()}
    ranked = paths.filter(~pl.col("dimension").str.starts_with(USER)).sort(
        "session_count", "dimension", "path", descending=[True, False, False]
    )
    rows = [
        (dimension, " > ".join(labels[dimension, node] for node in path), count, share)
        for dimension, path, count, share in ranked.head(SHOWN)
        .select("dimension", "path", "session_count", "session_share")
        .iter_rows()
    ]
    return pl.DataFrame(rows, ["dimension", "path", "session_count", "session_share"], orient="row")


def _largest(different: pl.DataFrame, nodes: pl.DataFrame) -> pl.DataFrame:
    """The largest differences, with labels and without their intervals."""
    dimension, *key = different.columns[:3]
    ranked = different.sort(
        pl.col("difference").abs(), dimension, *key, descending=[True, False, False, False], maintain_order=True
    ).head(SHOWN)
    named = nodes.select(pl.col("dimension").alias(dimension), "node_id", "node_label")
    for column in ("from_node_id", "to_node_id", "topic_id"):
        if column in ranked.columns:
            there = named.rename({"node_id": column})
            ranked = ranked.join(there, on=[dimension, column], how="left", maintain_order="left").with_columns(
                pl.coalesce("node_label", column).alias(column)  # (start) and (end) are no nodes
            )
            ranked = ranked.drop("node_label").rename({column: column.removesuffix("_id")})
    return ranked.drop("difference_low", "difference_high")
