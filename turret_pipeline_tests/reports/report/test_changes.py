"""Changes: planted ones between weeks and with a run are found, and nothing is told of a handful of events."""

import datetime as dt

import polars as pl
import pytest

from turret_pipeline.reports.report.model import CHANGED
from turret_pipeline_tests.reports.report.frames import MONDAY, Row, answer, ask, findings, make_data

WEEKS = 8


def spread(count: int, topic: str, weeks: range, start: int = 0) -> list[Row]:
    """Exchanges about a topic, by a user each, spread evenly over the days of these weeks of the data."""
    days = [week * 7 + day for week in weeks for day in range(7)]
    return [
        {**row, "event_date": MONDAY + dt.timedelta(days=days[number * len(days) // count])}
        for number, row in enumerate(ask(count, topic, start))
    ]


def steady(*topics: str) -> list[Row]:
    """400 exchanges about each topic, evenly over all weeks."""
    return [row for topic in topics for row in spread(400, topic, range(WEEKS))]


def test_a_growing_topic_is_found_with_its_figures() -> None:
    rows = [*steady("y", "z"), *spread(20, "x", range(4)), *spread(120, "x", range(4, 8), 20)]

    (found,) = [one for one in findings(make_data(rows), CHANGED) if one.topic_id == "x"]

    assert (found.kind, found.count, found.total) == ("growing_month", 120, 520)
    assert (found.other_count, found.other_total) == (20, 420)
    assert "X grew: 120 of 520 prompts (23%) in 2026-02-02 to 2026-03-01" in found.sentence
    assert "after 20 of 420 prompts (5%) in 2026-01-05 to 2026-02-01 (q under 0.001)" in found.sentence


def test_a_new_topic_is_found() -> None:
    rows = [*steady("y", "z"), *spread(100, "x", range(4, 8))]

    assert ("new_month", "x") in [(one.kind, one.topic_id) for one in findings(make_data(rows), CHANGED)]


def test_nothing_is_new_on_a_handful_of_events() -> None:
    rows = [*spread(30, "y", range(WEEKS)), *spread(9, "x", range(7, 8))]

    assert "x" not in [one.topic_id for one in findings(make_data(rows), CHANGED)]


def test_a_topic_of_one_user_is_not_told() -> None:
    rows = [*steady("y", "z"), *({**row, "user_id": "one"} for row in spread(100, "x", range(4, 8)))]

    assert findings(make_data(rows), CHANGED) == []


def test_steady_topics_do_not_change() -> None:
    found = answer(make_data(steady("x", "y", "z")), CHANGED)

    assert (found.findings, found.compared_count) == ((), 6)
    assert found.nothing == (
        "No topic changed beyond chance (6 compared: shares of topics by week, shares of topics by month)."
    )
    assert found.notes[0].startswith("Compared: 2026-02-23 to 2026-03-01 with 2026-02-16 to 2026-02-22")


def test_one_week_cannot_be_compared() -> None:
    found = answer(make_data(spread(60, "x", range(1))), CHANGED)

    assert (found.findings, found.compared_count, found.notes) == ((), 0, ())
    assert found.nothing == "Nothing could be compared: two complete weeks of data are needed."


def test_weeks_without_a_topic_of_enough_events_are_not_said_to_be_compared() -> None:
    found = answer(make_data(spread(9, "x", range(WEEKS))), CHANGED)

    assert (found.compared_count, found.notes) == (0, ())
    assert found.nothing.startswith("Nothing could be compared: no topic has enough events and users in 2026-")


def test_a_change_of_less_than_a_quarter_is_not_denied() -> None:
    rows = [*spread(2000, "x", range(1)), *spread(2340, "x", range(1, 2), 2000)]
    rows += [*spread(18000, "y", range(1)), *spread(18000, "y", range(1, 2), 18000)]

    found = answer(make_data(rows), CHANGED)

    assert found.findings == ()
    assert found.nothing == (
        "No topic changed beyond chance by a quarter or more and on at least 10 events (2 compared: "
        "shares of topics by week)."
    )


@pytest.mark.parametrize(("min_users", "expected"), [(1, ["x"]), (20, ["x"]), (21, [])])
def test_a_change_that_would_show_few_users_of_a_period_is_not_told(min_users: int, expected: list[str]) -> None:
    rows = [*steady("y", "z"), *spread(20, "x", range(4)), *spread(120, "x", range(4, 8), 20)]

    found = [one.topic_id for one in findings(make_data(rows), CHANGED, min_users) if one.topic_id == "x"]

    assert found == expected


def add_file(rows: list[Row]) -> list[Row]:
    """The exchanges as those of a file that the last run added."""
    return [{**row, "content_sha256": "second"} for row in rows]


NEW_FILES = pl.DataFrame({"content_sha256": ["second"]})


def test_what_a_later_run_added_is_compared_with_what_was_there() -> None:
    rows = [*ask(100, "y"), *ask(30, "x"), *add_file([*ask(30, "y", 100), *ask(70, "x", 30), *ask(40, "new")])]
    data = make_data(rows, new_files=NEW_FILES, is_later_run=True)

    found = {one.topic_id: one for one in findings(data, CHANGED)}

    assert {topic: one.kind for topic, one in found.items()} == {
        "new": "new_run",
        "x": "growing_run",
        "y": "shrinking_run",
    }
    assert found["new"].sentence.startswith("NEW is new with this run: 40 of 140 prompts (29%) that it added, 0 of 130")


def test_a_finding_of_a_later_run_stands_beside_weeks_that_are_too_few() -> None:
    data = make_data([*ask(100, "y"), *add_file(ask(40, "new"))], new_files=NEW_FILES, is_later_run=True)

    found = answer(data, CHANGED)

    assert "new_run" in [one.kind for one in found.findings]
    assert found.notes == ("Weeks could not be compared: two complete weeks of data are needed.",)


def test_a_handful_of_events_of_a_later_run_is_not_told() -> None:
    rows = [*ask(500, "y"), *add_file([*ask(9, "x"), *ask(11, "y", 500)])]

    found = findings(make_data(rows, new_files=NEW_FILES, is_later_run=True), CHANGED)

    assert "x" not in [one.topic_id for one in found]


def test_topics_that_a_later_run_found_are_named_if_they_are_large_enough() -> None:
    born = pl.DataFrame({"topic_id": ["x", "small"]})
    data = make_data([*ask(12, "x"), *ask(9, "small"), *ask(50, "y")], born=born, is_later_run=True)

    assert answer(data, CHANGED).notes[-1] == "This run found 1 new topic: X (12 events)."
