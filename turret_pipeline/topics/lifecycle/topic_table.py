"""The topic table of a field: labels, themes, quality and map positions. Known topics keep what they had."""

import functools
from collections.abc import Collection, Mapping, Sequence

import numpy as np
import polars as pl

from turret_pipeline.stats.array_types import BoolArray, FloatArray, IntArray
from turret_pipeline.tables import TOPIC_DEFINITIONS
from turret_pipeline.tables.topics import ACTIVE, RETIRED
from turret_pipeline.topics.clustering.communities import NO_TOPIC, centroids, sum_vectors
from turret_pipeline.topics.edits import SUBJECT, Edits
from turret_pipeline.topics.embedding.embedding import normalize_rows
from turret_pipeline.topics.embedding.readers import reads_language
from turret_pipeline.topics.labels.examples import pick_examples
from turret_pipeline.topics.labels.labels import label_topics
from turret_pipeline.topics.layout import lay_out_topics
from turret_pipeline.topics.lifecycle.descriptions import describe_topics
from turret_pipeline.topics.lifecycle.plan import Plan
from turret_pipeline.topics.lifecycle.unique_labels import assign_unique_labels
from turret_pipeline.topics.themes import assign_themes
from turret_pipeline.topics.topic_id import TopicId

THEME_TEXTS = 30
"""Texts of each topic that are read for the label of its theme, so that no topic outweighs the others."""

KEYWORDS, PERSON = "keywords", "person"
ROLE_UNKNOWN = "Treated as a subject: none of its texts is in a session yet."


def parse_numbers(ids: pl.Series) -> IntArray:
    """Numbers at the end of topic or theme ids, NO_TOPIC for null."""
    return ids.str.extract(r"-(\d+)$").cast(pl.Int64).fill_null(NO_TOPIC).to_numpy()


def format_ids(prefix: str, numbers: IntArray, name: str) -> pl.Series:
    """Ids with this prefix, from their numbers; null for NO_TOPIC."""
    ids = [None if number == NO_TOPIC else f"{prefix}-{number}" for number in numbers.tolist()]
    return pl.Series(name, ids, pl.String)


def build_topic_table(
    field: str,
    previous: pl.DataFrame,
    texts: pl.DataFrame,
    vectors: FloatArray,
    topic: IntArray,
    split_edits: Mapping[int, str],
    plan: Plan,
    model: str,
) -> pl.DataFrame:
    """Topic table of a field, retired topics included. Known topics keep their label, theme and map position.

    ``topic`` has the topic number of each of ``texts`` after merges by a person. ``split_edits`` has the edits that
    split topics off in this run, by the number of the new topic; ``model`` has embedded the texts.
    """
    active = np.unique(topic[topic != NO_TOPIC])
    position = np.where(topic == NO_TOPIC, NO_TOPIC, np.searchsorted(active, topic))
    ids = format_ids(field, active, "topic_id")
    words = texts["text"].to_list()
    labels = _previous_labels(previous, ids, "topic_id", "found_label")
    taken = [*previous["label"], *previous["found_label"], *plan.edits.labels().values()]
    languages = texts["language"].to_list()
    names = label_topics(
        words,
        position,
        len(active),
        labels,
        taken,
        vectors,
        embed=plan.find_embedder and plan.find_embedder(model),
        languages=languages,
        excluded_words=plan.excluded_words,
        reads_language=functools.partial(reads_language, model),
    )
    text_counts = np.bincount(position[position != NO_TOPIC], minlength=len(active))
    themes = _themes(field, previous, active, centroids(vectors, position), plan.options.seed, refit=plan.refit)
    split_edit_ids = {str(TopicId(field, number)): edit for number, edit in split_edits.items()}
    found = pl.DataFrame(
        {
            "topic_id": ids,
            "found_label": pl.Series([name.label for name in names], dtype=pl.String),
            "description": describe_topics(names, ids, text_counts, len(words), previous),
            "keywords": pl.Series([name.keywords for name in names], dtype=pl.List(pl.String)),
            "example_texts": pl.Series(pick_examples(words, vectors, position, len(active)), dtype=pl.List(pl.String)),
            "theme_id": format_ids(f"{field}-theme", themes, "theme_id"),
            "theme_label": _theme_labels(
                field, previous, words, position, themes, vectors, languages, plan.excluded_words
            ),
            "split_edit_id": pl.Series([split_edit_ids.get(topic_id) for topic_id in ids], dtype=pl.String),
            "role": pl.Series([SUBJECT] * len(ids), dtype=pl.String),
            "role_reason": pl.Series([ROLE_UNKNOWN] * len(ids), dtype=pl.String),
            **_quality(ids, vectors, position),
            **_map_positions(previous, ids, centroids(vectors, position), plan.options.seed, refit=plan.refit),
        }
    ).with_columns(
        pl.lit(field).alias("field"), pl.lit(ACTIVE).alias("status"), pl.lit(KEYWORDS).alias("found_label_source")
    )
    topics = pl.concat([_restore_previous_values(found, previous), _retire_missing(previous, ids)], how="diagonal")
    return _apply_edits(topics, plan.edits)


