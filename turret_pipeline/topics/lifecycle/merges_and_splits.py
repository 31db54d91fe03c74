"""Splits and merges by a person, applied to the topics that the machine found."""

import warnings
from dataclasses import replace

import numpy as np
import polars as pl

from turret_pipeline.stats.array_types import FloatArray, IntArray
from turret_pipeline.topics.clustering.communities import renumber_by_size
from turret_pipeline.topics.edits import Edit, Edits
from turret_pipeline.topics.lifecycle.topic_table import parse_numbers
from turret_pipeline.topics.topic_id import TopicId
from turret_pipeline.topics.tracking.assign import measure_fit
from turret_pipeline.topics.tracking.reconcile import Change
from turret_pipeline.topics.tracking.update import Update


def apply_merges(found: IntArray, field: str, edits: Edits) -> IntArray:
    """Topic numbers of the texts, with the merges of a person applied."""
    merges = ((TopicId.parse(topic_id), TopicId.parse(end)) for topic_id, end in edits.merge_targets().items())
    into = {topic.number: end.number for topic, end in merges if topic.field == field}
    return np.array([into.get(number, number) for number in found.tolist()], dtype=np.int64)


def apply_splits(
    found: Update, field: str, vectors: FloatArray, topics: pl.DataFrame, lineage: pl.DataFrame, edits: Edits
) -> Update:
    """The update with new splits by a person applied and undone splits reverted. ``topics`` is the topic table."""
    topic = found.assignment.topic.copy()
    wanted = [edit for edit in edits.splits() if TopicId.parse(edit.topic_id).field == field]
    done = topics.filter(pl.col("split_edit_id").is_not_null())
    changes = [*found.changes, *_revert_splits(topic, done, lineage, {edit.edit_id for edit in wanted})]
    next_number = max(int(parse_numbers(topics["topic_id"]).max(initial=0)), int(topic.max(initial=0))) + 1
    split_edits = dict(found.split_edits)
    for edit in wanted:
        if edit.edit_id in done["split_edit_id"]:
            continue
        for change in _split_topic(topic, vectors, edit, next_number):
            changes.append(change)
            split_edits[change.topic] = edit.edit_id
            next_number = change.topic + 1
    if len(changes) == len(found.changes):
        return found
    return replace(found, assignment=measure_fit(vectors, topic), changes=changes, split_edits=split_edits)


def _revert_splits(topic: IntArray, done: pl.DataFrame, lineage: pl.DataFrame, wanted: set[str]) -> list[Change]:
    """Return the texts of topics whose split was undone to the topic they came from, in place."""
    changes: list[Change] = []
    came_from = dict(lineage.filter(pl.col("change") == "split").select("topic_id", "other_topic_id").iter_rows())
    splits = done.select("topic_id", "split_edit_id").rows()
    for topic_id, edit_id in sorted(splits, key=lambda row: -TopicId.parse(row[0]).number):  # parts of parts first
        number = TopicId.parse(topic_id).number
        members = topic == number
        if edit_id in wanted or not members.any():
            continue
        parent = TopicId.parse(came_from[topic_id]).number
        changes.append(Change("merged", number, parent, 1.0))
        topic[members] = parent
    return changes


def _split_topic(topic: IntArray, vectors: FloatArray, edit: Edit, next_number: int) -> list[Change]:
    """Split a topic, in place, by k-means of the unit vectors. The largest part keeps the id."""
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    whole = TopicId.parse(edit.topic_id).number
    members = np.flatnonzero(topic == whole)
    parts = edit.parts or 2
    if len(members) < parts:
        return []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct vectors than parts give fewer parts
        labels = renumber_by_size(KMeans(parts, n_init=10, random_state=0).fit_predict(vectors[members]), 1)
    changes = []
    for number, part in enumerate(range(1, int(labels.max()) + 1), start=next_number):
        topic[members[labels == part]] = number
        changes.append(Change("split", number, whole, float((labels == part).mean())))
    return changes
