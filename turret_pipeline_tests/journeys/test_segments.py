"""Differences between segments from visits and values."""

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from turret_pipeline.journeys.edges import journey_edges
from turret_pipeline.journeys.segments import journey_segments
from turret_pipeline.tables import JOURNEY_SEGMENTS
from turret_pipeline_tests.journeys.rows import path, visits

VALUES = {"position": pl.Int64, "segment_field": pl.String, "segment_value": pl.String}


def visits_and_plans(*groups: tuple[str, str, int]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Visits and plans of groups of (plan, nodes, sessions), with a different user for each session."""
    parts, plans, position = [], [], 0
    for number, (plan, nodes, count) in enumerate(groups):
        for session in range(count):
            name = f"{number}.{session}"
            parts.append(path(name, nodes, name).with_columns(pl.col("position") + position))
            plans += [(position + at, "plan", plan) for at in range(len(nodes))]
            position += len(nodes)
    return pl.concat(parts), pl.DataFrame(plans, VALUES, orient="row")


GROUPS = [("free", "ab", 30), ("free", "ac", 10), ("team", "ab", 5), ("team", "ac", 15)]


def compare(given: pl.DataFrame, plans: pl.DataFrame, min_users: int = 1) -> pl.DataFrame:
    return journey_segments(given, plans, journey_edges(given, min_users), min_users)


def test_probabilities_in_a_segment_are_compared_with_those_elsewhere() -> None:
    found = compare(*visits_and_plans(*GROUPS))
    assert found.schema == JOURNEY_SEGMENTS.schema
    of_a = found.filter((pl.col("from_node_id") == "a") & (pl.col("segment_value") == "free"))
    counts = ["transition_count", "leaving_count", "other_leaving_count"]
    columns = ["to_node_id", *counts, "probability_in_segment", "probability_elsewhere", "difference"]
    assert of_a.select(columns).rows() == [("b", 30, 40, 20, 0.75, 0.25, 0.5), ("c", 10, 40, 20, 0.25, 0.75, -0.5)]
    assert (of_a["difference_low"] < of_a["difference"]).all()
    assert (of_a["difference"] < of_a["difference_high"]).all()
    assert (of_a["q_value"] < 0.01).all()
    start = found.filter((pl.col("from_node_id") == "(start)") & (pl.col("segment_value") == "free"))
    assert start.select(columns).rows() == [("a", 40, 40, 20, 1.0, 1.0, 0.0)]


def test_probabilities_out_of_a_node_sum_to_one_in_a_segment_and_elsewhere() -> None:
    found = compare(*visits_and_plans(*GROUPS, ("team", "abca", 12)))
    of_node = found.group_by("from_node_id", "segment_value").agg(
        pl.col("probability_in_segment", "probability_elsewhere").sum()
    )
    assert of_node["probability_in_segment"].to_list() == pytest.approx([1.0] * of_node.height)
    assert of_node["probability_elsewhere"].to_list() == pytest.approx([1.0] * of_node.height)


def test_blank_values_are_ignored_and_rare_values_only_count_elsewhere() -> None:
    found = compare(*visits_and_plans(*GROUPS, (" ", "ab", 50), ("trial", "ab", 4)))
    assert set(found["segment_value"]) == {"free", "team"}
    row = found.filter((pl.col("to_node_id") == "b") & (pl.col("segment_value") == "free"))
    assert row["probability_elsewhere"].item() == 9 / 24
    assert row["other_leaving_count"].item() == 24
    assert compare(*visits_and_plans(*GROUPS), min_users=30).is_empty()


def test_the_same_transitions_of_fewer_users_have_higher_q_values() -> None:
    given, plans = visits_and_plans(*GROUPS)
    few = given.with_columns(pl.col("user_id").rank("dense") // 4).with_columns(pl.col("user_id").cast(pl.String))
    many = compare(given, plans)
    of_few = compare(few, plans)
    key = list(JOURNEY_SEGMENTS.key)
    both = many.join(of_few, on=key).filter(pl.col("from_node_id") == "a")
    assert both.height == 4
    assert (both["q_value_right"] > both["q_value"]).all()


def shown_cells(found: pl.DataFrame) -> set[tuple[str, str]]:
    """Next node and plan of the rows for moves from a."""
    return set(found.filter(pl.col("from_node_id") == "a").select("to_node_id", "segment_value").iter_rows())


def test_rows_of_too_few_users_and_rows_that_reveal_them_are_left_out() -> None:
    of_both = {(node, plan) for node in "bc" for plan in ("free", "team")}
    groups = [*GROUPS, ("free", "ad", 2), ("free", "ae", 2), ("team", "ad", 2), ("team", "ae", 2)]
    assert shown_cells(compare(*visits_and_plans(*groups), min_users=3)) == of_both
    assert shown_cells(compare(*visits_and_plans(*groups[:-1]), min_users=3)) == {
        (node, "free") for node in "bc"
    }  # 2 for d of team
    assert shown_cells(compare(*visits_and_plans(*groups), min_users=5)) == set()  # four users of free take d and e
    assert shown_cells(compare(*visits_and_plans(*groups), min_users=1)) == of_both | {
        (node, plan) for node in "de" for plan in ("free", "team")
    }


def test_unknown_users_do_not_count_for_the_privacy_threshold() -> None:
    given, plans = visits_and_plans(*GROUPS)
    nobody = given.with_columns(pl.lit(None, given.schema["user_id"]).alias("user_id"))
    assert not compare(nobody, plans).is_empty()
    assert compare(nobody, plans, min_users=2).is_empty()


def test_dimensions_are_families_of_their_own_and_order_does_not_matter() -> None:
    given, plans = visits_and_plans(*GROUPS)
    other = given.with_columns(pl.lit("prompt").alias("dimension"))
    alone, both = compare(given, plans), compare(pl.concat([given, other]), plans.sample(fraction=1, seed=2))
    assert_frame_equal(both.filter(pl.col("dimension") == "event_name"), alone, check_exact=True)
    assert both.height == 2 * alone.height


def test_without_visits_or_values_the_table_is_empty() -> None:
    assert_frame_equal(compare(visits(), pl.DataFrame(schema=VALUES)), JOURNEY_SEGMENTS.empty())
    given, _ = visits_and_plans(*GROUPS)
    assert_frame_equal(compare(given, pl.DataFrame(schema=VALUES)), JOURNEY_SEGMENTS.empty())
