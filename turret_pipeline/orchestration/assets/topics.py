"""Assets of group topics: distinct texts, their vectors, and topics with stable ids."""

import dataclasses
import functools
from collections.abc import Callable, Iterator
from dataclasses import replace

import dagster as dg
import polars as pl

from turret_pipeline.clock import now
from turret_pipeline.models.embedder import load_embedder_lazily
from turret_pipeline.models.embedding_shards import ShardedEmbedding, load_once
from turret_pipeline.models.llm_labeling import label_topics_with_llm
from turret_pipeline.models.text_vectors import TextEmbedding
from turret_pipeline.orchestration.figures import save_figure
from turret_pipeline.orchestration.resources import Workspace
from turret_pipeline.orchestration.specs import OWNERS, escape_description, lake_key, lake_spec, result
from turret_pipeline.orchestration.subsets import stage_assets
from turret_pipeline.plots.topics import draw_topic_map, draw_topic_sizes
from turret_pipeline.tables.topics import ACTIVE
from turret_pipeline.topics.edits import Edits
from turret_pipeline.topics.embedding.embedding import Embedder
from turret_pipeline.topics.embedding.languages import add_languages
from turret_pipeline.topics.embedding.model_names import AUTO, ENGLISH, select_method
from turret_pipeline.topics.embedding.preparation import FLAGS, prepare_texts
from turret_pipeline.topics.embedding.texts import collect_texts, restore_line_breaks
from turret_pipeline.topics.follow_ups.continuations import find_continuations
from turret_pipeline.topics.follow_ups.role_decisions import with_roles
from turret_pipeline.topics.lifecycle.lineage import births, describe_pending_settings
from turret_pipeline.topics.lifecycle.plan import Plan, Run
from turret_pipeline.topics.lifecycle.privacy import recount_topic_runs, suppress_small_topics, users_of_texts
from turret_pipeline.topics.lifecycle.run_notes import describe_samples
from turret_pipeline.topics.lifecycle.state import TopicState, list_embeddings, note_main_authors, update_topic_state
from turret_pipeline.topics.lifecycle.students import with_students
from turret_pipeline.topics.lifecycle.unique_labels import describe_label_clashes

EMBEDDINGS = lake_key("embeddings")
LLM_NAMES, EDITS_APPLIED, SOUND = "llm_names", "edits_followed", "topics_sound"
LEAST_COHESIVE_SHOWN = 20


@stage_assets("texts", [lake_spec(table, "topics", ["fields", "event_values"]) for table in ("event_texts", "texts")])
def texts(workspace: Workspace) -> Iterator[dg.MaterializeResult[None]]:
    """Collect the distinct texts of the text fields, and detect their languages."""
    lake = workspace.lake
    names = lake.read("fields").filter(pl.col("type") == "text")["field"].to_list()
    event_texts, distinct = collect_texts(lake.scan("event_values"), names)
    with workspace.progress.during("Detecting languages"):
        distinct = add_languages(distinct, lake.read_previous("texts"))
    yield result("event_texts", lake.write("event_texts", event_texts))
    yield result("texts", lake.write("texts", distinct), text_fields=", ".join(names) or "none")


@dg.asset(
    key=EMBEDDINGS,
    deps=[lake_key(table) for table in ("event_values", "event_texts", "texts")],
    group_name="topics",
    owners=OWNERS,
    kinds={"huggingface", "parquet"},
    metadata={"dagster/storage_kind": "parquet"},
    description="One row per distinct text and model: its vector. Each text is embedded once.",
)
def embeddings(context: dg.AssetExecutionContext, workspace: Workspace) -> dg.MaterializeResult[None]:
    """Embed the texts that have no vector yet, without what was pasted or copied, each by the model that reads it."""
    lake, settings = workspace.lake, workspace.settings
    distinct = lake.read("texts")
    with workspace.progress.during("Finding copied passages"):
        with_lines = restore_line_breaks(distinct, lake.scan("event_values"), lake.scan("event_texts"))
        prepared = prepare_texts(with_lines)
    needed = list_embeddings(distinct, settings.embedding_model, workspace.published_topics()[0])
    counts = {}
    for model, text_ids in needed.items():
        is_needed = pl.col("text_id").is_in(text_ids.implode())
        counts[model] = _embed_with(context, workspace, model, distinct.filter(is_needed), prepared.filter(is_needed))
    workspace.share()
    facts = {"dagster/row_count": sum(len(workspace.vectors(model).known_ids()) for model in needed)}
    by_students = sum(workspace.vectors(model).predicted_models().height for model in needed)
    return dg.MaterializeResult(
        metadata={
            **facts,
            "embedded_now": sum(counts.values()),
            "models": ", ".join(needed) or "none",
            "without_the_model": by_students,
        }
    )


