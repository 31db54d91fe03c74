"""Edges from visits."""

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from turret_pipeline.journeys.edges import journey_edges
from turret_pipeline.tables import JOURNEY_EDGES
from turret_pipeline_tests.journeys.rows import path, visits

SESSIONS = pl.concat(
    [
        path("s1", "aabca", "u1"),
        path("s2", "b", "u2"),
        path("s3", "abab", None),
        path("s4", "ab", "u1"),
        path("s1", "xy", "u1", dimension="prompt"),
    ]
)

ENDS = ["probability_low", "probability_high"]


def counts(found: pl.DataFrame) -> dict[str, int]:
    """Transition count by "from>to"."""
    edges = found.select(pl.concat_str("from_node_id", pl.lit(">"), "to_node_id"), "transition_count")
    return dict(edges.iter_rows())


def test_edges_are_counted_over_events_with_their_times() -> None:
    found = journey_edges(visits(("s1", "a", 0), ("s1", "b", 10), ("s2", "a", 0), ("s2", "b", 30), ("s2", "b", 31)))
    expected = [
        ("event_name", "(start)", "a", 2, 2, 1, 1.0, None, None),
        ("event_name", "a", "b", 2, 2, 1, 1.0, 20.0, 29.0),
        ("event_name", "b", "(end)", 2, 2, 1, 2 / 3, None, None),
        ("event_name", "b", "b", 1, 1, 1, 1 / 3, 1.0, 1.0),
    ]
    assert found.schema == JOURNEY_EDGES.schema
    schema = {name: kind for name, kind in JOURNEY_EDGES.schema.items() if name not in ENDS}
    assert_frame_equal(found.drop(ENDS), pl.DataFrame(expected, schema, orient="row"))


def test_a_session_of_one_event_starts_and_ends_on_its_node() -> None:
    assert counts(journey_edges(path("s1", "a"))) == {"(start)>a": 1, "a>(end)": 1}


def test_a_node_that_follows_itself_is_an_edge_to_itself() -> None:
    assert counts(journey_edges(path("s1", "aaab"))) == {"(start)>a": 1, "a>a": 2, "a>b": 1, "b>(end)": 1}


def test_edges_do_not_span_sessions() -> None:
    found = journey_edges(visits(("s1", "a", 0), ("s2", "b", 1), ("s1", "c", 2), ("s2", "d", 3)))
    assert counts(found) == {"(start)>a": 1, "(start)>b": 1, "a>c": 1, "b>d": 1, "c>(end)": 1, "d>(end)": 1}


def test_dimensions_are_counted_separately() -> None:
    found = journey_edges(pl.concat([path("s1", "ab"), path("s1", "ac", dimension="prompt")]))
    leaving = found.filter(pl.col("from_node_id") == "a").select("dimension", "to_node_id", "probability")
    assert leaving.rows() == [("event_name", "b", 1.0), ("prompt", "c", 1.0)]


def test_sessions_and_users_are_counted_once_without_unknown_users() -> None:
    given = pl.concat([path("s1", "abab", "u1"), path("s2", "ab", "u1"), path("s3", "ab", None)])
    found = journey_edges(given).filter((pl.col("from_node_id") == "a") & (pl.col("to_node_id") == "b"))
    assert found.select("transition_count", "session_count", "user_count").rows() == [(4, 3, 1)]


def test_the_probabilities_out_of_a_node_sum_to_one() -> None:
    sums = journey_edges(SESSIONS).group_by("dimension", "from_node_id").agg(pl.col("probability").sum())
    assert sums.height == 7
    assert sums["probability"].to_list() == pytest.approx([1.0] * 7)


def test_every_session_starts_once_and_ends_once_in_a_dimension() -> None:
    found = journey_edges(SESSIONS)
    for column, pseudo in (("from_node_id", "(start)"), ("to_node_id", "(end)")):
        sums = found.filter(pl.col(column) == pseudo).group_by("dimension").agg(pl.col("transition_count").sum())
        assert dict(sums.iter_rows()) == {"event_name": 4, "prompt": 1}


