"""How sessions begin."""

import numpy as np
import pytest

from turret_pipeline.topics.follow_ups.openings import greetings, openings, session_shares
from turret_pipeline_tests.topics.follow_ups.dialogues import dialogues, statements, turns


def test_openings_are_set_against_the_lengths_of_the_sessions() -> None:
    found = openings(turns("ab", "ab", "abbb", "b"))
    assert found.opened.tolist() == [3, 1]
    assert found.expected == pytest.approx([1.25, 2.75])
    assert found.rate == pytest.approx([4 / 2.25, 2 / 3.75])


def test_in_sessions_of_one_turn_all_opens_as_expected() -> None:
    assert openings(turns(*"aabc")).rate.tolist() == [1, 1, 1]


def test_sessions_begin_only_after_a_greeting() -> None:
    greeted = [f"q{session}" for session in dialogues(200, seed=1)]
    given = turns(*dialogues(400), *greeted)
    found = greetings(given)
    greeting = given.topic_ids.index("prompt-17")
    assert (found.count[greeting], found.first_share[greeting]) == (200, 1)
    assert found.clearness[greeting] > 4
    assert found.begins[greeting] < 0.1
    assert found.goes_on[greeting] > 1


def test_after_a_subject_sessions_do_not_begin() -> None:
    found = greetings(turns(*dialogues(400)))
    opens = found.count > 0
    assert (found.begins[opens] > found.goes_on[opens]).all()
    assert np.isnan(found.begins[~opens]).all()


@pytest.mark.parametrize("seed", range(5))
def test_where_every_turn_states_a_subject_no_topic_is_like_a_greeting(seed: int) -> None:
    found = greetings(turns(*statements(1000, seed)))
    assert (np.abs(found.clearness) < 4).all()


def test_shares_are_of_the_sessions_that_go_on() -> None:
    assert session_shares(turns("ab", "aab", "b", "c", "bc")).tolist() == [2 / 3, 1, 1 / 3]
    assert session_shares(turns()).tolist() == []
    assert session_shares(turns("a")).tolist() == [0]


def test_there_may_be_nothing() -> None:
    assert openings(turns()).rate.tolist() == []
    assert greetings(turns()).count.tolist() == []