def _embed_with(
    context: dg.AssetExecutionContext, workspace: Workspace, model: str, texts: pl.DataFrame, prepared: pl.DataFrame
) -> int:
    """Embed those of the texts that have no vector by the model yet, and return how many the model read."""
    settings, root = workspace.settings, workspace.lake.root
    method = select_method(settings.embedding_method, texts["text_id"].n_unique())
    execution, prefix = dataclasses.replace(workspace.execution, method=method), workspace.prefix_of(model)
    embed = ShardedEmbedding(workspace.shard_engine, root, model, settings.embedding_device, prefix, execution)
    try:
        count = TextEmbedding(workspace.vectors(model, method), embed, workspace.progress).embed(texts, prepared)
    finally:
        load_once.cache_clear()
    context.log.info(f"{count:,} texts embedded with {model} ({method}).")
    return count


class TopicsConfig(dg.Config):
    """Options of a run for the topics."""

    refit: bool = False
    """Find all topics from scratch, and keep the ids of those with mostly the same texts."""


@stage_assets(
    "topics",
    [
        lake_spec(table, "topics", ["fields", "events", "event_texts", "texts"]).merge_attributes(deps=[EMBEDDINGS])
        for table in TopicState.tables()
    ],
    [
        dg.AssetCheckSpec(
            LLM_NAMES,
            asset=lake_key("topic_definitions"),
            description="The LLM, if one is set, labelled all topics that it was asked about.",
        ),
        dg.AssetCheckSpec(
            EDITS_APPLIED,
            asset=lake_key("topic_definitions"),
            description="All edits could be applied: their topics exist, and no two topics were given the same label.",
        ),
        dg.AssetCheckSpec(
            SOUND,
            asset=lake_key("topic_definitions"),
            description="No field has one incoherent topic or one template for most events, or most texts without a "
            "topic, or many texts that the embedding model cannot tell apart, that share copied passages, or that are "
            "too long to be read whole.",
        ),
    ],
)
def topics(
    context: dg.AssetExecutionContext, config: TopicsConfig, workspace: Workspace
) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    """Continue the published topics: assign new texts, find new topics, label them."""

    def announce(sentence: str) -> None:
        context.log.info(sentence)
        workspace.progress.say(sentence)

    previous, model = workspace.published_topics()
    born = births(previous.topic_lineage)
    edits, run = workspace.edits.applicable(born), Run(context.run.run_id, now(), workspace.next_run_number())
    plan = _plan(workspace, model, edits, announce, refit=config.refit)
    distinct = workspace.lake.read("texts")
    for note in describe_samples(distinct, plan.options.max_clustered):
        announce(note)
    with workspace.progress.during("Finding topics"):
        noted = distinct.join(_flags_of_prepared_texts(workspace, distinct), on="text_id", how="left")
        state = update_topic_state(previous, noted, workspace.look_up_vectors, plan, run)
        state = with_students(state, _texts_by_students(workspace, distinct), run)
        events = workspace.lake.read("events", "event_id", "session_id", "user_id")
        event_texts = workspace.lake.read("event_texts")
        state = with_roles(state, previous, events, event_texts, edits, run)
        state = note_main_authors(state, events, event_texts, run)
    labeling = label_topics_with_llm(
        workspace.settings,
        workspace.data.llm_answers,
        workspace.progress,
        state,
        _suppress(workspace, state),
        distinct,
        run,
        announce,
    )
    disclosed = _suppress(workspace, labeling.state)
    disclosed = recount_topic_runs(disclosed, distinct, context.run.run_id, workspace.settings.privacy_min_users)
    for row in disclosed.topic_runs.filter(pl.col("run_id") == run.run_id).iter_rows(named=True):
        if sentence := describe_pending_settings(row, plan.options):
            announce(sentence)
    _save(workspace, replace(labeling.state, topic_runs=disclosed.topic_runs), disclosed, edits)
    yield from _results(workspace, disclosed, distinct, run)
    notes = _notes_on_topics(disclosed, run)
    yield _warn_unless(SOUND, " ".join(notes) or "Nothing to note.", is_passed=not notes)
    yield _warn_unless(LLM_NAMES, labeling.summary, is_passed=labeling.is_complete)
    problems = [
        *workspace.edits.describe_skipped(born),
        *describe_label_clashes(labeling.state.topic_definitions, disclosed.topic_definitions, edits),
    ]
    yield _warn_unless(
        EDITS_APPLIED, " ".join(problems) or f"All {len(edits.all)} edits were applied.", is_passed=not problems
    )


