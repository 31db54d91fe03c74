"""All journey tables from the visits of all dimensions."""

import polars as pl
from polars.testing import assert_frame_equal

from turret_pipeline.journeys.build import TABLES, build_journey_tables
from turret_pipeline.journeys.steps import journey_steps
from turret_pipeline.journeys.visits import collect_visits
from turret_pipeline.tables import CONTINUATIONS, EVENT_TEXTS, LAKE_TABLES, TEXT_TOPICS
from turret_pipeline_tests.journeys.rows import NOON, path

EVENTS = pl.DataFrame({"event_id": ["e0"], "session_id": ["s1"], "event_name": ["a"]})
VALUES = pl.DataFrame(schema={"event_id": pl.String, "field": pl.String, "value": pl.String})
SIGNALS = pl.DataFrame(schema={"exchange_id": pl.String, "is_struggle": pl.Boolean})
LABELS = pl.DataFrame({"field": ["prompt"], "topic_id": ["x"], "label": ["Refunds"]})


def test_every_table_has_every_dimension_and_topics_keep_their_labels() -> None:
    dimensions = ["event_name", "user:event_name", "prompt", "user:prompt"]
    given = [path("s1", "xyx", dimension=dimension) for dimension in dimensions]
    written: list[pl.DataFrame] = []
    found = build_journey_tables(given, EVENTS, VALUES, SIGNALS, LABELS, 1, written.append)
    assert tuple(found) == TABLES
    for table in ("journey_edges", "journey_nodes", "journey_loops", "journey_paths"):
        assert found[table]["dimension"].unique(maintain_order=True).to_list() == dimensions
    assert_frame_equal(pl.concat(written), pl.concat(map(journey_steps, given)))
    labels = found["journey_nodes"].filter(pl.col("node_id") == "x").select("dimension", "node_label")
    assert dict(labels.iter_rows()) == {"event_name": "x", "user:event_name": "x"} | {
        "prompt": "Refunds",
        "user:prompt": "Refunds",
    }


def test_nodes_include_all_nodes_when_rare_edges_are_suppressed() -> None:
    found = build_journey_tables(
        [
            path("s1", "xyx", "u1"),
        ],
        EVENTS,
        VALUES,
        SIGNALS,
        LABELS,
        2,
        lambda _: None,
    )
    assert set(found["journey_edges"]["from_node_id"]) == {"(start)", "x", "y", "(other)"}
    assert found["journey_nodes"]["node_id"].to_list() == ["x", "y"]
    assert found["journey_nodes"]["start_count"].to_list() == [None, None]
    assert found["journey_loops"].is_empty()
    assert found["journey_paths"].is_empty()


def test_no_visits_make_empty_tables() -> None:
    found = build_journey_tables([], EVENTS.clear(), VALUES, SIGNALS, LABELS, 1, lambda _: None)
    for table, frame in found.items():
        assert_frame_equal(frame, LAKE_TABLES[table].empty())


def test_very_long_and_very_short_sessions_are_counted_completely() -> None:
    many = 100_000
    events = pl.DataFrame(
        {
            "event_id": [f"e{number}" for number in range(many + 1)],
            "session_id": ["long"] * many + ["short"],
            "user_id": ["u1"] * many + ["u2"],
            "event_name": ["ask", "rate"] * (many // 2) + ["ask"],
            "event_at": [NOON] * (many + 1),
        },
        {"event_id": pl.String, "session_id": pl.String, "user_id": pl.String, "event_name": pl.String}
        | {"event_at": pl.Datetime("us", "UTC")},
    )
    values = events.select("event_id", pl.lit("plan").alias("field"), pl.lit("free").alias("value"))
    written: list[pl.DataFrame] = []
    of_both = collect_visits(events, EVENT_TEXTS.empty(), TEXT_TOPICS.empty(), CONTINUATIONS.empty(), ["prompt"])
    found = build_journey_tables(of_both, events, values, SIGNALS, LABELS, 1, written.append)
    edges = found["journey_edges"].filter(pl.col("dimension") == "event_name")
    assert edges.select("from_node_id", "to_node_id", "transition_count", "median_seconds").rows() == [
        ("(start)", "ask", 2, None),
        ("ask", "(end)", 1, None),
        ("ask", "rate", 50_000, 0.0),
        ("rate", "(end)", 1, None),
        ("rate", "ask", 49_999, 0.0),
    ]
    nodes = found["journey_nodes"].filter(pl.col("dimension") == "event_name")
    columns = ["node_id", "event_count", "session_count", "start_share", "end_share"]
    assert nodes.select(columns).rows() == [("ask", 50_001, 2, 1.0, 0.5), ("rate", 50_000, 1, 0.0, 0.5)]
    steps = pl.concat(written).group_by("dimension", "sequence_id").agg(pl.col("step_number").max()).sort("step_number")
    assert sorted(steps["step_number"]) == [1, 1, many, many]
    assert found["journey_segments"].is_empty()


def test_exchanges_that_went_wrong_are_struggles_and_outcomes() -> None:
    sessions = [f"s{number}" for number in range(40)]
    nodes = ["xx" if number < 20 else "yx" for number in range(40)]
    prompts = [f"{session} {step}" for session in sessions for step in (0, 1)]
    events = pl.DataFrame({"event_id": prompts}).with_columns(
        pl.col("event_id").str.split(" ").list.first().alias("session_id"), pl.lit("asked").alias("event_name")
    )
    given = pl.concat([path(name, both, name, "prompt") for name, both in zip(sessions, nodes, strict=True)])
    given = given.with_columns(pl.int_range(pl.len()).alias("position"))
    wrong = [step == "1" and int(name[1:]) < 20 for name, step in (prompt.split(" ") for prompt in prompts)]
    signals = pl.DataFrame({"exchange_id": prompts, "is_struggle": wrong}).with_columns(
        pl.when(pl.col("exchange_id") != "s0 0").then("is_struggle")  # not decided
    )
    signals = pl.concat([signals, signals.select(pl.lit("elsewhere").alias("exchange_id"), "is_struggle").head(1)])
    found = build_journey_tables([given], events, VALUES, signals.sample(fraction=1, seed=1), LABELS, 1, lambda _: None)
    counts = ["from_node_id", "to_node_id", "move_count", "struggle_count", "other_struggle_share"]
    assert found["journey_struggles"].select(counts).rows() == [
        ("(start)", "x", 19, 0, 0.5),
        ("x", "x", 20, 20, 0.0),
        ("y", "x", 20, 0, 20 / 39),
    ]
    outcomes = found["topic_outcomes"].filter(pl.col("outcome_event_name") == "(struggle)")
    assert outcomes.select("topic_id", "session_count", "outcome_session_count").rows() == [("x", 40, 20), ("y", 20, 0)]
