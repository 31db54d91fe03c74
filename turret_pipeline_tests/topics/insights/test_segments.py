"""Differences between segments."""

import datetime as dt

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from turret_pipeline.tables import TOPIC_SEGMENTS
from turret_pipeline.topics.insights.occurrences import OCCURRENCES_SCHEMA
from turret_pipeline.topics.insights.segments import topic_segments
from turret_pipeline_tests.benchmarks.simulated import PlantedEffect, World, segment_values, simulate_occurrences

DAY = dt.date(2026, 3, 1)
VALUES = {"event_id": pl.String, "field": pl.String, "value": pl.String}


def make_occurrences(*groups: tuple[str | None, str, int], field: str = "prompt") -> tuple[pl.DataFrame, pl.DataFrame]:
    """Occurrences and plans from (topic, plan, events): one user per event, two events of a group per session."""
    rows, plans = [], []
    for number, (topic, plan, count) in enumerate(groups):
        for at in range(count):
            name = f"{number}.{at}"
            rows.append((field, name, topic, f"{number}.{at // 2}", 1000 * number + at, DAY))
            plans.append((name, "plan", plan))
    return pl.DataFrame(rows, OCCURRENCES_SCHEMA, orient="row"), pl.DataFrame(plans, VALUES, orient="row")


REFUNDS = [("prompt-1", "free", 6), ("prompt-2", "free", 10), (None, "free", 4), ("prompt-1", "team", 24)]
REST = [("prompt-2", "team", 4), (None, "team", 12)]


def test_a_topics_share_in_a_segment_is_compared_with_its_share_elsewhere() -> None:
    found = topic_segments(*make_occurrences(*REFUNDS, *REST))
    assert found.select("topic_id", "segment_value", "event_count", "session_count").rows() == [
        ("prompt-1", "free", 6, 3),
        ("prompt-1", "team", 24, 12),
        ("prompt-2", "free", 10, 5),
        ("prompt-2", "team", 4, 2),
    ]
    assert found["share_in_segment"].to_list() == [0.3, 0.6, 0.5, 0.1]
    assert found["share_elsewhere"].to_list() == [0.6, 0.3, 0.1, 0.5]
    assert found["difference"].to_list() == pytest.approx([-0.3, 0.3, 0.4, -0.4])
    assert (found["difference_low"] < found["difference"]).all()
    assert (found["difference"] < found["difference_high"]).all()
    assert found["q_value"][2] == found["q_value"][3] < found["q_value"][0] == found["q_value"][1] < 0.25
    assert dict(found.select("field", "segment_field").unique().iter_rows()) == {"prompt": "plan"}
    assert found.schema == TOPIC_SEGMENTS.schema


def test_events_without_one_of_the_fields_and_blank_values_are_left_out() -> None:
    events, plans = make_occurrences(*REFUNDS, *REST)
    more, _ = make_occurrences(("prompt-1", "", 50))
    blank = more.with_columns(("b" + pl.col("event_id")).alias("event_id"))
    blank_plans = blank.select("event_id", pl.lit("plan").alias("field"), pl.lit(" ").alias("value"))
    bare = more.with_columns(("n" + pl.col("event_id")).alias("event_id"))
    found = topic_segments(pl.concat([events, blank, bare]), pl.concat([plans, blank_plans]))
    assert_frame_equal(found, topic_segments(events, plans))


def test_a_value_of_too_few_events_or_users_is_left_out_but_counts_elsewhere() -> None:
    events, plans = make_occurrences(*REFUNDS, *REST, ("prompt-1", "trial", 9))
    found = topic_segments(events, plans)
    assert set(found["segment_value"]) == {"free", "team"}
    assert found["share_elsewhere"][0] == 33 / 49
    four_users = events.with_columns(pl.col("cluster_id") % 4)
    assert topic_segments(four_users, plans).is_empty()
    assert topic_segments(events, plans, min_clusters=30).is_empty()


def test_a_field_with_one_value_is_left_out() -> None:
    assert topic_segments(*make_occurrences(("prompt-1", "free", 30))).is_empty()


def test_the_same_events_of_fewer_users_are_weaker_evidence() -> None:
    events, plans = make_occurrences(*REFUNDS, *REST)
    many = topic_segments(events, plans)
    few = topic_segments(events.with_columns(pl.col("cluster_id") // 4), plans)
    assert few["share_in_segment"].to_list() == many["share_in_segment"].to_list()
    assert (few["q_value"] > many["q_value"]).all()
    assert ((few["difference_high"] - few["difference_low"]) > (many["difference_high"] - many["difference_low"])).all()


def test_text_fields_are_families_of_their_own() -> None:
    events, plans = make_occurrences(*REFUNDS, *REST)
    feedback = events.with_columns(
        pl.lit("feedback").alias("field"), pl.col("topic_id").str.replace("prompt", "feedback")
    )
    alone, both = topic_segments(events, plans), topic_segments(pl.concat([events, feedback]), plans)
    assert_frame_equal(both.filter(pl.col("field") == "prompt"), alone)
    assert both.height == 2 * alone.height


def test_the_order_of_the_rows_does_not_matter() -> None:
    events, plans = make_occurrences(*REFUNDS, *REST)
    shuffled = topic_segments(events.sample(fraction=1, shuffle=True, seed=1), plans.reverse())
    assert_frame_equal(shuffled, topic_segments(events, plans), check_exact=True)


def test_there_is_no_comparison_with_one_user_or_without_topics() -> None:
    events, plans = make_occurrences(*REFUNDS, *REST)
    assert topic_segments(events.with_columns(pl.lit(1, pl.Int64).alias("cluster_id")), plans).is_empty()
    assert topic_segments(events.with_columns(pl.lit(None, pl.String).alias("topic_id")), plans).is_empty()


def test_no_events_give_an_empty_table() -> None:
    empty = topic_segments(pl.DataFrame(schema=OCCURRENCES_SCHEMA), pl.DataFrame(schema=VALUES))
    assert_frame_equal(empty, TOPIC_SEGMENTS.empty())


def test_random_segments_raise_hardly_any_alarms() -> None:
    rng, world = np.random.default_rng(3), World(users=300)
    flagged, missed, rows = 0, 0, 0
    for _ in range(15):
        made, _ = simulate_occurrences(rng, world)
        users, sessions = made["user"].to_numpy(), made["session_id"].cast(pl.Int64).to_numpy()
        by_user, by_session = rng.integers(0, 6, users.max() + 1), rng.integers(0, 4, sessions.max() + 1)
        found = topic_segments(
            made,
            pl.concat(
                [segment_values(made, "plan", by_user[users]), segment_values(made, "model", by_session[sessions])]
            ),
        )
        rows += found.height
        flagged += found.filter(pl.col("q_value") <= 0.05).height
        missed += found.filter((pl.col("difference_low") > 0) | (pl.col("difference_high") < 0)).height
    assert flagged / rows < 0.001
    assert missed / rows < 0.06


def test_a_topic_that_a_quarter_of_the_users_prefer_is_found() -> None:
    planted = PlantedEffect(topic=5, factor=4)
    made, favoured = simulate_occurrences(np.random.default_rng(5), World(users=600), favoured=planted)
    found = topic_segments(made, segment_values(made, "plan", favoured[made["user"].to_numpy()]))
    assert set(found.filter(pl.col("q_value") <= 0.05)["topic_id"]) == {"prompt-5"}
