"""Moves and outcomes: those of the journey tables that differ are told, with their denominators."""

import polars as pl

from turret_pipeline.reports.report.model import DIFFERS
from turret_pipeline.tables import JOURNEY_SEGMENTS, TOPIC_OUTCOMES
from turret_pipeline_tests.reports.report.frames import answer, ask, findings, make_data

Row = dict[str, object]


def move(
    source: str, target: str, plan: str, count: int, share: float, other: float, q_value: float, others: int = 100
) -> Row:
    """A row of journey_segments, with 50 cases of a plan without the move, and ``others`` cases of other plans."""
    return {
        "dimension": "prompt",
        "from_node_id": source,
        "to_node_id": target,
        "segment_field": "plan",
        "segment_value": plan,
        "transition_count": count,
        "leaving_count": round(count / share) if count else 50,
        "other_leaving_count": others,
        "probability_in_segment": share,
        "probability_elsewhere": other,
        "difference": share - other,
        "difference_low": share - other - 0.1,
        "difference_high": share - other + 0.1,
        "q_value": q_value,
    }


def moves(*rows: Row) -> pl.DataFrame:
    """The table journey_segments."""
    return pl.DataFrame(rows, schema=JOURNEY_SEGMENTS.schema)


TWO_PLANS = (
    move("x", "y", "free", 40, 0.4, 0.1, 0.001),
    move("x", "y", "team", 20, 0.1, 0.4, 0.001),
    move("x", "(end)", "free", 60, 0.6, 0.9, 0.9),
    move("x", "(end)", "team", 180, 0.9, 0.6, 0.9),
)


def test_a_move_of_a_segment_is_told_once() -> None:
    (found,) = findings(make_data([*ask(20, "x"), *ask(20, "y")], journey_segments=moves(*TWO_PLANS)), DIFFERS)

    assert (found.kind, found.count, found.total) == ("move", 40, 100)
    assert found.sentence.startswith(
        "With plan = free: Y comes directly after X in 40 of 100 cases (40%), elsewhere in 10 of 100 (10%) (q 0.0"
    )
    assert (found.other_count, found.other_total, found.other_share) == (10, 100, 0.1)


def test_a_move_that_a_segment_never_makes_has_the_cases_in_which_it_could() -> None:
    rows = (
        move("x", "y", "free", 0, 0.0, 0.6, 0.001),
        move("x", "(end)", "free", 50, 1.0, 0.4, 0.2),
        move("x", "y", "team", 60, 0.6, 0.0, 0.001),
        move("x", "(end)", "team", 40, 0.4, 1.0, 0.2),
    )
    (found,) = findings(make_data([*ask(20, "x"), *ask(20, "y")], journey_segments=moves(*rows)), DIFFERS)

    assert (found.count, found.total) in {(0, 50), (60, 100)}


def test_rare_moves_are_not_compared_and_do_not_hide_others() -> None:
    rare = [move("x", f"rare-{number}", "free", 1, 0.01, 0.08, 1.0) for number in range(500)]
    data = make_data(ask(20, "x"), journey_segments=moves(*TWO_PLANS, *rare))

    assert answer(data, DIFFERS).compared_count == len(TWO_PLANS)


def test_a_move_of_a_handful_is_not_told() -> None:
    rows = (move("x", "y", "free", 9, 0.9, 0.01, 1e-9), move("x", "y", "team", 1, 0.01, 0.9, 1e-9, 10))

    assert findings(make_data(ask(20, "x"), journey_segments=moves(*rows)), DIFFERS) == []


def outcomes(*names: str) -> pl.DataFrame:
    """The table topic_outcomes of topic x."""
    rows = [
        {
            "field": "prompt",
            "topic_id": "x",
            "outcome_event_name": name,
            "session_count": 40,
            "outcome_session_count": 30,
            "outcome_share": 0.75,
            "baseline_share": 0.2,
            "difference": 0.55,
            "difference_low": 0.4,
            "difference_high": 0.7,
            "q_value": 0.001,
        }
        for name in names
    ]
    return pl.DataFrame(rows, schema=TOPIC_OUTCOMES.schema)


def test_outcomes_of_prompts_and_answers_are_left_to_failures() -> None:
    data = make_data(ask(40, "x"), topic_outcomes=outcomes("ask", "reply", "export"))

    (found,) = findings(data, DIFFERS)

    assert found.sentence.startswith("export follows X in 30 of 40 sessions (75%), other topics in 20% (q 0.001,")


def test_an_outcome_of_exchanges_that_went_wrong_is_told_in_words() -> None:
    (found,) = findings(make_data(ask(40, "x"), topic_outcomes=outcomes("(struggle)")), DIFFERS)
    assert found.sentence.startswith("An exchange that seems to go wrong follows X in 30 of 40 sessions (75%), other")
