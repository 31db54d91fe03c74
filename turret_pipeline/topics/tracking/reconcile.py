"""Reconcile known topics with newly found clusters: texts join topics, and topics are born, split or merge.

The clusters are evidence only. The main cluster of a known topic is the one with most of its texts. New texts of that
cluster join the topic. A cluster of new texts becomes a new topic, and so do new texts that form a cohesive subgroup
within a cluster of a known topic.

A known topic may split if a part of it is a cluster of its own, and two known topics may merge if they have the same
main cluster. Both move known texts. They therefore need a co-association that leaves little to chance (see
Clustering.co_association), and one run moves at most MAX_MOVED_SHARE of the texts.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy.sparse as sp

from turret_pipeline.stats.array_types import BoolArray, FloatArray, IntArray
from turret_pipeline.topics.clustering.communities import NO_TOPIC, edge_sources
from turret_pipeline.topics.clustering.consensus import Clustering
from turret_pipeline.topics.embedding.embedding import has_distinct_vectors, normalize_rows
from turret_pipeline.topics.options import TopicOptions
from turret_pipeline.topics.tracking.assign import vote_for_topic

MAX_MOVED_SHARE = 0.02
"""Maximum share of the assigned texts that splits and merges move in one run. Further moves wait for the next run. A
single part or topic above the limit waits for a refit, because a person decides about a change of that size."""

NEW_SHARE, MAJORITY_SHARE, MAX_P_VALUE = 0.75, 0.5, 1e-3
"""A cluster that is not the main cluster of a known topic becomes a topic if NEW_SHARE of it is new, or if
MAJORITY_SHARE of it is new and the probability of that many new texts by chance is below MAX_P_VALUE."""

MIN_ASSORTATIVITY, CHANCE_FACTOR = 0.15, 2.5
"""Minimum assortativity of new and known texts of a cluster for the new ones to be a separate topic. By chance it is 0
with a standard deviation of about 1 / sqrt(texts), so the minimum is at least CHANCE_FACTOR times that."""

MIN_PART_SHARE = 0.2
"""Minimum share of a topic's texts that splits off."""

MAX_SPLIT_CO_ASSOCIATION, MIN_MERGE_CO_ASSOCIATION = 0.2, 0.9
"""Bounds of the mean co-association of neighbours across two sets of texts: of a part that splits off with the rest,
and of two topics that merge."""

CENTROID_ROUNDS = 3


@dataclass(frozen=True)
class Change:
    """A change of a known topic: ``topic`` split from ``other``, or merged into it.

    ``overlap_share`` is the share of texts that moved: of the old topic for a split, of the larger topic for a merge.
    """

    kind: Literal["split", "merged"]
    topic: int
    other: int
    overlap_share: float


@dataclass(frozen=True)
class _Move:
    """A proposed change of a known topic: ``texts`` leave it for a new topic (``other`` is itself) or for another one.

    ``share`` is the overlap share of the Change. ``uncertainty`` is 0 if chance decided nothing.
    """

    kind: Literal["split", "merged"]
    topic: int
    other: int
    texts: IntArray
    share: float
    uncertainty: float


def reconcile_topics(
    vectors: FloatArray,
    graph: sp.csr_matrix,
    known: IntArray,
    clustering: Clustering,
    options: TopicOptions,
    protected: frozenset[int],
    next_number: int,
) -> tuple[IntArray, list[Change]]:
    """Topic of every text, shape (texts,), and the changes of known topics.

    ``known`` has the known topics of the texts, NO_TOPIC for new texts. New topics are numbered from ``next_number``.
    ``protected`` topics neither split nor merge.
    """
    return _Reconciliation(vectors, graph, known, clustering, options, protected).reconcile(next_number)


