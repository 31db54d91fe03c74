"""Growth of topics, and emerging topics."""

import datetime as dt
from collections.abc import Sequence

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from turret_pipeline.tables import TOPIC_TRENDS
from turret_pipeline.topics.insights.occurrences import OCCURRENCES_SCHEMA
from turret_pipeline.topics.insights.trends import find_loose_topics, first_day, last_day, topic_trends
from turret_pipeline_tests.benchmarks.simulated import PlantedEffect, World, simulate_occurrences

FIRST = dt.date(2026, 3, 1)


def make_occurrences(**per_day: list[int]) -> pl.DataFrame:
    """Occurrences from the number of events of each topic on each day, one user per event."""
    rows = [
        ("prompt", f"{topic}.{day}.{at}", None if topic == "none" else topic, f"{day}.{at}", 0, day)
        for topic, counts in per_day.items()
        for day, count in enumerate(counts)
        for at in range(count)
    ]
    frame = pl.DataFrame(rows, {**OCCURRENCES_SCHEMA, "event_date": pl.Int64}, orient="row")
    return frame.with_columns(
        pl.int_range(pl.len()).alias("cluster_id"),
        pl.lit(FIRST).dt.offset_by(pl.format("{}d", "event_date")).alias("event_date"),
    )


def trends(frame: pl.DataFrame, days: int = 2) -> pl.DataFrame:
    return topic_trends(frame, last_day(frame["event_date"], days), days)


STEADY = [20] * 10


def test_growth_compares_the_last_days_with_up_to_four_times_as_many_before() -> None:
    found = trends(make_occurrences(a=[9, *[2] * 8, 4, 4], b=[*[0] * 9, 1, 1], c=[*[3] * 9, 0, 0], none=[5] * 11))
    assert found.select("topic_id", "recent_event_count", "before_event_count").rows() == [
        ("a", 8, 16),
        ("b", 2, 0),
        ("c", 0, 24),
    ]
    assert found["recent_share"].to_list() == [0.4, 0.1, 0]
    assert found["before_share"].to_list() == pytest.approx([0.2, 0, 0.3])
    assert found["growth"].to_list() == [1, None, -1]
    assert found["is_emerging"].to_list() == [False] * 3
    assert found.schema == TOPIC_TRENDS.schema


def test_a_topic_that_grows_beyond_chance_is_emerging_with_or_without_earlier_events() -> None:
    found = trends(make_occurrences(a=[*[5] * 8, 25, 25], b=[*[0] * 8, 12, 12], c=[5] * 10, none=[60] * 10))
    assert found.filter("is_emerging")["topic_id"].to_list() == ["a", "b"]
    assert found.filter(pl.col("topic_id") == "b")["growth"].to_list() == [None]
    assert found["q_value"].is_between(0, 1).all()


def test_a_topic_that_grows_a_little_is_not_emerging_even_if_significant() -> None:
    found = trends(make_occurrences(a=[*[500] * 8, 600, 600], none=[1000] * 10))
    assert found["q_value"][0] < 0.01
    assert found["is_emerging"].to_list() == [False]


def test_a_burst_of_one_user_is_not_emerging() -> None:
    frame = make_occurrences(a=[*[1] * 8, 30, 30], none=[60] * 10)
    burst = (pl.col("topic_id") == "a") & (pl.col("event_date") >= FIRST + dt.timedelta(days=8))
    of_one = frame.with_columns(pl.when(burst).then(-1).otherwise("cluster_id").alias("cluster_id"))
    assert trends(frame)["is_emerging"].to_list() == [True]
    assert trends(of_one)["is_emerging"].to_list() == [False]


def test_a_handful_of_events_or_users_is_not_emerging() -> None:
    of_few_events = trends(make_occurrences(a=[*[0] * 8, 4, 5], b=[*[0] * 8, 5, 5], none=[200] * 10))
    assert (of_few_events["q_value"] < 0.05).all()
    assert of_few_events["is_emerging"].to_list() == [False, True]
    frame = make_occurrences(a=[*[0] * 40, 20, 20], none=[200] * 42)
    is_topic = pl.col("topic_id") == "a"
    for users, is_emerging in ((4, False), (40, True)):
        of_users = frame.with_columns(
            pl.when(is_topic).then(-1 - pl.col("cluster_id") % users).otherwise("cluster_id").alias("cluster_id")
        )
        assert trends(of_users)["is_emerging"].to_list() == [is_emerging]


def test_a_loose_topic_is_not_emerging() -> None:
    frame = make_occurrences(a=[*[5] * 8, 25, 25], b=[*[5] * 8, 25, 25], none=[60] * 10)
    found = topic_trends(frame, last_day(frame["event_date"], 2), 2, ["b", "unknown"])
    assert found["is_emerging"].to_list() == [True, False]
    assert_frame_equal(found.drop("is_emerging"), trends(frame).drop("is_emerging"))


