"""Differences: planted ones between segments are found once, in one direction, and only where users are enough."""

import polars as pl
import pytest

from turret_pipeline.journeys.visits import NAME
from turret_pipeline.reports.report.data import NUMBER
from turret_pipeline.reports.report.model import DIFFERS
from turret_pipeline_tests.reports.report.frames import Row, ask, findings, make_data, with_segment


def plant_topic() -> list[Row]:
    """The plan free asks about x in 40 of 100 prompts, two other plans in 5 of 100 each."""
    rows: list[Row] = []
    for plan, count in (("free", 40), ("team", 5), ("business", 5)):
        start = len(rows)
        rows += with_segment([*ask(count, "x", start), *ask(100 - count, "y", start)], plan=plan)
    return rows


def test_a_planted_topic_of_a_segment_is_told_once_per_topic() -> None:
    found = {one.topic_id: one for one in findings(make_data(plant_topic()), DIFFERS)}

    assert found["x"].sentence.startswith(
        "With plan = free: 40 of 100 prompts (40%) are about X, elsewhere 10 of 200 (5%) (q under 0.001, 2026-01-05"
    )
    assert len(findings(make_data(plant_topic()), DIFFERS)) == len(found)


def test_a_segment_whose_exchanges_fail_more_often_is_found() -> None:
    rows = [
        *with_segment([*ask(40, "x", is_error=True), *ask(60, "x", 40, is_error=False)], browser="old"),
        *with_segment([*ask(2, "x", 100, is_error=True), *ask(98, "x", 102, is_error=False)], browser="new"),
    ]

    (found,) = findings(make_data(rows), DIFFERS)

    assert (found.kind, found.field, found.count, found.other_count) == ("error", "browser", 40, 2)
    assert found.sentence.startswith("With browser = old: 40 of 100 exchanges (40%) fail with an error, elsewhere 2 of")


def test_a_slow_model_is_found() -> None:
    rows = [
        *ask(20, "x", model="slow", latency_seconds=9.0),
        *ask(60, "x", 20, model="quick", latency_seconds=1.0),
        *ask(60, "x", 80, model="other", latency_seconds=1.5),
    ]

    (found,) = findings(make_data(rows), DIFFERS)

    assert (found.kind, found.sentence.split(":")[0]) == ("slow", "With model = slow")


def test_all_segments_that_fail_more_often_are_found() -> None:
    rows = [
        *with_segment(ask(30, "x", latency_seconds=9.0), plan="p2"),
        *with_segment(ask(30, "x", 30, latency_seconds=9.0), plan="p3"),
        *with_segment(ask(900, "x", 60, latency_seconds=1.0), plan="p4"),
    ]

    for some in (rows, rows[::-1]):
        assert [one.sentence.split(":")[0] for one in findings(make_data(some), DIFFERS)] == [
            "With plan = p2",
            "With plan = p3",
        ]


def test_many_findings_of_one_kind_hide_none_of_another() -> None:
    rows: list[Row] = []
    for number in range(20):
        rows += with_segment(ask(40, f"t{number}", latency_seconds=1.0), area=f"a{number % 2}")
    for speed, seconds in (("low", 9.0), ("high", 1.0)):
        rows += with_segment(ask(60, "t0", len(rows), latency_seconds=seconds), speed=speed)

    for some in (rows, rows[::-1]):
        found = findings(make_data(some), DIFFERS)
        sizes = [abs(one.share - (one.other_share or 0)) for one in found]

        assert [one.kind for one in found] == ["slow", *["topic"] * 20]
        assert sizes[1:] == sorted(sizes[1:], reverse=True)
        ties = [one.sentence for one in found if one.count == 40]
        assert ties == sorted(ties)


def test_halves_of_a_number_are_segments_for_failures_only() -> None:
    rows = [*ask(30, "x", latency_seconds=9.0), *ask(70, "y", latency_seconds=1.0)]
    rows = [
        *with_segment(rows, chars="over 80"),
        *with_segment(ask(100, "y", 70, latency_seconds=1.0), chars="up to 80"),
    ]
    data = make_data(rows)
    numbers = data.segments.with_columns(side=pl.lit(NUMBER, NAME))

    (found,) = findings(make_data(rows, segments=numbers), DIFFERS)

    assert found.sentence.startswith("With chars over 80: 30 of 100 answers (30%) take 9 s or more")


def test_values_that_only_the_answer_has_are_not_compared_by_topic() -> None:
    data = make_data(plant_topic())
    of_answers = data.segments.with_columns(side=pl.lit("answer", NAME))

    assert findings(make_data(plant_topic(), segments=of_answers), DIFFERS) == []


def test_segments_without_a_difference_are_not_told() -> None:
    rows = [
        row
        for plan in ("free", "team")
        for row in with_segment([*ask(50, f"x-{plan}"), *ask(50, f"y-{plan}")], plan=plan)
    ]
    same = [{**row, "topic_id": str(row["topic_id"])[0], "subject_topic_id": str(row["topic_id"])[0]} for row in rows]

    assert findings(make_data(same), DIFFERS) == []


def test_a_segment_of_one_user_is_not_told() -> None:
    rows = [
        *with_segment(ask(50, "x", per_user=50), plan="free"),
        *with_segment(ask(100, "y"), plan="team"),
        *with_segment(ask(10, "x", 50), plan="team"),
    ]

    assert findings(make_data(rows), DIFFERS) == []


@pytest.mark.parametrize(("min_users", "is_told"), [(5, True), (10, True), (11, False), (41, False)])
def test_neither_a_group_nor_its_complement_shows_fewer_users_than_the_threshold(
    min_users: int, *, is_told: bool
) -> None:
    rows = [
        *with_segment([*ask(40, "x"), *ask(60, "y")], plan="free"),
        *with_segment([*ask(10, "x", 40), *ask(190, "y", 60)], plan="team"),
    ]

    found = findings(make_data(rows), DIFFERS, min_users)

    assert bool(found) == is_told, "elsewhere are 10 users of x"