class _Reconciliation:
    """Known topics and new clusters: ``shared[cluster, topic]`` counts the known texts that are in both."""

    def __init__(
        self,
        vectors: FloatArray,
        graph: sp.csr_matrix,
        known: IntArray,
        clustering: Clustering,
        options: TopicOptions,
        protected: frozenset[int],
    ) -> None:
        self.vectors, self.known, self.options = vectors, known, options
        self.cluster, self.graph, self.co_association = clustering.labels, graph, clustering.co_association
        self.is_new = known == NO_TOPIC
        self.names, positions = np.unique(known[~self.is_new], return_inverse=True)
        self.sizes = np.bincount(self.cluster)
        self.shared = np.zeros((len(self.sizes), len(self.names)), dtype=np.int64)
        np.add.at(self.shared, (self.cluster[~self.is_new], positions), 1)
        self.is_protected = np.isin(self.names, list(protected))
        self.main_cluster = self.shared.argmax(axis=0) if len(self.names) else np.empty(0, np.int64)
        self.topics_by_main_cluster: list[IntArray] = [
            np.flatnonzero(self.main_cluster == cluster) for cluster in range(len(self.sizes))
        ]

    def reconcile(self, next_number: int) -> tuple[IntArray, list[Change]]:
        """Topic of every text and the changes of known topics; new topics are numbered from ``next_number``."""
        topic = self.known.copy()
        new_topics = self._find_new_topics()
        for number, texts in enumerate(new_topics, start=next_number):
            topic[texts] = number
        changes = self._apply_moves(topic, next_number + len(new_topics))
        only_topic = np.array(
            [topics[0] if len(topics) == 1 else -1 for topics in self.topics_by_main_cluster], dtype=np.int64
        )
        is_joining = (topic == NO_TOPIC) & (only_topic[self.cluster] >= 0)
        topic[is_joining] = _follow_merges(self.names[only_topic[self.cluster[is_joining]]], changes)
        is_left = topic == NO_TOPIC
        topic[is_left] = vote_for_topic(self.vectors[is_left], self.vectors[~is_left], topic[~is_left])
        return topic, changes

    def _find_new_topics(self) -> list[IntArray]:
        """Texts of each new topic: first the new clusters, then the cohesive subgroups of the other clusters."""
        new_clusters = self._find_new_clusters()
        others = sorted({*range(len(self.sizes))} - {*new_clusters})
        subgroups = (self._find_new_subgroup(cluster) for cluster in others)
        return [
            *(np.flatnonzero(self.is_new & (self.cluster == cluster)) for cluster in new_clusters),
            *(texts for texts in subgroups if len(texts)),
        ]

    def _find_new_subgroup(self, cluster: int) -> IntArray:
        """New texts of a cluster that form a cohesive subgroup and become a topic of their own; may be empty."""
        members = np.flatnonzero(self.cluster == cluster)
        is_new = self.is_new[members]
        min_texts = 2 * self.options.min_texts
        needed = max(MIN_ASSORTATIVITY, CHANCE_FACTOR / len(members) ** 0.5)
        if is_new.sum() < min_texts or assortativity(self.graph[members][:, members], is_new) < needed:
            return np.empty(0, dtype=np.int64)
        found = members[_is_nearer_to_new(self.vectors[members], is_new)]
        return found if has_distinct_vectors(self.vectors[found], min_texts) else np.empty(0, dtype=np.int64)

    def _find_new_clusters(self) -> list[int]:
        """Clusters that become topics, the one with most new texts first."""
        from scipy import stats

        new = self.sizes - self.shared.sum(axis=1)
        is_vacant = np.array([len(topics) == 0 for topics in self.topics_by_main_cluster])
        p_values = stats.binom.sf(new - 1, self.sizes, self.is_new.mean())
        is_new = (new >= NEW_SHARE * self.sizes) | ((new >= MAJORITY_SHARE * self.sizes) & (p_values < MAX_P_VALUE))
        found = np.flatnonzero(is_vacant & (new >= self.options.min_texts) & is_new)
        return sorted(found.tolist(), key=lambda cluster: (-int(new[cluster]), int(np.argmax(self.cluster == cluster))))

    def _apply_moves(self, topic: IntArray, next_number: int) -> list[Change]:
        """Split and merge topics in ``topic``, in place. Parts that split off are numbered from ``next_number``."""
        changes: list[Change] = []
        for move in self._select_moves([*self._find_splits(), *self._find_merges()]):
            if move.kind == "merged":
                topic[move.texts] = move.other
                changes.append(Change("merged", move.topic, move.other, move.share))
                continue
            topic[(topic == NO_TOPIC) & (self.cluster == self.cluster[move.texts[0]])] = next_number
            topic[move.texts] = next_number
            changes.append(Change("split", next_number, move.topic, move.share))
            next_number += 1
        return changes

    def _select_moves(self, moves: list[_Move]) -> list[_Move]:
        """The moves of this run: the most certain first, each topic once, up to MAX_MOVED_SHARE of the texts."""
        left = max(MAX_MOVED_SHARE * int((~self.is_new).sum()), 2 * self.options.min_texts)
        moved_topics: set[int] = set()
        selected = []
        for move in sorted(moves, key=lambda move: move.uncertainty):
            if len(move.texts) <= left and not {move.topic, move.other} & moved_topics:
                left -= len(move.texts)
                moved_topics |= {move.topic, move.other}
                selected.append(move)
        return selected

    def _find_splits(self) -> list[_Move]:
        """Moves of parts of known topics that are in a cluster of their own."""
        totals = self.shared.sum(axis=0)
        is_large_part = self.shared >= np.maximum(MIN_PART_SHARE * totals, self.options.min_texts)
        found: list[_Move] = []
        for cluster, position in np.argwhere(is_large_part).tolist():
            if len(self.topics_by_main_cluster[cluster]) or self.is_protected[position]:
                continue
            name = int(self.names[position])
            part = np.flatnonzero((self.known == name) & (self.cluster == cluster))
            rest = np.flatnonzero((self.known == name) & (self.cluster == self.main_cluster[position]))
            mean = self._mean_co_association(part, rest)
            is_apart = mean <= MAX_SPLIT_CO_ASSOCIATION
            if is_apart and has_distinct_vectors(self.vectors[part], self.options.min_texts):
                found.append(_Move("split", name, name, part, len(part) / int(totals[position]), mean))
        return found

    def _find_merges(self) -> list[_Move]:
        """Moves of known topics that share their main cluster with a larger one."""
        totals = self.shared.sum(axis=0)
        found: list[_Move] = []
        for topics in self.topics_by_main_cluster:
            free = [position for position in topics.tolist() if not self.is_protected[position]]
            largest, *others = sorted(free, key=lambda position: (-int(totals[position]), position)) or [NO_TOPIC]
            for smaller in others:
                texts, kept = (np.flatnonzero(self.known == self.names[each]) for each in (smaller, largest))
                mean = self._mean_co_association(texts, kept)
                if mean >= MIN_MERGE_CO_ASSOCIATION:
                    name, other = int(self.names[smaller]), int(self.names[largest])
                    found.append(_Move("merged", name, other, texts, len(texts) / len(kept), 1 - mean))
        return found

    def _mean_co_association(self, some: IntArray, others: IntArray) -> float:
        """Mean co-association of neighbours across two sets of texts; 0 if no neighbours are across."""
        edges: sp.csr_matrix = self.co_association[some][:, others]
        return float(edges.data.mean()) if edges.nnz else 0.0


