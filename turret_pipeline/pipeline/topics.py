"""Assets of group topics: distinct texts, their vectors, and topics kept from run to run."""

import functools
from collections.abc import Iterator, Sequence

import dagster as dg
import polars as pl

from turret_pipeline.pipeline.figures import topic_sizes
from turret_pipeline.pipeline.resources import Workspace, now
from turret_pipeline.pipeline.specs import OWNERS, lake_key, lake_spec, result
from turret_pipeline.topics.arrays import FloatArray
from turret_pipeline.topics.embedding import Embedder, embed_chunks, waiting_texts
from turret_pipeline.topics.state import Run, TopicState, advance
from turret_pipeline.topics.texts import collect_texts
from turret_pipeline.topics.update import Options

EMBEDDINGS = lake_key("embeddings")


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
    specs=[lake_spec(table, "topics", ["texts"]).merge_attributes(deps=[EMBEDDINGS]) for table in TopicState.tables()],
    name="topics",
)
def topics(
    context: dg.AssetExecutionContext, workspace: dg.ResourceParam[Workspace]
) -> Iterator[dg.MaterializeResult[None]]:
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
        state = advance(previous, distinct, workspace.vectors.vectors_of, options, run, _when_needed(workspace))
    workspace.save_state(state)
    figure = topic_sizes(state.topic_definitions, _event_counts(distinct, state), workspace.figures_dir)
    changes = state.topic_lineage.filter(pl.col("run_id") == run.run_id)
    yield result("topic_definitions", state.topic_definitions, **_facts(state), topic_sizes=figure)
    yield result("text_topics", state.text_topics)
    yield result("topic_lineage", state.topic_lineage, changes_of_this_run=changes.height)


def _when_needed(workspace: Workspace) -> Embedder:
    """The model, loaded when the first new topic is to be named: most runs have none, and loading takes seconds."""
    load = functools.cache(workspace.embedder)

    def embed(texts: Sequence[str]) -> FloatArray:
        return load()(texts)

    return embed


def _event_counts(distinct: pl.DataFrame, state: TopicState) -> pl.DataFrame:
    """Events by topic: topic_id, event_count."""
    joined = state.text_topics.join(distinct, on=["field", "text_id"], validate="1:1")
    return joined.filter(pl.col("topic_id").is_not_null()).group_by("topic_id").agg(pl.col("event_count").sum())


def _facts(state: TopicState) -> dict[str, object]:
    active = state.topic_definitions.filter(pl.col("status") == "active")
    without = state.text_topics["topic_id"].null_count() / max(state.text_topics.height, 1)
    return {
        "active_topics": active.height,
        "themes": active["theme_id"].n_unique(),
        "share_of_texts_without_topic": without,
    }
