"""The overview, and the nodes right before and after a node."""

import polars as pl
import pytest

from turret_pipeline.journeys.edges import journey_edges
from turret_pipeline.journeys.matrix import step_matrix
from turret_pipeline.journeys.neighbours import following_nodes, preceding_nodes
from turret_pipeline.journeys.overview import build_overview
from turret_pipeline.journeys.steps import journey_steps
from turret_pipeline_tests.journeys.rows import path, visits


def user_sessions(*nodes: str) -> pl.DataFrame:
    frames = [path(f"s{number}", walk, user_id=f"u{number}") for number, walk in enumerate(nodes)]
    return pl.concat(frames)


GIVEN = user_sessions("aba", "abc", "b", "aab")


def answers(question: str, min_users: int = 1) -> list[tuple[str, str | None, int, int]]:
    found = build_overview(GIVEN, min_users).filter(pl.col("question") == question)
    return found.select("node_id", "other_node_id", "count", "of").rows()


def test_each_answer_has_its_denominator() -> None:
    assert answers("start") == [("a", None, 3, 4), ("b", None, 1, 4)]
    assert answers("end") == [("b", None, 2, 4), ("a", None, 1, 4), ("c", None, 1, 4)]
    assert answers("bounce") == [("a", "b", 1, 4)]
    assert answers("follow_up") == [("a", "b", 3, 5), ("b", "a", 1, 4), ("b", "c", 1, 4)]


def test_shares_lie_in_their_intervals_and_moves_have_a_time() -> None:
    found = build_overview(GIVEN)
    assert found["share"].to_list() == pytest.approx((found["count"] / found["of"]).to_list())
    assert (found["share_low"] < found["share"]).all()
    assert (found["share"] < found["share_high"]).all()
    assert found.filter(pl.col("question") == "follow_up")["median_seconds"].to_list() == [10.0, 10.0, 10.0]


def test_answers_of_too_few_users_are_left_out() -> None:
    assert answers("start", 2) == [("a", None, 3, 4)]
    assert answers("bounce", 2) == []
    assert [row[:3] for row in answers("follow_up", 2)] == [("a", "b", 3)]


def test_without_visits_the_overview_is_empty() -> None:
    found = build_overview(visits())
    assert found.is_empty()
    assert found.schema == build_overview(GIVEN).schema


def test_shares_before_and_after_a_node_are_of_all_its_events() -> None:
    after, before = following_nodes(GIVEN, "b"), preceding_nodes(GIVEN, "b")
    assert after.select("node_id", "transition_count", "share").rows() == [
        ("(end)", 2, 0.5), ("a", 1, 0.25), ("c", 1, 0.25),
    ]  # fmt: skip
    assert before.select("node_id", "transition_count", "share").rows() == [("a", 3, 0.75), ("(start)", 1, 0.25)]
    assert after["share_low"].to_list() == pytest.approx([0.1500, 0.0456, 0.0456], abs=1e-4)
    assert following_nodes(GIVEN, "nowhere").is_empty()


def test_intervals_before_and_after_a_node_allow_for_users() -> None:
    edges = journey_edges(GIVEN).filter(pl.col("from_node_id") == "b")
    after = following_nodes(GIVEN, "b").sort("node_id")
    assert after["share_low"].to_list() == edges.sort("to_node_id")["probability_low"].to_list()
    many = [path(f"s{n}", "ax" if n % 4 < 2 else "bx", user_id=f"u{n}") for n in range(40)]
    few = [path(f"s{n}", "ax" if n % 4 < 2 else "bx", user_id=f"u{n % 4}") for n in range(40)]
    narrow, wide = (preceding_nodes(pl.concat(walks), "x") for walks in (many, few))
    assert wide["share"].to_list() == narrow["share"].to_list() == [0.5, 0.5]
    assert (wide["share_low"] < narrow["share_low"] - 0.1).all()


def test_sessions_whose_user_becomes_known_or_changes_are_counted_once() -> None:
    """A user who logs in, or two users of one device: the session stays one session."""
    parts = [
        pl.concat([path(f"s{n}", "ab", user_id=None).head(1), path(f"s{n}", "ab", user_id=f"u{n}").tail(1)])
        for n in range(12)
    ]
    found = build_overview(pl.concat(parts))
    assert found.filter(pl.col("question") == "end").select("node_id", "count", "of").rows() == [("b", 12, 12)]
    matrix = step_matrix(journey_steps(pl.concat(parts)), 3, 5)
    assert matrix.select("step_number", "node_id", "share").rows() == [(1, "a", 1.0), (2, "b", 1.0), (3, "(end)", 1.0)]
