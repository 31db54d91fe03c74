"""Assets of group marts: dbt builds the run's own DuckDB file from the lake, and tests it."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslatorSettings, dbt_assets
from dagster_dbt.asset_utils import (
    get_manifest_and_translator_from_dbt_assets,
    get_updated_cli_invocation_params_for_context,
)
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage

from turret_pipeline.config.pipeline import Settings
from turret_pipeline.faults import describe_fault
from turret_pipeline.orchestration.dbt import DbtOutcome, Translator, run_dbt
from turret_pipeline.orchestration.resources import Workspace
from turret_pipeline.storage.atomic_files import remove
from turret_pipeline.storage.warehouse import open_read_only
from turret_pipeline.topics.insights.periods import WEEKDAYS

FAILURES_SHOWN = 3


def make_marts(manifest: Path) -> dg.AssetsDefinition:
    """The dbt models as assets, their tests as checks."""

    @dbt_assets(
        manifest=manifest,
        name="dbt_marts",
        # both what the lake holds of events and their parts are what the asset lake/events writes
        dagster_dbt_translator=Translator(DagsterDbtTranslatorSettings(enable_duplicate_source_asset_keys=True)),
    )
    def dbt_marts(context: dg.AssetExecutionContext, workspace: Workspace) -> Iterator[Any]:
        # once complete, the file gets the name of the run
        unfinished, target, progress = workspace.data.warehouse.unfinished_build, workspace.data.dbt, workspace.progress
        unfinished.parent.mkdir(parents=True, exist_ok=True)
        remove(unfinished)
        variables = _list_variables(workspace.settings)
        if context.is_subset:
            context.log.info("Only some tables are selected: all are built in a file of this run, and not published.")
            # selected models need those upstream, and their tests need others too
            with progress.during("Building tables"):
                _raise_for_failures(run_dbt(workspace.data, ["run"], target, manifest, variables))
        with progress.during("Building and testing tables"):
            done = run_dbt(workspace.data, _list_build_arguments(context), target, manifest, variables)
        counts = _count_rows(unfinished)
        for event in _convert_events(context, done):
            yield _add_row_count(event, counts)
        _raise_for_failures(done)
        unfinished.replace(workspace.build)

    return dbt_marts


def _list_variables(settings: Settings) -> dict[str, str]:
    """Settings of the weeks, as variables that profiles.yml reads."""
    return {"DBT_TIME_ZONE": settings.time_zone, "DBT_FIRST_WEEKDAY": str(WEEKDAYS.index(settings.week_start))}


def _list_build_arguments(context: dg.AssetExecutionContext) -> list[str]:
    """The dbt command that builds and tests what Dagster selected."""
    selected = get_updated_cli_invocation_params_for_context(context, {}, Translator())
    indirect = ["--indirect-selection", selected.indirect_selection] if selected.indirect_selection else []
    return ["build", "--exclude-resource-type", "unit_test", *selected.selection_args, *indirect]


def _convert_events(context: dg.AssetExecutionContext, done: DbtOutcome) -> Iterator[Any]:
    """Dagster's events of what dbt built and tested."""
    manifest, translator, _ = get_manifest_and_translator_from_dbt_assets([context.assets_def])
    for event in done.events:
        message = DbtCoreCliEventMessage(raw_event=event, event_history_metadata={})
        yield from message.to_default_asset_events(manifest, translator, context)


def _raise_for_failures(done: DbtOutcome) -> None:
    if not done.failures:
        return
    if fault := next(filter(None, (describe_fault("", reason) for reason in done.failures)), None):
        raise dg.Failure(fault)
    more = f"; and {len(done.failures) - FAILURES_SHOWN} more" if len(done.failures) > FAILURES_SHOWN else ""
    reasons = "; ".join(done.failures[:FAILURES_SHOWN]) + more
    hint = " Materialize the lake first: all assets, or all upstream of these." if "No files found" in reasons else ""
    raise dg.Failure(f"dbt failed: {reasons}.{hint}")


def _count_rows(file: Path) -> dict[str, int]:
    """Rows of each built table, by name."""
    if not file.exists():
        return {}
    with open_read_only(file) as connection:
        tables = "select table_name from duckdb_tables() where schema_name = 'marts'"
        names = [name for (name,) in connection.execute(tables).fetchall()]
        return {name: connection.execute(f"select count(*) from marts.{name}").fetchall()[0][0] for name in names}


def _add_row_count(event: object, counts: Mapping[str, int]) -> object:
    """The dbt event; if it is about a built table, with its row count."""
    if not isinstance(event, dg.Output):
        return event
    name = str(event.metadata["unique_id"].value).rsplit(".", 1)[-1]
    return event.with_metadata({**event.metadata, "dagster/row_count": counts[name]}) if name in counts else event
