"""Failures: a planted one of each measure is found, with its figures, and nothing else is."""

from typing import Any

import polars as pl
import pytest

from turret_pipeline.reports.report.model import FAILS
from turret_pipeline_tests.reports.report.frames import answer, ask, findings, make_data, make_topics

GOOD_AND_BAD: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "ends": ({"ending": "continued"}, {"ending": "ended"}),
    "slow": ({"latency_seconds": 1.0}, {"latency_seconds": 9.0}),
    "expensive": ({"cost_usd": 0.01}, {"cost_usd": 2.0}),
    "badly_rated": ({"rating": 5.0}, {"rating": 1.0}),
    "error": ({"is_error": False}, {"is_error": True}),
    "unanswered": ({"is_unanswered": False}, {"is_unanswered": True}),
    "declined": ({"is_declined": False}, {"is_declined": True}),
    "corrected": ({"is_corrected": False}, {"is_corrected": True}),
    "unresolved": ({"is_resolved": True}, {"is_resolved": False}),
    "struggle": ({"is_struggle": False}, {"is_struggle": True}),
}

EVIDENCE = {
    "ends": {"ending": "ended"},
    "slow": {"at_least": "latency_seconds:9.0"},
    "expensive": {"at_least": "cost_usd:2.0"},
    "badly_rated": {"at_most": "rating:2.6"},
    "error": {"error": "1"},
    "unanswered": {"signal": "unanswered", "error": "0"},
    "declined": {"signal": "declined"},
    "corrected": {"signal": "corrected"},
    "unresolved": {"resolved": "0"},
    "struggle": {"signal": "struggle"},
}
"""Filters of exchanges that select what a finding counts."""


def plant(good: dict[str, Any], bad: dict[str, Any]) -> list[Any]:
    """Topic x fails in 25 of 30 prompts, topics y and z in 5 of 100 each."""
    rows = [*ask(25, "x", **bad), *ask(5, "x", 25, **good)]
    for topic in ("y", "z"):
        rows += [*ask(5, topic, **bad), *ask(95, topic, 5, **good)]
    return rows


@pytest.mark.parametrize("key", GOOD_AND_BAD)
def test_a_planted_failure_is_found_with_its_figures(key: str) -> None:
    good, bad = GOOD_AND_BAD[key]
    found = findings(make_data(plant(good, bad)), FAILS)

    assert [(one.kind, one.topic_id) for one in found if one.kind == key] == [(key, "x")]
    one = next(one for one in found if one.kind == key)
    assert (one.count, one.total, one.other_count, one.other_total) == (25, 30, 10, 200)
    assert (one.q_value or 1) <= 0.05
    assert (one.low or 0) > 0
    assert one.evidence == {"topic": "x", **EVIDENCE[key]}
    for part in ("X: 25 of 30", "(83%)", "5%", "q under 0.001", "2026-01-05 to 2026-01-05"):
        assert part in one.sentence


def test_a_sentence_about_struggle_names_its_most_common_signals() -> None:
    rows = plant({"is_struggle": False}, {"is_struggle": True, "is_badly_rated": True})
    rows[:4] = [{**row, "is_badly_rated": False, "is_corrected": True} for row in rows[:4]]

    (found,) = [one for one in findings(make_data(rows), FAILS) if one.kind == "struggle"]

    assert (
        "X: 25 of 30 exchanges (83%) show signs of struggle (21 badly rated, 4 corrected), at other" in found.sentence
    )


def test_output_tokens_stand_for_costs_that_are_unknown() -> None:
    (found,) = findings(make_data(plant({"output_tokens": 10.0}, {"output_tokens": 900.0})), FAILS)

    assert found.kind == "expensive"
    assert "900 output tokens or more" in found.sentence


def test_costs_that_are_all_0_are_unknown() -> None:
    rows = plant({"output_tokens": 10.0, "cost_usd": 0.0}, {"output_tokens": 900.0, "cost_usd": 0.0})

    (found,) = findings(make_data(rows), FAILS)

    assert "900 output tokens or more" in found.sentence


