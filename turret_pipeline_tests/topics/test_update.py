"""Vectors and the topics known so far in; topics of all texts out."""

from collections.abc import Sequence

import numpy as np
import pytest

from turret_pipeline.topics.arrays import FloatArray, IntArray
from turret_pipeline.topics.communities import NO_TOPIC
from turret_pipeline.topics.update import Options, update_topics, vote
from turret_pipeline_tests.topics.blobs import blobs, scattered

OPTIONS = Options()
SIZES = [40, 30, 20]
VECTORS = blobs(SIZES)
KNOWN = np.repeat([4, 2, 7], SIZES)


def none(count: int) -> IntArray:
    return np.full(count, NO_TOPIC)


def updated(known: IntArray, new: FloatArray, next_number: int = 8, options: Options = OPTIONS) -> IntArray:
    """Topics of VECTORS and new texts after an update."""
    vectors = np.concatenate([VECTORS, new])
    return update_topics(vectors, np.concatenate([known, none(len(new))]), next_number, options).topic


def groups(topic: Sequence[int]) -> list[int]:
    """The distinct topics of some texts."""
    return sorted(set(topic))


def test_the_first_topics_are_numbered_from_the_largest_down() -> None:
    found = update_topics(VECTORS, none(90), 5, OPTIONS)
    assert found.topic.tolist() == np.repeat([5, 6, 7], SIZES).tolist()


def test_texts_without_company_have_no_topic() -> None:
    found = update_topics(np.concatenate([VECTORS, scattered(12)]), none(102), 1, OPTIONS)
    assert found.topic.tolist() == [*np.repeat([1, 2, 3], SIZES).tolist(), *[NO_TOPIC] * 12]


def test_the_floor_says_how_much_company_a_topic_needs() -> None:
    near, far = blobs([30, 25], noise=0.05), blobs([20], first=2, noise=0.2)
    vectors = np.concatenate([near, far])
    strict = update_topics(vectors, none(75), 1, Options(floor=0.7)).topic
    assert strict.tolist() == [1] * 30 + [2] * 25 + [NO_TOPIC] * 20
    lax = update_topics(vectors, none(75), 1, Options(floor=0.0)).topic
    assert (lax != NO_TOPIC).all()


def test_topics_do_not_depend_on_the_order_of_the_texts() -> None:
    vectors = np.concatenate([VECTORS, scattered(12)])
    order = np.random.default_rng(5).permutation(len(vectors))
    straight = update_topics(vectors, none(102), 1, OPTIONS)
    mixed = update_topics(vectors[order], none(102), 1, OPTIONS)
    assert mixed.topic.tolist() == straight.topic[order].tolist()


def test_known_texts_keep_their_topic_and_new_ones_join_the_nearest() -> None:
    new = blobs([6, 5, 4], seed=9)
    assert updated(KNOWN, new).tolist() == KNOWN.tolist() + np.repeat([4, 2, 7], [6, 5, 4]).tolist()


def test_an_update_without_new_texts_changes_nothing() -> None:
    given = KNOWN.copy()
    assert updated(given, VECTORS[:0]).tolist() == KNOWN.tolist()
    assert given.tolist() == KNOWN.tolist()


def test_known_texts_keep_their_topic_even_where_another_would_be_found() -> None:
    known = KNOWN.copy()
    known[:5] = 2
    assert updated(known, blobs([6], seed=9)).tolist()[:90] == known.tolist()


def test_a_few_new_texts_unlike_all_others_get_no_topic() -> None:
    assert updated(KNOWN, scattered(4)).tolist()[90:] == [NO_TOPIC] * 4


def test_new_texts_without_company_get_no_topic_however_many_they_are() -> None:
    assert updated(KNOWN, scattered(12)).tolist()[90:] == [NO_TOPIC] * 12


