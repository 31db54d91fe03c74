"""Nodes from visits and edges."""

import math

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from turret_pipeline.journeys.edges import journey_edges
from turret_pipeline.journeys.nodes import journey_nodes, transition_graph
from turret_pipeline.tables import JOURNEY_NODES
from turret_pipeline_tests.journeys.rows import path, visits

LABELS = {"dimension": pl.String(), "node_id": pl.String(), "node_label": pl.String()}

ENDS = ["start_share_low", "start_share_high", "end_share_low", "end_share_high"]


def nodes(given: pl.DataFrame, labels: dict[str, str] | None = None) -> pl.DataFrame:
    """Table of nodes; ``labels`` are for the dimension prompt."""
    named = pl.DataFrame([("prompt", *item) for item in (labels or {}).items()], LABELS, orient="row")
    return journey_nodes(given, journey_edges(given), named)


def column(found: pl.DataFrame, name: str) -> dict[str, float]:
    return dict(found.select("node_id", name).iter_rows())


def test_starts_ends_and_repeats_are_counted() -> None:
    given = pl.concat([path("s1", "aaab"), path("s2", "bab"), path("s3", "b"), path("s4", "a")])
    found = nodes(given).drop("pagerank", "betweenness", *ENDS)
    expected = [
        ("event_name", "a", "a", 5, 3, 2, 0.5, 1, 0.25, 1 / 3, 1.0, None, 0.4),
        ("event_name", "b", "b", 4, 3, 2, 0.5, 3, 0.75, 1.0, 1 / 3, None, 0.0),
    ]
    schema = {
        name: kind for name, kind in JOURNEY_NODES.schema.items() if name not in {"pagerank", "betweenness", *ENDS}
    }
    assert_frame_equal(found, pl.DataFrame(expected, schema, orient="row"))


def test_a_single_node_has_all_pagerank_and_no_betweenness() -> None:
    low = pytest.approx(0.2065, abs=1e-4)  # Wilson's lower end of 1 of 1
    expected = ("event_name", "a", "a", 1, 1, 1, 1.0, low, 1.0, 1, 1.0, low, 1.0, 1.0, None, None, 0.0, 1.0, 0.0)
    assert nodes(path("s1", "a")).rows() == [expected]


def test_intervals_are_wider_if_users_always_do_the_same() -> None:
    given = [("ab" if user < 30 else "cb", user) for user in range(40)]
    once = nodes(pl.concat([path(f"s{user}", way, f"u{user}") for way, user in given]))
    found = nodes(pl.concat([path(f"s{user}.{time}", way, f"u{user}") for way, user in given for time in range(10)]))
    for table in (once, found):
        of_a, of_b = (table.row(by_predicate=pl.col("node_id") == name, named=True) for name in "ab")
        assert (of_a["start_share_low"], of_a["start_share_high"]) == pytest.approx((0.5981, 0.8581), abs=2e-3)
        assert (of_a["end_share"], of_a["end_share_low"], of_b["end_share"]) == (0, 0, 1)
    assert once["end_share_high"][0] == pytest.approx(0.0876, abs=1e-4)  # none of 40 ends on a
    assert once["end_share_low"][1] == pytest.approx(0.9124, abs=1e-4)


def test_drop_off_is_significant_for_many_users_but_not_for_few() -> None:
    def drop_off(users: int) -> dict[str, float]:
        parts = [path(f"s{number}", "xab" if number % 4 else "xba", f"u{number % users}") for number in range(40)]
        return column(nodes(pl.concat(parts)), "drop_off_q_value")

    many = drop_off(40)
    assert many["b"] < 0.001
    assert many["x"] < 0.001
    assert drop_off(8)["b"] > 0.05  # two of the eight always end on a
    assert set(drop_off(4).values()) == {None}


def test_figures_of_suppressed_edges_are_null_on_nodes() -> None:
    parts = [path("s1", "aab", "u1"), path("s2", "aab", "u2"), path("s3", "b", "u1"), path("s4", "a", None)]
    given = pl.concat(parts)
    found = journey_nodes(given, journey_edges(given), pl.DataFrame(schema=LABELS), 2)
    shown = ["node_id", "start_count", "start_share", "end_count", "end_share", "drop_off_share", "repeat_share"]
    assert found.select(shown).rows() == [("a", 3, 0.75, None, None, None, 0.4), ("b", None, None, 3, 0.75, 1.0, None)]
    assert found.select(ENDS).null_count().row(0) == (1, 1, 1, 1)
    assert found["other_drop_off_share"].to_list() == [None, 1 / 3]
    assert found.select("event_count", "session_count").equals(nodes(given).select("event_count", "session_count"))


