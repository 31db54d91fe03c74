"""Votes for topics, outliers, and the fit of texts to topics."""

import numpy as np
import pytest

from turret_pipeline.stats.array_types import IntArray
from turret_pipeline.topics.clustering.communities import NO_TOPIC
from turret_pipeline.topics.clustering.neighbours import (
    NOT_FOUND,
    NOT_FOUND_SIMILARITY,
    Neighbours,
    find_nearest_others,
)
from turret_pipeline.topics.tracking.assign import (
    MIN_OWN_SHARE,
    UNRELATED_SIMILARITY,
    is_outlier,
    measure_fit,
    vote_for_topic,
)
from turret_pipeline_tests.topics.blobs import blobs

EAST, NORTH = np.eye(2, dtype=np.float32)[:, None]
FLOOR = 0.7


def local_similarities(*, first: float, others: float) -> Neighbours:
    """Neighbours of 1,001 texts: local similarity ``first`` for the first text and ``others`` for the rest."""
    similarities = np.array([[first], *[[others]] * 1000], dtype=np.float32)
    return Neighbours(np.zeros((1001, 1), dtype=np.int64), similarities)


def test_votes_are_weighted_by_similarity() -> None:
    references = np.array([[1, 0], [0.28, 0.96], [0.28, 0.96]], dtype=np.float32)
    topic = np.array([5, 8, 8])
    assert vote_for_topic(EAST, references, topic).tolist() == [5]
    assert vote_for_topic(NORTH, references, topic).tolist() == [8]


def test_only_the_nearest_references_vote() -> None:
    references = np.concatenate([np.repeat(EAST, 8, axis=0), np.repeat([[0.6, 0.8]], 200, axis=0).astype(np.float32)])
    assert vote_for_topic(EAST, references, np.repeat([3, 4], [8, 200])).tolist() == [3]


def test_references_with_a_negative_cosine_have_no_vote() -> None:
    references = np.array([[-1, 0], [-1, 0], [0.1, 0.995]], dtype=np.float32)
    assert vote_for_topic(EAST, references, np.array([1, 1, 2])).tolist() == [2]


def test_without_references_or_queries_there_is_no_topic() -> None:
    assert vote_for_topic(blobs([3]), blobs([1])[:0], np.array([], dtype=np.int64)).tolist() == [NO_TOPIC] * 3
    assert vote_for_topic(blobs([3])[:0], blobs([2]), np.array([1, 2])).tolist() == []


def with_neighbours(own: int, *, first: float, others: float) -> tuple[Neighbours, IntArray]:
    """Neighbours and topics of 100 texts. ``own`` of the ten neighbours of the first text have its topic.

    ``first`` is the first text's similarity to all its neighbours, ``others`` that of the other texts.
    """
    topic = np.repeat([1, 2], 50)
    indices = np.full((100, 10), 60)
    indices[topic == 1] = 10
    indices[0, own:] = 60
    similarities = np.full((100, 10), others, dtype=np.float32)
    similarities[0] = first
    return Neighbours(indices, similarities), topic


def outliers(own: int, *, first: float, others: float = 0.9) -> list[int]:
    return np.flatnonzero(is_outlier(*with_neighbours(own, first=first, others=others), FLOOR)).tolist()


def test_a_text_far_below_the_others_is_an_outlier_if_its_neighbours_have_other_topics() -> None:
    bound = FLOOR * 0.9
    assert outliers(5, first=bound - 0.01) == [0]
    assert outliers(5, first=bound + 0.01) == []
    assert outliers(10, first=bound - 0.01) == []


def test_the_share_of_neighbours_in_its_topic_decides() -> None:
    first = FLOOR * 0.9 - 0.01
    assert outliers(round(10 * MIN_OWN_SHARE) - 1, first=first) == [0]
    assert outliers(round(10 * MIN_OWN_SHARE), first=first) == []


def test_in_a_loose_field_the_bound_is_lower() -> None:
    bound = FLOOR * 0.6
    assert outliers(5, first=bound - 0.01, others=0.6) == [0]
    assert outliers(5, first=bound + 0.01, others=0.6) == []


