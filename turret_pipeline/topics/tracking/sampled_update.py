"""Update of topics of more texts than can be clustered: a sample is clustered, and the other texts are assigned."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from turret_pipeline.stats.array_types import FloatArray, IntArray
from turret_pipeline.topics.clustering.communities import NO_TOPIC
from turret_pipeline.topics.clustering.neighbours import (
    build_index,
    find_graph_neighbours,
    graph_neighbour_count,
    neighbour_count,
    search_index,
)
from turret_pipeline.topics.options import TopicOptions
from turret_pipeline.topics.tracking.assign import TEXTS_AT_ONCE, UsualSimilarity, count_votes
from turret_pipeline.topics.tracking.reconcile import Change
from turret_pipeline.topics.tracking.update import Update, update_topics

if TYPE_CHECKING:
    import faiss


def update_topics_of_sample(
    vectors: FloatArray,
    known: IntArray,
    next_number: int,
    options: TopicOptions,
    protected: frozenset[int] = frozenset(),
) -> Update:
    """Topics of all texts of a field, found as by ``update_topics`` from the first ``options.max_clustered`` texts.

    The texts must be in an order that has nothing to do with their content, and that hardly changes from run to run:
    that of hashes. Then the first ones are a sample of which nearly all remain in it when texts are added (bottom-k
    sampling: Cohen and Kaplan, Summarizing data using bottom-k sketches, 2007). Another text has the topic that its
    neighbours in the sample have, or none if it is an outlier there; if its topic is known it keeps it, unless that
    merged, or split and its neighbours are in the part that split off. The fit in the result is that of the sample.
    """
    size = options.max_clustered
    if len(vectors) <= size:
        return update_topics(vectors, known, next_number, options, protected)
    found = update_topics(vectors[:size], known[:size], next_number, options, protected)
    sample, topic = _Sample.build(vectors[:size], found), known.copy()
    topic[:size] = found.assignment.topic
    for first in range(size, len(vectors), TEXTS_AT_ONCE):
        rows = slice(first, first + TEXTS_AT_ONCE)
        topic[rows] = sample.assign(vectors[rows], known[rows], options.floor)
    number = _number_by_size(topic, next_number)
    changes = [replace(change, topic=number.get(change.topic, change.topic)) for change in found.changes]
    names, positions = np.unique(topic, return_inverse=True)
    topic = np.array([number.get(name, name) for name in names.tolist()])[positions]
    return replace(found, assignment=replace(found.assignment, topic=topic), changes=changes)


def _number_by_size(topic: IntArray, next_number: int) -> dict[int, int]:
    """Numbers of the new topics, the largest first: in the sample, their order may be another."""
    names, counts = np.unique(topic[topic >= next_number], return_counts=True)
    ordered = names[np.lexsort((names, -counts))].tolist()
    return dict(zip(ordered, names.tolist(), strict=True))


@dataclass(frozen=True)
class _Sample:
    """The clustered texts: an index of their vectors, their topics, and how these changed."""

    index: "faiss.Index"
    topic: IntArray
    usual: UsualSimilarity
    changes: Sequence[Change]

    @classmethod
    def build(cls, vectors: FloatArray, found: Update) -> "_Sample":
        topic = found.assignment.topic
        usual = UsualSimilarity.measure(find_graph_neighbours(vectors), topic)
        return cls(build_index(vectors), topic, usual, found.changes)

    def assign(self, vectors: FloatArray, known: IntArray, floor: float) -> IntArray:
        """Topic of other texts, shape (texts,)."""
        neighbours = search_index(self.index, vectors, graph_neighbour_count(len(self.topic)))
        voted, is_new = count_votes(neighbours.nearest(neighbour_count(len(self.topic))), self.topic), known == NO_TOPIC
        topic = np.where(is_new & self.usual.is_outlier(neighbours, voted, floor), NO_TOPIC, voted)
        topic = np.where(is_new, topic, known)
        for change in self.changes:
            if change.kind == "merged":
                topic[topic == change.topic] = change.other
            else:
                topic[(known == change.other) & (voted == change.topic)] = change.topic
        return topic