def test_node_labels_are_topic_labels_or_event_names() -> None:
    given = pl.concat([path("s1", "ab"), path("s1", "xy", dimension="prompt")])
    found = nodes(given, {"x": "Refunds", "unused": "Nothing"}).select("dimension", "node_id", "node_label")
    assert found.rows() == [
        ("event_name", "a", "a"),
        ("event_name", "b", "b"),
        ("prompt", "x", "Refunds"),
        ("prompt", "y", "y"),
    ]


def test_an_event_named_like_a_topic_keeps_its_own_name() -> None:
    given = pl.concat([path("s1", "x"), path("s1", "x", dimension="prompt")])
    assert nodes(given, {"x": "Refunds"})["node_label"].to_list() == ["x", "Refunds"]


def test_start_and_end_counts_sum_to_the_sessions_of_the_dimension() -> None:
    given = pl.concat([path("s1", "abc"), path("s2", "ca"), path("s3", "b"), path("s1", "xx", dimension="prompt")])
    sums = (
        nodes(given)
        .group_by("dimension", maintain_order=True)
        .agg(pl.col("start_count", "end_count", "start_share", "end_share").sum())
    )
    assert sums.rows() == [("event_name", 3, 3, pytest.approx(1), pytest.approx(1)), ("prompt", 1, 1, 1.0, 1.0)]


def test_pagerank_sums_to_one_in_every_dimension() -> None:
    given = pl.concat([path("s1", "abcabd"), path("s2", "dab"), path("s1", "xyxz", dimension="prompt")])
    sums = nodes(given).group_by("dimension").agg(pl.col("pagerank").sum())
    assert sums["pagerank"].to_list() == pytest.approx([1.0, 1.0])


def test_the_node_with_most_transitions_to_it_has_the_highest_pagerank() -> None:
    rank = column(nodes(pl.concat([path("s1", "aca"), path("s2", "bcb"), path("s3", "dcd")])), "pagerank")
    assert max(rank, key=lambda node: rank[node]) == "c"
    assert rank["a"] == pytest.approx(rank["b"])


def test_pagerank_weighs_an_edge_by_how_often_it_happened() -> None:
    given = pl.concat([path("s1", "ab"), path("s2", "ab"), path("s3", "ab"), path("s4", "ac")])
    rank = column(nodes(given), "pagerank")
    assert rank["b"] > rank["c"]


def test_a_node_on_the_only_path_has_all_betweenness() -> None:
    between = column(nodes(pl.concat([path("s1", "abc"), path("s2", "cba")])), "betweenness")
    assert between == {"a": 0.0, "b": 1.0, "c": 0.0}


def test_likely_paths_are_short() -> None:
    given = pl.concat([*(path(f"s{number}", "abd") for number in range(8)), path("s8", "acd"), path("s9", "ad")])
    between = column(nodes(given), "betweenness")
    assert between["b"] > between["c"] == 0.0


def test_the_graph_has_every_node_and_no_pseudo_node() -> None:
    graph = transition_graph(journey_edges(pl.concat([path("s1", "aab"), path("s2", "ac"), path("s3", "d")])))
    assert sorted(graph.nodes) == ["a", "b", "c", "d"]
    assert graph["a"]["a"]["weight"] == graph["a"]["b"]["weight"] == 1
    assert graph["a"]["b"]["length"] == pytest.approx(math.log(3))


def test_the_order_of_sessions_changes_nothing() -> None:
    parts = [path("s1", "abcabd"), path("s2", "dab"), path("s3", "cc")]
    assert_frame_equal(nodes(pl.concat(parts)), nodes(pl.concat(parts[::-1])), check_exact=True)


def test_no_visits_make_no_nodes() -> None:
    assert_frame_equal(nodes(visits()), JOURNEY_NODES.empty())
