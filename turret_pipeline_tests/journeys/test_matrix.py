"""The step matrix of small sessions."""

import polars as pl
import pytest

from turret_pipeline.journeys.matrix import step_matrix
from turret_pipeline.journeys.steps import journey_steps
from turret_pipeline_tests.journeys.rows import path, visits


def matrix(*nodes: str, depth: int = 3, max_nodes: int = 10, min_users: int = 1) -> dict[tuple[int, str], int]:
    frames = [path(f"s{number}", walk, user_id=f"u{number}") for number, walk in enumerate(nodes)]
    found = step_matrix(journey_steps(pl.concat(frames)), depth, max_nodes, min_users)
    assert found["share"].to_list() == pytest.approx((found["session_count"] / len(nodes)).to_list())
    return {(step, node): count for step, node, count in found.select("step_number", "node_id", "session_count").rows()}


def test_each_session_is_somewhere_at_each_step() -> None:
    assert matrix("ab", "aab", "ba", "a", "abab") == {
        (1, "a"): 4, (1, "b"): 1,
        (2, "a"): 1, (2, "b"): 3, (2, "(end)"): 1,
        (3, "a"): 1, (3, "(end)"): 4,
    }  # fmt: skip


def test_nodes_beyond_the_limit_are_combined() -> None:
    assert matrix("ab", "ac", "ad", "bc", depth=2, max_nodes=1) == {
        (1, "a"): 3, (1, "(other)"): 1, (2, "(other)"): 4,
    }  # fmt: skip


def test_nodes_of_too_few_users_at_a_step_are_combined() -> None:
    assert matrix("ab", "ab", "ac", depth=2, min_users=2) == {(1, "a"): 3, (2, "b"): 2, (2, "(other)"): 1}


def test_the_shares_of_a_step_sum_to_one_and_lie_in_their_intervals() -> None:
    steps = journey_steps(pl.concat([path(f"s{n}", walk) for n, walk in enumerate(["abc", "ba", "c", "cab", "abca"])]))
    found = step_matrix(steps, 4, 2)
    sums = found.group_by("step_number").agg(pl.col("share").sum())["share"].to_list()
    assert sums == pytest.approx([1] * 4)
    assert (
        found.select((pl.col("share_low") <= pl.col("share")) & (pl.col("share") <= pl.col("share_high")))
        .to_series()
        .all()
    )


def test_without_sessions_there_is_no_row() -> None:
    assert step_matrix(journey_steps(visits()), 3, 3).is_empty()