def test_costs_of_which_most_are_0_are_known() -> None:
    rows = plant({"output_tokens": 900.0, "cost_usd": 0.0}, {"output_tokens": 10.0, "cost_usd": 0.25})

    (found,) = findings(make_data(rows), FAILS)

    assert "cost $0.25 or more" in found.sentence


def test_seconds_to_the_answer_stand_for_latencies_that_are_unknown() -> None:
    (found,) = findings(make_data(plant({"seconds_to_answer": 1.0}, {"seconds_to_answer": 90.0})), FAILS)

    assert found.kind == "slow"


@pytest.mark.parametrize(
    ("slow", "slower", "limit"),
    [(90.0, 130.0, "90"), (5400.0, 5500.0, "5,400"), (0.03, 0.04, "0.03"), (3.08, 3.1, "3.08")],
)
def test_the_limit_of_a_sentence_is_the_one_that_was_compared(slow: float, slower: float, limit: str) -> None:
    rows = [*ask(60, "x", latency_seconds=slow), *ask(6, "x", 60, latency_seconds=slower)]

    (found,) = findings(make_data([*rows, *ask(600, "y", latency_seconds=0.01)]), FAILS)

    assert found.sentence.startswith(f"X: 66 of 66 answers (100%) take {limit} s or more, as 10% of all do")


def test_values_that_are_no_numbers_are_not_compared() -> None:
    rows = [*ask(60, "x", latency_seconds=9.0), *ask(600, "y", latency_seconds=1.0)]
    unknown = [*ask(9, "y", 600, latency_seconds=float("nan")), *ask(9, "y", 609, latency_seconds=float("inf"))]

    (found,) = findings(make_data([*rows, *unknown]), FAILS)

    assert (found.count, found.other_total) == (60, 600)


@pytest.mark.parametrize(
    ("slow_share", "expected"), [(0.05, "as 5% of all do"), (0.4, "as 40% of all do"), (0.9, None), (1.0, None)]
)
def test_slow_is_what_a_minority_is(slow_share: float, expected: str | None) -> None:
    slow = round(200 * slow_share)
    rows = [*ask(slow, "x", latency_seconds=2.0), *ask(200 - slow, "y", latency_seconds=1.0)]

    found = [one.sentence for one in findings(make_data(rows), FAILS)]

    assert len(found) == (expected is not None)
    assert all(str(expected) in one for one in found)


def test_sources_that_never_deny_errors_have_none_where_they_are_silent() -> None:
    rows = [*ask(20, "x", is_error=True), *ask(20, "x", 20), *ask(100, "y")]

    (found,) = findings(make_data(rows), FAILS)

    assert (found.count, found.total, found.other_total) == (20, 40, 100)


@pytest.mark.parametrize(
    ("bad", "good", "words"),
    [
        (0.0, 1.0, "0.4 or less on the scale from 0 to 1"),
        (-1.0, 1.0, "-0.2 or less on the scale from -1 to 1"),
        (2.0, 5.0, "2.6 or less on the scale from 1 to 5"),
        (0.0, 5.0, "2 or less on the scale from 0 to 5"),
        (4.0, 9.0, "4 or less on the scale from 0 to 10"),
        (-5.0, 9.0, "-2 or less on the scale from -10 to 10"),
        (40.0, 90.0, "40 or less on the scale from 0 to 100"),
        (-50.0, 90.0, "-20 or less on the scale from -100 to 100"),
    ],
)
def test_a_rating_is_bad_in_the_lowest_two_fifths_of_the_smallest_scale(bad: float, good: float, words: str) -> None:
    (found,) = findings(make_data(plant({"rating": good}, {"rating": bad})), FAILS)

    assert found.sentence.startswith(f"X: 25 of 30 ratings (83%) are {words}, at other topics 5%")


@pytest.mark.parametrize(
    ("worse", "better"),
    [(4.0, 5.0), (3.0, 5.0), (0.0, 0.0), (0.5, 1.0), (-1e9, 5.0), (1.0, 101.0)],
)
def test_ratings_that_are_good_or_on_no_usual_scale_are_not_bad(worse: float, better: float) -> None:
    assert findings(make_data(plant({"rating": better}, {"rating": worse})), FAILS) == []


