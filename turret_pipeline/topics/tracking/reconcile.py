"""Where the topics that are known meet groups that were found anew: who joins, who is born, who splits, who merges.

The groups are only evidence. A known topic lives on in the group that has most of its texts, and the new texts of that
group join it. A group of new texts is a new topic, and so are new texts of a group that keep among themselves. A known
topic of which a part is in a group of its own may have split, and two that live in one group may be one: these move
known texts, so they need that chance had hardly a say in it (see Grouping.togetherness), and a run does no more of it
than MOST_MOVED.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy.sparse as sp

from turret_pipeline.stats.array_types import BoolArray, FloatArray, IntArray
from turret_pipeline.topics.clustering.communities import NO_TOPIC
from turret_pipeline.topics.clustering.consensus import Grouping
from turret_pipeline.topics.embedding.embedding import has_distinct_vectors, normalize_rows
from turret_pipeline.topics.tracking.assign import vote

MOST_MOVED = 0.02
"""Share of the texts with a topic that splits and merges may move in one run. What is more waits for the next run, and
a single part or topic that is larger for a refit: it is a person's decision that so much moves."""

NEW_SHARE, MOST_NEW, RARE = 0.75, 0.5, 1e-3
"""A group in which no known topic lives is a new topic if so much of it is new; or if most of it is, and so many new
texts would be there by chance this rarely at most."""

KEEP_APART, BY_CHANCE = 0.15, 2.5
"""Assortativity of new among known texts of a group above which the new ones are another topic: where they are of the
same kind it is about 0, give or take 1 / sqrt(texts); a group needs BY_CHANCE times that, and never less than this."""

PART_SHARE = 0.2
"""A part that leaves a topic has at least so much of it."""

APART, AS_ONE = 0.2, 0.9
"""Mean togetherness of the neighbours in two parts below which they are apart, and above which they are one."""

CENTRE_ROUNDS = 3


@dataclass(frozen=True)
class Options:
    """How topics are found: see the settings of the same names."""

    granularity: float = 1.0
    min_texts: int = 5
    floor: float = 0.484
    seed: int = 0


@dataclass(frozen=True)
class Change:
    """A known topic that moved: ``topic`` split from ``other``, or merged into it.

    ``overlap_share`` is the share of the texts that moved: of the old topic's where it was split, of the larger one's
    where it took in another.
    """

    kind: Literal["split", "merged"]
    topic: int
    other: int
    overlap_share: float


@dataclass(frozen=True)
class _Move:
    """What the groups say of a known topic: ``texts`` leave it, for one of their own (``other`` is itself) or another.

    ``share`` is the Change's; ``doubt`` is 0 where chance had no say in it.
    """

    kind: Literal["split", "merged"]
    topic: int
    other: int
    texts: IntArray
    share: float
    doubt: float


