"""Paths from steps."""

import itertools
from collections import Counter

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from turret_pipeline.journeys.paths import journey_paths
from turret_pipeline.journeys.steps import journey_steps
from turret_pipeline.tables import JOURNEY_PATHS
from turret_pipeline_tests.journeys.rows import path, visits


def paths(*sessions: pl.DataFrame, min_users: int = 1) -> pl.DataFrame:
    return journey_paths(journey_steps(pl.concat(sessions)), min_users)


def path_counts(found: pl.DataFrame, *, whole: bool) -> dict[str, int]:
    """Sessions by the letters of the path."""
    chosen = found.filter(pl.col("is_whole_session") == whole)
    return dict(chosen.select(pl.col("path").list.join(""), "session_count").iter_rows())


def test_paths_of_parts_and_of_whole_sessions_are_counted_by_session() -> None:
    found = paths(path("s1", "aab", "u1"), path("s2", "abab", "u1"), path("s3", "b", None), path("s4", "ab", "u2"))
    expected = [
        ("event_name", ["a", "b"], 2, False, 3, 2, 0.75),
        ("event_name", ["b", "a"], 2, False, 1, 1, 0.25),
        ("event_name", ["a", "b", "a"], 3, False, 1, 1, 0.25),
        ("event_name", ["b", "a", "b"], 3, False, 1, 1, 0.25),
        ("event_name", ["a", "b", "a", "b"], 4, False, 1, 1, 0.25),
        ("event_name", ["a", "b"], 2, True, 2, 2, 0.5),
        ("event_name", ["a", "b", "a", "b"], 4, True, 1, 1, 0.25),
        ("event_name", ["b"], 1, True, 1, 0, 0.25),
    ]
    assert_frame_equal(found, pl.DataFrame(expected, JOURNEY_PATHS.schema, orient="row"))


def test_paths_equal_a_naive_count() -> None:
    rng = np.random.default_rng(4)
    sessions = ["".join(rng.choice(list("abcd"), rng.integers(1, 12))) for _ in range(60)]
    runs = ["".join(letter for letter, _ in itertools.groupby(session)) for session in sessions]
    grams = Counter(
        gram
        for run in runs
        for gram in {run[at : at + length] for length in range(2, 6) for at in range(len(run) - length + 1)}
    )
    found = paths(*(path(f"s{number:02}", session) for number, session in enumerate(sessions)))
    assert path_counts(found, whole=False) == grams
    assert path_counts(found, whole=True) == Counter(runs)


def test_order_of_sessions_and_other_dimensions_do_not_matter() -> None:
    one, other = [path("s1", "abc"), path("s2", "cab")], [path("s1", "abc", dimension="prompt")]
    alone = paths(*one)
    assert_frame_equal(paths(*one[::-1]), alone)
    both = paths(*one, *other)
    assert_frame_equal(both.filter(pl.col("dimension") == "event_name"), alone)


@pytest.mark.parametrize(("min_users", "grams", "whole"), [(2, {"ab": 2}, {"ab": 2}), (3, {}, {})])
def test_paths_of_too_few_users_are_left_out(min_users: int, grams: dict[str, int], whole: dict[str, int]) -> None:
    given = (path("s1", "ab", "u1"), path("s2", "ab", "u2"), path("s3", "bc", None), path("s4", "ca", "u2"))
    found = paths(*given, min_users=min_users)
    assert (path_counts(found, whole=False), path_counts(found, whole=True)) == (grams, whole)


def test_a_session_of_a_hundred_thousand_events_has_one_whole_path() -> None:
    found = paths(path("s1", "ab" * 50_000), path("s2", "ab"))
    assert path_counts(found, whole=False) == {"ab": 2, "ba": 1, "aba": 1, "bab": 1, "abab": 1, "baba": 1} | {
        "ababa": 1,
        "babab": 1,
    }
    whole = found.filter(pl.col("is_whole_session"))
    assert whole["step_count"].to_list() == [2, 100_000]


def test_no_steps_make_no_paths() -> None:
    assert_frame_equal(paths(visits()), JOURNEY_PATHS.empty())
