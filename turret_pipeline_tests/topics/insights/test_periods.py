"""Periods of complete weeks, and changes of topics between two periods."""

import datetime as dt

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from turret_pipeline.stats.families import select_families
from turret_pipeline.topics.insights.periods import (
    CHANGES_SCHEMA,
    WEEKDAYS,
    Period,
    PeriodPair,
    choose_periods,
    classify_changes,
    compare_periods,
    complete_weeks,
    week_start_date,
    week_start_of,
)
from turret_pipeline_tests.benchmarks import changes as benchmark
from turret_pipeline_tests.benchmarks.simulated import simulate_occurrences

DAY = dt.date.fromisoformat
MONDAY = DAY("2026-09-07")
BEFORE, RECENT = Period(MONDAY, DAY("2026-09-13")), Period(DAY("2026-09-14"), DAY("2026-09-20"))


def weeks(first: str, last: str, **options: str) -> list[str]:
    return [str(week) for week in complete_weeks(DAY(first), DAY(last), **options)]  # type: ignore[arg-type]


def make_rows(**counts: tuple[int, int]) -> pl.DataFrame:
    """Events of each topic in the week before and the recent week, spread over its days, one user per event."""
    rows = [
        (None if topic == "none" else topic, period.first + dt.timedelta(days=at % 7))
        for topic, numbers in counts.items()
        for period, count in zip((BEFORE, RECENT), numbers, strict=True)
        for at in range(count)
    ]
    frame = pl.DataFrame(rows, {"topic_id": pl.String(), "event_date": pl.Date()}, orient="row")
    return frame.with_columns(pl.int_range(pl.len()).alias("cluster_id"))


def compare(rows: pl.DataFrame) -> pl.DataFrame:
    return compare_periods(rows, RECENT, BEFORE)


def kinds(rows: pl.DataFrame) -> dict[str, str | None]:
    changes = compare(rows)
    classified = classify_changes(changes, select_families([changes["p_value"].to_numpy()])[0])
    return dict(classified.select("topic_id", "change_kind").iter_rows())


def test_a_period_counts_both_ends_and_reads_as_its_days() -> None:
    week = Period(DAY("2026-09-21"), DAY("2026-09-27"))
    assert (week.days, str(week)) == (7, "2026-09-21 to 2026-09-27")


def test_a_week_starts_on_the_given_weekday() -> None:
    assert week_start_of(MONDAY) == MONDAY
    assert week_start_of(DAY("2026-09-13")) == MONDAY
    assert week_start_of(DAY("2026-09-13"), "sunday") == DAY("2026-09-13")
    assert week_start_of(DAY("2026-09-12"), "sunday") == DAY("2026-09-06")


@pytest.mark.parametrize("week_start", WEEKDAYS)
def test_the_expression_gives_the_same_weeks_also_before_1970(week_start: str) -> None:
    days = [DAY(first) + dt.timedelta(days=at) for first in ("1969-12-20", "2026-08-30") for at in range(20)]
    frame = pl.DataFrame({"day": [*days, None]})
    found = frame.select(week_start_date(pl.col("day"), week_start))  # type: ignore[arg-type]
    assert found.to_series().to_list() == [*(week_start_of(day, week_start) for day in days), None]  # type: ignore[arg-type]
    assert found.schema == {"day": pl.Date()}


def test_weeks_without_their_first_or_last_days_are_not_complete() -> None:
    assert weeks("2026-08-01", "2026-08-16") == ["2026-08-03 to 2026-08-09", "2026-08-10 to 2026-08-16"]
    assert weeks("2026-08-03", "2026-08-15") == ["2026-08-03 to 2026-08-09"]
    assert weeks("2026-08-04", "2026-08-16") == ["2026-08-10 to 2026-08-16"]
    assert weeks("2026-08-04", "2026-08-15") == []
    assert weeks("2026-08-04", "2026-08-04") == []
    assert weeks("2026-08-04", "2026-08-15", week_start="sunday") == ["2026-08-09 to 2026-08-15"]


def test_the_month_is_the_last_four_complete_weeks_against_the_four_before() -> None:
    assert choose_periods(complete_weeks(DAY("2026-08-01"), DAY("2026-09-29"))) == {
        "week": PeriodPair(Period(DAY("2026-09-21"), DAY("2026-09-27")), Period(DAY("2026-09-14"), DAY("2026-09-20"))),
        "month": PeriodPair(Period(DAY("2026-08-31"), DAY("2026-09-27")), Period(DAY("2026-08-03"), DAY("2026-08-30"))),
    }


