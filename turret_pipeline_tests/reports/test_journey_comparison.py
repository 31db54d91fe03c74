"""Two groups of sessions side by side."""

import polars as pl
import pytest

from turret_pipeline.reports.journey_comparison import compare_frames


def frame(*rows: tuple[str, int], total: int = 100, effect: float = 1.0, clusters: int = 100) -> pl.DataFrame:
    return pl.DataFrame(
        [(node, count, count / total, total, clusters, effect) for node, count in rows],
        {"node_id": pl.String, "session_count": pl.Int64, "share": pl.Float64, "total": pl.Int64,
         "cluster_count": pl.Int64, "design_effect": pl.Float64},
        orient="row",
    )  # fmt: skip


def test_a_node_of_one_side_counts_as_zero_on_the_other() -> None:
    found = compare_frames(frame(("a", 50), ("b", 50)), frame(("a", 20), total=40), ["node_id"], "session_count")
    rows = {row["node_id"]: row for row in found.iter_rows(named=True)}
    assert (rows["b"]["other_session_count"], rows["b"]["other_total"], rows["b"]["other_share"]) == (0, 40, 0)
    assert rows["a"]["difference"] == 0
    assert rows["b"]["q_value"] < 0.001 < rows["a"]["q_value"]
    assert rows["b"]["difference_low"] < 0.5 < rows["b"]["difference_high"]
    assert found["node_id"].to_list() == ["b", "a"]


def test_dependent_sessions_make_a_difference_less_certain() -> None:
    certain, dependent = (
        compare_frames(frame(("a", 60), effect=effect), frame(("a", 40)), ["node_id"], "session_count").row(
            0, named=True
        )
        for effect in (1.0, 4.0)
    )
    assert certain["q_value"] < dependent["q_value"]
    assert certain["difference_low"] > dependent["difference_low"]


def test_too_few_sessions_are_not_compared() -> None:
    few = frame(("a", 3), total=9)
    row = compare_frames(few, frame(("a", 40)), ["node_id"], "session_count").row(0, named=True)
    assert row["difference"] == pytest.approx(3 / 9 - 0.4)
    assert row["q_value"] is row["difference_low"] is None
    assert compare_frames(few.clear(), frame(("a", 40)), ["node_id"], "session_count").is_empty()


def test_rows_that_would_reveal_few_users_are_left_out() -> None:
    found = compare_frames(frame(("a", 50), ("b", 50)), frame(("a", 20)), ["node_id"], "session_count", min_users=5)
    assert found["node_id"].to_list() == ["a"]
