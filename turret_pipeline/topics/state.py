"""The topics of all text fields as tables, and one run's step from the tables of the run before."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
import polars as pl

from turret_pipeline.tables import TEXT_TOPICS, TOPIC_DEFINITIONS, TOPIC_LINEAGE
from turret_pipeline.topics.arrays import FloatArray, IntArray
from turret_pipeline.topics.communities import NO_TOPIC, centroids
from turret_pipeline.topics.embedding import Embedder
from turret_pipeline.topics.labels import Name, examples, name_topics
from turret_pipeline.topics.themes import group_topics
from turret_pipeline.topics.update import Assignment, Options, update_topics

ACTIVE, RETIRED = "active", "retired"
VectorsOf = Callable[[pl.Series], FloatArray]
"""Text ids to their unit vectors, shape (texts, dimensions)."""


@dataclass(frozen=True)
class Run:
    """Who makes a change, and when."""

    run_id: str
    started_at: dt.datetime


@dataclass(frozen=True)
class TopicState:
    """All that is known of topics: the lake's tables of these names, and what the next run continues from."""

    topic_definitions: pl.DataFrame
    text_topics: pl.DataFrame
    topic_lineage: pl.DataFrame

    @classmethod
    def empty(cls) -> "TopicState":
        """No topics yet."""
        return cls(TOPIC_DEFINITIONS.empty(), TEXT_TOPICS.empty(), TOPIC_LINEAGE.empty())

    @classmethod
    def tables(cls) -> tuple[str, ...]:
        """Names of the tables that make up a state."""
        return tuple(field.name for field in fields(cls))

    def of_field(self, field: str) -> "TopicState":
        """The part of one text field."""
        return TopicState(*(getattr(self, table).filter(pl.col("field") == field) for table in self.tables()))

    def without_texts(self) -> "TopicState":
        """The topics without a member: nothing is known of any text, but no id will be given twice."""
        return TopicState(self.topic_definitions, TEXT_TOPICS.empty(), self.topic_lineage)


def advance(
    previous: TopicState,
    texts: pl.DataFrame,
    vectors_of: VectorsOf,
    options: Options,
    run: Run,
    embed: Embedder | None = None,
) -> TopicState:
    """The state after a run over table ``texts``, which holds all texts, known and new.

    A field that is no longer a text field keeps its topics, retired. ``embed`` is called only if there is something to
    name; without it names go by how frequent words are.
    """
    names = sorted({*texts["field"].unique(), *previous.topic_definitions["field"].unique()})
    parts = [
        _advance_field(
            name, previous.of_field(name), texts.filter(pl.col("field") == name), vectors_of, options, run, embed
        )
        for name in names
    ]
    if not parts:
        return TopicState(TOPIC_DEFINITIONS.empty(), TEXT_TOPICS.empty(), previous.topic_lineage)
    return TopicState(*(pl.concat([getattr(part, table) for part in parts]) for table in TopicState.tables()))


def _advance_field(
    field: str,
    previous: TopicState,
    texts: pl.DataFrame,
    vectors_of: VectorsOf,
    options: Options,
    run: Run,
    embed: Embedder | None,
) -> TopicState:
    texts = texts.sort("text_id")
    vectors = vectors_of(texts["text_id"])
    numbers = _numbers(previous.topic_definitions["topic_id"])
    known = texts.select("text_id").join(previous.text_topics, on="text_id", how="left", maintain_order="left")
    assignment = update_topics(vectors, _numbers(known["topic_id"]), int(numbers.max(initial=0)) + 1, options)
    definitions = _definitions(field, previous.topic_definitions, texts, vectors, assignment.topic, options.seed, embed)
    changes = _changes(previous.topic_definitions, definitions, run)
    lineage = pl.concat([previous.topic_lineage, changes])
    gone = previous.text_topics.join(texts, on="text_id", how="anti")  # a text that comes back finds its topic again
    text_topics = pl.concat([_text_topics(field, texts, assignment), gone]).sort("text_id")
    return TopicState(definitions, text_topics, lineage)


def _numbers(ids: pl.Series) -> IntArray:
    """The number at the end of topic or theme ids, NO_TOPIC for null."""
    return ids.str.extract(r"-(\d+)$").cast(pl.Int64).fill_null(NO_TOPIC).to_numpy()


def _text_topics(field: str, texts: pl.DataFrame, assignment: Assignment) -> pl.DataFrame:
    return texts.select("field", "text_id").with_columns(
        _ids(field, assignment.topic, "topic_id"),
        _measure("similarity", assignment.similarity),
        _ids(field, assignment.runner_up, "runner_up_topic_id"),
        _measure("runner_up_similarity", assignment.runner_up_similarity),
    )


def _ids(prefix: str, numbers: IntArray, name: str) -> pl.Series:
    ids = [None if number == NO_TOPIC else f"{prefix}-{number}" for number in numbers.tolist()]
    return pl.Series(name, ids, pl.String)


def _measure(name: str, values: FloatArray) -> pl.Series:
    """A cosine, rounded to what single precision carries; not a number is null."""
    return pl.Series(name, np.round(values.astype(np.float64), 6)).fill_nan(None)


