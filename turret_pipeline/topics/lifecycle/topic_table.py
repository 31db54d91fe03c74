"""The table of topics of a field: names, themes, quality, places on the map; what a topic had before it keeps."""

from collections.abc import Mapping

import numpy as np
import polars as pl

from turret_pipeline.stats.array_types import BoolArray, FloatArray, IntArray
from turret_pipeline.tables import TOPIC_DEFINITIONS
from turret_pipeline.topics.clustering.communities import NO_TOPIC, centroids, sum_vectors
from turret_pipeline.topics.edits import SUBJECT, Edits
from turret_pipeline.topics.embedding.embedding import normalize_rows
from turret_pipeline.topics.labels.labels import Name, examples, name_topics
from turret_pipeline.topics.labels.layout import lay_out
from turret_pipeline.topics.labels.themes import group_topics
from turret_pipeline.topics.lifecycle.plan import Plan
from turret_pipeline.topics.lifecycle.unique_labels import called
from turret_pipeline.topics.topic_id import TopicId

ACTIVE, RETIRED = "active", "retired"
KEYWORDS, PERSON = "keywords", "person"
NOT_JUDGED = "Taken for a subject: no text of it stood in a session yet."


def numbers_of(ids: pl.Series) -> IntArray:
    """The number at the end of topic or theme ids, NO_TOPIC for null."""
    return ids.str.extract(r"-(\d+)$").cast(pl.Int64).fill_null(NO_TOPIC).to_numpy()


def ids_of(prefix: str, numbers: IntArray, name: str) -> pl.Series:
    """Ids from numbers, null for NO_TOPIC."""
    ids = [None if number == NO_TOPIC else f"{prefix}-{number}" for number in numbers.tolist()]
    return pl.Series(name, ids, pl.String)


def define(
    field: str,
    previous: pl.DataFrame,
    texts: pl.DataFrame,
    vectors: FloatArray,
    topic: IntArray,
    split_edits: Mapping[int, str],
    plan: Plan,
) -> pl.DataFrame:
    """Definitions of all topics that ever lived: old ones keep label, theme and place, living ones get the rest anew.

    ``topic`` is the topic that each of ``texts`` is shown with; ``split_edits`` has the edits that made topics in this
    run.
    """
    living = np.unique(topic[topic != NO_TOPIC])
    position = np.where(topic == NO_TOPIC, NO_TOPIC, np.searchsorted(living, topic))
    ids = ids_of(field, living, "topic_id")
    words = texts["text"].to_list()
    labels = _kept_labels(previous, ids, "topic_id", "found_label")
    given = [*previous["label"], *previous["found_label"], *plan.edits.labels().values()]
    names = name_topics(words, position, len(living), labels, given, vectors)
    themes = _themes(field, previous, living, centroids(vectors, position), plan.options.seed, refit=plan.refit)
    edits_of = {str(TopicId(field, number)): edit for number, edit in split_edits.items()}
    found = pl.DataFrame(
        {
            "topic_id": ids,
            "found_label": pl.Series([name.label for name in names], dtype=pl.String),
            "description": pl.Series([_description(name) for name in names], dtype=pl.String),
            "keywords": pl.Series([name.keywords for name in names], dtype=pl.List(pl.String)),
            "example_texts": pl.Series(examples(words, vectors, position, len(living)), dtype=pl.List(pl.String)),
            "theme_id": ids_of(f"{field}-theme", themes, "theme_id"),
            "theme_label": _theme_labels(field, previous, words, position, themes, vectors),
            "split_edit_id": pl.Series([edits_of.get(topic_id) for topic_id in ids], dtype=pl.String),
            "role": pl.Series([SUBJECT] * len(ids), dtype=pl.String),
            "role_reason": pl.Series([NOT_JUDGED] * len(ids), dtype=pl.String),
            **_quality(ids, vectors, position),
            **_places(previous, ids, centroids(vectors, position), plan.options.seed, refit=plan.refit),
        }
    ).with_columns(
        pl.lit(field).alias("field"), pl.lit(ACTIVE).alias("status"), pl.lit(KEYWORDS).alias("found_label_source")
    )
    return _decided(
        pl.concat([_with_what_was_given(found, previous), _gone(previous, ids)], how="diagonal"), plan.edits
    )


def _with_what_was_given(found: pl.DataFrame, previous: pl.DataFrame) -> pl.DataFrame:
    """Living topics; what an LLM said of one before stays, and so do its role and the edit that split it off."""
    by_llm = previous.filter(pl.col("found_label_source") != KEYWORDS)
    said = by_llm.select("topic_id", "found_label_source", "description")
    split = previous.select("topic_id", "split_edit_id").drop_nulls()
    role = previous.select("topic_id", "role", "role_reason").drop_nulls()
    found = found.update(said, on="topic_id", how="left", maintain_order="left")
    found = found.update(role, on="topic_id", how="left", maintain_order="left")
    return found.update(split, on="topic_id", how="left", maintain_order="left")


