"""Topics of more texts than are clustered."""

import numpy as np

from turret_pipeline.stats.array_types import FloatArray, IntArray
from turret_pipeline.topics.clustering.communities import NO_TOPIC
from turret_pipeline.topics.options import TopicOptions
from turret_pipeline.topics.tracking.sampled_update import update_topics_of_sample
from turret_pipeline_tests.topics.blobs import blobs, scattered

SIZES = [200, 120, 80]
ORDER = np.random.default_rng(0).permutation(sum(SIZES))
VECTORS, TOPICS = blobs(SIZES)[ORDER], np.repeat([1, 2, 3], SIZES)[ORDER]


def find_topics(vectors: FloatArray, sample: int, known: IntArray | None = None, next_number: int = 1) -> IntArray:
    given = np.full(len(vectors), NO_TOPIC) if known is None else known
    return update_topics_of_sample(vectors, given, next_number, TopicOptions(max_clustered=sample)).assignment.topic


def test_texts_beyond_the_sample_have_the_topics_that_all_together_would_have() -> None:
    assert find_topics(VECTORS, sample=1_000).tolist() == TOPICS.tolist()
    assert find_topics(VECTORS, sample=120).tolist() == TOPICS.tolist()


def test_a_text_like_none_of_the_sample_has_no_topic() -> None:
    vectors = np.concatenate([VECTORS, scattered(3)])

    assert find_topics(vectors, sample=120)[-3:].tolist() == [NO_TOPIC] * 3


def test_known_texts_beyond_the_sample_keep_their_topic() -> None:
    known = TOPICS.copy()
    known[-20:] = 9  # a topic that no text of the sample has

    found = find_topics(VECTORS, sample=120, known=known, next_number=10)

    assert found[-20:].tolist() == [9] * 20
    assert found[:-20].tolist() == TOPICS[:-20].tolist()


def test_new_texts_join_known_topics_and_a_new_topic_includes_texts_beyond_the_sample() -> None:
    known = np.where(TOPICS == 3, NO_TOPIC, TOPICS)
    known[300:] = NO_TOPIC

    assert (
        find_topics(VECTORS, sample=250, known=known, next_number=7).tolist()
        == np.where(TOPICS == 3, 7, TOPICS).tolist()
    )


def test_a_merge_holds_beyond_the_sample() -> None:
    known = TOPICS.copy()
    doubled = np.flatnonzero(TOPICS == 1)[::25]  # a second topic of the same texts
    known[doubled] = 8

    whole = find_topics(VECTORS, sample=1_000, known=known, next_number=9)
    sampled = find_topics(VECTORS, sample=int(doubled[5]) + 1, known=known, next_number=9)

    assert whole.tolist() == TOPICS.tolist()
    assert sampled.tolist() == whole.tolist()


def test_no_text_at_all() -> None:
    assert find_topics(np.empty((0, 8), np.float32), sample=100).tolist() == []
