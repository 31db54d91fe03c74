"""Asset of group signals: signs that an exchange went wrong."""

from collections.abc import Iterator

import dagster as dg
import polars as pl

from turret_pipeline.orchestration.resources import Workspace
from turret_pipeline.orchestration.specs import lake_spec, result
from turret_pipeline.orchestration.subsets import stage_assets
from turret_pipeline.signals.build import SignalOptions, write_exchange_signals
from turret_pipeline.tables.signals import SIGNALS
from turret_pipeline.topics.embedding.model_names import AUTO
from turret_pipeline.topics.embedding.readers import READING

DEPS = ("events", "event_texts", "texts", "fields", "embeddings", "continuations", "exchange_roles", "exchanges")


@stage_assets("signals", [lake_spec("exchange_signals", "signals", DEPS)])
def signals(workspace: Workspace) -> Iterator[dg.MaterializeResult[None]]:
    """Find refusals, missing answers, rephrased and corrected prompts, and other signs that an exchange went wrong."""
    lake = workspace.lake
    models = [*READING, *({workspace.settings.embedding_model} - {AUTO, *READING})]
    readers = {model: workspace.vectors(model).read_batches for model in models}
    with workspace.progress.during("Finding signals"):
        options = SignalOptions(workspace.settings.abandoned_seconds)
        write_exchange_signals(lake, readers, options, workspace.data.signal_marks.read())
    shares = [pl.col(f"is_{name}").mean().alias(f"{name}_share") for name in (*SIGNALS, "struggle")]
    count, *known = lake.scan("exchange_signals").select(pl.len(), *shares).collect().row(0)
    facts = {f"{name}_share": share for name, share in zip((*SIGNALS, "struggle"), known, strict=True)}
    yield result("exchange_signals", int(count), **{name: share for name, share in facts.items() if share is not None})
