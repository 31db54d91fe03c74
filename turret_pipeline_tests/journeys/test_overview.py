"""The overview, and what is right before and after a node."""

import polars as pl
import pytest

from turret_pipeline.journeys.edges import journey_edges
from turret_pipeline.journeys.neighbours import following, preceding
from turret_pipeline.journeys.overview import OVERVIEW, overview
from turret_pipeline_tests.journeys.rows import path, visits


def walked(*nodes: str) -> pl.DataFrame:
    frames = [path(f"s{number}", walk, user_id=f"u{number}") for number, walk in enumerate(nodes)]
    return pl.concat(frames)


GIVEN = walked("aba", "abc", "b", "aab")


def answers(question: str, min_users: int = 1) -> list[tuple[str, str | None, int, int]]:
    found = overview(GIVEN, min_users).filter(pl.col("question") == question)
    return found.select("node_id", "other_node_id", "count", "of").rows()


def test_each_answer_has_its_denominator() -> None:
    assert answers("start") == [("a", None, 3, 4), ("b", None, 1, 4)]
    assert answers("end") == [("b", None, 2, 4), ("a", None, 1, 4), ("c", None, 1, 4)]
    assert answers("bounce") == [("a", "b", 1, 4)]
    assert answers("follow_up") == [("a", "b", 3, 5), ("b", "a", 1, 4), ("b", "c", 1, 4)]


def test_shares_lie_in_their_intervals_and_moves_have_a_time() -> None:
    found = overview(GIVEN)
    assert found["share"].to_list() == pytest.approx((found["count"] / found["of"]).to_list())
    assert (found["share_low"] < found["share"]).all()
    assert (found["share"] < found["share_high"]).all()
    assert found.filter(pl.col("question") == "follow_up")["median_seconds"].to_list() == [10.0, 10.0, 10.0]


def test_answers_of_too_few_users_are_left_out() -> None:
    assert answers("start", 2) == [("a", None, 3, 4)]
    assert answers("bounce", 2) == []
    assert [row[:3] for row in answers("follow_up", 2)] == [("a", "b", 3)]


def test_of_nothing_there_is_nothing_to_say() -> None:
    found = overview(visits())
    assert found.is_empty()
    assert found.schema == OVERVIEW


def test_what_comes_after_a_node_is_of_all_its_events_and_what_comes_before_too() -> None:
    after, before = following(journey_edges(GIVEN), "b"), preceding(journey_edges(GIVEN), "b")
    assert after.select("node_id", "transition_count", "share").rows() == [
        ("(end)", 2, 0.5), ("a", 1, 0.25), ("c", 1, 0.25),
    ]  # fmt: skip
    assert before.select("node_id", "transition_count", "share").rows() == [("a", 3, 0.75), ("(start)", 1, 0.25)]
    assert after["share_low"].to_list() == pytest.approx([0.1500, 0.0456, 0.0456], abs=1e-4)
    assert following(journey_edges(GIVEN), "nowhere").is_empty()
