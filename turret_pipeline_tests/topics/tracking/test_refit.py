"""Ids of topics after a refit."""

import numpy as np

from turret_pipeline.stats.array_types import IntArray
from turret_pipeline.topics.clustering.communities import NO_TOPIC
from turret_pipeline.topics.tracking.reconcile import Change
from turret_pipeline.topics.tracking.refit import match_topic_numbers, restore_protected_topics

NEXT = 10


def topics(*runs: tuple[int, int]) -> IntArray:
    """Topics of texts, from (topic, number of texts)."""
    return np.concatenate([np.full(count, name) for name, count in runs] or [np.empty(0, np.int64)])


def matched(old: IntArray, new: IntArray, *protected: int) -> tuple[list[int], list[Change]]:
    found = match_topic_numbers(old, new, NEXT, frozenset(protected))
    return found.topic.tolist(), found.changes


def test_the_same_topics_keep_their_numbers() -> None:
    old, new = topics((3, 20), (1, 10), (7, 5)), topics((10, 20), (12, 10), (11, 5))
    assert matched(old, new) == (old.tolist(), [])


def test_moved_and_new_texts_do_not_change_numbers() -> None:
    old = topics((3, 20), (1, 10), (NO_TOPIC, 6))
    new = topics((10, 16), (11, 14), (10, 2), (NO_TOPIC, 1), (11, 3))
    assert matched(old, new) == (topics((3, 16), (1, 14), (3, 2), (NO_TOPIC, 1), (1, 3)).tolist(), [])


def test_a_topic_of_new_texts_is_new() -> None:
    old, new = topics((3, 20), (NO_TOPIC, 9)), topics((10, 20), (11, 9))
    assert matched(old, new) == (topics((3, 20), (NEXT, 9)).tolist(), [])


def test_the_larger_part_of_a_split_topic_keeps_its_number() -> None:
    old, new = topics((3, 30)), topics((10, 12), (11, 18))
    assert matched(old, new) == (topics((NEXT, 12), (3, 18)).tolist(), [Change("split", NEXT, 3, 1.0)])


def test_two_merged_topics_have_the_number_of_the_larger() -> None:
    old, new = topics((3, 12), (1, 18)), topics((10, 30))
    assert matched(old, new) == ([1] * 30, [Change("merged", 3, 1, 1.0)])


def test_topics_with_few_common_texts_do_not_match() -> None:
    old = topics((3, 20), (NO_TOPIC, 60))
    new = topics((10, 5), (NO_TOPIC, 15), (10, 60))
    expected = topics((NEXT, 5), (NO_TOPIC, 15), (NEXT, 60)).tolist()
    assert matched(old, new) == (expected, [Change("split", NEXT, 3, 1.0)])


def test_the_largest_of_several_merged_topics_survives() -> None:
    old = topics((3, 12), (1, 10), (2, 10), (5, 8))
    assert matched(old, topics((10, 40)))[0] == [3] * 40
    merged = [Change("merged", name, 3, 1.0) for name in (1, 2, 5)]
    assert matched(old, topics((10, 40)))[1] == merged
    small = topics((3, 9), *((name, 8) for name in (1, 2, 5, 6)))
    assert matched(small, topics((10, 41)))[0] == [NEXT] * 41


def test_a_protected_topic_keeps_its_number_whatever_joined_it() -> None:
    old = topics((3, 5), (1, 40), (2, 10))
    new = topics((3, 45), (11, 10))
    assert matched(old, new, 3) == (topics((3, 45), (2, 10)).tolist(), [Change("merged", 1, 3, 1.0)])
    much_new = matched(topics((3, 5), (NO_TOPIC, 90)), topics((3, 95)), 3)
    assert much_new == ([3] * 95, [])


def test_protected_topics_keep_their_texts_and_take_in_new_ones() -> None:
    old = topics((3, 8), (1, 40), (2, 5), (NO_TOPIC, 3))
    new = topics((10, 6), (11, 2), (11, 40), (NO_TOPIC, 5), (10, 3))
    expected = topics((3, 8), (11, 40), (2, 5), (3, 3)).tolist()
    assert restore_protected_topics(old, new, frozenset({2, 3})).tolist() == expected
    assert restore_protected_topics(old, new, frozenset()).tolist() == new.tolist()


def test_without_old_or_new_topics_nothing_matches() -> None:
    assert matched(topics((NO_TOPIC, 9)), topics((10, 5), (11, 4))) == (topics((10, 5), (11, 4)).tolist(), [])
    assert matched(topics((3, 9)), topics((NO_TOPIC, 9))) == ([NO_TOPIC] * 9, [])
    assert matched(topics(), topics()) == ([], [])
