"""Whether a topic lets pass what a session was about."""

import numpy as np
import pytest

from turret_pipeline.topics.follow_ups.carryover import carrying
from turret_pipeline.topics.follow_ups.turns import Turns
from turret_pipeline_tests.topics.follow_ups.dialogues import dialogues, statements, turns


def relative(given: Turns) -> dict[str, float]:
    """How much topics carry, 1 as turns do in general, by letter."""
    found = carrying(given)
    letters = [chr(96 + int(one.rpartition("-")[2])) for one in given.topic_ids]
    return dict(zip(letters, (found.mean / found.usual).tolist(), strict=True))


def test_answers_let_pass_what_was_before_and_subjects_do_not() -> None:
    carried = relative(turns(*dialogues(600)))
    assert min(carried[one] for one in "xyz") > 1
    assert max(carried[one] for one in "abcd") < 0.5


@pytest.mark.parametrize("seed", range(5))
def test_nothing_is_carried_where_every_turn_states_a_subject(seed: int) -> None:
    found = carrying(turns(*statements(1000, seed)))
    assert abs(found.usual) < 4 * found.usual_error
    assert (np.abs(found.mean) < 4 * found.error).all()


def test_turns_that_are_never_between_others_say_nothing() -> None:
    for sessions in ((), ("a",), ("a", "b"), ("ab", "ba"), ("aaa",)):
        found = carrying(turns(*sessions))
        assert found.count.sum() == 0
        assert np.isnan(found.mean).all()
        assert not found.usual > 4 * found.usual_error


def test_a_topic_alone_in_its_place_is_not_judged() -> None:
    found = carrying(turns("axb"))
    assert np.isnan(found.mean).all()
