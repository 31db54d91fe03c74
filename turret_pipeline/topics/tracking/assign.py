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

TEXTS_AT_ONCE = 50_000
"""Texts whose similarities to all topics are in memory at the same time."""


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
    return count_votes(find_nearest(queries, references, neighbour_count(len(references))), topic)


def count_votes(neighbours: Neighbours, topic: IntArray) -> IntArray:
    """Most frequent topic among the neighbours of each query, shape (queries,), weighted by similarity.

    ``topic`` has the topics of the references. A neighbour that was not found has no vote.
    """
    names, positions = np.unique(topic, return_inverse=True)
    votes = np.zeros((len(neighbours.indices), len(names)))
    rows = np.repeat(np.arange(len(votes)), neighbours.indices.shape[1])
    np.add.at(votes, (rows, positions[neighbours.indices.ravel()]), neighbours.similarities.ravel().clip(0))
    return np.asarray(names[votes.argmax(axis=1)], dtype=np.int64)


def is_outlier(neighbours: Neighbours, topic: IntArray, floor: float) -> BoolArray:
    """True for texts that are too unlike all others to belong to their topic, shape (texts,).

    The local similarity of a text is its mean cosine to its ``neighbours``, to at most a quarter as many as its topic
    has texts. A text is an outlier if its local similarity is below the share ``floor`` of what is usual in its topic
    and many of its neighbours have another topic, or if it is below this share of UNRELATED_SIMILARITY. Relative to
    what is usual, because the local similarity depends on the number of texts and on the kind of texts.
    """
    if not len(topic) or not neighbours.similarities.shape[1]:
        return np.zeros(len(topic), dtype=bool)
    return UsualSimilarity.measure(neighbours, topic).is_outlier(neighbours, topic, floor)


@dataclass(frozen=True)
class UsualSimilarity:
    """Usual local similarity in each topic of some texts, to which other texts are compared.

    ``names`` are the topics in order, NO_TOPIC included, ``counts`` their texts, and ``similarities`` the median local
    similarity of each, averaged with that of all texts: few texts of a topic say little. ``topic`` has the topic of
    each reference.
    """

    topic: IntArray
    names: IntArray
    counts: IntArray
    similarities: FloatArray

    @classmethod
    def measure(cls, neighbours: Neighbours, topic: IntArray) -> "UsualSimilarity":
        """Usual similarities of texts with these ``neighbours`` among themselves."""
        names, positions, counts = np.unique(topic, return_inverse=True, return_counts=True)
        local = neighbours.local_similarity(counts[positions] // TOPIC_TEXTS_PER_NEIGHBOUR)
        medians = np.array([np.median(local[positions == number]) for number in range(len(names))])
        return cls(topic, names, counts, (np.median(local) + medians) / 2)

    def is_outlier(self, neighbours: Neighbours, topic: IntArray, floor: float) -> BoolArray:
        """True for texts that do not belong to their ``topic`` (``is_outlier``); ``neighbours`` are references."""
        if not floor or not len(topic):
            return np.zeros(len(topic), dtype=bool)
        positions = np.searchsorted(self.names, topic)
        local = neighbours.local_similarity(self.counts[positions] // TOPIC_TEXTS_PER_NEIGHBOUR)
        own_share = _own_share(neighbours, topic, self.topic)
        is_loose = (local < floor * self.similarities[positions]) & (own_share < MIN_OWN_SHARE)
        return np.asarray((topic != NO_TOPIC) & (is_loose | (local < floor * UNRELATED_SIMILARITY)))


def _own_share(neighbours: Neighbours, topic: IntArray, reference_topic: IntArray) -> FloatArray:
    """Share of the neighbours of each text that have its topic, weighted by similarity, shape (texts,)."""
    weights = np.where(neighbours.indices == NOT_FOUND, 0, neighbours.similarities.clip(1e-3, None))
    is_own = reference_topic[neighbours.indices] == topic[:, None]
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
    topic_centroids = centroids(vectors, labels)
    parts = [
        _measure_chunk(vectors[rows], labels[rows], topic_centroids)
        for rows in (slice(first, first + TEXTS_AT_ONCE) for first in range(0, count, TEXTS_AT_ONCE))
    ]
    similarity, second, runner_up_similarity = (np.concatenate(part) for part in zip(*parts, strict=True))
    runner_up = names[second] if len(names) > 1 else np.full(count, NO_TOPIC)
    return Assignment(topic, similarity, runner_up, runner_up_similarity)


def _measure_chunk(
    vectors: FloatArray, labels: IntArray, topic_centroids: FloatArray
) -> tuple[FloatArray, IntArray, FloatArray]:
    """Similarity of texts to their topic, or to the nearest one, then the next nearest topic, and its similarity."""
    similarities = vectors @ topic_centroids.T
    rows = np.arange(len(labels))
    own = np.where(labels == NO_TOPIC, similarities.argmax(axis=1), labels)
    similarity = similarities[rows, own]
    similarities[rows, own] = -np.inf
    second = similarities.argmax(axis=1)
    next_similarity = np.where(np.isinf(similarities[rows, second]), np.float32(np.nan), similarities[rows, second])
    return similarity, second, next_similarity
