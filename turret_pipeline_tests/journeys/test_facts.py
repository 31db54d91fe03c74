"""Facts about journeys as sentences."""

from collections.abc import Sequence
from typing import Any

import polars as pl
import pytest

from turret_pipeline.journeys.facts import FACT_TABLES, describe_coverage, duration, journey_facts, percent
from turret_pipeline.tables import LAKE_TABLES

Rows = Sequence[dict[str, Any]]


def facts(dimension: str = "prompt", follow_ups: Sequence[str] = (), **tables: Rows) -> list[str]:
    """Facts of tables that have only the columns that are read."""
    starts = [edge("(start)", row["node_id"], row["start_count"] or 0) for row in tables.get("journey_nodes", ())]
    tables["journey_edges"] = [*starts, *tables.get("journey_edges", ())]
    found = {name: table(name, tables.get(name, ()), dimension) for name in FACT_TABLES}
    return journey_facts(found, dimension, follow_ups=follow_ups)


def table(name: str, rows: Rows, dimension: str) -> pl.DataFrame:
    key = "field" if name == "topic_outcomes" else "dimension"
    return pl.DataFrame([{key: dimension, **row} for row in rows], LAKE_TABLES[name].schema)


def node(
    name: str, visits: int, starts: int, ends: int, sessions: int = 100, elsewhere: float = 0.5, q_value: float = 1.0
) -> dict[str, Any]:
    return {
        "node_id": name,
        "node_label": name.upper(),
        "session_count": visits,
        "start_count": starts,
        "start_share": starts / sessions,
        "end_count": ends,
        "end_share": ends / sessions,
        "drop_off_share": ends / visits,
        "other_drop_off_share": elsewhere,
        "drop_off_q_value": q_value,
    }


INSTEAD = " (the report counts the prompts about a topic instead)"
NODES = [
    node("t-1", 70, 60, 40),
    node("t-2", 50, 30, 25),
    node("t-3", 40, 8, 33, elsewhere=0.48, q_value=0.01),
    node("t-4", 20, 2, 2, elsewhere=0.6, q_value=0.01),
]
HALF = [node("t-1", 80, 60, 40), node("t-2", 80, 40, 40), node("t-3", 40, 0, 20)]


def edge(source: str, target: str, count: int, median: float | None = 90.0) -> dict[str, Any]:
    return {
        "from_node_id": source,
        "to_node_id": target,
        "transition_count": count,
        "session_count": count,
        "probability": count / 40,
        "median_seconds": median,
    }


def test_starts_ends_and_drop_off_have_denominators() -> None:
    assert facts(journey_nodes=NODES) == [
        "60% of 100 sessions start on T-1, 30% on T-2, 8% on T-3.",
        "The highest drop-off is at T-3: 33 of the 40 sessions that reach it end there (82%), at other topics 48%"
        f"{INSTEAD}.",
    ]


def test_without_significant_drop_off_no_ends_are_named() -> None:
    nodes = [node("t-1", 80, 90, 40), node("t-2", 10, 10, 9, elsewhere=0.51), node("t-3", 4, 0, 4)]
    nodes[2]["drop_off_q_value"] = None
    assert facts(journey_nodes=nodes) == ["90% of 100 sessions start on T-1, 10% on T-2."]


def test_topics_of_follow_ups_are_left_out_of_the_ends() -> None:
    nodes = [*NODES, node("t-5", 11, 0, 11, elsewhere=0.5, q_value=0.001)]
    assert facts(journey_nodes=nodes)[-1].startswith("The highest drop-off is at T-5: 11 of the 11 sessions")
    assert facts(follow_ups=["t-5", "t-99"], journey_nodes=nodes)[-1] == facts(journey_nodes=NODES)[-1]
    assert not any("drop-off" in fact for fact in facts(follow_ups=["t-3", "t-5"], journey_nodes=nodes))


def test_only_ends_on_topics_are_counted_otherwise_in_the_report() -> None:
    (ends,) = (fact for fact in facts("event_name", journey_nodes=NODES) if "drop-off" in fact)
    assert ends.endswith("at other event names 48%.")


def test_all_nodes_with_significant_drop_off_are_named() -> None:
    nodes = [node(f"t-{n}", 40, 10, 30 + n, q_value=0.01 if n else 1.0) for n in range(5)]
    assert facts(journey_nodes=nodes)[-1] == (
        "The highest drop-off is at T-4: 34 of the 40 sessions that reach it end there (85%), at other topics 50%; "
        "then T-3 (33 of 40, 82%), T-2 (32 of 40, 80%)"
        f"{INSTEAD}."
    )


