"""Topic of a text by vote, outliers that get no topic, and the fit of a text to its topic."""

from dataclasses import dataclass

import numpy as np

from turret_pipeline.stats.array_types import BoolArray, FloatArray, IntArray
from turret_pipeline.topics.clustering.communities import NO_TOPIC, centroids
from turret_pipeline.topics.clustering.neighbours import Neighbours, find_nearest, neighbour_count

FLOOR_TOPIC_TEXTS, SIZE_DISCOUNT = 100, 0.03
"""Size of the topic that the floor is meant for, and how much lower the floor is for a topic e times as large."""

MAX_FLOOR_SHARE, SPARSITY_DISCOUNT, DENSE_FIELD_TEXTS = 0.85, 0.25, 2_600
"""Maximum floor as a share of the field's median local similarity; how much lower the share is for a field with a tenth
of DENSE_FIELD_TEXTS."""

MIN_FLOOR = 0.32
"""Minimum of the maximum floor: texts of different subjects rarely reach this local similarity."""

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
    has texts. A text below the floor is an outlier. ``floor`` applies to a topic of FLOOR_TOPIC_TEXTS texts. It is
    lower for larger topics, because a text is more likely to belong to a large topic. The floor is also limited by the
    median local similarity of the field, and more so in fields of few texts, where texts of one topic are less alike.
    This limit is never below MIN_FLOOR.
    """
    if not len(topic) or not neighbours.similarities.shape[1]:
        return np.zeros(len(topic), dtype=bool)
    _, positions, counts = np.unique(topic, return_inverse=True, return_counts=True)
    local_similarity = neighbours.local_similarity(counts[positions] // TOPIC_TEXTS_PER_NEIGHBOUR)
    floors = floor - SIZE_DISCOUNT * np.log(counts / FLOOR_TOPIC_TEXTS)
    share = MAX_FLOOR_SHARE - SPARSITY_DISCOUNT * max(0.0, np.log10(DENSE_FIELD_TEXTS / len(topic)))
    limit = max(share * float(np.median(local_similarity)), MIN_FLOOR)
    return np.asarray((topic != NO_TOPIC) & (local_similarity < np.minimum(floors[positions], limit)))


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