class Meeting:
    """Where known topics and fresh groups meet: ``shared[group, topic]`` counts the known texts in both."""

    def __init__(
        self,
        vectors: FloatArray,
        graph: sp.csr_matrix,
        known: IntArray,
        grouping: Grouping,
        options: Options,
        locked: frozenset[int],
    ) -> None:
        self.vectors, self.known, self.options = vectors, known, options
        self.group, self.graph, self.togetherness = grouping.labels, graph, grouping.togetherness
        self.is_new = known == NO_TOPIC
        self.names, positions = np.unique(known[~self.is_new], return_inverse=True)
        self.sizes = np.bincount(self.group)
        self.shared = np.zeros((len(self.sizes), len(self.names)), dtype=np.int64)
        np.add.at(self.shared, (self.group[~self.is_new], positions), 1)
        self.is_locked = np.isin(self.names, list(locked))
        self.homes = self.shared.argmax(axis=0) if len(self.names) else np.empty(0, np.int64)
        self.residents: list[IntArray] = [np.flatnonzero(self.homes == group) for group in range(len(self.sizes))]

    def settle(self, next_number: int) -> tuple[IntArray, list[Change]]:
        """Topic of every text, and the changes among known topics; new topics are numbered from ``next_number`` on."""
        topic = self.known.copy()
        born = self._born()
        for number, texts in enumerate(born, start=next_number):
            topic[texts] = number
        changes = self._move(topic, next_number + len(born))
        at_home = np.array([names[0] if len(names) == 1 else -1 for names in self.residents], dtype=np.int64)
        waiting = (topic == NO_TOPIC) & (at_home[self.group] >= 0)
        topic[waiting] = _merged(self.names[at_home[self.group[waiting]]], changes)
        waiting = topic == NO_TOPIC
        topic[waiting] = vote(self.vectors[waiting], self.vectors[~waiting], topic[~waiting])
        return topic, changes

    def _born(self) -> list[IntArray]:
        """Texts of each new topic: those of whole groups first, then those that keep among themselves in a group."""
        new_groups = self._new_groups()
        others = sorted({*range(len(self.sizes))} - {*new_groups})
        newcomers = (self._newcomers(group) for group in others)
        return [
            *(np.flatnonzero(self.is_new & (self.group == group)) for group in new_groups),
            *(texts for texts in newcomers if len(texts)),
        ]

    def _newcomers(self, group: int) -> IntArray:
        """New texts of a group that keep among themselves: a topic of their own beside the known ones there."""
        members = np.flatnonzero(self.group == group)
        is_new = self.is_new[members]
        least = 2 * self.options.min_texts
        needed = max(KEEP_APART, BY_CHANCE / len(members) ** 0.5)
        if is_new.sum() < least or assortativity(self.graph[members][:, members], is_new) < needed:
            return np.empty(0, dtype=np.int64)
        found = members[_drawn_to_new(self.vectors[members], is_new)]
        return found if has_distinct_vectors(self.vectors[found], least) else np.empty(0, dtype=np.int64)

    def _new_groups(self) -> list[int]:
        """Groups that are new topics, largest first: no known topic lives there, and new texts are the rule."""
        from scipy import stats

        new = self.sizes - self.shared.sum(axis=1)
        homeless = np.array([len(names) == 0 for names in self.residents])
        by_chance = stats.binom.sf(new - 1, self.sizes, self.is_new.mean())
        is_new = (new >= NEW_SHARE * self.sizes) | ((new >= MOST_NEW * self.sizes) & (by_chance < RARE))
        found = np.flatnonzero(homeless & (new >= self.options.min_texts) & is_new)
        return sorted(found.tolist(), key=lambda group: (-int(new[group]), int(np.argmax(self.group == group))))

    def _move(self, topic: IntArray, next_number: int) -> list[Change]:
        """Split and merge in ``topic``, in place, where the evidence is strong; numbers are for what is split off."""
        changes: list[Change] = []
        for move in self._affordable([*self._splits(), *self._merges()]):
            if move.kind == "merged":
                topic[move.texts] = move.other
                changes.append(Change("merged", move.topic, move.other, move.share))
                continue
            topic[(topic == NO_TOPIC) & (self.group == self.group[move.texts[0]])] = next_number
            topic[move.texts] = next_number
            changes.append(Change("split", next_number, move.topic, move.share))
            next_number += 1
        return changes

    def _affordable(self, moves: list[_Move]) -> list[_Move]:
        """The moves that a run may make, those of the strongest evidence first, none of a topic that has moved."""
        left = max(MOST_MOVED * int((~self.is_new).sum()), 2 * self.options.min_texts)
        touched: set[int] = set()
        made = []
        for move in sorted(moves, key=lambda move: move.doubt):
            if len(move.texts) <= left and not {move.topic, move.other} & touched:
                left -= len(move.texts)
                touched |= {move.topic, move.other}
                made.append(move)
        return made

    def _splits(self) -> list[_Move]:
        """Moves of known topics of which a part is in a group of its own."""
        totals = self.shared.sum(axis=0)
        found: list[_Move] = []
        for group, one in np.argwhere(self.shared >= np.maximum(PART_SHARE * totals, self.options.min_texts)).tolist():
            if len(self.residents[group]) or self.is_locked[one]:
                continue
            name = int(self.names[one])
            part = np.flatnonzero((self.known == name) & (self.group == group))
            rest = np.flatnonzero((self.known == name) & (self.group == self.homes[one]))
            together = self._between(part, rest)
            if together <= APART and has_distinct_vectors(self.vectors[part], self.options.min_texts):
                found.append(_Move("split", name, name, part, len(part) / int(totals[one]), together))
        return found

    def _merges(self) -> list[_Move]:
        """Moves of known topics that are in one group with a larger one."""
        totals = self.shared.sum(axis=0)
        found: list[_Move] = []
        for residents in self.residents:
            free = [one for one in residents.tolist() if not self.is_locked[one]]
            largest, *others = sorted(free, key=lambda one: (-int(totals[one]), one)) or [NO_TOPIC]
            for one in others:
                texts, kept = (np.flatnonzero(self.known == self.names[each]) for each in (one, largest))
                together = self._between(texts, kept)
                if together >= AS_ONE:
                    name, other = int(self.names[one]), int(self.names[largest])
                    found.append(_Move("merged", name, other, texts, len(texts) / len(kept), 1 - together))
        return found

    def _between(self, some: IntArray, others: IntArray) -> float:
        """Mean togetherness of neighbours across two sets of texts; 0 where they have no neighbours across."""
        edges: sp.csr_matrix = self.togetherness[some][:, others]
        return float(edges.data.mean()) if edges.nnz else 0.0


def assortativity(graph: sp.csr_matrix, is_new: BoolArray) -> float:
    """How much more often neighbours are both new or both known than by chance: 0 by chance, 1 always.

    A two-sample test by nearest neighbours (Schilling 1986; Henze 1988) as a coefficient (Newman 2003).
    """
    rows = np.repeat(np.arange(graph.shape[0]), np.diff(graph.indptr))
    total = graph.data.sum()
    if total == 0 or is_new.all() or not is_new.any():
        return 0.0
    alike = graph.data[is_new[rows] == is_new[graph.indices]].sum() / total
    share = graph.data[is_new[rows]].sum() / total
    by_chance = share**2 + (1 - share) ** 2
    return float((alike - by_chance) / (1 - by_chance))


def _drawn_to_new(vectors: FloatArray, is_new: BoolArray) -> BoolArray:
    """New texts that are nearer to the centre of the new than to that of the known ones."""
    known = normalize_rows(vectors[~is_new].mean(axis=0, keepdims=True))
    drawn = is_new
    for _ in range(CENTRE_ROUNDS):
        centre = normalize_rows(vectors[drawn].mean(axis=0, keepdims=True))
        nearer = is_new & ((vectors @ (centre - known).T)[:, 0] > 0)
        if not nearer.any():
            break
        drawn = nearer
    return drawn


def _merged(topic: IntArray, changes: list[Change]) -> IntArray:
    into = {change.topic: change.other for change in changes if change.kind == "merged"}
    return np.array([into.get(name, name) for name in topic.tolist()], dtype=np.int64)