def test_drop_off_must_be_significant_and_above_that_of_other_nodes() -> None:
    nodes = [node("t-1", 50, 50, 30, elsewhere=0.5, q_value=0.06), node("t-2", 50, 50, 20, elsewhere=0.5, q_value=0.01)]
    assert not any("drop-off" in fact for fact in facts(journey_nodes=nodes))
    nodes += [node("t-3", 50, 0, 26, elsewhere=0.5, q_value=0.05), node("t-4", 4, 0, 4, elsewhere=0.5, q_value=0.01)]
    assert facts(journey_nodes=nodes)[-1] == (
        "The highest drop-off is at T-3: 26 of the 50 sessions that reach it end there (52%), at other topics 50%"
        f"{INSTEAD}."
    )


def test_suppressed_nodes_are_left_out_but_their_sessions_count() -> None:
    unknown = dict.fromkeys(("start_count", "start_share", "end_count", "end_share", "drop_off_q_value"))
    edges = [edge("(start)", "t-1", 60), edge("(start)", "(other)", 40)]
    rows = [node("t-1", 70, 60, 40, q_value=0.01), node("t-2", 50, 30, 25) | unknown]
    given = {"journey_nodes": rows, "journey_edges": edges}
    found = {name: table(name, given.get(name, ()), "prompt") for name in FACT_TABLES}
    assert journey_facts(found, "prompt") == [
        "60% of 100 sessions start on T-1.",
        "The highest drop-off is at T-1: 40 of the 70 sessions that reach it end there (57%), at other topics 50%"
        f"{INSTEAD}.",
    ]


def test_the_most_likely_move_is_between_two_different_nodes() -> None:
    edges = [
        edge("t-1", "t-1", 20),
        edge("t-1", "(end)", 10),
        edge("t-1", "(other)", 0),
        edge("t-1", "t-2", 10),
        edge("t-2", "t-1", 9),
    ]
    assert facts(journey_nodes=HALF, journey_edges=edges)[1] == (
        "The most likely next step is from T-1 to T-2: 10 of 40 times (25%), after a median of 2 min."
    )


def test_the_strongest_loop_names_both_ends() -> None:
    loops = [
        {"node_id": source, "other_node_id": target, "bounce_count": 9, "session_count": count, "session_share": 0.07}
        for source, target, count in (("t-1", "t-2", 5), ("t-2", "t-3", 7))
    ]
    assert facts(journey_nodes=HALF, journey_loops=loops)[1] == (
        "The most common loop is from T-2 to T-3 and directly back: 7 of 100 sessions (7%)."
    )


def test_rare_findings_are_left_out() -> None:
    loop = {"node_id": "t-1", "other_node_id": "t-2", "bounce_count": 9, "session_count": 4, "session_share": 0.04}
    nodes = [node(f"t-{number}", 4, 4, 4) for number in range(25)]
    assert facts(journey_nodes=nodes, journey_edges=[edge("t-1", "t-2", 4)], journey_loops=[loop]) == []
    assert facts(journey_nodes=[node("t-1", 9, 9, 9, 9)]) == []


def segment(source: str, target: str, value: str, inside: float, outside: float, q_value: float) -> dict[str, Any]:
    return {
        "from_node_id": source,
        "to_node_id": target,
        "segment_field": "plan",
        "segment_value": value,
        "probability_in_segment": inside,
        "probability_elsewhere": outside,
        "difference": inside - outside,
        "q_value": q_value,
    }


@pytest.mark.parametrize(
    ("source", "target", "what"),
    [
        ("t-2", "t-1", "T-1 follows T-2"),
        ("(start)", "t-1", "sessions start on T-1"),
        ("t-2", "(end)", "sessions end after T-2"),
    ],
)
def test_the_largest_significant_difference_is_described(source: str, target: str, what: str) -> None:
    rows = [
        segment("t-1", "t-2", "free", 0.9, 0.1, 0.2),
        segment("t-1", "t-2", "pro", 0.3, 0.2, 0.01),
        segment(source, target, "team", 0.12, 0.34, 0.004),
    ]
    assert facts(journey_nodes=HALF, journey_segments=rows)[-1] == (
        f"With plan = team, {what} in 12% instead of 34% (q 0.004)."
    )


def test_a_segment_that_does_not_differ_significantly_is_not_told() -> None:
    rows = [segment("t-1", "t-2", "free", 0.9, 0.1, 0.2)]
    assert facts(journey_nodes=HALF, journey_segments=rows) == facts(journey_nodes=HALF)


def test_sessions_without_a_subject_are_counted() -> None:
    assert describe_coverage(894, 968, "prompt") == (
        "894 of the 968 sessions with prompt have a subject (a topic, or a follow-up of one); shares are of these."
    )
    assert str(describe_coverage(1, 2, "user:prompt")).startswith("1 of the 2 users with prompt have a subject")
    assert describe_coverage(968, 968, "prompt") is None


def outcome(topic: str, share: float, base: float, q_value: float) -> dict[str, Any]:
    return {
        "topic_id": topic,
        "outcome_event_name": "export",
        "session_count": 80,
        "outcome_share": share,
        "baseline_share": base,
        "difference": share - base,
        "q_value": q_value,
    }


