"""Topics of a field from run to run: known texts keep their topic, and new texts join a topic or form a new one."""

import warnings
from dataclasses import dataclass, field

import numpy as np

from turret_pipeline.stats.array_types import BoolArray, FloatArray, IntArray
from turret_pipeline.topics.clustering.communities import NO_TOPIC, renumber_by_size
from turret_pipeline.topics.clustering.consensus import cluster_texts
from turret_pipeline.topics.clustering.neighbours import (
    Neighbours,
    find_graph_neighbours,
    neighbour_graph,
)
from turret_pipeline.topics.embedding.embedding import has_distinct_vectors
from turret_pipeline.topics.options import TopicOptions
from turret_pipeline.topics.tracking.assign import Assignment, is_outlier, measure_fit
from turret_pipeline.topics.tracking.reconcile import Change, reconcile_topics

COHESION_QUANTILE, DEFAULT_COHESION = 0.25, 0.5
"""Minimum cohesion of a topic that is found among unassigned texts: this quantile of the cohesion of the other topics,
or the default if no other topic exists."""

DENSITY_DIMENSIONS = 32
"""Principal components for HDBSCAN, because its density estimates are poor in hundreds of dimensions."""


@dataclass(frozen=True)
class Update:
    """Topics after a run, the changes of known topics, and the stability of the clusters (None without clustering)."""

    assignment: Assignment
    changes: list[Change] = field(default_factory=list)
    stability: float | None = None
    split_edits: dict[int, str] = field(default_factory=dict)
    """Id of the edit that split a topic off in this run, by the number of the new topic."""


def update_topics(
    vectors: FloatArray,
    known: IntArray,
    next_number: int,
    options: TopicOptions,
    protected: frozenset[int] = frozenset(),
) -> Update:
    """Topics of all texts of a field.

    ``known`` has the topic number of every text in the run before, NO_TOPIC for new and unassigned texts. New topics
    are numbered from ``next_number``, the largest first. ``protected`` topics neither split nor merge.
    """
    if not has_distinct_vectors(vectors, 2 * options.min_texts):
        return Update(measure_fit(vectors, known.copy()))
    neighbours = find_graph_neighbours(vectors)
    graph = neighbour_graph(neighbours)
    clustering = cluster_texts(graph, vectors, options.granularity, options.seed)
    topic, changes = reconcile_topics(vectors, graph, known, clustering, options, protected, next_number)
    is_new = known == NO_TOPIC
    topic[is_outlier(neighbours, topic, options.floor) & is_new] = NO_TOPIC
    _dissolve_small_topics(vectors, topic, is_new, next_number, options.min_texts)
    _add_topics_of_unassigned(vectors, neighbours, topic, _next_free_number(topic, next_number), options)
    return Update(measure_fit(vectors, topic), changes, clustering.stability())


def _dissolve_small_topics(
    vectors: FloatArray, topic: IntArray, is_new: BoolArray, next_number: int, min_texts: int
) -> None:
    """Unassign, in place, the texts of new topics with fewer than ``min_texts`` distinct vectors."""
    for name in np.unique(topic[topic >= next_number]):
        members = topic == name
        if not has_distinct_vectors(vectors[members], min_texts):
            topic[members & is_new] = NO_TOPIC


def _next_free_number(topic: IntArray, next_number: int) -> int:
    return max(next_number, int(topic.max(initial=-1)) + 1)


def _add_topics_of_unassigned(
    vectors: FloatArray, neighbours: Neighbours, topic: IntArray, next_number: int, options: TopicOptions
) -> None:
    """Assign unassigned texts, in place, to new topics if HDBSCAN finds cohesive clusters of them."""
    rest = np.flatnonzero(topic == NO_TOPIC)
    if len(rest) < options.min_texts:
        return
    clusters = renumber_by_size(_find_dense_clusters(vectors[rest], options.min_texts), options.min_texts)
    if (clusters == NO_TOPIC).all():  # HDBSCAN finds no cluster if all texts are alike: try all of them as one topic
        as_one = np.where(topic == NO_TOPIC, next_number, topic)
        single = np.where(is_outlier(neighbours, as_one, options.floor)[rest], NO_TOPIC, 0)
        clusters = renumber_by_size(single, options.min_texts)
    min_cohesion = _min_cohesion(vectors, topic)
    candidates = [rest[clusters == cluster] for cluster in range(clusters.max(initial=-1) + 1)]
    cohesive = [texts for texts in candidates if _cohesion(vectors[texts]) >= min_cohesion]
    accepted = [texts for texts in cohesive if has_distinct_vectors(vectors[texts], options.min_texts)]
    for number, texts in enumerate(accepted, start=next_number):
        topic[texts] = number


def _find_dense_clusters(vectors: FloatArray, min_texts: int) -> IntArray:
    """Clusters by HDBSCAN (Campello, Moulavi, Sander 2013) on the leading principal components; NO_TOPIC for noise."""
    import hdbscan

    dimensions = min(DENSITY_DIMENSIONS, len(vectors) - 1)
    centred = vectors - vectors.mean(axis=0)
    _, axes = np.linalg.eigh(centred.T @ centred)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # hdbscan 0.8 uses a deprecated name of scikit-learn
        warnings.simplefilter("ignore", SyntaxWarning)
        clusterer = hdbscan.HDBSCAN(min_cluster_size=min_texts, core_dist_n_jobs=1)
        return np.asarray(clusterer.fit_predict((centred @ axes[:, ::-1][:, :dimensions]).astype(np.float64)))


def _min_cohesion(vectors: FloatArray, topic: IntArray) -> float:
    names = np.unique(topic[topic != NO_TOPIC])
    if len(names) == 0:
        return DEFAULT_COHESION
    return float(np.quantile([_cohesion(vectors[topic == name]) for name in names], COHESION_QUANTILE))


def _cohesion(members: FloatArray) -> float:
    """Mean cosine of texts to their centroid."""
    return float(np.linalg.norm(members.mean(axis=0, dtype=np.float64)))
