"""Comparison of two groups of sessions."""

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from turret_pipeline.journeys.comparison import DIFFERENCES, compare_sessions
from turret_pipeline_tests.journeys.rows import path, visits


def group_visits(*groups: tuple[str, int, str]) -> pl.DataFrame:
    """Visits from (name of the group, number of sessions, nodes), with a different user for each session."""
    frames = [
        path(f"{group}{number}-{nodes}", nodes, user_id=f"{group}{number}-{nodes}")
        for group, count, nodes in groups
        for number in range(count)
    ]
    return pl.concat(frames).with_columns(pl.int_range(pl.len()).alias("position")).sort("sequence_id", "position")


def group_sessions(frame: pl.DataFrame, group: str) -> pl.DataFrame:
    return (
        frame.select(pl.col("sequence_id").cast(pl.String).alias("session_id"))
        .filter(pl.col("session_id").str.starts_with(group))
        .unique()
    )


GIVEN = group_visits(("x", 30, "ab"), ("x", 10, "a"), ("y", 10, "ab"), ("y", 30, "a"))


def test_visits_are_shares_of_sessions_and_moves_are_shares_of_transitions() -> None:
    found = compare_sessions(GIVEN, group_sessions(GIVEN, "x"))
    rows = {(row["measure"], row["from_node_id"], row["to_node_id"]): row for row in found.to_dicts()}
    visit = rows["visit", "b", "b"]
    assert (visit["count"], visit["other_count"]) == (30, 10)
    assert (visit["share"], visit["other_share"], visit["difference"]) == pytest.approx((0.75, 0.25, 0.5))
    assert 0.2 < visit["difference_low"] < 0.5 < visit["difference_high"] < 0.7
    assert visit["q_value"] < 0.001
    assert rows["move", "a", "(end)"]["difference"] == pytest.approx(-0.5)
    assert rows["move", "(start)", "a"]["difference"] == 0
    assert found["difference"].abs().is_sorted(descending=True)


def test_swapping_the_groups_negates_the_differences() -> None:
    one, other = (
        compare_sessions(GIVEN, group_sessions(GIVEN, "x")),
        compare_sessions(GIVEN, group_sessions(GIVEN, "y")),
    )
    both = one.join(other, on=["measure", "from_node_id", "to_node_id"], suffix="_swapped")
    assert both.height == one.height
    assert both["difference"].to_list() == pytest.approx((-both["difference_swapped"]).to_list())
    assert both["q_value"].to_list() == pytest.approx(both["q_value_swapped"].to_list())


def test_small_groups_are_not_compared() -> None:
    few = group_visits(("x", 9, "ab"), ("y", 40, "ab"))
    assert_frame_equal(compare_sessions(few, group_sessions(few, "x")), DIFFERENCES.to_frame())
    assert compare_sessions(GIVEN, group_sessions(GIVEN, "x"), min_users=41).is_empty()
    assert compare_sessions(visits(), pl.DataFrame({"session_id": []}, {"session_id": pl.String})).is_empty()


def test_rows_of_too_few_users_on_either_side_are_left_out() -> None:
    def measured(min_users: int, *more: tuple[str, int, str]) -> set[tuple[str, str, str]]:
        given = pl.concat([GIVEN, group_visits(*more)]) if more else GIVEN
        given = given.with_columns(pl.int_range(pl.len()).alias("position"))
        found = compare_sessions(given, group_sessions(given, "x"), min_users)
        return set(found.select("measure", "from_node_id", "to_node_id").iter_rows())

    everything = measured(1)
    assert measured(10) == everything
    assert measured(11) == {("move", "(start)", "a"), ("visit", "a", "a")}
    with_few = measured(3, ("x", 2, "c"), ("y", 5, "c"))
    assert {row for row in with_few if "c" in row} == set()
    assert ("visit", "b", "b") in with_few


def test_many_sessions_of_one_user_are_not_compared() -> None:
    same = GIVEN.with_columns(
        pl.when(pl.col("sequence_id").cast(pl.String).str.starts_with("x"))
        .then(pl.lit("one"))
        .otherwise("user_id")
        .alias("user_id")
    )
    assert compare_sessions(same, group_sessions(GIVEN, "x")).is_empty()  # no five users on that side