def _flags_of_prepared_texts(workspace: Workspace, distinct: pl.DataFrame) -> pl.DataFrame:
    """Flags of the texts that were embedded in prepared form, by any of the models in use."""
    needed = list_embeddings(distinct, workspace.settings.embedding_model, workspace.published_topics()[0])
    flags = [workspace.vectors(model).flags_of_prepared() for model in needed]
    return pl.concat([FLAGS.to_frame(), *flags]).unique("text_id", keep="first", maintain_order=True)


def _texts_by_students(workspace: Workspace, distinct: pl.DataFrame) -> pl.DataFrame:
    """Columns text_id and embedding_model of the texts with vectors by a student of one of the models in use."""
    needed = list_embeddings(distinct, workspace.settings.embedding_model, workspace.published_topics()[0])
    found = [pl.DataFrame(schema={"text_id": pl.String, "embedding_model": pl.String})]
    for model in needed:
        store = workspace.vectors(model)
        predicted = store.predicted_models().filter(pl.col("model") != store.model)
        found.append(predicted.select("text_id", pl.lit(model).alias("embedding_model")))
    return pl.concat(found)


def _notes_on_topics(state: TopicState, run: Run) -> list[str]:
    """Notes of the fields that have topics, each after the name of its field."""
    rows = state.topic_runs.filter(
        (pl.col("run_id") == run.run_id) & pl.col("note").is_not_null() & (pl.col("topic_count") > 0)
    )
    return [f"{field}: {note}" for field, note in rows.select("field", "note").iter_rows()]


def _save(workspace: Workspace, state: TopicState, disclosed: TopicState, edits: Edits) -> None:
    """Store the state with what decided it: another run may publish its tables later."""
    made_with = {
        "embedding_model": workspace.name_with_prefix(workspace.settings.embedding_model),
        **workspace.fingerprint(),
    }
    workspace.data.topic_states.save(state, disclosed, edits, made_with)


def _warn_unless(name: str, sentence: str, *, is_passed: bool) -> dg.AssetCheckResult:
    """Result of a check that only warns."""
    result = dg.AssetCheckResult(
        asset_key=lake_key("topic_definitions"),
        check_name=name,
        passed=is_passed,
        severity=dg.AssetCheckSeverity.WARN,
        description=sentence,
    )
    return escape_description(result)


@dg.multi_asset(
    specs=[lake_spec("continuations", "topics", ["events", "event_texts", "text_topics", "topic_definitions"])],
    name="continuations",
)
def continuations(workspace: Workspace) -> dg.MaterializeResult[None]:
    """Find the turns that continue an earlier topic of their session."""
    lake = workspace.lake
    events, event_texts = lake.read("events", "event_id", "session_id"), lake.read("event_texts")
    found = find_continuations(events, event_texts, lake.read("text_topics"), lake.read("topic_definitions"))
    share = found.height / event_texts.height if event_texts.height else 0.0
    return result("continuations", lake.write("continuations", found), share_of_texts=share)


