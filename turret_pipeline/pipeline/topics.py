"""Assets of group topics: distinct texts, their vectors, and topics kept from run to run."""

from collections.abc import Iterator

import dagster as dg
import polars as pl

from turret_pipeline.pipeline.figures import topic_sizes
from turret_pipeline.pipeline.llm import name_with_llm
from turret_pipeline.pipeline.resources import Workspace, now
from turret_pipeline.pipeline.specs import OWNERS, lake_key, lake_spec, result
from turret_pipeline.topics.embedding import embed_chunks, waiting_texts
from turret_pipeline.topics.meeting import Options
from turret_pipeline.topics.privacy import fold_small_topics, users_of_texts
from turret_pipeline.topics.state import Run, TopicState, advance
from turret_pipeline.topics.texts import collect_texts

EMBEDDINGS = lake_key("embeddings")
LLM_NAMES = "llm_names"


@dg.multi_asset(
    specs=[lake_spec(table, "topics", ["fields", "event_values"]) for table in ("event_texts", "texts")], name="texts"
)
def texts(workspace: dg.ResourceParam[Workspace]) -> Iterator[dg.MaterializeResult[None]]:
    """Collect the distinct texts of the text fields."""
    lake = workspace.lake
    names = lake.read("fields").filter(pl.col("type") == "text")["field"].to_list()
    event_texts, distinct = collect_texts(lake.scan("event_values"), names)
    yield result("event_texts", lake.write("event_texts", event_texts))
    yield result("texts", lake.write("texts", distinct), text_fields=", ".join(names) or "none")


@dg.asset(
    key=EMBEDDINGS,
    deps=[lake_key("texts")],
    group_name="topics",
    owners=OWNERS,
    kinds={"huggingface", "parquet"},
    description="One row per distinct text and model: its vector. A text is embedded once in its life.",
)
def embeddings(context: dg.AssetExecutionContext, workspace: dg.ResourceParam[Workspace]) -> dg.MaterializeResult[None]:
    """Embed the texts that have no vector yet."""
    store, settings = workspace.vectors, workspace.settings
    known = store.known_ids()
    waiting = waiting_texts(workspace.lake.read("texts"), known)
    if waiting.height:
        context.log.info(f"Embedding {waiting.height:,} texts with {settings.embedding_model}.")
        chunks = embed_chunks(waiting, workspace.embedder())
        workspace.progress.track("Embedding texts", waiting.height, store.add(chunks))
    facts = {"dagster/row_count": len(known) + waiting.height, "embedded_now": waiting.height}
    return dg.MaterializeResult(metadata={**facts, "model": settings.embedding_model})


@dg.multi_asset(
    specs=[
        lake_spec(table, "topics", ["events", "event_texts", "texts"]).merge_attributes(deps=[EMBEDDINGS])
        for table in TopicState.tables()
    ],
    check_specs=[
        dg.AssetCheckSpec(
            LLM_NAMES,
            asset=lake_key("topic_definitions"),
            description="The LLM, if one is set, has named all it was asked.",
        )
    ],
    name="topics",
)
def topics(
    context: dg.AssetExecutionContext, workspace: dg.ResourceParam[Workspace]
) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    """Carry the published topics on: assign new texts, find new topics, name them."""
    settings = workspace.settings
    previous, model = workspace.published_state()
    if model not in {None, settings.embedding_model}:
        context.log.warning(
            f"The model changed from {model} to {settings.embedding_model}: topics are found anew, with new ids."
        )
        previous = previous.without_texts()
    options = Options(
        settings.topic_granularity, settings.topic_min_texts, floor=settings.topic_floor, seed=settings.seed
    )
    distinct = workspace.lake.read("texts")
    run = Run(context.run_id, now())
    with workspace.progress.during("Finding topics"):
        state = advance(previous, distinct, workspace.vectors.vectors_of, options, run)
    naming = name_with_llm(workspace, state, distinct, run, lambda sentence: _tell(context, workspace, sentence))
    state = naming.state
    shown = _shown(workspace, state)
    workspace.save_state(state, shown)
    figure = topic_sizes(shown.topic_definitions, _event_counts(distinct, shown), workspace.figures_dir)
    changes = shown.topic_lineage.filter(pl.col("run_id") == run.run_id)
    yield result("topic_definitions", shown.topic_definitions, **_facts(state, shown), topic_sizes=figure)
    yield result("text_topics", shown.text_topics)
    yield result("topic_lineage", shown.topic_lineage, changes_of_this_run=changes.height)
    yield dg.AssetCheckResult(
        asset_key=lake_key("topic_definitions"),
        check_name=LLM_NAMES,
        passed=naming.is_complete,
        severity=dg.AssetCheckSeverity.WARN,
        description=naming.summary,
    )


def _tell(context: dg.AssetExecutionContext, workspace: Workspace, sentence: str) -> None:
    context.log.info(sentence)
    workspace.progress.say(sentence)


def _shown(workspace: Workspace, state: TopicState) -> TopicState:
    """The state without topics of too few users."""
    lake, min_users = workspace.lake, workspace.settings.privacy_min_users
    if min_users == 1:
        return state
    return fold_small_topics(state, users_of_texts(lake.read("events"), lake.read("event_texts")), min_users)


def _event_counts(distinct: pl.DataFrame, state: TopicState) -> pl.DataFrame:
    """Events by topic: topic_id, event_count."""
    joined = state.text_topics.join(distinct, on=["field", "text_id"], validate="1:1")
    return joined.filter(pl.col("topic_id").is_not_null()).group_by("topic_id").agg(pl.col("event_count").sum())


def _facts(state: TopicState, shown: TopicState) -> dict[str, object]:
    active = state.topic_definitions.filter(pl.col("status") == "active")
    visible = active.join(shown.topic_definitions, on="topic_id", how="semi")
    without = state.text_topics["topic_id"].null_count() / max(state.text_topics.height, 1)
    return {
        "active_topics": active.height,
        "topics_hidden_for_privacy": active.height - visible.height,
        "themes": active["theme_id"].n_unique(),
        "share_of_texts_without_topic": without,
    }
