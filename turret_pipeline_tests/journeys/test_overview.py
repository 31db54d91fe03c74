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


GIVEN = user_sessions(*["aba"] * 5, *["abc"] * 5, *["b"] * 5, *["aab"] * 5)
"""Five users each of four kinds."""


def answers(question: str, min_users: int = 1, given: pl.DataFrame = GIVEN) -> list[tuple[str, str | None, int, int]]:
    found = build_overview(given, min_users).filter(pl.col("question") == question)
    return found.select("node_id", "other_node_id", "count", "of").rows()


def test_each_answer_has_its_denominator() -> None:
    assert answers("start") == [("a", None, 15, 20), ("b", None, 5, 20)]
    assert answers("end") == [("b", None, 10, 20), ("a", None, 5, 15)]  # only 5 sessions visit c
    assert answers("bounce") == [("a", "b", 5, 20)]
    assert answers("follow_up") == [("a", "b", 15, 25), ("b", "a", 5, 20), ("b", "c", 5, 20)]


def test_ends_and_follow_ups_are_ranked_by_share_and_not_by_size() -> None:
    given = user_sessions(*["b"] * 20, *["bx"] * 20, *["ac"] * 6, *["a"] * 4)
    assert answers("end", given=given) == [("x", None, 20, 20), ("b", None, 20, 40), ("a", None, 4, 10)]
    assert answers("follow_up", given=given) == [("a", "c", 6, 10), ("b", "x", 20, 40)]


def test_ends_and_follow_ups_need_evidence_of_several_users() -> None:
    walks = [path(f"s{n}", "ab" if n % 2 else "b", user_id=f"u{n % 4}") for n in range(40)]
    assert answers("end", given=pl.concat(walks)) == []
    assert answers("follow_up", given=pl.concat(walks)) == []
    assert len(answers("start", given=pl.concat(walks))) == 2
    unknown = [path(f"s{n}", "ab" if n % 2 else "b", user_id=None) for n in range(40)]
    assert answers("end", given=pl.concat(unknown)) == [("b", None, 40, 40)]
    assert answers("follow_up", given=pl.concat(unknown)) == [("a", "b", 20, 20)]


def test_bounces_need_evidence_of_several_sessions() -> None:
    given = user_sessions(*["aba"] * 5, *["ababa"], *["cbc"] * 4, *["acaca"] * 4)
    assert answers("bounce", given=given) == [("a", "b", 6, 14)]
    assert answers("bounce", given=user_sessions("aba", "aba", "abababababa")) == []


def test_topics_of_follow_ups_are_no_ends() -> None:
    found = build_overview(GIVEN, follow_ups=["b", "nowhere"])
    assert found.filter(pl.col("question") == "end")["node_id"].to_list() == ["a"]
    assert found.filter(pl.col("question") != "end").equals(build_overview(GIVEN).filter(pl.col("question") != "end"))


def test_shares_lie_in_their_intervals_and_moves_have_a_time() -> None:
    found = build_overview(GIVEN)
    assert found["share"].to_list() == pytest.approx((found["count"] / found["of"]).to_list())
    assert (found["share_low"] < found["share"]).all()
    assert (found["share"] < found["share_high"]).all()
    assert found.filter(pl.col("question") == "follow_up")["median_seconds"].to_list() == [10.0, 10.0, 10.0]


def test_intervals_of_ends_allow_for_users() -> None:
    many, few = (
        pl.concat([path(f"s{n}", "a" if n % 8 < 4 else "ab", user_id=f"u{n % users}") for n in range(80)])
        for users in (80, 8)
    )
    is_end_on_a = (pl.col("question") == "end") & (pl.col("node_id") == "a")
    wide, narrow = (build_overview(given).filter(is_end_on_a) for given in (few, many))
    assert wide["share"].to_list() == narrow["share"].to_list() == [0.5]
    assert (wide["share_low"] < narrow["share_low"] - 0.1).all()


def test_answers_of_too_few_users_are_left_out() -> None:
    assert answers("start", 6) == [("a", None, 15, 20)]
    assert answers("bounce", 6) == []
    assert answers("end", 6) == [("b", None, 10, 20)]
    assert [row[:3] for row in answers("follow_up", 6)] == [("a", "b", 15)]


def test_without_visits_the_overview_is_empty() -> None:
    found = build_overview(visits())
    assert found.is_empty()
    assert found.schema == build_overview(GIVEN).schema


def test_shares_before_and_after_a_node_are_of_all_its_events() -> None:
    given = user_sessions("aba", "abc", "b", "aab")
    after, before = following_nodes(given, "b"), preceding_nodes(given, "b")
    assert after.select("node_id", "transition_count", "share").rows() == [
        ("(end)", 2, 0.5), ("a", 1, 0.25), ("c", 1, 0.25),
    ]  # fmt: skip
    assert before.select("node_id", "transition_count", "share").rows() == [("a", 3, 0.75), ("(start)", 1, 0.25)]
    assert after["share_low"].to_list() == pytest.approx([0.1500, 0.0456, 0.0456], abs=1e-4)
    assert following_nodes(given, "nowhere").is_empty()


def test_intervals_before_and_after_a_node_allow_for_users() -> None:
    given = user_sessions("aba", "abc", "b", "aab")
    edges = journey_edges(given).filter(pl.col("from_node_id") == "b")
    after = following_nodes(given, "b").sort("node_id")
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