def _definitions(
    field: str,
    previous: pl.DataFrame,
    texts: pl.DataFrame,
    vectors: FloatArray,
    topic: IntArray,
    seed: int,
    embed: Embedder | None,
) -> pl.DataFrame:
    """Definitions of all topics that ever lived: old ones keep label and theme, living ones get words and examples."""
    living = np.unique(topic[topic != NO_TOPIC])
    ids = _ids(field, living, "topic_id")
    position = np.where(topic == NO_TOPIC, NO_TOPIC, np.searchsorted(living, topic))
    words = texts["text"].to_list()
    kept = _kept_labels(previous, ids)
    names = name_topics(words, position, len(living), kept, previous["label"].to_list(), vectors, embed)
    themes = _themes(field, previous, living, centroids(vectors, position), seed)
    now_living = pl.DataFrame(
        {
            "topic_id": ids,
            "label": pl.Series([name.label for name in names], dtype=pl.String),
            "description": pl.Series([_description(name) for name in names], dtype=pl.String),
            "keywords": pl.Series([name.keywords for name in names], dtype=pl.List(pl.String)),
            "example_texts": pl.Series(examples(words, vectors, position, len(living)), dtype=pl.List(pl.String)),
            "theme_id": _ids(f"{field}-theme", themes, "theme_id"),
            "theme_label": _theme_labels(field, previous, words, position, themes, vectors, embed),
        }
    ).with_columns(
        pl.lit(field).alias("field"), pl.lit("keywords").alias("label_source"), pl.lit(ACTIVE).alias("status")
    )
    gone = previous.join(now_living, on="topic_id", how="anti").with_columns(
        pl.lit(RETIRED).alias("status"), pl.lit([], pl.List(pl.String)).alias("example_texts")
    )
    number = pl.col("topic_id").str.extract(r"-(\d+)$").cast(pl.Int64)
    return pl.concat([now_living.select(TOPIC_DEFINITIONS.schema.names()), gone]).sort(number)


def _kept_labels(previous: pl.DataFrame, ids: pl.Series, kind: str = "topic") -> dict[int, str]:
    """Labels that topics or themes had before, by their position among ``ids``."""
    labels = dict(previous.select(f"{kind}_id", f"{kind}_label" if kind == "theme" else "label").iter_rows())
    return {at: labels[known] for at, known in enumerate(ids) if known in labels}


def _description(name: Name) -> str:
    if not name.keywords:
        return "Texts without words of their own."
    return f"Texts that speak of {', '.join(name.keywords[:5])}."


def _themes(field: str, previous: pl.DataFrame, living: IntArray, centres: FloatArray, seed: int) -> IntArray:
    known = dict(zip(previous["topic_id"], _numbers(previous["theme_id"]).tolist(), strict=True))
    themes = np.array([known.get(f"{field}-{number}", NO_TOPIC) for number in living.tolist()], dtype=np.int64)
    return group_topics(centres, themes, max(known.values(), default=0) + 1, seed)


def _theme_labels(
    field: str,
    previous: pl.DataFrame,
    words: list[str],
    position: IntArray,
    themes: IntArray,
    vectors: FloatArray,
    embed: Embedder | None,
) -> pl.Series:
    """Label of each topic's theme; themes that had one keep it."""
    numbers, ranks = np.unique(themes, return_inverse=True)
    by_text = np.where(position == NO_TOPIC, NO_TOPIC, ranks[position] if len(ranks) else NO_TOPIC)
    kept = _kept_labels(previous, _ids(f"{field}-theme", numbers, "theme_id"), "theme")
    gone = previous["theme_label"].to_list()
    names = name_topics(words, by_text, len(numbers), kept, gone, vectors, embed, themes=True)
    return pl.Series("theme_label", [names[rank].label for rank in ranks.tolist()], pl.String)


def _changes(before: pl.DataFrame, after: pl.DataFrame, run: Run) -> pl.DataFrame:
    """Lineage rows of the topics that came, went or came back."""
    both = after.select("field", "topic_id", "status").join(
        before.select("topic_id", pl.col("status").alias("old_status")),
        on="topic_id",
        how="left",
        maintain_order="left",
    )
    change = (
        pl.when(pl.col("old_status").is_null()).then(pl.lit("born"))
        .when((pl.col("old_status") == RETIRED) & (pl.col("status") == ACTIVE)).then(pl.lit("revived"))
        .when((pl.col("old_status") == ACTIVE) & (pl.col("status") == RETIRED)).then(pl.lit("retired"))
    )  # fmt: skip
    return (
        both.with_columns(
            change.alias("change"),
            pl.lit(run.run_id).alias("run_id"),
            pl.lit(run.started_at).cast(TOPIC_LINEAGE.schema["changed_at"]).alias("changed_at"),
            pl.lit(None, pl.String).alias("other_topic_id"),
            pl.lit(None, pl.Float64).alias("overlap_share"),
        )
        .filter(pl.col("change").is_not_null())
        .select(TOPIC_LINEAGE.schema.names())
    )
