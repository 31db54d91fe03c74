"""Topics of all texts from their vectors and the known topics."""

from collections.abc import Iterable

import numpy as np
import pytest

from turret_pipeline.stats.array_types import FloatArray, IntArray
from turret_pipeline.topics.clustering.communities import NO_TOPIC
from turret_pipeline.topics.options import TopicOptions
from turret_pipeline.topics.tracking.assign import measure_fit
from turret_pipeline.topics.tracking.reconcile import Change
from turret_pipeline.topics.tracking.update import Update, update_topics
from turret_pipeline_tests.topics.blobs import blobs, scattered

SIZES = [40, 30, 20]
VECTORS = blobs(SIZES)
KNOWN = np.repeat([4, 2, 7], SIZES)
NEXT = 8


def unassigned(count: int) -> IntArray:
    return np.full(count, NO_TOPIC)


def numbers(update: Update) -> list[int]:
    """The topic of every text."""
    return [int(number) for number in update.assignment.topic]


def first_run(vectors: FloatArray, options: TopicOptions | None = None) -> list[int]:
    """Topics of a run without known topics."""
    return numbers(update_topics(vectors, unassigned(len(vectors)), 1, options or TopicOptions()))


def updated(known: IntArray, new: FloatArray, protected: Iterable[int] = ()) -> Update:
    """Update of VECTORS together with new texts."""
    vectors = np.concatenate([VECTORS, new])
    return update_topics(
        vectors, np.concatenate([known, unassigned(len(new))]), NEXT, TopicOptions(), frozenset(protected)
    )


def of_new(known: IntArray, new: FloatArray) -> list[int]:
    """Topics of new texts after an update that keeps the topics of all known texts."""
    found = updated(known, new)
    topic = numbers(found)
    assert (topic[: len(known)], found.changes) == (known.tolist(), [])
    return topic[len(known) :]


def test_the_first_topics_are_numbered_by_size() -> None:
    small_first = blobs([20, 40, 30])
    found = update_topics(small_first, unassigned(90), 5, TopicOptions())
    assert numbers(found) == np.repeat([7, 5, 6], [20, 40, 30]).tolist()
    assert (found.changes, found.stability) == ([], 1.0)


@pytest.mark.slow
def test_topics_do_not_depend_on_the_order_of_the_texts() -> None:
    vectors = np.concatenate([VECTORS, scattered(12)])
    straight = np.array(first_run(vectors))
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(len(vectors))
        assert first_run(vectors[order]) == straight[order].tolist()


def test_another_seed_gives_the_same_clear_topics() -> None:
    assert first_run(VECTORS, TopicOptions(seed=99)) == first_run(VECTORS)


def test_outliers_are_unassigned() -> None:
    vectors = np.concatenate([VECTORS, scattered(12)])
    assert first_run(vectors) == [*np.repeat([1, 2, 3], SIZES).tolist(), *[NO_TOPIC] * 12]


def test_a_higher_floor_leaves_more_texts_unassigned() -> None:
    vectors = np.concatenate([blobs([60, 50], noise=0.15), scattered(12)])
    counts = [first_run(vectors, TopicOptions(floor=floor)).count(NO_TOPIC) for floor in (0.0, 0.67, 0.999)]
    assert counts[0] == 0
    assert counts[0] < counts[1] <= counts[2]


def test_more_granularity_gives_more_topics() -> None:
    vectors = blobs([60, 50], noise=0.15)
    assert len(set(first_run(vectors, TopicOptions(granularity=8)))) > len(set(first_run(vectors)))


@pytest.mark.parametrize("count", [0, 1, 4, 9])
def test_too_few_texts_have_no_topics(count: int) -> None:
    for vectors in (blobs([9])[:count], np.empty((0, 0), dtype=np.float32)):
        found = update_topics(vectors, unassigned(len(vectors)), 1, TopicOptions())
        assert found.assignment.topic.tolist() == found.assignment.runner_up.tolist() == [NO_TOPIC] * len(vectors)
        assert np.isnan(found.assignment.similarity).all()
        assert (found.changes, found.stability) == ([], None)