def loose(**cohesion: Sequence[float | None]) -> list[str]:
    """Loose topics among those of each field with these values of cohesion."""
    rows = [(field, f"{field}-{at}", value) for field, values in cohesion.items() for at, value in enumerate(values)]
    schema = {"field": pl.String(), "topic_id": pl.String(), "cohesion": pl.Float64()}
    return find_loose_topics(pl.DataFrame(rows, schema, orient="row").sample(fraction=1, shuffle=True, seed=2))


def test_topics_with_far_less_in_common_than_the_others_of_the_field_are_loose() -> None:
    usual = [0.30, 0.32, 0.35, 0.38, 0.40, 0.42]
    assert loose(prompt=usual) == []
    assert loose(prompt=[*usual, 0.12]) == ["prompt-6"]
    assert loose(prompt=[*usual, 0.95]) == []
    assert loose(prompt=usual, feedback=[0.12, 0.10, 0.13]) == []


def test_topics_of_unknown_cohesion_are_loose_and_a_single_topic_is_not() -> None:
    assert loose(prompt=[0.3, None, 0.4, 0.5]) == ["prompt-1"]
    assert loose(prompt=[0.1]) == []
    assert loose(prompt=[0.3, 0.3]) == []
    assert loose(prompt=[None]) == ["prompt-0"]
    assert loose() == []


def test_one_user_and_two_days_have_growth_but_nothing_emerging() -> None:
    frame = make_occurrences(a=[*[5] * 8, 25, 25], none=[60] * 10).with_columns(pl.lit(1, pl.Int64).alias("cluster_id"))
    assert trends(frame).select("growth", "is_emerging").rows() == [(pytest.approx(25 / 85 / (5 / 65) - 1), False)]
    two_days = trends(make_occurrences(a=[5, 50], none=[60, 60]), days=1)
    assert two_days["p_value"].to_list() == pytest.approx([0.05], abs=0.02)


def test_a_topic_that_always_comes_in_bursts_is_not_emerging() -> None:
    restless = [40, 0, 1, 0, 0, 45, 0, 0, 0, 38, 0, 1, 0, 0, 42, 0, 44, 0]
    steady = [6] * 14 + [14] * 4
    found = trends(make_occurrences(a=restless, b=steady, none=[60] * 18), days=4)
    assert dict(found.select("topic_id", "is_emerging").iter_rows()) == {"a": False, "b": True}


@pytest.mark.parametrize(
    "frame",
    [
        make_occurrences(a=[5, 5, 9]),
        make_occurrences(a=[0, 0, 0, 5]),
        make_occurrences(a=[5, 5, 5, 0, 0], none=[1, 1, 1, 0, 0]),
    ],
)
def test_too_few_days_have_no_shares_and_no_growth(frame: pl.DataFrame) -> None:
    found = topic_trends(frame, FIRST + dt.timedelta(days=max(2, frame["event_date"].n_unique() + 1)), 2)
    unknown = found.select("recent_share", "before_share", "growth", "p_value", "q_value", "is_emerging")
    assert unknown.rows() == [(None,) * 6]


def stray(*days: int, topic: str | None = None) -> pl.DataFrame:
    """An event on each of these days, counted from the first one."""
    rows = [("prompt", f"stray.{day}", topic, f"stray.{day}", -day, FIRST + dt.timedelta(days=day)) for day in days]
    return pl.DataFrame(rows, OCCURRENCES_SCHEMA, orient="row")


@pytest.mark.parametrize("days", [(26_000,), (13,), (-9_000,), (26_000, -9_000)])
def test_events_with_wrong_clocks_change_nothing(days: tuple[int, ...]) -> None:
    usual = make_occurrences(a=[*[5] * 8, 25, 25], b=[5] * 10, none=[10] * 10)
    assert_frame_equal(trends(pl.concat([usual, stray(*days)])), trends(usual))


def test_a_topic_seen_only_by_a_wrong_clock_has_no_events_in_the_compared_days() -> None:
    found = trends(pl.concat([make_occurrences(a=[5] * 10), stray(26_000, topic="b")]))
    assert found.select("topic_id", "recent_event_count", "growth", "is_emerging").rows() == [
        ("a", 10, 0, False),
        ("b", 0, None, False),
    ]


def test_a_stray_old_event_does_not_make_a_young_field_older() -> None:
    young = make_occurrences(a=[5, 5, 9], none=[1, 1, 1])
    for frame in (young, pl.concat([young, stray(-9, topic="a")]), pl.concat([young, stray(-9_000, topic="a")])):
        assert trends(frame)["growth"].to_list() == [None]


