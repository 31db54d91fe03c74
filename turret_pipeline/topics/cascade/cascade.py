"""The cascade: a student with its doubt, trained on a sample of texts, and the texts that share one vector."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.topics.cascade.margin import Doubt, calibrate_doubt
from turret_pipeline.topics.cascade.student import StaticVectors, Student, train_student
from turret_pipeline.topics.cascade.words import hash_word, split_words
from turret_pipeline.topics.clustering.communities import NO_TOPIC, centroids
from turret_pipeline.topics.embedding.near_duplicates import find_template, group_near_duplicates
from turret_pipeline.topics.options import TopicOptions
from turret_pipeline.topics.tracking.grouped_update import update_topics_of_groups

TRAINING_TEXTS = 20_000
"""Texts that the student learns from. They are those with the lowest ids, which are hashes: a random sample."""

MAX_WORDS, MIN_WORD_COUNT = 20_000, 3
"""Number of words with a static vector, and how often each occurs in all texts at least."""

TOPIC_TEXTS = 8_000
"""Training texts whose topics say which texts are doubtful."""

HELD_OUT_PARTS = 5
"""One of so many parts of the training texts is held out to measure the student."""

ONLY = "\0"


@dataclass(frozen=True)
class Cascade:
    """A student, and the doubt about its vectors."""

    student: Student
    doubt: Doubt


def pair_with_representatives(texts: pl.DataFrame, known_ids: pl.Series) -> pl.DataFrame:
    """Columns text_id and representative_id: texts that differ in case, white space, digits or punctuation have one.

    It is the one with the lowest id among those that have a vector (``known_ids``), or else among all. ``texts`` has
    the columns text_id and text, and each text once.
    """
    templates = [find_template(text) or ONLY + text for text in texts["text"]]
    ordered = texts.select("text_id", pl.Series("template", templates, pl.String)).with_columns(
        pl.col("text_id").is_in(known_ids.implode()).alias("is_known")
    )
    ordered = ordered.sort("is_known", "text_id", descending=[True, False])
    first = pl.col("text_id").first().over("template").alias("representative_id")
    return ordered.select("text_id", first).sort("text_id")


def is_too_few_for_student(texts: pl.DataFrame, known_ids: pl.Series) -> bool:
    """True if a student would save less than it costs: it reads only texts outside the sample that have no vector.

    A run that was killed while the model read the sample decides as before.
    """
    others = texts.sort("text_id").slice(TRAINING_TEXTS)
    return others.join(known_ids.to_frame("text_id"), on="text_id", how="anti").height <= TRAINING_TEXTS


def select_training_texts(texts: pl.DataFrame) -> pl.DataFrame:
    """The texts that a student learns from, sorted by id."""
    return texts.sort("text_id").head(TRAINING_TEXTS)


def select_static_words(texts: Iterable[str]) -> pl.DataFrame:
    """Frequent words of the texts: columns text_id (the hash of the word), text (the word) and share of all words."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(split_words(text))
    total = max(counts.total(), 1)
    frequent = [(word, count) for word, count in counts.items() if count >= MIN_WORD_COUNT]
    frequent = sorted(frequent, key=lambda item: (-item[1], item[0]))[:MAX_WORDS]
    rows = [(f"{hash_word(word):016x}", word, count / total) for word, count in frequent]
    schema = {"text_id": pl.String, "text": pl.String, "share": pl.Float64}
    return pl.DataFrame(rows, schema, orient="row").sort("text_id")


def collect_static_vectors(words: pl.DataFrame, vectors: FloatArray) -> StaticVectors:
    """Static vectors from the table of ``select_static_words`` and their unit vectors, in the same order."""
    hashes = np.array([int(word, 16) for word in words["text_id"]], dtype=np.uint64)
    return StaticVectors(hashes, vectors, words["share"].to_numpy())


def train_cascade(texts: Sequence[str], vectors: FloatArray, static: StaticVectors) -> Cascade:
    """Train a student on texts and their unit vectors by the full model, and calibrate its doubt on held-out texts."""
    is_held_out = np.arange(len(texts)) % HELD_OUT_PARTS == 0
    held_out, taught = ([texts[row] for row in np.flatnonzero(part).tolist()] for part in (is_held_out, ~is_held_out))
    held_out_student = train_student(taught, vectors[~is_held_out], static)
    centroids_of_topics = find_centroids(texts[:TOPIC_TEXTS], vectors[:TOPIC_TEXTS])
    doubt = calibrate_doubt(held_out_student.predict(held_out), vectors[is_held_out], centroids_of_topics)
    return Cascade(train_student(texts, vectors, static), doubt)


def find_centroids(texts: Sequence[str], vectors: FloatArray) -> FloatArray:
    """Unit centroids of the topics of texts with default options, shape (topics, dimensions)."""
    unknown, group = np.full(len(texts), NO_TOPIC), group_near_duplicates(texts, vectors)
    topic = update_topics_of_groups(vectors, group, unknown, 0, TopicOptions()).assignment.topic
    names, positions = np.unique(topic[topic != NO_TOPIC], return_inverse=True)
    if not len(names):
        return np.empty((0, vectors.shape[1]), dtype=np.float32)
    labels = np.full(len(texts), NO_TOPIC)
    labels[topic != NO_TOPIC] = positions
    return centroids(vectors, labels)
