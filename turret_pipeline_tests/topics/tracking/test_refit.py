"""Topics found anew that take the ids of the old ones."""

import numpy as np

from turret_pipeline.stats.array_types import IntArray
from turret_pipeline.topics.clustering.communities import NO_TOPIC
from turret_pipeline.topics.tracking.reconcile import Change
from turret_pipeline.topics.tracking.refit import carry_ids, keep_held

NEXT = 10


def topics(*runs: tuple[int, int]) -> IntArray:
    """Topics of texts as (topic, how many)."""
    return np.concatenate([np.full(count, name) for name, count in runs] or [np.empty(0, np.int64)])


def carried(old: IntArray, new: IntArray, *held: int) -> tuple[list[int], list[Change]]:
    found = carry_ids(old, new, NEXT, frozenset(held))
    return found.topic.tolist(), found.changes


def test_the_same_topics_under_other_numbers_keep_their_ids() -> None:
    old, new = topics((3, 20), (1, 10), (7, 5)), topics((10, 20), (12, 10), (11, 5))
    assert carried(old, new) == (old.tolist(), [])


def test_texts_that_moved_or_are_new_change_no_id() -> None:
    old = topics((3, 20), (1, 10), (NO_TOPIC, 6))
    new = topics((10, 16), (11, 14), (10, 2), (NO_TOPIC, 1), (11, 3))
    assert carried(old, new) == (topics((3, 16), (1, 14), (3, 2), (NO_TOPIC, 1), (1, 3)).tolist(), [])


def test_a_topic_of_new_texts_is_new() -> None:
    old, new = topics((3, 20), (NO_TOPIC, 9)), topics((10, 20), (11, 9))
    assert carried(old, new) == (topics((3, 20), (NEXT, 9)).tolist(), [])


def test_the_larger_part_of_a_topic_that_fell_apart_keeps_its_id() -> None:
    old, new = topics((3, 30)), topics((10, 12), (11, 18))
    assert carried(old, new) == (topics((NEXT, 12), (3, 18)).tolist(), [Change("split", NEXT, 3, 1.0)])


def test_two_topics_that_became_one_are_the_larger() -> None:
    old, new = topics((3, 12), (1, 18)), topics((10, 30))
    assert carried(old, new) == ([1] * 30, [Change("merged", 3, 1, 1.0)])


def test_what_has_too_little_in_common_is_another_topic() -> None:
    old = topics((3, 20), (NO_TOPIC, 60))
    new = topics((10, 5), (NO_TOPIC, 15), (10, 60))
    expected = topics((NEXT, 5), (NO_TOPIC, 15), (NEXT, 60)).tolist()
    assert carried(old, new) == (expected, [Change("split", NEXT, 3, 1.0)])


def test_the_largest_of_several_topics_that_are_found_to_be_one_lives_on() -> None:
    old = topics((3, 12), (1, 10), (2, 10), (5, 8))
    assert carried(old, topics((10, 40)))[0] == [3] * 40
    merged = [Change("merged", name, 3, 1.0) for name in (1, 2, 5)]
    assert carried(old, topics((10, 40)))[1] == merged
    small = topics((3, 9), *((name, 8) for name in (1, 2, 5, 6)))
    assert carried(small, topics((10, 41)))[0] == [NEXT] * 41


def test_a_topic_that_is_held_keeps_its_number_whatever_joined_it() -> None:
    old = topics((3, 5), (1, 40), (2, 10))
    new = topics((3, 45), (11, 10))
    assert carried(old, new, 3) == (topics((3, 45), (2, 10)).tolist(), [Change("merged", 1, 3, 1.0)])
    much_new = carried(topics((3, 5), (NO_TOPIC, 90)), topics((3, 95)), 3)
    assert much_new == ([3] * 95, [])


def test_what_is_held_stays_and_takes_in_what_is_mostly_of_it() -> None:
    old = topics((3, 8), (1, 40), (2, 5), (NO_TOPIC, 3))
    new = topics((10, 6), (11, 2), (11, 40), (NO_TOPIC, 5), (10, 3))
    expected = topics((3, 8), (11, 40), (2, 5), (3, 3)).tolist()
    assert keep_held(old, new, frozenset({2, 3})).tolist() == expected
    assert keep_held(old, new, frozenset()).tolist() == new.tolist()


def test_where_nothing_was_known_or_is_found_there_is_nothing_to_carry() -> None:
    assert carried(topics((NO_TOPIC, 9)), topics((10, 5), (11, 4))) == (topics((10, 5), (11, 4)).tolist(), [])
    assert carried(topics((3, 9)), topics((NO_TOPIC, 9))) == ([NO_TOPIC] * 9, [])
    assert carried(topics(), topics()) == ([], [])
