"""Openings and greetings."""

import numpy as np
import pytest

from turret_pipeline.topics.follow_ups.openings import count_openings, measure_greetings, topic_session_shares
from turret_pipeline_tests.topics.follow_ups.dialogues import dialogues, statements, turns


def test_expected_openings_depend_on_the_lengths_of_the_sessions() -> None:
    found = count_openings(turns("ab", "ab", "abbb", "b"))
    assert found.opened.tolist() == [3, 1]
    assert found.expected == pytest.approx([1.25, 2.75])
    assert found.rate == pytest.approx([4 / 2.25, 2 / 3.75])


def test_in_sessions_of_one_turn_topics_open_as_expected() -> None:
    assert count_openings(turns(*"aabc")).rate.tolist() == [1, 1, 1]


def test_topics_after_a_greeting_are_like_first_topics() -> None:
    greeted = [f"q{session}" for session in dialogues(200, seed=1)]
    given = turns(*dialogues(400), *greeted)
    found = measure_greetings(given)
    greeting = given.topic_ids.index("prompt-17")
    assert (found.count[greeting], found.opening_share[greeting]) == (200, 1)
    assert found.z_score[greeting] > 4
    assert found.first_divergence[greeting] < 0.1
    assert found.second_divergence[greeting] > 1


def test_topics_after_a_subject_are_like_second_topics() -> None:
    found = measure_greetings(turns(*dialogues(400)))
    opens = found.count > 0
    assert (found.first_divergence[opens] > found.second_divergence[opens]).all()
    assert np.isnan(found.first_divergence[~opens]).all()


@pytest.mark.parametrize("seed", range(5))
def test_if_every_turn_states_a_subject_no_topic_is_a_greeting(seed: int) -> None:
    found = measure_greetings(turns(*statements(1000, seed)))
    assert (np.abs(found.z_score) < 4).all()


def test_shares_are_of_the_sessions_with_several_turns() -> None:
    assert topic_session_shares(turns("ab", "aab", "b", "c", "bc")).tolist() == [2 / 3, 1, 1 / 3]
    assert topic_session_shares(turns()).tolist() == []
    assert topic_session_shares(turns("a")).tolist() == [0]


def test_no_turns_have_no_openings() -> None:
    assert count_openings(turns()).rate.tolist() == []
    assert measure_greetings(turns()).count.tolist() == []
