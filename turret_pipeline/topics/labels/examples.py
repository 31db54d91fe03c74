"""Example texts of topics."""

from collections.abc import Sequence

import numpy as np

from turret_pipeline.stats.array_types import FloatArray, IntArray
from turret_pipeline.topics.clustering.communities import centroids
from turret_pipeline.topics.embedding.embedding import SAME_VECTOR_COSINE

EXAMPLE_COUNT, CENTRAL_COUNT = 5, 25


def pick_examples(texts: Sequence[str], vectors: FloatArray, topic: IntArray, topic_count: int) -> list[list[str]]:
    """Up to EXAMPLE_COUNT texts of each topic, central but different from each other, the most central first.

    They are chosen by maximal marginal relevance (Carbonell and Goldstein, 1998) among the CENTRAL_COUNT texts nearest
    to the centroid. Texts that differ only in case, or have the same vector, count as one.
    """
    if topic_count == 0:
        return []
    topic_centroids = centroids(vectors, topic)
    found: list[list[str]] = []
    for row in range(topic_count):
        members = np.flatnonzero(topic == row)
        similarity = vectors[members] @ topic_centroids[row] if len(members) else np.empty(0)
        order = _most_central([texts[member].casefold() for member in members.tolist()], vectors[members], similarity)
        chosen = _most_diverse(vectors[members[order]], similarity[order])
        found.append([texts[member] for member in members[order[chosen]]])
    return found


def _most_central(texts: Sequence[str], vectors: FloatArray, similarity: FloatArray) -> IntArray:
    """Positions of the CENTRAL_COUNT rows nearest to the centroid, without repeated texts or vectors."""
    is_left = np.ones(len(texts), dtype=bool)
    found: dict[str, int] = {}
    for at in np.argsort(-similarity, kind="stable").tolist():
        if is_left[at] and texts[at] not in found:
            found[texts[at]] = at
            is_left &= vectors @ vectors[at] < SAME_VECTOR_COSINE
        if len(found) == CENTRAL_COUNT:
            break
    return np.array([*found.values()], dtype=np.int64)


def _most_diverse(vectors: FloatArray, similarity: FloatArray) -> list[int]:
    """Positions of up to EXAMPLE_COUNT rows that are near the centroid (``similarity``) and far from each other."""
    chosen: list[int] = []
    redundancy = np.zeros(len(vectors))
    while len(chosen) < min(EXAMPLE_COUNT, len(vectors)):
        gain = np.round(similarity - redundancy, 6)
        gain[chosen] = -np.inf
        chosen.append(int(gain.argmax()))
        redundancy = np.maximum(redundancy, vectors @ vectors[chosen[-1]])
    return chosen
