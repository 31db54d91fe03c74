"""The student, and the doubt about its vectors."""

import numpy as np
from threadpoolctl import threadpool_limits

from turret_pipeline.topics.cascade.cascade import collect_static_vectors, find_centroids, select_static_words
from turret_pipeline.topics.cascade.margin import MIN_EQUAL_SHARE, calibrate_doubt, measure_margins
from turret_pipeline.topics.cascade.student import StaticVectors, Student, train_student
from turret_pipeline.topics.embedding.embedding import normalize_rows
from turret_pipeline_tests.topics.cascade.simple_model import embed, write_texts

TEXTS = write_texts(300)
TAUGHT, OTHERS = TEXTS[:200], TEXTS[200:]
CENTROIDS = np.eye(2, dtype=np.float32)


def static_vectors() -> StaticVectors:
    words = select_static_words(TEXTS)
    return collect_static_vectors(words, embed(words["text"].to_list()))


def train(texts: list[str]) -> Student:
    return train_student(texts, embed(texts), static_vectors())


def test_the_student_predicts_vectors_of_texts_that_it_has_not_seen() -> None:
    found = normalize_rows(train(TAUGHT).predict(OTHERS))
    assert np.mean((found * embed(OTHERS)).sum(axis=1)) > 0.9


def test_what_is_unknown_gets_a_short_vector() -> None:
    known, unknown = np.linalg.norm(train(TAUGHT).predict([OTHERS[0], "zebra xylophone"]), axis=1)
    assert unknown < known / 2


def test_a_prediction_depends_on_the_text_only_not_on_its_batch_or_threads() -> None:
    student = train(TAUGHT)
    together = student.predict(OTHERS)
    np.testing.assert_allclose(student.predict(OTHERS[::-1])[::-1], together, atol=1e-6)
    for threads in (1, 2):
        with threadpool_limits(threads):
            assert np.array_equal(train(TAUGHT).predict(OTHERS), together)
    assert student.predict([]).shape == (0, 16)


def test_the_margin_is_between_the_two_nearest_centroids() -> None:
    predicted = np.array([[1, 0], [0.6, 0.5], [0, 0]], np.float32)
    np.testing.assert_allclose(measure_margins(predicted, CENTROIDS), [1, 0.1, 0], atol=1e-6)
    assert np.isinf(measure_margins(predicted, CENTROIDS[:1])).all()


def test_the_doubt_leaves_at_most_the_allowed_share_wrong() -> None:
    generator = np.random.default_rng(0)
    vectors = normalize_rows(generator.normal(size=(1000, 2)).astype(np.float32))
    predicted = vectors + generator.normal(scale=0.3, size=vectors.shape).astype(np.float32)
    doubt = calibrate_doubt(predicted, vectors, CENTROIDS)
    is_doubtful = doubt.is_doubtful(predicted)
    is_wrong = (normalize_rows(predicted) @ CENTROIDS.T).argmax(axis=1) != (vectors @ CENTROIDS.T).argmax(axis=1)
    assert 0 < is_doubtful.mean() < 0.9
    assert 0 < (is_wrong & ~is_doubtful).mean() <= 1 - MIN_EQUAL_SHARE
    assert not calibrate_doubt(vectors, vectors, CENTROIDS).is_doubtful(predicted).any()
    assert not calibrate_doubt(vectors[:0], vectors[:0], CENTROIDS).is_doubtful(predicted).any()


def test_centroids_are_those_of_the_topics() -> None:
    found = find_centroids(TEXTS, embed(TEXTS))
    assert len(found) >= 3
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, rtol=1e-5)
    assert find_centroids(TEXTS[:3], embed(TEXTS[:3])).shape == (0, 16)
