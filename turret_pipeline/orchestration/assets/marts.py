"""Assets of group marts: dbt builds the run's own DuckDB file from the lake, and tests it."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslatorSettings, DbtCliResource, dbt_assets

from turret_pipeline.orchestration.dbt import Translator, dbt_environment, set_environment
from turret_pipeline.orchestration.resources import Workspace
from turret_pipeline.progress import Progress
from turret_pipeline.storage.atomic_files import remove
from turret_pipeline.storage.warehouse import open_read_only

FAILURES_SHOWN = 3


def make_marts(manifest: Path) -> dg.AssetsDefinition:
    """The dbt models as assets, their tests as checks."""

    @dbt_assets(
        manifest=manifest,
        name="dbt_marts",
        # both what the lake holds of events and their parts are what the asset lake/events writes
        dagster_dbt_translator=Translator(DagsterDbtTranslatorSettings(enable_duplicate_source_asset_keys=True)),
    )
    def dbt_marts(context: dg.AssetExecutionContext, dbt: DbtCliResource, workspace: Workspace) -> Iterator[Any]:
        # dbt always writes the same file name, or it would parse the project again in every run; once complete, the
        # file gets the name of the run
        unfinished, target = workspace.data.warehouse.unfinished_build, workspace.data.dbt
        unfinished.parent.mkdir(parents=True, exist_ok=True)
        remove(unfinished)
        with set_environment(dbt_environment(workspace.data)):
            remove(target / "run_results.json")  # if dbt ends before it writes results, those of an earlier run mislead
            if context.is_subset:
                _build_all_tables(context, dbt, target, workspace.progress)
            command = ["build", "--exclude-resource-type", "unit_test"]
            invocation = dbt.cli(command, context=context, target_path=target, raise_on_error=False)
        with workspace.progress.during("Building and testing tables"):
            events = list(invocation.stream())  # dbt must close the file before rows are counted
        counts = _count_rows(unfinished)
        yield from (_add_row_count(event, counts) for event in events)
        if not invocation.is_successful():
            raise _describe_failure(target)
        unfinished.replace(workspace.build)

    return dbt_marts


def _build_all_tables(context: dg.AssetExecutionContext, dbt: DbtCliResource, target: Path, progress: Progress) -> None:
    """Build every model without tests: selected ones need those upstream, and their tests need others too."""
    context.log.info("Only some tables are selected: all are built in a file of this run, which is not published.")
    with progress.during("Building tables"):
        done = dbt.cli(["run"], target_path=target, raise_on_error=False).wait()
    if not done.is_successful():
        raise _describe_failure(target)


def _describe_failure(target: Path) -> dg.Failure:
    failures = _list_failures(target / "run_results.json")
    more = f"; and {len(failures) - FAILURES_SHOWN} more" if len(failures) > FAILURES_SHOWN else ""
    reasons = "; ".join(failures[:FAILURES_SHOWN]) + more
    hint = " Materialize the lake first: all assets, or all upstream of these." if "No files found" in reasons else ""
    return dg.Failure(f"dbt failed: {reasons}.{hint}")


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


def _list_failures(run_results: Path) -> list[str]:
    """Failures of a dbt run: name of the model or test, and dbt's message."""
    if not run_results.exists():
        return ["dbt stopped before it built anything; see dbt.log in the folder dbt of the data folder"]
    results = json.loads(run_results.read_text())["results"]
    wrong = [result for result in results if result["status"] in {"error", "fail"}]
    return [f"{result['unique_id'].split('.')[2]}: {_shorten(str(result['message']))}" for result in wrong]


def _shorten(message: str) -> str:
    """The kind of a failure, and what DuckDB says of it, without the query."""
    return " ".join(line.strip() for line in message.splitlines()[:2]).rstrip(".")
