"""Topics of a field from run to run: known texts keep theirs, new ones are assigned, the rest is searched."""

import warnings
from dataclasses import dataclass

import numpy as np

from turret_pipeline.topics.arrays import FloatArray, IntArray
from turret_pipeline.topics.communities import NO_TOPIC, by_size, centroids, find_topics
from turret_pipeline.topics.neighbours import nearest, nearest_others, neighbour_count, neighbour_graph

LOOSE_QUANTILE = 0.25
"""A new topic among texts that had none must hold together as well as the loosest quarter of the known topics."""

LONELY = 0.7
"""A text is lonely where its nearest texts are less similar than so much of what is usual in its field: short or few
texts are less alike throughout, and the floor alone would leave most of them without a topic."""

DENSITY_DIMENSIONS = 32
"""HDBSCAN's estimates of density say little in hundreds of dimensions; so many principal components suffice."""


@dataclass(frozen=True)
class Options:
    """How topics are found: see the settings of the same names."""

    granularity: float = 1.0
    min_texts: int = 5
    floor: float = 0.42
    seed: int = 0


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


def update_topics(vectors: FloatArray, known: IntArray, next_number: int, options: Options) -> Assignment:
    """Topics of all texts of a field.

    ``known`` has the number of each text's topic from the run before, NO_TOPIC for new texts and those without one.
    New topics are numbered from ``next_number`` on, the largest first.
    """
    topic = known.copy()
    neighbours = nearest_others(vectors, neighbour_count(len(vectors)))
    company = neighbours.mean_similarity()
    floor = min(options.floor, LONELY * float(np.median(company))) if len(company) else options.floor
    has_company = company >= floor
    if (known == NO_TOPIC).all():
        graph = neighbour_graph(neighbours)[has_company][:, has_company]
        found = find_topics(graph, vectors[has_company], options.granularity, options.min_texts, options.seed)
        topic[has_company] = np.where(found == NO_TOPIC, NO_TOPIC, found + next_number)
    waiting = (topic == NO_TOPIC) & has_company
    topic[waiting] = vote(vectors[waiting], vectors, topic, floor)
    _add_new_topics(vectors, topic, max(next_number, int(topic.max(initial=-1)) + 1), floor, options.min_texts)
    return _measured(vectors, topic)


def vote(queries: FloatArray, vectors: FloatArray, topic: IntArray, floor: float) -> IntArray:
    """The topic that most of the nearest texts with a topic have, weighted by similarity.

    NO_TOPIC where those texts are less similar on average than the floor: what is near nothing known may be new.
    """
    references = np.flatnonzero(topic != NO_TOPIC)
    if len(references) == 0 or len(queries) == 0:
        return np.full(len(queries), NO_TOPIC)
    neighbours = nearest(queries, vectors[references], neighbour_count(len(references)))
    names, votes = np.unique(topic[references], return_inverse=True)
    ballots = np.zeros((len(queries), len(names)))
    rows = np.repeat(np.arange(len(queries)), neighbours.indices.shape[1])
    np.add.at(ballots, (rows, votes[neighbours.indices.ravel()]), neighbours.similarities.ravel())
    return np.where(neighbours.mean_similarity() < floor, NO_TOPIC, names[ballots.argmax(axis=1)])


def _add_new_topics(vectors: FloatArray, topic: IntArray, next_number: int, floor: float, min_texts: int) -> None:
    """Give texts without a topic one, in place, where HDBSCAN finds groups of them that hold together."""
    rest = np.flatnonzero(topic == NO_TOPIC)
    company = nearest_others(vectors[rest], min(neighbour_count(len(rest)), min_texts - 1))
    rest = rest[company.mean_similarity() >= floor]
    if len(rest) < min_texts:
        return
    groups = by_size(_dense_groups(vectors[rest], min_texts), min_texts)
    if (groups == NO_TOPIC).all():  # HDBSCAN tells groups apart; where all are of one kind it sees none
        groups = np.zeros(len(rest), dtype=np.int64)
    bound = _looseness_allowed(vectors, topic)
    held = [group for group in range(groups.max(initial=-1) + 1) if _cohesion(vectors[rest[groups == group]]) >= bound]
    for number, group in enumerate(held, start=next_number):
        topic[rest[groups == group]] = number


def _dense_groups(vectors: FloatArray, min_texts: int) -> IntArray:
    """HDBSCAN's clusters (Campello, Moulavi, Sander 2013) of the leading principal components; NO_TOPIC is noise."""
    import hdbscan

    dimensions = min(DENSITY_DIMENSIONS, len(vectors) - 1)
    centred = vectors - vectors.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # hdbscan 0.8 calls scikit-learn by a name that it will drop
        warnings.simplefilter("ignore", SyntaxWarning)
        clusterer = hdbscan.HDBSCAN(min_cluster_size=min_texts, core_dist_n_jobs=1)
        return np.asarray(clusterer.fit_predict((centred @ axes[:dimensions].T).astype(np.float64)))


def _looseness_allowed(vectors: FloatArray, topic: IntArray) -> float:
    names = np.unique(topic[topic != NO_TOPIC])
    if len(names) == 0:
        return 0.5
    return float(np.quantile([_cohesion(vectors[topic == name]) for name in names], LOOSE_QUANTILE))


def _cohesion(members: FloatArray) -> float:
    """Mean cosine of texts to their centroid."""
    return float(np.linalg.norm(members.mean(axis=0, dtype=np.float64)))


def _measured(vectors: FloatArray, topic: IntArray) -> Assignment:
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
