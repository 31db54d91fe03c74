"""Topics of a field from run to run: known texts keep theirs, new ones join or found topics, little else moves."""

import warnings
from dataclasses import dataclass, field

import numpy as np

from turret_pipeline.stats.array_types import BoolArray, FloatArray, IntArray
from turret_pipeline.topics.clustering.communities import NO_TOPIC, by_size
from turret_pipeline.topics.clustering.consensus import group_texts
from turret_pipeline.topics.clustering.neighbours import Neighbours, nearest_others, neighbour_count, neighbour_graph
from turret_pipeline.topics.embedding.embedding import has_distinct_vectors
from turret_pipeline.topics.tracking.assign import Assignment, is_lonely, measure
from turret_pipeline.topics.tracking.reconcile import Change, Meeting, Options

LOOSE_QUANTILE = 0.25
"""A new topic among texts that had none must hold together as well as the loosest quarter of the known topics."""

DENSITY_DIMENSIONS = 32
"""HDBSCAN's estimates of density say little in hundreds of dimensions; so many principal components suffice."""


@dataclass(frozen=True)
class Update:
    """Topics after a run, what changed among the known ones, and how little chance decided (None: nothing grouped)."""

    assignment: Assignment
    changes: list[Change] = field(default_factory=list)
    stability: float | None = None
    split_edits: dict[int, str] = field(default_factory=dict)
    """Edits by which a person split topics off in this run, by the number of the new topic."""


def update_topics(
    vectors: FloatArray,
    known: IntArray,
    next_number: int,
    options: Options,
    locked: frozenset[int] = frozenset(),
) -> Update:
    """Topics of all texts of a field.

    ``known`` has the number of each text's topic from the run before, NO_TOPIC for new texts and those without one.
    New topics are numbered from ``next_number`` on, the largest first. ``locked`` topics are neither split nor merged.
    """
    if not has_distinct_vectors(vectors, 2 * options.min_texts):
        return Update(measure(vectors, known.copy()))
    neighbours = nearest_others(vectors, neighbour_count(len(vectors)))
    graph = neighbour_graph(neighbours)
    grouping = group_texts(graph, vectors, options.granularity, options.seed)
    topic, changes = Meeting(vectors, graph, known, grouping, options, locked).settle(next_number)
    is_new = known == NO_TOPIC
    topic[is_lonely(neighbours, topic, options.floor) & is_new] = NO_TOPIC
    _dissolve_small(vectors, topic, is_new, next_number, options.min_texts)
    _add_new_topics(vectors, neighbours, topic, _next_free(topic, next_number), options)
    return Update(measure(vectors, topic), changes, grouping.stability())


def _dissolve_small(vectors: FloatArray, topic: IntArray, is_new: BoolArray, next_number: int, min_texts: int) -> None:
    """Take new topics back, in place, in which too few texts are left; those of one vector are one text."""
    for name in np.unique(topic[topic >= next_number]):
        members = topic == name
        if not has_distinct_vectors(vectors[members], min_texts):
            topic[members & is_new] = NO_TOPIC


def _next_free(topic: IntArray, next_number: int) -> int:
    return max(next_number, int(topic.max(initial=-1)) + 1)


def _add_new_topics(
    vectors: FloatArray, neighbours: Neighbours, topic: IntArray, next_number: int, options: Options
) -> None:
    """Give texts without a topic one, in place, where HDBSCAN finds groups of them that hold together."""
    rest = np.flatnonzero(topic == NO_TOPIC)
    if len(rest) < options.min_texts:
        return
    groups = by_size(_dense_groups(vectors[rest], options.min_texts), options.min_texts)
    if (groups == NO_TOPIC).all():  # HDBSCAN tells groups apart; where all are of one kind it sees none
        as_one = np.where(topic == NO_TOPIC, next_number, topic)
        groups = by_size(np.where(is_lonely(neighbours, as_one, options.floor)[rest], NO_TOPIC, 0), options.min_texts)
    bound = _looseness_allowed(vectors, topic)
    found = [rest[groups == group] for group in range(groups.max(initial=-1) + 1)]
    held = [
        texts
        for texts in found
        if _cohesion(vectors[texts]) >= bound and has_distinct_vectors(vectors[texts], options.min_texts)
    ]
    for number, texts in enumerate(held, start=next_number):
        topic[texts] = number


def _dense_groups(vectors: FloatArray, min_texts: int) -> IntArray:
    """HDBSCAN's clusters (Campello, Moulavi, Sander 2013) of the leading principal components; NO_TOPIC is noise."""
    import hdbscan

    dimensions = min(DENSITY_DIMENSIONS, len(vectors) - 1)
    centred = vectors - vectors.mean(axis=0)
    _, axes = np.linalg.eigh(centred.T @ centred)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # hdbscan 0.8 calls scikit-learn by a name that it will drop
        warnings.simplefilter("ignore", SyntaxWarning)
        clusterer = hdbscan.HDBSCAN(min_cluster_size=min_texts, core_dist_n_jobs=1)
        return np.asarray(clusterer.fit_predict((centred @ axes[:, ::-1][:, :dimensions]).astype(np.float64)))


def _looseness_allowed(vectors: FloatArray, topic: IntArray) -> float:
    names = np.unique(topic[topic != NO_TOPIC])
    if len(names) == 0:
        return 0.5
    return float(np.quantile([_cohesion(vectors[topic == name]) for name in names], LOOSE_QUANTILE))


def _cohesion(members: FloatArray) -> float:
    """Mean cosine of texts to their centroid."""
    return float(np.linalg.norm(members.mean(axis=0, dtype=np.float64)))