def _restore_previous_values(found: pl.DataFrame, previous: pl.DataFrame) -> pl.DataFrame:
    """Active topics with their previous role, the edit that split them off, and the description that an LLM gave."""
    by_llm = previous.filter(pl.col("found_label_source") != KEYWORDS)
    described = by_llm.select("topic_id", "found_label_source", "description")
    split = previous.select("topic_id", "split_edit_id").drop_nulls()
    role = previous.select("topic_id", "role", "role_reason").drop_nulls()
    found = found.update(described, on="topic_id", how="left", maintain_order="left")
    found = found.update(role, on="topic_id", how="left", maintain_order="left")
    return found.update(split, on="topic_id", how="left", maintain_order="left")


def _retire_missing(previous: pl.DataFrame, active: pl.Series) -> pl.DataFrame:
    """Topics that have no texts now, retired. They keep their label and map position."""
    return previous.filter(~pl.col("topic_id").is_in(active.implode())).with_columns(
        pl.lit(RETIRED).alias("status"),
        pl.lit([], pl.List(pl.String)).alias("example_texts"),
        *(pl.lit(None, pl.Float64).alias(name) for name in ("cohesion", "separation")),
        pl.lit(None, pl.String).alias("nearest_topic_id"),
    )


def _apply_edits(topics: pl.DataFrame, edits: Edits) -> pl.DataFrame:
    """The topics with the labels, locks and merges of a person."""
    topics = topics.sort(pl.col("topic_id").str.extract(r"-(\d+)$").cast(pl.Int64))
    labels, into = assign_unique_labels(topics, edits), edits.merge_targets()
    ids = topics["topic_id"].to_list()
    is_named = pl.col("topic_id").is_in(list(edits.labels()))
    return topics.with_columns(
        pl.Series("label", [labels[topic_id] for topic_id in ids], pl.String),
        pl.when(is_named).then(pl.lit(PERSON)).otherwise("found_label_source").alias("label_source"),
        pl.Series("is_locked", [topic_id in edits.locked() for topic_id in ids], pl.Boolean),
        pl.Series("merged_into_topic_id", [into.get(topic_id) for topic_id in ids], pl.String),
    ).select(TOPIC_DEFINITIONS.schema.names())


def _previous_labels(previous: pl.DataFrame, ids: pl.Series, key: str, label: str) -> dict[int, str]:
    """Previous labels of topics or themes, by position in ``ids``; without those that an erasure replaced by the id."""
    labels = dict(previous.filter(pl.col(label).ne_missing(pl.col(key))).select(key, label).iter_rows())
    return {row: labels[known] for row, known in enumerate(ids) if known in labels}


def _quality(ids: pl.Series, vectors: FloatArray, position: IntArray) -> dict[str, pl.Series]:
    """Cohesion, separation and nearest topic of the active topics."""
    counts = np.bincount(position[position != NO_TOPIC], minlength=len(ids)).astype(np.float64)
    sums = _sum_in_double_precision(vectors, position)
    pairs = np.maximum(counts * (counts - 1), 1)
    cohesion = np.where(counts > 1, ((sums**2).sum(axis=1) - counts) / pairs, 1.0)
    topic_centroids = normalize_rows(sums)
    between = topic_centroids @ topic_centroids.T
    np.fill_diagonal(between, -np.inf)
    nearest = between.argmax(axis=1) if len(ids) else np.empty(0, np.int64)
    has_other = len(ids) > 1
    separation = 1 - between[np.arange(len(ids)), nearest]
    return {
        "cohesion": pl.Series(np.round(cohesion, 6), dtype=pl.Float64),
        "separation": pl.Series(np.round(separation, 6) if has_other else [None] * len(ids), dtype=pl.Float64),
        "nearest_topic_id": ids.gather(nearest).alias("")
        if has_other
        else pl.Series([None] * len(ids), dtype=pl.String),
    }


