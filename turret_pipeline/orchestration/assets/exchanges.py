"""Assets of group exchanges: prompts joined with their answers and feedback."""

from collections.abc import Iterator

import dagster as dg
import polars as pl

from turret_pipeline.config.loading import suggest
from turret_pipeline.config.pipeline import Settings
from turret_pipeline.exchanges.build import ExchangeOptions, write_exchanges
from turret_pipeline.exchanges.roles import NamedEvents
from turret_pipeline.orchestration.resources import Workspace
from turret_pipeline.orchestration.specs import lake_spec, result
from turret_pipeline.orchestration.subsets import stage_assets
from turret_pipeline.storage.lake import Lake

DEPS = ("events", "event_values", "fields", "event_texts", "text_topics", "continuations")
TABLES = ("exchange_roles", "exchanges", "exchange_values")
NAMES_SHOWN = 10
"""Event names in a message."""


@stage_assets("exchanges", [lake_spec(table, "exchanges", DEPS) for table in TABLES])
def exchanges(context: dg.AssetExecutionContext, workspace: Workspace) -> Iterator[dg.MaterializeResult[None]]:
    """Join each prompt with what follows it before the next prompt of its session."""
    lake, settings = workspace.lake, workspace.settings
    named = NamedEvents(settings.prompt_events, settings.answer_events, settings.feedback_events)
    for sentence in describe_unknown_events(settings, lake):
        context.log.warning(sentence)
        workspace.progress.say(sentence)
    with workspace.progress.during("Joining prompts with answers"):
        roles = write_exchanges(lake, ExchangeOptions(named, settings.session_gap_minutes), workspace.shard_engine)
    yield result("exchange_roles", roles, roles=roles)
    joined = lake.scan("exchanges")
    shares = ("answer_event_id", "subject_topic_id", "rating", "cost_usd")
    facts = joined.select(
        pl.len(), *(pl.col(name).is_not_null().mean().fill_null(0).alias(f"{name}_share") for name in shares)
    )
    count, *known = facts.collect().row(0)
    yield result("exchanges", int(count), **{f"{name}_share": share for name, share in zip(shares, known, strict=True)})
    yield result("exchange_values", int(lake.scan("exchange_values").select(pl.len()).collect().item()))


def describe_unknown_events(settings: Settings, lake: Lake) -> Iterator[str]:
    """A sentence about each event name in the settings of roles and outcomes that no event has."""
    roles = ("prompt_events", "answer_events", "feedback_events")
    named = {**{role: getattr(settings, role) for role in roles}, "outcomes.resolved": settings.outcomes.resolved}
    if not any(named.values()):
        return
    counts = lake.scan("events").group_by("event_name").len().sort("len", "event_name", descending=[True, False])
    known = counts.collect()["event_name"].to_list()
    for setting, names in named.items():
        for name in names:
            if name not in known:
                hint = suggest(name, known) or f" The most common names: {', '.join(known[:NAMES_SHOWN])}."
                yield f"Setting {setting} names the event {name!r}, which does not occur.{hint}"
