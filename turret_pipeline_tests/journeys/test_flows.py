"""Flows from steps."""

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from turret_pipeline.journeys.flows import FLOWS_SCHEMA, first_flows
from turret_pipeline.journeys.steps import journey_steps
from turret_pipeline_tests.journeys.rows import path, visits

Flow = tuple[int, str, int, str | None, int]


def flows(*sessions: pl.DataFrame, min_users: int = 1, max_steps: int = 5, max_nodes: int = 7) -> list[Flow]:
    steps = journey_steps(pl.concat(sessions)).lazy()
    found = first_flows(steps, "event_name", min_users, max_steps, max_nodes)
    assert found.schema == FLOWS_SCHEMA
    return found.rows()


def test_flows_lead_to_the_next_step_or_to_the_end() -> None:
    found = flows(path("s1", "aab"), path("s2", "ab"), path("s3", "b"), path("s4", "abc"))
    assert found == [
        (1, "a", 1, "b", 3),
        (1, "b", 1, "(end)", 1),
        (2, "b", 1, "(end)", 2),
        (2, "b", 1, "c", 1),
        (3, "c", 1, None, 1),
    ]


def test_every_step_is_entered_as_often_as_it_is_left() -> None:
    found = pl.DataFrame(
        flows(
            *(path(f"s{n}", "abcabcab"[n % 5 : n % 7 + 1] or "a", f"u{n % 9}") for n in range(60)),
            min_users=3,
            max_nodes=1,
        ),
        FLOWS_SCHEMA,
        orient="row",
    )
    entered = found.filter(pl.col("to_node_id") != "(end)").group_by(pl.col("step_number") + 1, node="to_node_id")
    left = found.filter(pl.col("step_number") > 1).group_by("step_number", node="from_node_id")
    total = pl.col("session_count").sum()
    assert found.filter(pl.col("step_number") == 1)["session_count"].sum() == 60
    assert_frame_equal(entered.agg(total), left.agg(total), check_row_order=False)


def test_nodes_beyond_the_largest_are_combined_and_counted() -> None:
    found = flows(*(path(f"s{n}", node) for n, node in enumerate("aaabbcde")), max_nodes=2)
    assert found == [(1, "(other)", 3, None, 3), (1, "a", 1, None, 3), (1, "b", 1, None, 2)]


def test_nodes_of_later_steps_are_ranked_by_size_and_those_of_the_first_by_sessions_that_go_on() -> None:
    sessions = ["c"] * 9 + ["az"] * 3 + ["by"] * 2 + ["dx", "ex"]
    found = flows(*(path(f"s{n}", nodes) for n, nodes in enumerate(sessions)), max_nodes=2)
    assert found == [
        (1, "(other)", 2, "(end)", 9),
        (1, "a", 1, "z", 3),
        (1, "(other)", 2, "x", 2),
        (1, "b", 1, "y", 2),
        (2, "z", 1, None, 3),
        (2, "x", 1, None, 2),
        (2, "y", 1, None, 2),
    ]


def test_other_is_never_a_single_node() -> None:
    assert flows(path("s1", "a"), path("s2", "a"), path("s3", "b"), max_nodes=1) == [
        (1, "a", 1, None, 2),
        (1, "b", 1, None, 1),
    ]


def test_steps_that_few_sessions_reach_are_left_out() -> None:
    found = flows(path("s0", "abc"), *(path(f"s{n}", "ab" if n < 8 else "a") for n in range(1, 100)))
    assert found == [(1, "a", 1, "(end)", 92), (1, "a", 1, "b", 8), (2, "b", 1, None, 8)]


def test_the_number_of_steps_is_limited() -> None:
    assert flows(path("s1", "abcd"), max_steps=2) == [(1, "a", 1, "b", 1), (2, "b", 1, None, 1)]


def test_flows_of_too_few_users_are_combined_into_other() -> None:
    crowd = [path(f"s{n}", "ab", f"u{n}") for n in range(3)]
    few = [path("s7", "ac", "u0"), path("s8", "ac", "u0"), path("s9", "db", None)]
    assert flows(*crowd, *few, min_users=2) == [
        (1, "a", 1, "b", 3),
        (1, "a", 1, "(other)", 2),
        (1, "(other)", 1, "(other)", 1),
        (2, "(other)", 1, None, 3),
        (2, "b", 1, None, 3),
    ]


def test_an_end_of_too_few_users_is_suppressed() -> None:
    sessions = [path(f"s{n}", "ab", f"u{n}") for n in range(3)] + [path("s9", "a", "u9")]
    assert flows(*sessions, min_users=2) == [
        (1, "a", 1, "b", 3),
        (1, "a", 1, "(other)", 1),
        (2, "b", 1, None, 3),
        (2, "(other)", 0, None, 1),
    ]


@pytest.mark.parametrize(
    "given", [visits(), path("s1", "ab", dimension="prompt"), path("u1", "ab", dimension="user:event_name")]
)
def test_without_steps_in_the_dimension_there_are_no_flows(given: pl.DataFrame) -> None:
    assert flows(given) == []


def test_the_order_of_the_steps_does_not_matter() -> None:
    steps = journey_steps(pl.concat([path("s1", "abc"), path("s2", "ba"), path("s3", "ac", None)]))
    shuffled = steps.sample(fraction=1, shuffle=True, seed=1)
    assert_frame_equal(first_flows(shuffled.lazy(), "event_name"), first_flows(steps.lazy(), "event_name"))