def test_only_the_topic_most_above_the_baseline_is_told() -> None:
    rows = [outcome("t-1", 0.4, 0.2, 0.0001), outcome("t-2", 0.1, 0.9, 0.001), outcome("t-3", 0.9, 0.1, 0.06)]
    assert facts(journey_nodes=HALF, topic_outcomes=rows)[-1] == (
        "export follows T-1 in 40% of 80 sessions, other topics at the same places in 20% (q under 0.001)."
    )
    assert not any("export" in fact for fact in facts(journey_nodes=HALF, topic_outcomes=rows[1:]))


def test_an_outcome_of_exchanges_that_went_wrong_is_told_in_words() -> None:
    row = outcome("t-1", 0.4, 0.2, 0.0001) | {"outcome_event_name": "(struggle)"}
    assert facts(journey_nodes=HALF, topic_outcomes=[row])[-1] == (
        "An exchange that seems to go wrong follows T-1 in 40% of 80 sessions, other topics at the same places in 20% "
        "(q under 0.001)."
    )


def struggle(source: str, target: str, share: float, other: float, q_value: float) -> dict[str, Any]:
    return {
        "from_node_id": source,
        "to_node_id": target,
        "move_count": 1200,
        "struggle_share": share,
        "other_struggle_share": other,
        "difference": share - other,
        "q_value": q_value,
    }


@pytest.mark.parametrize(
    ("source", "way"),
    [
        ("t-2", "come directly after T-2"),
        ("(start)", "come at the start"),
        ("t-1", "come directly after another one about it"),
    ],
)
def test_the_move_after_which_most_exchanges_go_wrong_is_told(source: str, way: str) -> None:
    others = [
        struggle("t-3", "t-1", 0.2, 0.1, 0.01),  # smaller
        struggle("t-3", "t-2", 0.0, 0.9, 0.001),  # fewer go wrong
        struggle("t-2", "t-3", 0.9, 0.1, 0.051),  # may be chance
    ]
    assert not any("wrong" in fact for fact in facts(journey_nodes=HALF, journey_struggles=others[1:]))
    rows = [*others, struggle(source, "t-1", 0.4, 0.12, 0.012)]
    assert facts(journey_nodes=HALF, journey_struggles=rows)[-1] == (
        f"Exchanges about T-1 that {way} seem to go wrong in 40% of 1,200 cases, others about it in 12% (q 0.012)."
    )


def test_user_dimensions_count_users_and_other_dimensions_are_ignored() -> None:
    rows: dict[str, Rows] = {"journey_nodes": NODES, "journey_edges": [edge("(start)", "t-1", 100)]}
    given = {name: table(name, rows.get(name, ()), "user:prompt") for name in FACT_TABLES}
    assert journey_facts(given, "user:prompt")[0] == "60% of 100 users start on T-1, 30% on T-2, 8% on T-3."
    assert journey_facts(given, "prompt") == []


def test_shares_and_times_are_short() -> None:
    assert [percent(share) for share in (0.0, 0.0004, 0.004, 0.04, 1.0)] == ["0%", "under 0.1%", "0.4%", "4%", "100%"]
    assert [duration(seconds) for seconds in (0, 59, 90, 7200, 200_000)] == ["0 s", "59 s", "2 min", "2 h", "2 d"]


def test_a_dimension_with_one_node_has_one_fact() -> None:
    assert facts(journey_nodes=[node("t-1", 100, 100, 100)]) == [
        "All 100 sessions stay on T-1, the only one of the topics."
    ]


def test_ties_of_the_most_likely_move_are_broken_by_count() -> None:
    moves = [edge("t-1", "t-2", 10), edge("t-1", "(end)", 10), edge("t-2", "t-1", 20), edge("t-2", "(end)", 20)]
    moves = [{**move, "probability": 0.5} for move in moves]
    (sentence,) = (fact for fact in facts(journey_nodes=NODES, journey_edges=moves) if "most likely next step" in fact)
    assert sentence.startswith("The most likely next step is from T-2 to T-1: 20 of 40 times (50%)")


def test_a_likely_move_needs_evidence() -> None:
    moves = [edge("t-1", "t-2", 5), edge("t-1", "(end)", 4), edge("t-2", "t-1", 4), edge("t-2", "(end)", 9)]
    moves += [edge("t-3", "t-1", 6), edge("t-3", "(end)", 94)]
    moves = [
        {**move, "probability": share} for move, share in zip(moves, (0.5, 0.5, 0.3, 0.7, 0.06, 0.94), strict=True)
    ]
    (sentence,) = (fact for fact in facts(journey_nodes=NODES, journey_edges=moves) if "most likely next step" in fact)
    assert sentence.startswith("The most likely next step is from T-3 to T-1: 6 of 100 times (6%)")
