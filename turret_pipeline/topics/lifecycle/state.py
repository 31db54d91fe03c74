"""The topics of all text fields as tables, and one run's step from the tables of the run before."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace

import numpy as np
import polars as pl

from turret_pipeline.stats.array_types import FloatArray, IntArray
from turret_pipeline.tables import TEXT_TOPICS, TOPIC_DEFINITIONS, TOPIC_LINEAGE, TOPIC_RUNS, Table
from turret_pipeline.topics.clustering.communities import NO_TOPIC
from turret_pipeline.topics.lifecycle.decisions import apply_splits, shown_topics
from turret_pipeline.topics.lifecycle.lineage import changes_of, describe_run
from turret_pipeline.topics.lifecycle.plan import Plan, Run
from turret_pipeline.topics.lifecycle.topic_table import define, ids_of, numbers_of
from turret_pipeline.topics.tracking.assign import Assignment, measure_fit
from turret_pipeline.topics.tracking.refit import match_topic_numbers, restore_protected_topics
from turret_pipeline.topics.tracking.update import Update, update_topics

VectorsOf = Callable[[pl.Series], FloatArray]
"""Text ids to their unit vectors, shape (texts, dimensions)."""

STATE_TABLES: dict[str, Table] = {
    table.name: table for table in (TOPIC_DEFINITIONS, TEXT_TOPICS, TOPIC_LINEAGE, TOPIC_RUNS)
}


@dataclass(frozen=True)
class TopicState:
    """All that is known of topics: the lake's tables of these names, and what the next run continues from."""

    topic_definitions: pl.DataFrame
    text_topics: pl.DataFrame
    topic_lineage: pl.DataFrame
    topic_runs: pl.DataFrame

    @classmethod
    def empty(cls) -> "TopicState":
        """No topics yet."""
        return cls(*(table.empty() for table in STATE_TABLES.values()))

    @classmethod
    def read(cls, tables: Mapping[str, pl.DataFrame]) -> "TopicState":
        """A state from its tables, which may be those of a version that knew fewer columns."""
        known = {name: tables[name] if name in tables else table.empty() for name, table in STATE_TABLES.items()}
        added = (
            {
                "found_topic_id": pl.col("topic_id"),
                "is_locked": pl.lit(value=False),
                "found_label": pl.col("label"),
                "found_label_source": pl.col("label_source"),
            }
            if "topic_definitions" in tables
            else {}
        )
        for name, table in STATE_TABLES.items():
            missing = [column for column in table.schema if column not in known[name].columns]
            filled = [added.get(column, pl.lit(None, table.schema[column])).alias(column) for column in missing]
            known[name] = known[name].with_columns(filled).select(table.schema.names())
        return cls(**known)

    @classmethod
    def tables(cls) -> tuple[str, ...]:
        """Names of the tables that make up a state."""
        return tuple(field.name for field in fields(cls))

    def of_field(self, field: str) -> "TopicState":
        """The part of one text field."""
        return TopicState(*(getattr(self, table).filter(pl.col("field") == field) for table in self.tables()))


def advance(previous: TopicState, texts: pl.DataFrame, vectors_of: VectorsOf, plan: Plan, run: Run) -> TopicState:
    """The state after a run over table ``texts``, which holds all texts, known and new.

    A field that is no longer a text field keeps its topics, retired.
    """
    names = sorted({*texts["field"].unique(), *previous.topic_definitions["field"].unique()})
    parts = [
        _advance_field(name, previous.of_field(name), texts.filter(pl.col("field") == name), vectors_of, plan, run)
        for name in names
    ]
    if not parts:
        return TopicState(TOPIC_DEFINITIONS.empty(), TEXT_TOPICS.empty(), previous.topic_lineage, previous.topic_runs)
    return TopicState(*(pl.concat([getattr(part, table) for part in parts]) for table in TopicState.tables()))