def test_every_event_is_entered_once_and_left_once() -> None:
    found = journey_edges(SESSIONS)
    visited = dict(SESSIONS.group_by("dimension", "node_id").len().select("node_id", "len").iter_rows())
    for column in ("from_node_id", "to_node_id"):
        sums = found.group_by(column).agg(pl.col("transition_count").sum())
        assert {node: count for node, count in sums.iter_rows() if node in visited} == visited


def ends(given: pl.DataFrame, source: str, target: str) -> tuple[float, float]:
    """The interval of a probability."""
    found = journey_edges(given).filter((pl.col("from_node_id") == source) & (pl.col("to_node_id") == target))
    (interval,) = found.select(ENDS).rows()
    return interval


def test_intervals_are_wilson_intervals_if_users_differ_only_by_chance() -> None:
    given = pl.concat([path(f"s{number}", "ab" if number < 30 else "ac", f"u{number}") for number in range(40)])
    assert ends(given, "a", "b") == pytest.approx((0.5981, 0.8581), abs=1e-4)  # 30 of 40
    assert ends(given, "b", "(end)") == pytest.approx((0.8865, 1.0), abs=1e-4)  # 30 of 30


def test_intervals_depend_on_users_if_each_user_always_does_the_same() -> None:
    given = [("ab" if user < 30 else "ac", user) for user in range(40)]
    once = pl.concat([path(f"s{user}", nodes, f"u{user}") for nodes, user in given])
    ten_times = pl.concat([path(f"s{user}.{time}", nodes, f"u{user}") for nodes, user in given for time in range(10)])
    assert ends(ten_times, "a", "b") == pytest.approx(ends(once, "a", "b"), abs=2e-3)
    nobody = ten_times.with_columns(pl.lit(None, ten_times.schema["user_id"]).alias("user_id"))
    narrow, wide = ends(nobody, "a", "b"), ends(ten_times, "a", "b")
    assert narrow == pytest.approx((0.7053, 0.7899), abs=1e-4)  # 300 of 400 sessions of nobody known
    assert wide[1] - wide[0] > 3 * (narrow[1] - narrow[0])


def test_no_visits_make_no_edges() -> None:
    assert_frame_equal(journey_edges(visits()), JOURNEY_EDGES.empty())


def test_an_edge_of_too_few_users_becomes_one_to_other_and_one_from_it() -> None:
    given = pl.concat([path(f"s{number}", "ab", f"u{number}") for number in range(3)] + [path("s9", "aab", "u0")])
    found = journey_edges(given, min_users=2)
    assert counts(found) == {
        "(start)>a": 4,
        "a>(other)": 1,
        "(other)>a": 1,
        "a>b": 4,
        "b>(end)": 4,
    }
    times = dict(found.select("from_node_id", "median_seconds").filter(pl.col("from_node_id") != "a").iter_rows())
    assert times["(other)"] is None
    assert found.group_by("from_node_id").agg(pl.col("probability").sum())["probability"].to_list() == [1.0] * 4


def test_nodes_of_suppressed_edges_are_entered_and_left_as_often_as_visited() -> None:
    found = journey_edges(SESSIONS, min_users=2)
    assert "(other)" in set(found["to_node_id"])
    visited = dict(SESSIONS.group_by("dimension", "node_id").len().select("node_id", "len").iter_rows())
    for column in ("from_node_id", "to_node_id"):
        sums = found.group_by(column).agg(pl.col("transition_count").sum())
        assert {node: count for node, count in sums.iter_rows() if node in visited} == visited


def test_a_session_of_many_events_at_one_time_is_counted_completely() -> None:
    rows = [("s1", "ab"[number % 2], 0.0) for number in range(100_000)]
    found = journey_edges(visits(*rows))
    assert counts(found) == {"(start)>a": 1, "a>b": 50_000, "b>a": 49_999, "b>(end)": 1}
    assert set(found["p95_seconds"].drop_nulls()) == {0.0}
