"""Which topic a text belongs to, how well it fits, and whether it fits at all."""

from dataclasses import dataclass

import numpy as np

from turret_pipeline.stats.array_types import BoolArray, FloatArray, IntArray
from turret_pipeline.topics.clustering.communities import NO_TOPIC, centroids
from turret_pipeline.topics.clustering.neighbours import Neighbours, nearest, neighbour_count

FLOOR_TEXTS, TRUST = 100, 0.03
LONELY, SPARSE, MANY_TEXTS = 0.85, 0.25, 2_600
LEAST_FLOOR = 0.32
COMPANY_SHARE = 4


@dataclass(frozen=True)
class Assignment:
    """Topic of every text and how well it fits; all of shape (texts,). Numbers are those of the topics.

    ``similarity`` is the cosine to the centroid of the text's own topic, or of the nearest one where it has none;
    ``runner_up`` the next nearest topic, NO_TOPIC where there is none.
    """

    topic: IntArray
    similarity: FloatArray
    runner_up: IntArray
    runner_up_similarity: FloatArray


def vote(queries: FloatArray, references: FloatArray, topic: IntArray) -> IntArray:
    """The topic that most of the nearest references have, weighted by similarity; ``topic`` is the references'."""
    if len(references) == 0 or len(queries) == 0:
        return np.full(len(queries), NO_TOPIC)
    neighbours = nearest(queries, references, neighbour_count(len(references)))
    names, votes = np.unique(topic, return_inverse=True)
    ballots = np.zeros((len(queries), len(names)))
    rows = np.repeat(np.arange(len(queries)), neighbours.indices.shape[1])
    np.add.at(ballots, (rows, votes[neighbours.indices.ravel()]), neighbours.similarities.ravel().clip(0))
    return np.asarray(names[ballots.argmax(axis=1)], dtype=np.int64)


def is_lonely(neighbours: Neighbours, topic: IntArray, floor: float) -> BoolArray:
    """Which texts are too unlike all others to belong to their topic, shape (texts,).

    The company of a text is its mean cosine to its ``neighbours``, to as many as a quarter of its topic at most. Below
    the floor a text has no topic. The floor is meant for a topic of FLOOR_TEXTS texts and sinks by TRUST for each time
    that a topic is larger by the factor e, as the odds that a text belongs to a topic rise with the topic's size. It
    is never above LONELY of the company that is usual in the field, and SPARSE less for each time that the field has
    ten times fewer texts than MANY_TEXTS: where texts are few, even those of one topic are not near; but never below
    LEAST_FLOOR, which texts of different subjects hardly reach.
    """
    if not len(topic) or not neighbours.similarities.shape[1]:
        return np.zeros(len(topic), dtype=bool)
    _, positions, counts = np.unique(topic, return_inverse=True, return_counts=True)
    company = neighbours.company(counts[positions] // COMPANY_SHARE)
    floors = floor - TRUST * np.log(counts / FLOOR_TEXTS)
    usual = LONELY - SPARSE * max(0.0, np.log10(MANY_TEXTS / len(topic)))
    cap = max(usual * float(np.median(company)), LEAST_FLOOR)
    return np.asarray((topic != NO_TOPIC) & (company < np.minimum(floors[positions], cap)))


def measure(vectors: FloatArray, topic: IntArray) -> Assignment:
    """How well every text fits its topic, and which is next."""
    count = len(topic)
    names, positions = np.unique(topic[topic != NO_TOPIC], return_inverse=True)
    if len(names) == 0:
        nothing = np.full(count, np.nan, dtype=np.float32)
        return Assignment(topic, nothing, np.full(count, NO_TOPIC), nothing)
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
