"""Visits of every dimension in; all journey tables out."""

import polars as pl
from polars.testing import assert_frame_equal

from turret_pipeline.journeys.reading import TABLES, read_journeys
from turret_pipeline.journeys.steps import journey_steps
from turret_pipeline.tables import LAKE_TABLES
from turret_pipeline_tests.journeys.rows import path

EVENTS = pl.DataFrame({"event_id": ["e0"], "session_id": ["s1"], "event_name": ["a"]})
VALUES = pl.DataFrame(schema={"event_id": pl.String, "field": pl.String, "value": pl.String})
LABELS = pl.DataFrame({"field": ["prompt"], "topic_id": ["x"], "label": ["Refunds"]})


def test_every_dimension_is_in_every_table_and_topics_keep_their_labels() -> None:
    dimensions = ["event_name", "user:event_name", "prompt", "user:prompt"]
    given = [path("s1", "xyx", dimension=dimension) for dimension in dimensions]
    kept: list[pl.DataFrame] = []
    found = read_journeys(given, EVENTS, VALUES, LABELS, 1, kept.append)
    assert tuple(found) == TABLES
    for table in ("journey_edges", "journey_nodes", "journey_loops", "journey_paths"):
        assert found[table]["dimension"].unique(maintain_order=True).to_list() == dimensions
    assert_frame_equal(pl.concat(kept), pl.concat(map(journey_steps, given)))
    labels = found["journey_nodes"].filter(pl.col("node_id") == "x").select("dimension", "node_label")
    assert dict(labels.iter_rows()) == {"event_name": "x", "user:event_name": "x"} | {
        "prompt": "Refunds",
        "user:prompt": "Refunds",
    }


def test_nodes_are_those_of_all_edges_where_edges_of_few_are_folded() -> None:
    found = read_journeys(
        [
            path("s1", "xyx", "u1"),
        ],
        EVENTS,
        VALUES,
        LABELS,
        2,
        lambda _: None,
    )
    assert set(found["journey_edges"]["from_node_id"]) == {"(start)", "x", "y", "(other)"}
    assert found["journey_nodes"]["node_id"].to_list() == ["x", "y"]
    assert found["journey_nodes"]["start_count"].to_list() == [1, 0]
    assert found["journey_loops"].is_empty()
    assert found["journey_paths"].is_empty()


def test_no_visits_make_empty_tables() -> None:
    found = read_journeys([], EVENTS.clear(), VALUES, LABELS, 1, lambda _: None)
    for table, frame in found.items():
        assert_frame_equal(frame, LAKE_TABLES[table].empty())