def test_too_few_texts_keep_known_topics() -> None:
    known = np.array([3, 3, NO_TOPIC])
    assert numbers(update_topics(blobs([3]), known, 4, TopicOptions())) == [3, 3, NO_TOPIC]


def test_thirty_texts_have_small_topics_or_unassigned() -> None:
    assert first_run(blobs([12, 10, 8])) == np.repeat([1, 2, 3], [12, 10, 8]).tolist()
    assert first_run(np.concatenate([blobs([12, 10]), scattered(8)])) == [1] * 12 + [2] * 10 + [NO_TOPIC] * 8
    assert first_run(scattered(30)) == [NO_TOPIC] * 30


@pytest.mark.parametrize(("alike", "odd"), [(14, 8), (30, 0), (60, 10)])
def test_a_single_topic_is_found_without_the_texts_unlike_it(alike: int, odd: int) -> None:
    vectors = np.concatenate([blobs([alike]), scattered(odd)])
    assert first_run(vectors) == [1] * alike + [NO_TOPIC] * odd


def test_a_topic_has_at_least_the_minimum_number_of_texts() -> None:
    vectors = np.concatenate([VECTORS, blobs([8], first=5)])
    for least, topics in ((8, 4), (10, 3)):
        found = [number for number in first_run(vectors, TopicOptions(min_texts=least)) if number != NO_TOPIC]
        assert len(set(found)) == topics
        assert np.unique(found, return_counts=True)[1].min() >= least


def spelled(vectors: FloatArray, times: int) -> FloatArray:
    """Every text repeated in spellings whose vectors differ in the last digits."""
    repeated = np.repeat(vectors, times, axis=0)
    return repeated + np.random.default_rng(0).normal(0, 1e-8, repeated.shape)


@pytest.mark.slow
def test_spellings_of_one_text_do_not_form_a_topic_but_those_of_enough_texts_do() -> None:
    one, enough = spelled(blobs([1], first=5), 9), spelled(blobs([5], first=5), 3)
    assert first_run(np.concatenate([VECTORS, one]))[90:] == [NO_TOPIC] * 9
    assert first_run(np.concatenate([VECTORS, enough]))[90:] == [4] * 15
    assert of_new(KNOWN, one) == [NO_TOPIC] * 9
    assert of_new(KNOWN, enough) == [8] * 15
    assert first_run(spelled(blobs([3, 3]), 6)) == [NO_TOPIC] * 36


def test_spellings_of_one_text_do_not_leave_its_topic() -> None:
    vectors = np.concatenate([VECTORS, spelled(blobs([1], first=9), 9)])
    known = np.append(KNOWN, [7] * 9)
    kept = update_topics(vectors, known, NEXT, TopicOptions())
    assert (numbers(kept), kept.changes) == (known.tolist(), [])


def test_known_texts_keep_their_topic_and_new_ones_of_the_same_kind_join() -> None:
    assert of_new(KNOWN, blobs([6, 5, 4], seed=9)) == np.repeat([4, 2, 7], [6, 5, 4]).tolist()
    assert of_new(KNOWN, blobs([60, 40, 50], seed=9)) == np.repeat([4, 2, 7], [60, 40, 50]).tolist()


def test_an_update_without_new_texts_changes_nothing() -> None:
    given = KNOWN.copy()
    assert of_new(given, VECTORS[:0]) == []
    assert given.tolist() == KNOWN.tolist()


def test_a_second_update_changes_nothing() -> None:
    vectors = np.concatenate([VECTORS, scattered(12)])
    first = update_topics(vectors, unassigned(102), 1, TopicOptions()).assignment.topic
    second = update_topics(vectors, first, 4, TopicOptions())
    assert (numbers(second), second.changes) == (first.tolist(), [])


def test_a_few_misplaced_known_texts_keep_their_topic() -> None:
    known = KNOWN.copy()
    known[:5] = 2
    assert of_new(known, blobs([6], seed=9)) == [4] * 6


@pytest.mark.parametrize("count", [4, 12])
def test_new_outliers_stay_unassigned_however_many_they_are(count: int) -> None:
    assert of_new(KNOWN, scattered(count)) == [NO_TOPIC] * count