def test_the_topic_of_a_text_and_all_texts_give_the_bound_in_equal_parts() -> None:
    neighbours, topic = with_neighbours(5, first=0.9, others=0.9)
    neighbours.similarities[topic == 1] = 0.5
    bound = FLOOR * (0.5 + (0.5 + 0.9) / 2) / 2  # the median of all texts is between those of two equal topics
    for first, expected in ((bound - 0.01, [0]), (bound + 0.01, [])):
        neighbours.similarities[0] = first
        assert np.flatnonzero(is_outlier(neighbours, topic, FLOOR)).tolist() == expected


def test_a_text_as_unlike_as_unrelated_texts_is_an_outlier_whatever_its_neighbours_have() -> None:
    assert outliers(10, first=UNRELATED_SIMILARITY * FLOOR - 0.01) == [0]
    assert outliers(10, first=UNRELATED_SIMILARITY * FLOOR + 0.01) == []


def test_if_all_texts_are_unrelated_all_are_outliers() -> None:
    unrelated = UNRELATED_SIMILARITY * FLOOR - 0.01
    assert outliers(10, first=unrelated, others=unrelated) == list(range(100))


def test_with_a_floor_of_zero_no_text_is_an_outlier() -> None:
    neighbours, topic = with_neighbours(0, first=-0.5, others=0.9)
    assert not is_outlier(neighbours, topic, 0.0).any()


def test_a_text_without_any_neighbour_found_is_an_outlier() -> None:
    neighbours, topic = with_neighbours(10, first=0.9, others=0.9)
    neighbours.indices[0], neighbours.similarities[0] = NOT_FOUND, NOT_FOUND_SIMILARITY
    assert np.flatnonzero(is_outlier(neighbours, topic, FLOOR)).tolist() == [0]


def test_missing_neighbours_do_not_count() -> None:
    neighbours, topic = with_neighbours(10, first=FLOOR * 0.9 + 0.01, others=0.9)
    neighbours.indices[0, 3:] = NOT_FOUND
    neighbours.similarities[0, 3:] = NOT_FOUND_SIMILARITY
    assert not is_outlier(Neighbours(neighbours.indices, neighbours.similarities), topic, FLOOR).any()


def test_an_unassigned_text_is_not_an_outlier() -> None:
    topic = np.array([NO_TOPIC, *[1] * 1000])
    assert not is_outlier(local_similarities(first=0.1, others=0.9), topic, FLOOR).any()


def test_without_neighbours_there_are_no_outliers() -> None:
    for count in (0, 1):
        vectors = blobs([1])[:count]
        assert (
            is_outlier(find_nearest_others(vectors, 5), np.ones(count, dtype=np.int64), FLOOR).tolist()
            == [False] * count
        )


def test_a_text_is_measured_against_its_own_topic_and_the_next() -> None:
    vectors = np.repeat(np.array([[1, 0, 0], [0.6, 0.8, 0]], dtype=np.float32), 6, axis=0)
    found = measure_fit(vectors, np.repeat([3, 9], 6))
    assert found.topic.tolist() == [3] * 6 + [9] * 6
    assert found.runner_up.tolist() == [9] * 6 + [3] * 6
    np.testing.assert_allclose(found.similarity, np.ones(12), rtol=1e-6)
    np.testing.assert_allclose(found.runner_up_similarity, np.full(12, 0.6), rtol=1e-6)


def test_a_text_without_a_topic_is_measured_against_the_nearest() -> None:
    vectors = np.array([[1, 0, 0]] * 6 + [[0, 1, 0]] * 6 + [[0, 0.6, -0.8]], dtype=np.float32)
    found = measure_fit(vectors, np.array([3] * 6 + [9] * 6 + [NO_TOPIC]))
    assert (found.topic[-1], found.runner_up[-1]) == (NO_TOPIC, 3)
    assert (found.similarity[-1], found.runner_up_similarity[-1]) == pytest.approx((0.6, 0.0))


def test_a_single_topic_has_no_runner_up() -> None:
    found = measure_fit(blobs([40]), np.full(40, 6))
    assert found.runner_up.tolist() == [NO_TOPIC] * 40
    assert np.isnan(found.runner_up_similarity).all()
    assert (found.similarity > 0.7).all()


@pytest.mark.parametrize("count", [0, 1, 4])
def test_without_topics_there_is_nothing_to_measure(count: int) -> None:
    found = measure_fit(blobs([4])[:count], np.full(count, NO_TOPIC))
    assert found.topic.tolist() == found.runner_up.tolist() == [NO_TOPIC] * count
    assert np.isnan(found.similarity).tolist() == np.isnan(found.runner_up_similarity).tolist() == [True] * count
