"""Topic of a text by vote, outliers that get no topic, and the fit of a text to its topic."""

from dataclasses import dataclass

import numpy as np

from turret_pipeline.stats.array_types import BoolArray, FloatArray, IntArray
from turret_pipeline.topics.clustering.communities import NO_TOPIC, centroids
from turret_pipeline.topics.clustering.neighbours import NOT_FOUND, Neighbours, find_nearest, neighbour_count

MIN_OWN_SHARE = 0.8
"""Share of a text's neighbours in its own topic from which on it belongs there, even if it is less alike than usual."""

UNRELATED_SIMILARITY = 0.45
"""Local similarity of texts that hardly have to do with each other. A text below the floor's share of it is an outlier
whatever topic its neighbours have."""

TOPIC_TEXTS_PER_NEIGHBOUR = 4


@dataclass(frozen=True)
class Assignment:
    """Topic number of every text and its fit, all of shape (texts,).

    ``similarity`` is the cosine to the centroid of the text's topic, or to the nearest centroid if it is unassigned.
    ``runner_up`` is the next nearest topic, or NO_TOPIC.
    """

    topic: IntArray
    similarity: FloatArray
    runner_up: IntArray
    runner_up_similarity: FloatArray


def vote_for_topic(queries: FloatArray, references: FloatArray, topic: IntArray) -> IntArray:
    """Most frequent topic among the nearest references of each query, shape (queries,), weighted by similarity.

    ``topic`` has the topics of the references.
    """
    if len(references) == 0 or len(queries) == 0:
        return np.full(len(queries), NO_TOPIC)
    neighbours = find_nearest(queries, references, neighbour_count(len(references)))
    names, positions = np.unique(topic, return_inverse=True)
    votes = np.zeros((len(queries), len(names)))
    rows = np.repeat(np.arange(len(queries)), neighbours.indices.shape[1])
    np.add.at(votes, (rows, positions[neighbours.indices.ravel()]), neighbours.similarities.ravel().clip(0))
    return np.asarray(names[votes.argmax(axis=1)], dtype=np.int64)


def is_outlier(neighbours: Neighbours, topic: IntArray, floor: float) -> BoolArray:
    """True for texts that are too unlike all others to belong to their topic, shape (texts,).

    The local similarity of a text is its mean cosine to its ``neighbours``, to at most a quarter as many as its topic
    has texts. A text is an outlier if its local similarity is below the share ``floor`` of what is usual in its topic
    and many of its neighbours have another topic, or if it is below this share of UNRELATED_SIMILARITY. Relative to
    what is usual, because the local similarity depends on the number of texts and on the kind of texts.
    """
    if not floor or not len(topic) or not neighbours.similarities.shape[1]:
        return np.zeros(len(topic), dtype=bool)
    _, positions, counts = np.unique(topic, return_inverse=True, return_counts=True)
    local_similarity = neighbours.local_similarity(counts[positions] // TOPIC_TEXTS_PER_NEIGHBOUR)
    usual = _usual_similarity(local_similarity, positions, len(counts))
    is_loose = (local_similarity < floor * usual) & (_own_share(neighbours, topic) < MIN_OWN_SHARE)
    return np.asarray((topic != NO_TOPIC) & (is_loose | (local_similarity < floor * UNRELATED_SIMILARITY)))


def _usual_similarity(local_similarity: FloatArray, topic: IntArray, topic_count: int) -> FloatArray:
    """Median local similarity of each text's topic, shape (texts,), averaged with that of all texts: few texts of a
    topic say little. ``topic`` is numbered from 0."""
    medians = np.array([np.median(local_similarity[topic == number]) for number in range(topic_count)])
    return np.asarray((np.median(local_similarity) + medians[topic]) / 2)


def _own_share(neighbours: Neighbours, topic: IntArray) -> FloatArray:
    """Share of the neighbours of each text that have its topic, weighted by similarity, shape (texts,)."""
    weights = np.where(neighbours.indices == NOT_FOUND, 0, neighbours.similarities.clip(1e-3, None))
    is_own = topic[neighbours.indices] == topic[:, None]
    return np.asarray((weights * is_own).sum(axis=1) / np.maximum(weights.sum(axis=1), 1e-9))


def measure_fit(vectors: FloatArray, topic: IntArray) -> Assignment:
    """Similarity of every text to its topic and to the next nearest one."""
    count = len(topic)
    names, positions = np.unique(topic[topic != NO_TOPIC], return_inverse=True)
    if len(names) == 0:
        unknown = np.full(count, np.nan, dtype=np.float32)
        return Assignment(topic, unknown, np.full(count, NO_TOPIC), unknown)
    labels = np.full(count, NO_TOPIC)
    labels[topic != NO_TOPIC] = positions
    similarities = vectors @ centroids(vectors, labels).T
    rows = np.arange(count)
    own = np.where(labels == NO_TOPIC, similarities.argmax(axis=1), labels)
    similarity = similarities[rows, own]
    if len(names) == 1:
        return Assignment(topic, similarity, np.full(count, NO_TOPIC), np.full(count, np.nan, dtype=np.float32))
    similarities[rows, own] = -np.inf
    second = similarities.argmax(axis=1)
    return Assignment(topic, similarity, names[second], similarities[rows, second])