def test_known_outliers_keep_their_topic() -> None:
    vectors = np.concatenate([VECTORS, scattered(2)])
    known = np.concatenate([KNOWN, [4, 2]])
    assert numbers(update_topics(vectors, known, NEXT, TopicOptions())) == known.tolist()


def test_dense_clusters_of_new_texts_become_topics_the_largest_first() -> None:
    assert of_new(KNOWN, blobs([15, 25], first=5, seed=9)) == [9] * 15 + [8] * 25
    assert of_new(KNOWN, np.concatenate([blobs([25], first=5, seed=9), scattered(8)])) == [8] * 25 + [NO_TOPIC] * 8


def test_unassigned_texts_form_a_topic_once_they_are_enough() -> None:
    few, many = blobs([3], first=5, noise=0.04, seed=9), blobs([20], first=5, noise=0.04, seed=9)
    assert of_new(KNOWN, few) == [NO_TOPIC] * 3
    assert of_new(KNOWN, many) == [8] * 20


def test_small_dense_clusters_are_found_among_unassigned_texts() -> None:
    odd = blobs([6, 6], first=20, noise=0.04, seed=9)
    assert of_new(KNOWN, np.concatenate([odd, scattered(8)])) == [8] * 6 + [9] * 6 + [NO_TOPIC] * 8


def test_a_topic_of_two_kinds_splits_unless_it_is_protected() -> None:
    known = KNOWN.copy()
    known[82:] = 2
    vectors = np.concatenate([blobs([40, 30, 12]), blobs([8], first=9)])
    split = update_topics(vectors, known, NEXT, TopicOptions())
    assert numbers(split) == [*known[:82].tolist(), *[NEXT] * 8]
    assert split.changes == [Change("split", NEXT, 2, 8 / 38)]
    protected = update_topics(vectors, known, NEXT, TopicOptions(), frozenset([2]))
    assert (numbers(protected), protected.changes) == (known.tolist(), [])


def test_two_topics_of_one_kind_merge_unless_one_is_protected() -> None:
    known = KNOWN.copy()
    known[:8] = 5
    merged = updated(known, VECTORS[:0])
    assert numbers(merged) == KNOWN.tolist()
    assert merged.changes == [Change("merged", 5, 4, 8 / 32)]
    assert numbers(updated(known, VECTORS[:0], protected=[5])) == known.tolist()


def test_numbers_of_retired_topics_are_not_reused() -> None:
    found = update_topics(
        np.concatenate([VECTORS, blobs([25], first=5)]), np.append(KNOWN, unassigned(25)), 100, TopicOptions()
    )
    assert numbers(found) == [*KNOWN.tolist(), *[100] * 25]
    assert min(update_topics(VECTORS, unassigned(90), 100, TopicOptions()).assignment.topic) == 100


def test_new_numbers_are_unique_however_topics_were_found() -> None:
    known = KNOWN.copy()
    known[82:] = 2
    parts = [blobs([40, 30, 12]), blobs([8], first=9), blobs([25], first=5), blobs([6], first=20, noise=0.04)]
    vectors = np.concatenate([*parts, scattered(8)])
    found = update_topics(vectors, np.append(known, unassigned(39)), NEXT, TopicOptions())
    assert numbers(found)[82:] == [10] * 8 + [8] * 25 + [9] * 6 + [NO_TOPIC] * 8
    assert found.changes == [Change("split", 10, 2, 8 / 38)]


def test_the_fit_is_measured_against_the_final_topics() -> None:
    vectors = np.concatenate([VECTORS, scattered(12)])
    found = update_topics(vectors, unassigned(102), 1, TopicOptions()).assignment
    expected = measure_fit(vectors, found.topic)
    assert found.similarity.tolist() == expected.similarity.tolist()
    assert found.runner_up.tolist() == expected.runner_up.tolist()
    assert found.runner_up_similarity.tolist() == expected.runner_up_similarity.tolist()
    assert found.similarity[:90].min() > 0.7 > found.similarity[90:].max()
