"""Topics of texts with near-duplicates, which count as one text."""

import numpy as np
import pytest

from turret_pipeline.stats.array_types import FloatArray, IntArray
from turret_pipeline.topics.clustering.communities import NO_TOPIC
from turret_pipeline.topics.embedding.embedding import normalize_rows
from turret_pipeline.topics.options import TopicOptions
from turret_pipeline.topics.tracking.grouped_update import update_topics_of_groups
from turret_pipeline_tests.topics.blobs import blobs, scattered

SIZES = [40, 30, 20]
VECTORS = blobs(SIZES)
TOPICS = np.repeat([1, 2, 3], SIZES).tolist()


def copies_of(vector: FloatArray, count: int) -> FloatArray:
    """Vectors of a text with other numbers: nearly the same."""
    noisy = vector + np.random.default_rng(0).normal(0, 0.01, (count, vector.shape[1]))
    return normalize_rows(noisy)


def topics(vectors: FloatArray, group: IntArray, known: IntArray | None = None, next_number: int = 1) -> list[int]:
    given = np.full(len(vectors), NO_TOPIC) if known is None else known
    found = update_topics_of_groups(vectors, group, given, next_number, TopicOptions())
    return [int(number) for number in found.assignment.topic]


@pytest.mark.parametrize("count", [30, 100, 400])
def test_copies_of_one_text_are_one_topic_and_change_no_other(count: int) -> None:
    vectors = np.concatenate([VECTORS, copies_of(scattered(1), count)])
    group = np.append(np.arange(90), [90] * count)
    assert topics(vectors, group) == [*TOPICS, *[4] * count]


def test_a_few_copies_are_no_topic() -> None:
    vectors = np.concatenate([VECTORS, copies_of(scattered(1), 20)])
    assert topics(vectors, np.append(np.arange(90), [90] * 20)) == [*TOPICS, *[NO_TOPIC] * 20]


def test_copies_of_a_text_of_a_topic_are_in_it() -> None:
    vectors = np.concatenate([VECTORS, copies_of(VECTORS[:1], 50)])
    assert topics(vectors, np.append(np.arange(90), [0] * 50)) == [*TOPICS, *[1] * 50]


def test_new_copies_join_the_topic_of_the_known_ones() -> None:
    vectors = np.concatenate([VECTORS, copies_of(scattered(1), 60)])
    known = np.array([*TOPICS, *[4] * 40, *[NO_TOPIC] * 20])
    assert topics(vectors, np.append(np.arange(90), [90] * 60), known, 5) == [*TOPICS, *[4] * 60]


def test_known_copies_with_different_topics_keep_them() -> None:
    vectors = np.concatenate([VECTORS, copies_of(VECTORS[:1], 3)])
    known = np.array([*TOPICS, 1, 2, NO_TOPIC])
    assert topics(vectors, np.append(np.arange(90), [0] * 3), known, 4) == [*TOPICS, 1, 2, 1]


def test_without_texts_there_are_no_topics() -> None:
    assert topics(np.empty((0, 0), np.float32), np.empty(0, np.int64)) == []