def _gone(previous: pl.DataFrame, living: pl.Series) -> pl.DataFrame:
    """Topics without a text: they keep their name and place."""
    return previous.filter(~pl.col("topic_id").is_in(living.implode())).with_columns(
        pl.lit(RETIRED).alias("status"),
        pl.lit([], pl.List(pl.String)).alias("example_texts"),
        *(pl.lit(None, pl.Float64).alias(name) for name in ("cohesion", "separation")),
        pl.lit(None, pl.String).alias("nearest_topic_id"),
    )


def _decided(topics: pl.DataFrame, edits: Edits) -> pl.DataFrame:
    """The topics with a person's labels, locks and merges on them."""
    topics = topics.sort(pl.col("topic_id").str.extract(r"-(\d+)$").cast(pl.Int64))
    labels, into = called(topics, edits), edits.shown_as()
    ids = topics["topic_id"].to_list()
    is_named = pl.col("topic_id").is_in(list(edits.labels()))
    return topics.with_columns(
        pl.Series("label", [labels[topic_id] for topic_id in ids], pl.String),
        pl.when(is_named).then(pl.lit(PERSON)).otherwise("found_label_source").alias("label_source"),
        pl.Series("is_locked", [topic_id in edits.locked() for topic_id in ids], pl.Boolean),
        pl.Series("merged_into_topic_id", [into.get(topic_id) for topic_id in ids], pl.String),
    ).select(TOPIC_DEFINITIONS.schema.names())


def _kept_labels(previous: pl.DataFrame, ids: pl.Series, key: str, label: str) -> dict[int, str]:
    """Labels that topics or themes had before, by their position among ``ids``."""
    labels = dict(previous.select(key, label).iter_rows())
    return {at: labels[known] for at, known in enumerate(ids) if known in labels}


def _description(name: Name) -> str:
    if not name.keywords:
        return "Texts without words of their own."
    return f"Texts that speak of {', '.join(name.keywords[:5])}."


def _quality(ids: pl.Series, vectors: FloatArray, position: IntArray) -> dict[str, pl.Series]:
    """Cohesion and separation of the living topics, and which is nearest to each."""
    counts = np.bincount(position[position != NO_TOPIC], minlength=len(ids)).astype(np.float64)
    sums = sum_vectors(vectors.astype(np.float64), position)
    pairs = np.maximum(counts * (counts - 1), 1)
    cohesion = np.where(counts > 1, ((sums**2).sum(axis=1) - counts) / pairs, 1.0)
    centres = normalize_rows(sums)
    between = centres @ centres.T
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


def _places(
    previous: pl.DataFrame, ids: pl.Series, centres: FloatArray, seed: int, *, refit: bool
) -> dict[str, pl.Series]:
    """Places on the map: the ones of before where there were any."""
    if ids.is_empty():
        return {"map_x": pl.Series([], dtype=pl.Float64), "map_y": pl.Series([], dtype=pl.Float64)}
    known = ids.to_frame("topic_id").join(
        previous.select("topic_id", "map_x", "map_y"), on="topic_id", how="left", maintain_order="left"
    )
    places = known.select("map_x", "map_y").cast(pl.Float64).fill_null(float("nan")).to_numpy().copy()
    if refit or _has_outgrown(np.isnan(places).any(axis=1)):
        places[:] = np.nan
    places = lay_out(centres, places, seed)
    return {"map_x": pl.Series(places[:, 0], dtype=pl.Float64), "map_y": pl.Series(places[:, 1], dtype=pl.Float64)}


def _themes(
    field: str, previous: pl.DataFrame, living: IntArray, centres: FloatArray, seed: int, *, refit: bool
) -> IntArray:
    known = dict(zip(previous["topic_id"], numbers_of(previous["theme_id"]).tolist(), strict=True))
    themes = np.array([known.get(str(TopicId(field, number)), NO_TOPIC) for number in living.tolist()], dtype=np.int64)
    if refit or _has_outgrown(themes == NO_TOPIC):
        themes[:] = NO_TOPIC
    return group_topics(centres, themes, max(known.values(), default=0) + 1, seed)


def _has_outgrown(is_new: BoolArray) -> bool:
    """Whether there are so many new topics that what was drawn for the old ones says little: themes, the map."""
    return bool(is_new.sum() > is_new.size - is_new.sum())


def _theme_labels(
    field: str,
    previous: pl.DataFrame,
    words: list[str],
    position: IntArray,
    themes: IntArray,
    vectors: FloatArray,
) -> pl.Series:
    """Label of each topic's theme; themes that had one keep it."""
    numbers, ranks = np.unique(themes, return_inverse=True)
    by_text = np.where(position == NO_TOPIC, NO_TOPIC, ranks[position] if len(ranks) else NO_TOPIC)
    kept = _kept_labels(previous, ids_of(f"{field}-theme", numbers, "theme_id"), "theme_id", "theme_label")
    gone = previous["theme_label"].to_list()
    names = name_topics(words, by_text, len(numbers), kept, gone, vectors, themes=True)
    return pl.Series("theme_label", [names[rank].label for rank in ranks.tolist()], pl.String)