def _advance_field(
    field: str, previous: TopicState, texts: pl.DataFrame, vectors_of: VectorsOf, plan: Plan, run: Run
) -> TopicState:
    texts = texts.sort("text_id")
    vectors = vectors_of(texts["text_id"])
    known = texts.select("text_id").join(previous.text_topics, on="text_id", how="left", maintain_order="left")
    has_news = len(set(texts["text_id"]) - set(previous.text_topics["text_id"])) > 0
    found = _found(numbers_of(known["found_topic_id"]), vectors, previous, plan, has_news=has_news)
    plan = replace(plan, edits=plan.edits.about(_known_topics(field, previous, found)))
    found = apply_splits(found, field, vectors, previous.topic_definitions, previous.topic_lineage, plan.edits)
    shown = measure_fit(vectors, shown_topics(found.assignment.topic, field, plan.edits))
    definitions = define(field, previous.topic_definitions, texts, vectors, shown.topic, found.split_edits, plan)
    changes = changes_of(previous.topic_definitions, definitions, field, found.changes, run)
    gone = previous.text_topics.join(texts, on="text_id", how="anti")  # a text that comes back finds its topic again
    now = _text_topics(field, texts, shown, found.assignment.topic)
    kept = _kept_share(known["topic_id"], now["topic_id"])
    facts = describe_run(
        definitions, now, changes, previous.topic_runs, found.stability, kept, field, plan, run,
        is_anew=plan.refit or previous.topic_definitions.is_empty(),
    )  # fmt: skip
    return TopicState(
        definitions,
        pl.concat([now, gone]).sort("text_id"),
        pl.concat([previous.topic_lineage, changes]),
        pl.concat([previous.topic_runs, facts]),
    )


def _found(known: IntArray, vectors: FloatArray, previous: TopicState, plan: Plan, *, has_news: bool) -> Update:
    """Topics as the machine finds them, before a person's splits and merges."""
    given = [previous.topic_definitions["topic_id"], previous.text_topics["found_topic_id"].drop_nulls()]
    next_number = int(numbers_of(pl.concat(given)).max(initial=0)) + 1  # also those that were merged away at once
    touched = _touched(previous.topic_definitions, plan)
    if not plan.refit:
        if not has_news:
            return Update(measure_fit(vectors, known))
        return update_topics(vectors, known, next_number, plan.options, touched)
    anew = update_topics(vectors, np.full(len(known), NO_TOPIC), next_number, plan.options)
    held = restore_protected_topics(known, anew.assignment.topic, touched)
    carried = match_topic_numbers(known, held, next_number, touched)
    return Update(measure_fit(vectors, carried.topic), carried.changes, anew.stability)


def _touched(definitions: pl.DataFrame, plan: Plan) -> frozenset[int]:
    """Numbers of the topics that the machine leaves whole: those a person named, and what a person split off."""
    splits = [edit.edit_id for edit in plan.edits.splits()]
    split_off = definitions.filter(pl.col("split_edit_id").is_in(splits))["topic_id"]
    named = definitions.filter(pl.col("topic_id").is_in(list(plan.edits.touched())))["topic_id"]
    return frozenset(numbers_of(pl.concat([named, split_off])).tolist())


def _known_topics(field: str, previous: TopicState, found: Update) -> set[str]:
    now = ids_of(field, np.unique(found.assignment.topic), "topic_id").drop_nulls()
    return {*previous.topic_definitions["topic_id"], *now}


def _kept_share(before: pl.Series, after: pl.Series) -> float | None:
    had = before.is_not_null()
    kept = (before.filter(had) == after.filter(had)).fill_null(value=False)
    return int(kept.sum()) / len(kept) if len(kept) else None


def _text_topics(field: str, texts: pl.DataFrame, shown: Assignment, found: IntArray) -> pl.DataFrame:
    return texts.select("field", "text_id").with_columns(
        ids_of(field, shown.topic, "topic_id"),
        _measure("similarity", shown.similarity),
        ids_of(field, shown.runner_up, "runner_up_topic_id"),
        _measure("runner_up_similarity", shown.runner_up_similarity),
        ids_of(field, found, "found_topic_id"),
    )


def _measure(name: str, values: FloatArray) -> pl.Series:
    """A cosine, rounded to what single precision carries; not a number is null."""
    return pl.Series(name, np.round(values.astype(np.float64), 6)).fill_nan(None)