def test_new_dense_groups_of_new_texts_become_new_topics() -> None:
    new = blobs([25, 15], first=5, noise=0.04, seed=9)
    found = updated(KNOWN, new).tolist()
    assert found == [*KNOWN.tolist(), *[8] * 25, *[9] * 15]


def test_a_single_new_dense_group_becomes_a_new_topic() -> None:
    new = np.concatenate([blobs([25], first=5, noise=0.04, seed=9), scattered(8)])
    assert updated(KNOWN, new).tolist() == [*KNOWN.tolist(), *[8] * 25, *[NO_TOPIC] * 8]


def test_groups_among_texts_that_had_no_topic_become_topics_once_there_are_enough() -> None:
    few = blobs([3], first=5, noise=0.04, seed=9)
    assert groups(updated(KNOWN, few).tolist()[90:]) == [NO_TOPIC]
    many = blobs([20, 15], first=5, noise=0.04, seed=9)
    assert groups(updated(KNOWN, many).tolist()[90:]) == [8, 9]


def test_numbers_of_topics_that_are_gone_are_not_given_again() -> None:
    assert update_topics(VECTORS, none(90), 100, OPTIONS).topic.min() == 100


def test_a_text_is_measured_against_its_own_topic_and_the_next() -> None:
    vectors = np.repeat(np.array([[1, 0, 0], [0.6, 0.8, 0]], dtype=np.float32), 6, axis=0)
    found = update_topics(vectors, np.repeat([3, 9], 6), 10, OPTIONS)
    np.testing.assert_allclose(found.similarity, np.ones(12), rtol=1e-6)
    np.testing.assert_allclose(found.runner_up_similarity, np.full(12, 0.6), rtol=1e-6)
    assert found.runner_up.tolist() == [9] * 6 + [3] * 6


def test_a_text_without_a_topic_is_measured_against_the_nearest() -> None:
    vectors = np.array([[1, 0, 0]] * 6 + [[0, 1, 0]] * 6 + [[0, 0.6, -0.8]], dtype=np.float32)
    found = update_topics(vectors, np.array([3] * 6 + [9] * 6 + [NO_TOPIC]), 10, Options(floor=0.9))
    assert (found.topic[-1], found.runner_up[-1]) == (NO_TOPIC, 3)
    assert (found.similarity[-1], found.runner_up_similarity[-1]) == pytest.approx((0.6, 0.0))


def test_a_single_topic_has_no_runner_up() -> None:
    found = update_topics(VECTORS[:40], np.full(40, 6), 7, OPTIONS)
    assert found.runner_up.tolist() == [NO_TOPIC] * 40
    assert np.isnan(found.runner_up_similarity).all()
    assert (found.similarity > 0.7).all()


def test_without_topics_there_is_nothing_to_measure() -> None:
    for vectors in (VECTORS[:1], VECTORS[:4], VECTORS[:0], np.empty((0, 0), dtype=np.float32)):
        found = update_topics(vectors, none(len(vectors)), 1, OPTIONS)
        assert found.topic.tolist() == found.runner_up.tolist() == [NO_TOPIC] * len(vectors)
        assert np.isnan(found.similarity).all()
        assert np.isnan(found.runner_up_similarity).all()


def test_the_vote_is_weighted_by_nearness() -> None:
    vectors = np.array([[1, 0], [0.28, 0.96], [0.28, 0.96], [0, 1]], dtype=np.float32)
    topic = np.array([5, 8, 8, NO_TOPIC])
    assert vote(np.array([[1, 0]], dtype=np.float32), vectors, topic, 0.0).tolist() == [5]
    assert vote(np.array([[0, 1]], dtype=np.float32), vectors, topic, 0.0).tolist() == [8]


def test_a_vote_without_topics_or_texts_elects_nothing() -> None:
    assert vote(VECTORS[:3], VECTORS, none(90), 0.0).tolist() == [NO_TOPIC] * 3
    assert vote(VECTORS[:0], VECTORS, KNOWN, 0.0).tolist() == []
