"""Update of topics in which near-duplicates count as one text."""

from dataclasses import replace

import numpy as np

from turret_pipeline.stats.array_types import FloatArray, IntArray
from turret_pipeline.topics.clustering.communities import NO_TOPIC, sum_vectors
from turret_pipeline.topics.embedding.embedding import normalize_rows
from turret_pipeline.topics.options import TopicOptions
from turret_pipeline.topics.tracking.assign import measure_fit
from turret_pipeline.topics.tracking.sampled_update import update_topics_of_sample
from turret_pipeline.topics.tracking.update import Update


def update_topics_of_groups(
    vectors: FloatArray,
    group: IntArray,
    known: IntArray,
    next_number: int,
    options: TopicOptions,
    protected: frozenset[int] = frozenset(),
) -> Update:
    """Topics of all texts of a field, found as by ``update_topics_of_sample`` from a mean vector per group of texts.

    ``group`` has shape (texts,), numbered from 0 in the order of the texts. New texts get the topic of their group.
    Known texts of a group with different topics keep theirs. A group without a topic becomes one if it has as many
    texts as the median topic: people send the same text often.
    """
    if not len(vectors):
        return update_topics_of_sample(vectors, known, next_number, options, protected)
    known_of_group = _most_frequent(known, group)
    names = np.unique(known_of_group)
    counts = np.array([(known_of_group[: options.max_clustered] == name).sum() for name in names])
    kept = protected | set(names[counts < options.min_texts].tolist())  # too few groups to judge a split or a merge
    of_groups = normalize_rows(sum_vectors(vectors, group))
    found = update_topics_of_sample(of_groups, known_of_group, next_number, options, kept)
    topic = found.assignment.topic[group]
    differs = (known != NO_TOPIC) & (known != known_of_group[group])
    topic[differs] = known[differs]
    _add_topics_of_large_groups(topic, group, max(next_number, int(topic.max()) + 1), options.min_texts)
    return replace(found, assignment=measure_fit(vectors, topic))


def _most_frequent(topic: IntArray, group: IntArray) -> IntArray:
    """Most frequent topic of the texts of each group, the lowest of equally frequent ones; NO_TOPIC without any."""
    has = topic != NO_TOPIC
    pairs, counts = np.unique(np.column_stack([group[has], topic[has]]), axis=0, return_counts=True)
    most = np.full(int(group.max()) + 1, NO_TOPIC, dtype=np.int64)
    order = np.lexsort((-pairs[:, 1], counts))
    most[pairs[order, 0]] = pairs[order, 1]
    return most


def _add_topics_of_large_groups(topic: IntArray, group: IntArray, next_number: int, min_texts: int) -> None:
    """Assign large groups without a topic, in place, to topics of their own, the largest first."""
    sizes = np.unique(topic[topic != NO_TOPIC], return_counts=True)[1]
    needed = max(min_texts, float(np.median(sizes))) if len(sizes) else min_texts
    counts = np.bincount(group[topic == NO_TOPIC])
    large = np.flatnonzero(counts >= needed)
    for number, each in enumerate(large[np.argsort(-counts[large], kind="stable")].tolist(), next_number):
        topic[(group == each) & (topic == NO_TOPIC)] = number
