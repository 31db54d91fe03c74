"""Assets of group exchanges: prompts joined with their answers and feedback."""

from collections.abc import Iterator

import dagster as dg
import polars as pl

from turret_pipeline.exchanges.build import ExchangeOptions, write_exchanges
from turret_pipeline.exchanges.roles import NamedEvents
from turret_pipeline.orchestration.resources import Workspace
from turret_pipeline.orchestration.specs import lake_spec, result
from turret_pipeline.orchestration.subsets import stage_assets

DEPS = ("events", "event_values", "fields", "event_texts", "text_topics", "continuations")
TABLES = ("exchange_roles", "exchanges", "exchange_values")


@stage_assets("exchanges", [lake_spec(table, "exchanges", DEPS) for table in TABLES])
def exchanges(workspace: Workspace) -> Iterator[dg.MaterializeResult[None]]:
    """Join each prompt with what follows it before the next prompt of its session."""
    lake, settings = workspace.lake, workspace.settings
    named = NamedEvents(settings.prompt_events, settings.answer_events, settings.feedback_events)
    with workspace.progress.during("Joining prompts with answers"):
        roles = write_exchanges(lake, ExchangeOptions(named, settings.session_gap_minutes))
    yield result("exchange_roles", roles, roles=roles)
    joined = lake.scan("exchanges")
    shares = ("answer_event_id", "subject_topic_id", "rating", "cost_usd")
    facts = joined.select(
        pl.len(), *(pl.col(name).is_not_null().mean().fill_null(0).alias(f"{name}_share") for name in shares)
    )
    count, *known = facts.collect().row(0)
    yield result("exchanges", int(count), **{f"{name}_share": share for name, share in zip(shares, known, strict=True)})
    yield result("exchange_values", int(lake.scan("exchange_values").select(pl.len()).collect().item()))