def _sum_in_double_precision(vectors: FloatArray, position: IntArray) -> FloatArray:
    """Sum of the vectors of each topic, some dimensions at a time, so that memory does not double."""
    blocks = np.array_split(vectors, max(vectors.shape[1] // 32, 1), axis=1)
    return np.hstack([sum_vectors(block.astype(np.float64), position) for block in blocks])


def _map_positions(
    previous: pl.DataFrame, ids: pl.Series, topic_centroids: FloatArray, seed: int, *, refit: bool
) -> dict[str, pl.Series]:
    """Map positions of topics. Known topics keep theirs."""
    if ids.is_empty():
        return {"map_x": pl.Series([], dtype=pl.Float64), "map_y": pl.Series([], dtype=pl.Float64)}
    known = ids.to_frame("topic_id").join(
        previous.select("topic_id", "map_x", "map_y"), on="topic_id", how="left", maintain_order="left"
    )
    positions = known.select("map_x", "map_y").cast(pl.Float64).fill_null(float("nan")).to_numpy().copy()
    if refit or _is_mostly_new(np.isnan(positions).any(axis=1)):
        positions[:] = np.nan
    positions = lay_out_topics(topic_centroids, positions, seed)
    return {
        "map_x": pl.Series(positions[:, 0], dtype=pl.Float64),
        "map_y": pl.Series(positions[:, 1], dtype=pl.Float64),
    }


def _themes(
    field: str, previous: pl.DataFrame, active: IntArray, topic_centroids: FloatArray, seed: int, *, refit: bool
) -> IntArray:
    known = dict(zip(previous["topic_id"], parse_numbers(previous["theme_id"]).tolist(), strict=True))
    themes = np.array([known.get(str(TopicId(field, number)), NO_TOPIC) for number in active.tolist()], dtype=np.int64)
    if refit or _is_mostly_new(themes == NO_TOPIC):
        themes[:] = NO_TOPIC
    return assign_themes(topic_centroids, themes, max(known.values(), default=0) + 1, seed)


def _is_mostly_new(is_new: BoolArray) -> bool:
    """True if most topics are new. Themes and map are then computed again, because they were made for the old ones."""
    return bool(is_new.sum() > is_new.size - is_new.sum())


def _theme_labels(
    field: str,
    previous: pl.DataFrame,
    words: list[str],
    position: IntArray,
    themes: IntArray,
    vectors: FloatArray,
    languages: Sequence[str | None],
    excluded_words: Collection[str],
) -> pl.Series:
    """Theme label of every topic. Known themes keep theirs."""
    numbers, ranks = np.unique(themes, return_inverse=True)
    by_text = np.where(position == NO_TOPIC, NO_TOPIC, ranks[position] if len(ranks) else NO_TOPIC)
    known = _previous_labels(previous, format_ids(f"{field}-theme", numbers, "theme_id"), "theme_id", "theme_label")
    taken = previous["theme_label"].to_list()
    sampled = _sample_evenly(by_text, position)
    names = label_topics(
        words,
        sampled,
        len(numbers),
        known,
        taken,
        vectors,
        themes=True,
        languages=languages,
        excluded_words=excluded_words,
    )
    return pl.Series("theme_label", [names[rank].label for rank in ranks.tolist()], pl.String)


def _sample_evenly(theme: IntArray, position: IntArray) -> IntArray:
    """Theme of each text, NO_TOPIC beyond THEME_TEXTS texts of a topic: a theme is what its topics share.

    ``position`` is the topic of each text.
    """
    sampled = theme.copy()
    for topic in range(int(position.max(initial=NO_TOPIC)) + 1):
        members = np.flatnonzero(position == topic)
        kept = np.unique(np.linspace(0, len(members) - 1, THEME_TEXTS).astype(int)) if len(members) else members
        sampled[np.delete(members, kept)] = NO_TOPIC
    return sampled
