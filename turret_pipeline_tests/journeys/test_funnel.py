"""Funnels of small sessions, and against a search over all combinations of events."""

import itertools
import random

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from turret_pipeline.journeys.funnel import HITS_SCHEMA, count_funnel
from turret_pipeline_tests.journeys.rows import at

Event = tuple[str, str, float]
"""Session, the funnel steps that the event fulfils (letters from a), seconds."""


def hits(*events: Event) -> pl.DataFrame:
    rows = [
        (session, f"user of {session}", at(seconds), position, ord(step) - ord("a"))
        for position, (session, steps, seconds) in enumerate(events)
        for step in steps
    ]
    return pl.DataFrame(rows, HITS_SCHEMA, orient="row")


def sessions(*names: str) -> pl.DataFrame:
    return pl.DataFrame([(name, f"user of {name}") for name in names], ["sequence_id", "user_id"], orient="row")


THREE = hits(
    ("s1", "a", 0), ("s1", "b", 10), ("s1", "c", 40),
    ("s2", "b", 0), ("s2", "a", 5), ("s2", "c", 6), ("s2", "b", 25),
    ("s3", "a", 0),
    ("s4", "c", 0),
)  # fmt: skip
EVERYONE = sessions("s1", "s2", "s3", "s4", "s5")


def test_shares_in_order_are_of_all_sessions_the_first_and_the_previous_step() -> None:
    found = count_funnel(THREE, EVERYONE, 3)
    assert found["step_number"].to_list() == [1, 2, 3]
    assert found["session_count"].to_list() == [3, 2, 1]
    assert found["user_count"].to_list() == [3, 2, 1]
    assert found["share_of_all"].to_list() == pytest.approx([3 / 5, 2 / 5, 1 / 5])
    assert found["share_of_first"].to_list() == pytest.approx([1, 2 / 3, 1 / 3])
    assert found["share_of_previous"].to_list() == [None, pytest.approx(2 / 3), pytest.approx(1 / 2)]
    assert found["median_seconds_from_previous"].to_list() == [None, 15.0, 30.0]
    assert found["median_seconds_from_first"].to_list() == [0.0, 15.0, 40.0]


def test_intervals_are_wilson_intervals_if_each_user_has_one_session() -> None:
    row = count_funnel(THREE, EVERYONE, 3).row(1, named=True)
    assert (row["share_of_all_low"], row["share_of_all_high"]) == pytest.approx((0.1176, 0.7693), abs=1e-4)
    assert (row["share_of_first_low"], row["share_of_first_high"]) == pytest.approx((0.2077, 0.9385), abs=1e-4)
    first = count_funnel(THREE, EVERYONE, 3).row(0, named=True)
    assert (first["share_of_first_low"], first["share_of_first_high"]) == (1.0, 1.0)


def test_in_any_order_a_session_reaches_as_many_steps_as_it_has() -> None:
    found = count_funnel(THREE, EVERYONE, 3, is_any_order=True)
    assert found["session_count"].to_list() == [3, 2, 2]
    assert found["median_seconds_from_previous"].to_list() == [None, None, None]
    assert found["median_seconds_from_first"].to_list() == [0.0, 7.5, (40 + 6) / 2]  # s2: b to a, b to c


@pytest.mark.parametrize(("within", "counts"), [(40, [3, 2, 1]), (39.9, [3, 2, 0]), (15, [3, 1, 0]), (1, [3, 0, 0])])
def test_all_steps_must_happen_within_the_time(within: float, counts: list[int]) -> None:
    assert count_funnel(THREE, EVERYONE, 3, within)["session_count"].to_list() == counts


def test_a_later_start_may_meet_the_time_limit() -> None:
    events = hits(("s", "a", 0), ("s", "b", 100), ("s", "a", 200), ("s", "b", 205), ("s", "a", 300), ("s", "b", 301))
    found = count_funnel(events, sessions("s"), 2, 30)
    assert found["session_count"].to_list() == [1, 1]
    assert found["median_seconds_from_first"].to_list() == [0.0, 5.0]


def test_in_order_an_event_fulfils_only_one_step() -> None:
    one = hits(("s", "ab", 0))
    assert count_funnel(one, sessions("s"), 2)["session_count"].to_list() == [1, 0]
    assert count_funnel(one, sessions("s"), 2, is_any_order=True)["session_count"].to_list() == [1, 1]
    assert count_funnel(hits(("s", "ab", 0), ("s", "ab", 0)), sessions("s"), 2)["session_count"].to_list() == [1, 1]


def test_without_sessions_counts_are_zero_and_shares_null() -> None:
    found = count_funnel(HITS_SCHEMA.to_frame(), sessions().cast(pl.String), 2)
    assert found["session_count"].to_list() == [0, 0]
    assert found["share_of_first"].to_list() == [None, None]
    nobody = count_funnel(HITS_SCHEMA.to_frame(), sessions("s"), 2)
    assert nobody["share_of_all"].to_list() == [0.0, 0.0]
    assert nobody["share_of_previous"].to_list() == [None, None]
    assert nobody["median_seconds_from_first"].to_list() == [None, None]


def test_sessions_of_the_same_users_have_wider_intervals() -> None:
    events = hits(*((f"s{number}", "a", 0.0) for number in range(40)), *((f"s{n}", "b", 1.0) for n in range(20)))
    names = [f"s{number}" for number in range(40)]
    of_few = [f"u{number // 10}" for number in range(40)]
    two_of_four = pl.DataFrame({"sequence_id": names, "user_id": of_few})
    wide, narrow = count_funnel(events, two_of_four, 2), count_funnel(events, sessions(*names), 2)
    assert wide["share_of_first"].to_list() == narrow["share_of_first"].to_list()
    assert wide["share_of_first_low"][1] < narrow["share_of_first_low"][1] - 0.1


@pytest.mark.parametrize("within", [None, 4.0])
@pytest.mark.parametrize("is_any_order", [False, True])
def test_counts_equal_an_exhaustive_search(within: float | None, is_any_order: bool) -> None:
    rng = random.Random(7)
    given = [
        [(rng.choice(["a", "b", "c", "", "ab"]), float(second)) for second in sorted(rng.choices(range(12), k=7))]
        for _ in range(300)
    ]
    events = [(f"s{number}", steps, second) for number, session in enumerate(given) for steps, second in session]
    everyone = sessions(*(f"s{number}" for number in range(300)))
    found = count_funnel(hits(*events), everyone, 3, within, is_any_order=is_any_order)
    reached = [_reached_step(session, within, is_any_order=is_any_order) for session in given]
    assert found["session_count"].to_list() == [sum(far >= step for far in reached) for step in (1, 2, 3)]
    assert found["session_count"][2] > 10


def _reached_step(session: list[tuple[str, float]], within: float | None, *, is_any_order: bool) -> int:
    """Number of steps that a session reaches, by trying all combinations of events."""
    for depth in (3, 2, 1):
        candidates = [[(place, second) for place, (steps, second) in enumerate(session) if step in steps]
                      for step in "abc"[:depth]]  # fmt: skip
        for choice in itertools.product(*candidates):
            places, seconds = [place for place, _ in choice], [second for _, second in choice]
            is_ordered = is_any_order or all(one < other for one, other in itertools.pairwise(places))
            if is_ordered and (within is None or max(seconds) - min(seconds) <= within):
                return depth
    return 0


def test_the_order_of_rows_does_not_matter() -> None:
    shuffled = THREE.sample(fraction=1, shuffle=True, seed=3)
    assert_frame_equal(count_funnel(shuffled, EVERYONE, 3), count_funnel(THREE, EVERYONE, 3))