def assortativity(graph: sp.csr_matrix, is_new: BoolArray) -> float:
    """Tendency of neighbours to be both new or both known: 0 by chance, 1 if it is always so.

    A two-sample test by nearest neighbours (Schilling 1986; Henze 1988), as a coefficient (Newman 2003).
    """
    rows = edge_sources(graph)
    total = graph.data.sum()
    if total == 0 or is_new.all() or not is_new.any():
        return 0.0
    alike = graph.data[is_new[rows] == is_new[graph.indices]].sum() / total
    share = graph.data[is_new[rows]].sum() / total
    by_chance = share**2 + (1 - share) ** 2
    return float((alike - by_chance) / (1 - by_chance))


def _is_nearer_to_new(vectors: FloatArray, is_new: BoolArray) -> BoolArray:
    """True for new texts that are nearer to the centroid of the new texts than to that of the known ones."""
    known_centroid = normalize_rows(vectors[~is_new].mean(axis=0, keepdims=True))
    selected = is_new
    for _ in range(CENTROID_ROUNDS):
        new_centroid = normalize_rows(vectors[selected].mean(axis=0, keepdims=True))
        nearer = is_new & ((vectors @ (new_centroid - known_centroid).T)[:, 0] > 0)
        if not nearer.any():
            break
        selected = nearer
    return selected


def _follow_merges(topic: IntArray, changes: list[Change]) -> IntArray:
    into = {change.topic: change.other for change in changes if change.kind == "merged"}
    return np.array([into.get(name, name) for name in topic.tolist()], dtype=np.int64)