@pytest.mark.parametrize(
    ("per_day", "end"),
    [
        ([10] * 10, 9),
        ([*[10] * 10, 0, 0, 0, 1], 9),
        ([*[10] * 10, 0, 0, 0, 2], 13),  # more than one event, and more than 1 % of 100
        ([*[100] * 10, 0, 0, 0, 10], 9),
        ([*[100] * 10, 0, 0, 0, 11], 13),
        ([*[10_000] * 3, *[10] * 10, 0, 0, 0, 11], 16),  # the 1 % are of the compared days
        ([*[10] * 10, 0, 0, 1], 12),  # two days are too short for a silence
        ([*[100] * 10, 0, 0, 0, 1, 0, 0, 0, 0, 1], 9),
        ([1], 0),
    ],
)
def test_the_last_day_is_before_a_long_silence_that_few_events_follow(per_day: list[int], end: int) -> None:
    days = make_occurrences(none=per_day)["event_date"]
    assert last_day(days, 2) == FIRST + dt.timedelta(days=end)
    assert last_day(days.shuffle(seed=1), 2) == last_day(days, 2)


def test_events_after_the_last_day_change_no_trend() -> None:
    few = make_occurrences(a=[1, 1, 1, 1, 0, 1], b=[0, 0, 0, 0, 1, 1])
    last = last_day(few["event_date"], 2)
    later = few.with_columns(pl.lit(dt.date(2099, 1, 1)).alias("event_date"), pl.col("event_id") + " later")
    for kept in (few, few.head(0)):
        expected = topic_trends(kept, last, 2)
        found = topic_trends(pl.concat([kept, later.head(1)]), last, 2)
        assert_frame_equal(found.join(expected, on="topic_id", how="semi"), expected)
    assert topic_trends(later, last, 2)["growth"].to_list() == [None, None]


def test_the_first_day_is_after_a_few_events_and_a_long_silence() -> None:
    usual = make_occurrences(none=[20] * 10)
    for days in ((), (-9_000,), (-9_000, 26_000), (-4,)):
        found = pl.concat([usual, stray(*days)])["event_date"]
        assert first_day(found, 2) == FIRST
    assert first_day(pl.concat([usual, stray(-3)])["event_date"], 2) == FIRST - dt.timedelta(days=3)


def test_without_events_there_is_no_first_and_no_last_day() -> None:
    empty = pl.Series("event_date", [], pl.Date)
    assert (first_day(empty, 7), last_day(empty, 7)) == (None, None)


def test_a_topic_without_events_in_the_compared_days_has_no_growth() -> None:
    found = trends(make_occurrences(a=[5, *[0] * 19], b=[5] * 20))
    assert found.select("topic_id", "recent_event_count", "before_event_count", "growth", "q_value").rows()[0] == (
        "a", 0, 0, None, None,
    )  # fmt: skip


def test_text_fields_are_families_of_their_own() -> None:
    prompt = make_occurrences(a=[*[5] * 8, 25, 25], none=[60] * 10)
    feedback = prompt.with_columns(pl.lit("feedback").alias("field"), ("f" + pl.col("topic_id")).alias("topic_id"))
    both = trends(pl.concat([prompt, feedback]))
    assert_frame_equal(both.filter(pl.col("field") == "prompt"), trends(prompt))


def test_the_order_of_the_rows_does_not_matter() -> None:
    frame = make_occurrences(a=[3, 4, 5, 6, 9, 1], b=[1, 2, 3, 4, 5, 6], none=STEADY[:6])
    shuffled = frame.sample(fraction=1, shuffle=True, seed=1)
    assert_frame_equal(trends(shuffled), trends(frame), check_exact=True)


def test_no_events_give_an_empty_table() -> None:
    assert_frame_equal(topic_trends(pl.DataFrame(schema=OCCURRENCES_SCHEMA), None, 7), TOPIC_TRENDS.empty())
    assert_frame_equal(trends(make_occurrences(none=STEADY)), TOPIC_TRENDS.empty())


@pytest.mark.slow
def test_random_days_raise_hardly_any_alarms() -> None:
    rng, world = np.random.default_rng(11), World(users=300, day_spread=0.7)
    found = pl.concat([trends(simulate_occurrences(rng, world)[0], days=7) for _ in range(40)])
    assert found.filter("is_emerging").height / found.height < 0.005
    assert found.filter(pl.col("p_value") <= 0.05).height / found.height < 0.055


def test_a_topic_whose_share_triples_is_found() -> None:
    made, _ = simulate_occurrences(np.random.default_rng(2), World(), growing=PlantedEffect(topic=5, factor=4))
    assert trends(made, days=7).filter("is_emerging")["topic_id"].to_list() == ["prompt-5"]
