"""Carry-over of topics."""

import numpy as np
import pytest

from turret_pipeline.topics.follow_ups.carryover import measure_carryover
from turret_pipeline.topics.follow_ups.turns import Turns
from turret_pipeline_tests.topics.follow_ups.dialogues import dialogues, statements, turns


def relative(given: Turns) -> dict[str, float]:
    """Carry-over relative to all turns, by letter."""
    found = measure_carryover(given)
    letters = [chr(96 + int(one.rpartition("-")[2])) for one in given.topic_ids]
    return dict(zip(letters, (found.mean / found.overall).tolist(), strict=True))


def test_follow_ups_have_a_high_carryover_and_subjects_a_low_one() -> None:
    carryover = relative(turns(*dialogues(600)))
    assert min(carryover[one] for one in "xyz") > 1
    assert max(carryover[one] for one in "abcd") < 0.5


@pytest.mark.parametrize("seed", range(5))
def test_there_is_no_carryover_if_every_turn_states_a_subject(seed: int) -> None:
    found = measure_carryover(turns(*statements(1000, seed)))
    assert abs(found.overall) < 4 * found.overall_error
    assert (np.abs(found.mean) < 4 * found.error).all()


def test_turns_that_are_never_between_others_have_no_carryover() -> None:
    for sessions in ((), ("a",), ("a", "b"), ("ab", "ba"), ("aaa",)):
        found = measure_carryover(turns(*sessions))
        assert found.count.sum() == 0
        assert np.isnan(found.mean).all()
        assert not found.overall > 4 * found.overall_error


def test_a_topic_with_one_turn_has_no_carryover() -> None:
    found = measure_carryover(turns("axb"))
    assert np.isnan(found.mean).all()