def test_better_than_elsewhere_is_no_failure() -> None:
    rows = [*ask(60, "x", rating=5.0), *ask(30, "y", rating=1.0), *ask(30, "y", 30, rating=5.0)]

    assert [one.topic_id for one in findings(make_data(rows), FAILS)] == ["y"]


def test_a_handful_of_failures_is_not_told() -> None:
    rows = [*ask(9, "x", is_error=True), *ask(1, "x", 9, is_error=False), *ask(1000, "y", is_error=False)]

    assert findings(make_data(rows), FAILS) == []


def test_failures_of_one_user_are_not_told() -> None:
    rows = [
        *ask(40, "x", per_user=40, is_error=True),
        *ask(20, "x", 40, is_error=False),
        *ask(500, "y", is_error=False),
    ]

    assert findings(make_data(rows), FAILS) == []


def test_a_session_that_may_go_on_has_neither_ended_nor_gone_unanswered() -> None:
    rows = [
        *ask(30, "x", ending="open", answer_count=0),
        *ask(30, "x", 30, ending="continued"),
        *ask(100, "y", ending="continued"),
        *ask(10, "y", 100, ending="ended"),
    ]

    assert findings(make_data(rows), FAILS) == []


def test_a_topic_of_follow_ups_does_not_fail() -> None:
    data = make_data(plant(*GOOD_AND_BAD["ends"]))
    follow_ups = make_topics("x", role="continuation")

    found = make_data([], topics=pl.concat([follow_ups, make_topics("y", "z")]))
    rows = make_data(plant(*GOOD_AND_BAD["ends"]), topics=found.topics)

    assert [one.topic_id for one in findings(data, FAILS)] == ["x"]
    assert findings(rows, FAILS) == []


def test_one_topic_cannot_be_compared() -> None:
    found = answer(make_data(ask(50, "x", is_error=True)), FAILS)

    assert (found.findings, found.compared_count) == ((), 0)
    assert found.nothing == "Nothing could be compared: the prompts have only one topic to show."


def test_only_what_was_compared_is_named() -> None:
    found = answer(make_data([*ask(30, "x"), *ask(30, "y")]), FAILS)

    assert found.nothing == ("No topic fails beyond chance more often than the others (2 compared: ends of sessions).")


def test_failures_that_are_a_little_more_frequent_are_not_denied() -> None:
    rows = [*ask(1100, "x", is_error=True), *ask(900, "x", 1100, is_error=False)]
    rows += [*ask(1000, "y", is_error=True), *ask(1000, "y", 1000, is_error=False)]
    rows = [{**row, "ending": "continued"} for row in rows]

    found = answer(make_data([*rows, *ask(100, "z", ending="ended")]), FAILS)

    told = "Nothing beyond chance by a quarter or more and on at least 10 events among shares of errors (2)."
    assert {one.kind for one in found.findings} == {"ends"}
    assert told in found.notes


def test_users_that_are_unknown_count_as_one_per_session() -> None:
    rows = [{**row, "user_id": None} for row in plant(*GOOD_AND_BAD["error"])]

    assert [one.topic_id for one in findings(make_data(rows), FAILS)] == ["x"]
    assert findings(make_data(rows), FAILS, min_users=5) == []


def test_no_group_of_fewer_users_than_the_privacy_threshold_is_told() -> None:
    data = make_data(plant(*GOOD_AND_BAD["error"]))

    assert [one.topic_id for one in findings(data, FAILS, min_users=5)] == ["x"]
    assert findings(data, FAILS, min_users=6) == [], "5 users without an error follow from 30 and 25"
    assert findings(data, FAILS, min_users=26) == []


def test_comparisons_that_found_nothing_are_named_beside_findings() -> None:
    rows = [{**row, "latency_seconds": 1.0 + number % 7} for number, row in enumerate(plant(*GOOD_AND_BAD["error"]))]

    found = answer(make_data(rows), FAILS)

    assert [one.kind for one in found.findings] == ["error"]
    assert any("shares of slow answers (3)" in note for note in found.notes)
