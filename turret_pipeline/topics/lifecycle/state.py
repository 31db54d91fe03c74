"""Topic state: the topic tables of all text fields, and their update by a run."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import numpy as np
import polars as pl

from turret_pipeline.stats.array_types import FloatArray, IntArray
from turret_pipeline.tables import TEXT_TOPICS, TOPIC_DEFINITIONS, TOPIC_LINEAGE, TOPIC_RUNS, Table
from turret_pipeline.topics.clustering.communities import NO_TOPIC
from turret_pipeline.topics.embedding.model_names import ENGLISH
from turret_pipeline.topics.embedding.near_duplicates import group_near_duplicates
from turret_pipeline.topics.embedding.readers import (
    Reading,
    VectorLookup,
    plan_reading,
    read_vectors,
    select_texts_of_models,
)
from turret_pipeline.topics.lifecycle.lineage import build_lineage, build_run_row
from turret_pipeline.topics.lifecycle.merges_and_splits import apply_merges, apply_splits
from turret_pipeline.topics.lifecycle.plan import Plan, Run
from turret_pipeline.topics.lifecycle.run_notes import describe_main_author, describe_run, describe_unread_languages
from turret_pipeline.topics.lifecycle.topic_table import build_topic_table, format_ids, parse_numbers
from turret_pipeline.topics.tracking.assign import Assignment, measure_fit
from turret_pipeline.topics.tracking.grouped_update import update_topics_of_groups
from turret_pipeline.topics.tracking.refit import match_topic_numbers, restore_protected_topics
from turret_pipeline.topics.tracking.update import Update

STATE_TABLES: dict[str, Table] = {
    table.name: table for table in (TOPIC_DEFINITIONS, TEXT_TOPICS, TOPIC_LINEAGE, TOPIC_RUNS)
}


@dataclass(frozen=True)
class TopicState:
    """The lake tables with these names, from which the next run continues."""

    topic_definitions: pl.DataFrame
    text_topics: pl.DataFrame
    topic_lineage: pl.DataFrame
    topic_runs: pl.DataFrame

    @classmethod
    def empty(cls) -> "TopicState":
        """No topics yet."""
        return cls(*(table.empty() for table in STATE_TABLES.values()))

    @classmethod
    def from_tables(cls, tables: Mapping[str, pl.DataFrame]) -> "TopicState":
        """A state from its tables. Columns that an older version did not have are filled."""
        known = {name: tables[name] if name in tables else table.empty() for name, table in STATE_TABLES.items()}
        if "run_number" not in known["topic_runs"].columns:
            known["topic_runs"] = _number_runs(known["topic_runs"])
        defaults = (
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
            filled = [defaults.get(column, pl.lit(None, table.schema[column])).alias(column) for column in missing]
            known[name] = known[name].with_columns(filled).select(table.schema.names())
        return cls(**known)

    @classmethod
    def tables(cls) -> tuple[str, ...]:
        """Names of the tables of a state."""
        return tuple(field.name for field in fields(cls))

    def of_field(self, field: str) -> "TopicState":
        """The state of one text field."""
        return TopicState(*(getattr(self, table).filter(pl.col("field") == field) for table in self.tables()))


def _number_runs(runs: pl.DataFrame) -> pl.DataFrame:
    """Table ``topic_runs`` of a version without run_number. Rows were appended run by run, whatever the clock said."""
    numbers = runs.select("run_id").unique(maintain_order=True).with_row_index("run_number", offset=1)
    return runs.join(numbers.cast({"run_number": pl.Int64}), on="run_id", how="left", maintain_order="left")


def update_topic_state(
    previous: TopicState, texts: pl.DataFrame, look_up: VectorLookup, plan: Plan, run: Run
) -> TopicState:
    """The state after a run over table ``texts``, which has all texts, known and new.

    Topics of a field that is no longer a text field are retired.
    """
    names = sorted({*texts["field"].unique(), *previous.topic_definitions["field"].unique()})
    parts = [
        _update_field(name, previous.of_field(name), texts.filter(pl.col("field") == name), look_up, plan, run)
        for name in names
    ]
    if not parts:
        return TopicState(TOPIC_DEFINITIONS.empty(), TEXT_TOPICS.empty(), previous.topic_lineage, previous.topic_runs)
    return TopicState(*(pl.concat([getattr(part, table) for part in parts]) for table in TopicState.tables()))


def _update_field(
    field: str, previous: TopicState, texts: pl.DataFrame, look_up: VectorLookup, plan: Plan, run: Run
) -> TopicState:
    every = texts.sort("text_id")
    reading = _plan_reading(every, previous, plan)
    texts, vectors = every.filter(pl.Series(reading.is_read)), read_vectors(every["text_id"], reading, look_up)
    known = texts.select("text_id").join(previous.text_topics, on="text_id", how="left", maintain_order="left")
    has_new_texts = len(set(texts["text_id"]) - set(previous.text_topics["text_id"])) > 0
    group = group_near_duplicates(texts["text"].to_list(), vectors)
    known_topic = parse_numbers(known["found_topic_id"])
    found = _find_topics(known_topic, vectors, group, previous, plan, has_new_texts=has_new_texts)
    plan = replace(plan, edits=plan.edits.about(_known_topic_ids(field, previous, found)))
    found = apply_splits(found, field, vectors, previous.topic_definitions, previous.topic_lineage, plan.edits)
    shown = measure_fit(vectors, apply_merges(found.assignment.topic, field, plan.edits))
    topics = build_topic_table(
        field, previous.topic_definitions, texts, vectors, shown.topic, found.split_edits, plan, reading.main
    )
    changes = build_lineage(previous.topic_definitions, topics, field, found.changes, run)
    # texts that are gone keep their row, so that a text that comes back gets its topic again
    gone = previous.text_topics.join(every, on="text_id", how="anti")
    now = _text_topics(field, texts, shown, found.assignment.topic)
    now = now.with_columns(pl.Series("embedding_model", reading.models, pl.String).drop_nulls())
    kept = _kept_share(known["topic_id"], now["topic_id"])
    is_unread = texts.is_empty() and not every.is_empty()
    about_topics = None if is_unread else describe_run(field, topics, now, texts, group, plan)
    notes = about_topics, describe_unread_languages(every, reading)
    with_unread = pl.concat([now, _unread_texts(every, reading)])
    run_row = build_run_row(
        topics, with_unread, changes, previous.topic_runs, found.stability, kept,
        " ".join(note for note in notes if note) or None, reading.name, field, plan, run,
        is_anew=plan.refit or previous.topic_definitions.is_empty(),
    )  # fmt: skip
    return TopicState(
        topics,
        pl.concat([with_unread, gone]).sort("text_id"),
        pl.concat([previous.topic_lineage, changes]),
        pl.concat([previous.topic_runs, run_row]),
    )


def _plan_reading(texts: pl.DataFrame, previous: TopicState, plan: Plan) -> Reading:
    """The model that reads each text of a field. The main model stays the one of the run before, except in a refit."""
    return plan_reading(texts["language"], plan.embedding_model, None if plan.refit else known_models(previous))


def list_embeddings(texts: pl.DataFrame, setting: str, previous: TopicState) -> dict[str, pl.Series]:
    """Ids of the texts that each embedding model must embed, for a run that continues topics and for one that refits.

    ``texts`` is table ``texts``, and ``setting`` the setting embedding_model.
    """
    needed: dict[str, list[pl.Series]] = {}
    for (field,), of_field in texts.sort("text_id").group_by("field", maintain_order=True):
        for known in {None, known_models(previous.of_field(str(field)))}:
            reading = plan_reading(of_field["language"], setting, known)
            for model, text_ids in select_texts_of_models(of_field["text_id"], reading).items():
                needed.setdefault(model, []).append(text_ids)
    return {model: pl.concat(parts).unique() for model, parts in sorted(needed.items())}


def note_main_authors(state: TopicState, events: pl.DataFrame, event_texts: pl.DataFrame, run: Run) -> TopicState:
    """The state with a note for each field in which one user has most events of this run."""
    fields_with_topics = state.text_topics.filter(pl.col("topic_id").is_not_null())["field"].unique().sort()
    notes = {field: describe_main_author(field, events, event_texts) for field in fields_with_topics}
    added = pl.col("field").replace_strict(notes, default=None, return_dtype=pl.String)
    note = pl.concat_str("note", added, separator=" ", ignore_nulls=True)
    is_now = (pl.col("run_id") == run.run_id) & added.is_not_null()
    noted = pl.when(is_now).then(note).otherwise("note").alias("note")
    return replace(state, topic_runs=state.topic_runs.with_columns(noted))


def known_models(state: TopicState) -> str | None:
    """Models with which the topics of a field were found, None without topics. ``state`` is that of the field."""
    if state.topic_definitions.is_empty():
        return None
    models = state.topic_runs["embedding_models"].drop_nulls()
    return str(models[-1]) if len(models) else ENGLISH  # earlier versions had this model for all texts


def _unread_texts(texts: pl.DataFrame, reading: Reading) -> pl.DataFrame:
    """Rows of ``text_topics`` of the texts that no model reads."""
    unread = texts.filter(~pl.Series(reading.is_read)).select("field", "text_id")
    return pl.concat([TEXT_TOPICS.empty(), unread], how="diagonal")


def _find_topics(
    known: IntArray, vectors: FloatArray, group: IntArray, previous: TopicState, plan: Plan, *, has_new_texts: bool
) -> Update:
    """Topics found by the machine, before splits and merges by a person."""
    # a topic that was merged by a person when it was born has no row in the topic table, but texts
    used_ids = [previous.topic_definitions["topic_id"], previous.text_topics["found_topic_id"].drop_nulls()]
    next_number = int(parse_numbers(pl.concat(used_ids)).max(initial=0)) + 1
    protected = _protected_numbers(previous.topic_definitions, plan)
    if not plan.refit:
        if not has_new_texts:
            return Update(measure_fit(vectors, known))
        return update_topics_of_groups(vectors, group, known, next_number, plan.options, protected)
    refitted = update_topics_of_groups(vectors, group, np.full(len(known), NO_TOPIC), next_number, plan.options)
    topic = restore_protected_topics(known, refitted.assignment.topic, protected)
    matched = match_topic_numbers(known, topic, next_number, protected)
    return Update(measure_fit(vectors, matched.topic), matched.changes, refitted.stability)


def _protected_numbers(topics: pl.DataFrame, plan: Plan) -> frozenset[int]:
    """Numbers of the topics that an edit names or split off. The machine neither splits nor merges them."""
    splits = [edit.edit_id for edit in plan.edits.splits()]
    split_off = topics.filter(pl.col("split_edit_id").is_in(splits))["topic_id"]
    named = topics.filter(pl.col("topic_id").is_in(list(plan.edits.protected())))["topic_id"]
    return frozenset(parse_numbers(pl.concat([named, split_off])).tolist())


def _known_topic_ids(field: str, previous: TopicState, found: Update) -> set[str]:
    now = format_ids(field, np.unique(found.assignment.topic), "topic_id").drop_nulls()
    return {*previous.topic_definitions["topic_id"], *now}


def _kept_share(before: pl.Series, after: pl.Series) -> float | None:
    was_assigned = before.is_not_null()
    kept = (before.filter(was_assigned) == after.filter(was_assigned)).fill_null(value=False)
    return int(kept.sum()) / len(kept) if len(kept) else None


def _text_topics(field: str, texts: pl.DataFrame, shown: Assignment, found: IntArray) -> pl.DataFrame:
    return texts.select("field", "text_id").with_columns(
        format_ids(field, shown.topic, "topic_id"),
        _round_cosines("similarity", shown.similarity),
        format_ids(field, shown.runner_up, "runner_up_topic_id"),
        _round_cosines("runner_up_similarity", shown.runner_up_similarity),
        format_ids(field, found, "found_topic_id"),
    )


def _round_cosines(name: str, values: FloatArray) -> pl.Series:
    """Cosines rounded to single precision. NaN becomes null."""
    return pl.Series(name, np.round(values.astype(np.float64), 6)).fill_nan(None)
