"""Steps from visits."""

import polars as pl
from polars.testing import assert_frame_equal

from turret_pipeline.journeys.steps import journey_steps
from turret_pipeline.tables import JOURNEY_STEPS
from turret_pipeline_tests.journeys.rows import at, path, visits


def test_consecutive_events_on_one_node_are_one_step() -> None:
    found = journey_steps(
        visits(("s1", "a", 0), ("s1", "a", 5), ("s1", "b", 7.5), ("s1", "a", 60), ("s1", "a", 60), ("s1", "a", 61))
    )
    expected = [
        ("event_name", "s1", "s1", "u1", 1, "a", at(0), at(5), 2, 2.5),
        ("event_name", "s1", "s1", "u1", 2, "b", at(7.5), at(7.5), 1, 52.5),
        ("event_name", "s1", "s1", "u1", 3, "a", at(60), at(61), 3, None),
    ]
    assert_frame_equal(found, pl.DataFrame(expected, JOURNEY_STEPS.schema, orient="row"))


def test_a_session_of_one_event_is_one_step() -> None:
    expected = [("event_name", "s1", "s1", None, 1, "a", at(0), at(0), 1, None)]
    found = journey_steps(visits(("s1", "a", 0), user_id=None))
    assert_frame_equal(found, pl.DataFrame(expected, JOURNEY_STEPS.schema, orient="row"))


def test_a_step_does_not_span_sessions_or_dimensions() -> None:
    found = journey_steps(pl.concat([path("s1", "ab"), path("s2", "bb"), path("s1", "b", dimension="prompt")]))
    assert found.select(
        "dimension", "sequence_id", "step_number", "node_id", "event_count", "seconds_to_next"
    ).rows() == [
        ("event_name", "s1", 1, "a", 1, 10.0),
        ("event_name", "s1", 2, "b", 1, None),
        ("event_name", "s2", 1, "b", 2, None),
        ("prompt", "s1", 1, "b", 1, None),
    ]


def test_interleaved_sessions_are_kept_separate() -> None:
    found = journey_steps(visits(("s2", "a", 0), ("s1", "b", 1), ("s2", "a", 2), ("s1", "c", 3), ("s2", "b", 4)))
    assert found.select("sequence_id", "step_number", "node_id", "event_count").rows() == [
        ("s1", 1, "b", 1),
        ("s1", 2, "c", 1),
        ("s2", 1, "a", 2),
        ("s2", 2, "b", 1),
    ]


def test_steps_are_numbered_without_gaps_and_hold_every_event() -> None:
    nodes = ["aabbbacca", "b", "ababab", "cccc"]
    found = journey_steps(pl.concat([path(f"s{number}", session) for number, session in enumerate(nodes)]))
    for number, session in enumerate(nodes):
        steps = found.filter(pl.col("sequence_id") == f"s{number}")
        assert steps["step_number"].to_list() == list(range(1, steps.height + 1))
        assert "".join(node * count for node, count in steps.select("node_id", "event_count").rows()) == session
        assert all(one != other for one, other in zip(steps["node_id"], steps["node_id"][1:], strict=False))


def test_a_step_has_the_user_of_its_first_event() -> None:
    first, second = path("s1", "a", user_id="u1"), visits(("s1", "a", 10), user_id="u2")
    assert journey_steps(pl.concat([first, second]))["user_id"].to_list() == ["u1"]


def test_steps_of_users_have_no_session() -> None:
    found = journey_steps(pl.concat([path("s1", "a"), path("u1", "ab", dimension="user:event_name")]))
    assert found.select("dimension", "sequence_id", "session_id", "user_id").rows() == [
        ("event_name", "s1", "s1", "u1"),
        ("user:event_name", "u1", None, "u1"),
        ("user:event_name", "u1", None, "u1"),
    ]


def test_no_visits_make_no_steps() -> None:
    assert_frame_equal(journey_steps(visits()), JOURNEY_STEPS.empty())
