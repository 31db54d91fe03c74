"""Assets of group signals: signs that an exchange went wrong, and their shares by topic."""

from collections.abc import Iterator

import dagster as dg
import polars as pl

from turret_pipeline.orchestration.resources import Workspace
from turret_pipeline.orchestration.specs import SHOWN, lake_spec, result
from turret_pipeline.orchestration.subsets import stage_assets
from turret_pipeline.signals.build import SignalOptions, write_exchange_signals
from turret_pipeline.signals.topic_signals import build_topic_signals
from turret_pipeline.stats.shares import Q_VALUE_THRESHOLD
from turret_pipeline.tables.signals import SIGNALS_OF_TOPICS
from turret_pipeline.topics.embedding.model_names import AUTO
from turret_pipeline.topics.embedding.readers import READING

TABLES = {
    "exchange_signals": (
        "events", "event_texts", "texts", "fields", "embeddings", "continuations", "exchange_roles", "exchanges",
    ),
    "topic_signals": ("exchanges", "exchange_values", "exchange_signals", "data_days"),
}  # fmt: skip


@stage_assets("signals", [lake_spec(table, "signals", deps) for table, deps in TABLES.items()])
def signals(workspace: Workspace) -> Iterator[dg.MaterializeResult[None]]:
    """Find refusals, missing answers, rephrased and corrected prompts, and other signs that an exchange went wrong.

    Compare their shares between topics, and between the weeks and segments of each topic.
    """
    lake, settings = workspace.lake, workspace.settings
    models = [*READING, *({settings.embedding_model} - {AUTO, *READING})]
    readers = {model: workspace.vectors(model).read_batches for model in models}
    with workspace.progress.during("Finding signals"):
        options = SignalOptions(settings.abandoned_seconds, settings.outcomes.resolved)
        write_exchange_signals(lake, readers, options, workspace.signal_marks)
    shares = [pl.col(f"is_{name}").mean().alias(f"{name}_share") for name in SIGNALS_OF_TOPICS]
    count, *known = lake.scan("exchange_signals").select(pl.len(), *shares).collect().row(0)
    facts = {f"{name}_share": share for name, share in zip(SIGNALS_OF_TOPICS, known, strict=True)}
    yield result("exchange_signals", int(count), **{name: share for name, share in facts.items() if share is not None})
    with workspace.progress.during("Comparing signals of topics"):
        of_topics = build_topic_signals(lake, settings.week_start, settings.time_zone, settings.privacy_min_users)
        lake.write("topic_signals", of_topics)
    different = of_topics.filter(pl.col("q_value") <= Q_VALUE_THRESHOLD)
    largest = different.sort(pl.col("difference").abs(), descending=True).head(SHOWN)
    yield result("topic_signals", of_topics, rows_that_differ=different.height, largest_differences=largest)
