"""Themes of topics."""

import numpy as np

from turret_pipeline.topics.clustering.communities import NO_TOPIC
from turret_pipeline.topics.themes import assign_themes
from turret_pipeline_tests.topics.blobs import blobs

NONE = np.full(8, NO_TOPIC)


def test_similar_topics_make_a_theme() -> None:
    found = assign_themes(blobs([5, 3], noise=0.05), NONE, next_number=4, seed=0)
    assert found.tolist() == [4] * 5 + [5] * 3


def test_a_topic_keeps_its_theme_and_a_new_one_joins_the_nearest() -> None:
    known = np.array([2, 2, 2, 2, NO_TOPIC, 9, NO_TOPIC, 9])
    assert assign_themes(blobs([5, 3]), known, next_number=10, seed=0).tolist() == [2] * 5 + [9] * 3
    assert known.tolist() == [2, 2, 2, 2, NO_TOPIC, 9, NO_TOPIC, 9]


def test_known_themes_stay_even_if_others_would_be_found() -> None:
    known = np.array([1, 2, 1, 2, 1, 2, 1, 2])
    assert assign_themes(blobs([5, 3]), known, next_number=3, seed=0).tolist() == known.tolist()


def test_one_or_two_topics_are_one_theme() -> None:
    for count in (1, 2):
        assert assign_themes(blobs([1] * count), NONE[:count], next_number=7, seed=0).tolist() == [7] * count


def test_no_topics_make_no_themes() -> None:
    assert assign_themes(blobs([1])[:0], NONE[:0], next_number=1, seed=0).tolist() == []


def test_many_topics_have_a_useful_number_of_themes() -> None:
    topics = blobs([6] * 6, noise=0.3)
    sizes = np.bincount(assign_themes(topics, np.full(36, NO_TOPIC), next_number=0, seed=0))
    assert 4 <= 36 / len(sizes) <= 8
    assert sizes.max() <= 0.4 * 36