def _plan(
    workspace: Workspace, model: str | None, edits: Edits, announce: Callable[[str], None], *, refit: bool
) -> Plan:
    """The plan of this run. A new embedding model forces a refit, which is announced."""
    settings = workspace.settings
    wanted = workspace.name_with_prefix(settings.embedding_model)
    same = {None, wanted, *([ENGLISH] if wanted == AUTO else [])}
    if model not in same:  # earlier versions had no auto, and the English model for all texts
        announce(
            f"The embedding model changed from {model} to {wanted}: all topics are found from "
            "scratch; topics with mostly the same texts keep their ids."
        )
        refit = True
    types = dict(workspace.lake.read("fields").select("field", "type").iter_rows())

    @functools.cache  # one model for all fields
    def find_embedder(model: str) -> Embedder:
        return load_embedder_lazily(model, settings.embedding_device, workspace.prefix_of(model), workspace.execution)

    excluded = tuple(settings.label_excluded_words)
    return Plan(settings.topic_options, edits, refit, types, settings.embedding_model, find_embedder, excluded)


def _results(
    workspace: Workspace, disclosed: TopicState, distinct: pl.DataFrame, run: Run
) -> Iterator[dg.MaterializeResult[None]]:
    counts = _event_counts(distinct, disclosed)
    figures = {"topic_sizes": draw_topic_sizes, "topic_map": draw_topic_map}
    drawn = {
        name: save_figure(draw(disclosed.topic_definitions, counts), workspace.data.figures, name)
        for name, draw in figures.items()
    }
    runs = disclosed.topic_runs.filter(pl.col("run_id") == run.run_id)
    changes = disclosed.topic_lineage.filter(pl.col("run_id") == run.run_id)
    facts = {**measure_quality(disclosed.topic_definitions), **drawn}
    yield result("topic_definitions", disclosed.topic_definitions, **facts)
    yield result("text_topics", disclosed.text_topics)
    yield result("topic_lineage", disclosed.topic_lineage, changes_of_this_run=changes.drop("run_id", "changed_at"))
    yield result("topic_runs", disclosed.topic_runs, **_facts(runs), this_run=runs.drop("run_id", "started_at"))


def _suppress(workspace: Workspace, state: TopicState) -> TopicState:
    """The state without topics that the privacy threshold suppresses."""
    lake, min_users = workspace.lake, workspace.settings.privacy_min_users
    if min_users == 1:
        return state
    return suppress_small_topics(
        state, users_of_texts(lake.read("events", "event_id", "user_id"), lake.read("event_texts")), min_users
    )


def _event_counts(distinct: pl.DataFrame, state: TopicState) -> pl.DataFrame:
    """Number of events per topic: topic_id, event_count."""
    joined = state.text_topics.join(distinct, on=["field", "text_id"], validate="1:1")
    return joined.filter(pl.col("topic_id").is_not_null()).group_by("topic_id").agg(pl.col("event_count").sum())


def measure_quality(definitions: pl.DataFrame) -> dict[str, object]:
    """Medians of cohesion and separation over the active topics, and the least cohesive topics."""
    active = definitions.filter(pl.col("status") == ACTIVE)
    medians = {f"median_{name}": active[name].median() for name in ("cohesion", "separation")}
    measures = active.select("topic_id", "label", "cohesion", "separation", "nearest_topic_id")
    least_cohesive = measures.sort("cohesion", "topic_id", nulls_last=True).head(LEAST_COHESIVE_SHOWN)
    return {
        **{name: value for name, value in medians.items() if value is not None},
        **({} if least_cohesive.is_empty() else {f"least_cohesive_{least_cohesive.height}_topics": least_cohesive}),
    }


def _facts(runs: pl.DataFrame) -> dict[str, object]:
    """Facts of the run over all text fields; shares are of the field with the lowest value."""
    if runs.is_empty():
        return {"active_topics": 0}
    worst = {name: runs[name].min() for name in ("coverage", "stability", "kept_share")}
    return {
        "active_topics": int(runs["topic_count"].sum()),
        "themes": int(runs["theme_count"].sum()),
        **{f"lowest_{name}": value for name, value in worst.items() if value is not None},
    }
