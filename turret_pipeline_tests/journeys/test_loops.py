"""Loops from steps."""

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from turret_pipeline.journeys.loops import journey_loops
from turret_pipeline.journeys.steps import journey_steps
from turret_pipeline.tables import JOURNEY_LOOPS
from turret_pipeline_tests.journeys.rows import path, visits


def loops(*sessions: pl.DataFrame, min_users: int = 1) -> pl.DataFrame:
    return journey_loops(journey_steps(pl.concat(sessions)), min_users)


def test_going_to_another_node_and_right_back_is_a_loop() -> None:
    found = loops(path("s1", "abab", "u1"), path("s2", "aabba", "u1"), path("s3", "abc", "u2"), path("s4", "a", "u3"))
    expected = [("event_name", "a", "b", 2, 2, 1, 0.5), ("event_name", "b", "a", 1, 1, 1, 0.25)]
    assert_frame_equal(found, pl.DataFrame(expected, JOURNEY_LOOPS.schema, orient="row"))


def test_a_session_counts_once_however_often_it_bounces() -> None:
    found = loops(path("s1", "abababa"), path("s2", "c"))
    assert found.select("node_id", "bounce_count", "session_count", "session_share").rows() == [
        ("a", 3, 1, 0.5),
        ("b", 2, 1, 0.5),
    ]


def test_a_loop_does_not_span_sessions_or_dimensions() -> None:
    given = (path("s1", "ab"), path("s2", "a"), path("s1", "ba", dimension="prompt"))
    assert loops(*given).is_empty()


@pytest.mark.parametrize(("min_users", "left"), [(1, 2), (2, 1), (3, 0)])
def test_loops_of_too_few_users_are_left_out(min_users: int, left: int) -> None:
    given = (path("s1", "aba", "u1"), path("s2", "aba", "u2"), path("s3", "cdc", None), path("s4", "aba", "u2"))
    assert loops(*given, min_users=min_users).height == left


def test_no_steps_make_no_loops() -> None:
    assert_frame_equal(loops(visits()), JOURNEY_LOOPS.empty())