@pytest.mark.parametrize(
    ("count", "week_days", "month_days"),
    [
        (0, None, None),
        (1, None, None),
        (2, 7, None),
        (3, 7, None),
        (4, 7, 14),
        (5, 7, 14),
        (7, 7, 21),
        (8, 7, 28),
        (30, 7, 28),
    ],
)
def test_few_weeks_give_shorter_periods_or_none(count: int, week_days: int | None, month_days: int | None) -> None:
    found = choose_periods(complete_weeks(MONDAY, MONDAY + dt.timedelta(days=7 * count - 1)))
    for pair, days in zip(found.values(), (week_days, month_days), strict=True):
        assert (pair and pair.recent.days) == days
        if pair:
            assert pair.before.days == pair.recent.days
            assert pair.before.last + dt.timedelta(days=1) == pair.recent.first


def test_shares_are_of_all_events_of_the_period_also_unassigned_ones() -> None:
    rows = make_rows(a=(10, 30), b=(20, 0), none=(20, 70))
    found = compare(rows)
    assert found.schema == CHANGES_SCHEMA
    assert found.drop("difference_low", "difference_high", "p_value").rows(named=True) == [
        {
            "topic_id": "a", "recent_event_count": 30, "before_event_count": 10, "recent_total": 100,
            "before_total": 50, "recent_user_count": 30, "before_user_count": 10, "recent_share": 0.3,
            "before_share": 0.2, "ratio": pytest.approx(1.5), "difference": pytest.approx(0.1),
        },
        {
            "topic_id": "b", "recent_event_count": 0, "before_event_count": 20, "recent_total": 100,
            "before_total": 50, "recent_user_count": 0, "before_user_count": 20, "recent_share": 0,
            "before_share": 0.4, "ratio": 0, "difference": pytest.approx(-0.4),
        },
    ]  # fmt: skip
    assert (found["difference_low"] <= found["difference"]).all()
    assert (found["difference"] <= found["difference_high"]).all()
    assert found["p_value"][0] > 0.05 > found["p_value"][1]


def test_users_are_counted_once_in_each_period() -> None:
    of_few = make_rows(a=(12, 12), none=(50, 50)).with_columns(pl.col("cluster_id") % 6)
    assert compare(of_few).select("recent_user_count", "before_user_count").rows() == [(6, 6)]


def test_events_outside_of_both_periods_do_not_count() -> None:
    rows = make_rows(a=(10, 30), none=(40, 40))
    later, earlier = (
        rows.with_columns(pl.col("event_date") + pl.duration(days=days), pl.lit("other").alias("topic_id"))
        for days in (14, -14)
    )
    assert_frame_equal(compare(pl.concat([later, rows, earlier])), compare(rows))


def test_a_topic_with_few_events_or_users_is_not_tested() -> None:
    few_events = compare(make_rows(a=(0, 9), b=(3, 7), none=(40, 40)))
    assert few_events["p_value"].is_null().to_list() == [True, False]
    few_users = make_rows(a=(20, 20), none=(40, 40)).with_columns(
        pl.when(pl.col("topic_id") == "a")
        .then(pl.col("cluster_id") % 4 - 9)
        .otherwise("cluster_id")
        .alias("cluster_id")
    )
    assert compare(few_users)["p_value"].is_null().to_list() == [True]


@pytest.mark.parametrize("counts", [(50, 0), (0, 50)])
def test_a_period_without_events_compares_nothing(counts: tuple[int, int]) -> None:
    found = compare(make_rows(a=counts, none=(2, 0) if counts[0] else (0, 2)))
    assert found.schema == CHANGES_SCHEMA
    assert found["topic_id"].to_list() == ["a"]
    assert found.select("recent_share", "ratio", "difference", "difference_low", "p_value").row(0) == (None,) * 5


def test_no_events_and_no_topics_give_an_empty_table() -> None:
    assert_frame_equal(compare(make_rows()), CHANGES_SCHEMA.to_frame())
    assert_frame_equal(compare(make_rows(none=(5, 5))), CHANGES_SCHEMA.to_frame())
    assert classify_changes(CHANGES_SCHEMA.to_frame(), np.empty(0)).is_empty()


def test_the_order_of_the_rows_does_not_matter() -> None:
    rows = make_rows(a=(10, 30), b=(20, 5), none=(40, 40)).with_columns(pl.col("cluster_id") % 30)
    assert_frame_equal(compare(rows.sample(fraction=1, shuffle=True, seed=3)), compare(rows), check_exact=True)


def test_the_periods_are_treated_alike() -> None:
    rows = make_rows(a=(10, 30), b=(40, 12), none=(40, 40))
    forward, backward = compare(rows), compare_periods(rows, BEFORE, RECENT)
    np.testing.assert_allclose(forward["p_value"], backward["p_value"])
    np.testing.assert_allclose(forward["difference"], -backward["difference"])
    np.testing.assert_allclose(forward["difference_low"], -backward["difference_high"])


def test_clear_changes_are_new_gone_growing_or_shrinking() -> None:
    rows = make_rows(
        new=(0, 40), gone=(40, 0), growing=(40, 120), shrinking=(120, 40), steady=(100, 100), none=(700, 700)
    )
    assert kinds(rows) == {
        "gone": "gone", "growing": "growing", "new": "new", "shrinking": "shrinking", "steady": None,
    }  # fmt: skip


def test_a_handful_of_events_and_many_events_of_few_users_are_no_change() -> None:
    assert kinds(make_rows(a=(0, 9), b=(3, 9), none=(700, 700))) == {"a": None, "b": None}
    of_few = make_rows(a=(8, 60), none=(700, 700)).with_columns(
        pl.when((pl.col("topic_id") == "a") & (pl.col("event_date") >= RECENT.first))
        .then(-1 - pl.col("cluster_id") % 4)
        .otherwise("cluster_id")
        .alias("cluster_id")
    )
    assert kinds(of_few) == {"a": None}


def test_a_small_change_of_very_many_events_is_no_change_however_certain() -> None:
    rows = make_rows(a=(10_000, 11_500), b=(10_000, 14_000), none=(40_000, 34_500))
    assert compare(rows)["p_value"][0] < 1e-4
    assert kinds(rows) == {"a": None, "b": "growing"}


def test_a_change_is_only_a_claim_by_its_adjusted_value() -> None:
    changes = compare(make_rows(a=(10, 40), none=(200, 200)))
    for adjusted, kind in ((0.05, "growing"), (0.051, None), (np.nan, None)):
        classified = classify_changes(changes, np.array([adjusted]))
        assert classified["change_kind"].to_list() == [kind]
    assert classified["adjusted_p_value"].to_list() == [None]


def test_changes_of_one_user_or_one_day_are_less_certain_than_those_of_many() -> None:
    many = make_rows(a=(10, 40), none=(200, 200))
    of_pairs = many.with_columns(
        pl.when(pl.col("topic_id") == "a").then(pl.col("cluster_id") // 8).otherwise("cluster_id").alias("cluster_id")
    )
    on_one_day = many.with_columns(
        pl.when((pl.col("topic_id") == "a") & (pl.col("event_date") >= RECENT.first))
        .then(pl.lit(RECENT.first))
        .otherwise("event_date")
        .alias("event_date")
    )
    for dependent in (of_pairs, on_one_day):
        assert compare(dependent)["p_value"][0] > 3 * compare(many)["p_value"][0]


@pytest.mark.parametrize("name", ["as usual: 60 topics, 800 users, 10,000 events", "80 users, 20 topics, 1,000 events"])
def test_without_changes_at_most_one_in_twenty_runs_has_a_claim(name: str) -> None:
    rng, world = np.random.default_rng(1), benchmark.WORLDS[name]
    alarms = [benchmark.has_claim(benchmark.compare(benchmark.draw_world(rng, world))) for _ in range(40)]
    assert np.mean(alarms) <= 0.05


def test_days_that_are_permuted_between_sessions_leave_no_change() -> None:
    rng, runs = np.random.default_rng(2), 20
    effect = benchmark.planted_effect(1_000, 10_000, 4)
    rows, _ = simulate_occurrences(rng, benchmark.USUAL, growing=effect)
    assert f"prompt-{effect.topic}" in benchmark.find_growing(benchmark.compare(rows))
    permuted = [benchmark.compare(benchmark.permute_days(rng, rows)) for _ in range(runs)]
    assert sum(benchmark.has_claim(tables) for tables in permuted) <= 1


def test_p_values_of_small_topics_are_not_below_what_chance_gives() -> None:
    rng, found = np.random.default_rng(3), []
    for _ in range(40):
        changes = benchmark.compare(benchmark.draw_world(rng, benchmark.WORLDS["unknown users"]))
        found += [benchmark.small_p_values(table) for table in changes.values()]
    p_values = pl.concat(found)
    assert len(p_values) > 500
    assert [(p_values <= level).mean() <= level for level in (0.05, 0.01)] == [True, True]  # type: ignore[operator]
