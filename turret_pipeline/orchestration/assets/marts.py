"""Assets of groups staging and marts: dbt builds the run's own DuckDB file from the lake, and tests it."""

import importlib.metadata
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import (
    DagsterDbtTranslator,
    DagsterDbtTranslatorSettings,
    DbtCliResource,
    DbtProject,
    dbt_assets,
)
from filelock import FileLock
from packaging.version import Version

from turret_pipeline.errors import TurretError
from turret_pipeline.orchestration.resources import DBT_DIR, Workspace, open_to_read
from turret_pipeline.orchestration.specs import OWNERS, column_schema
from turret_pipeline.storage.atomic_files import remove
from turret_pipeline.storage.lake import escape_sql_path
from turret_pipeline.tables import LAKE_TABLES, MART_TABLES

PROJECT = DbtProject(project_dir=DBT_DIR, profiles_dir=DBT_DIR)


class Dbt(DbtCliResource):
    """dbt as one process: Dagster would start another to ask its version, and load dbt here to ask for row counts.

    That takes four seconds of every run, and we know the one and count the other ourselves.
    """

    @cached_property
    def _cli_version(self) -> Version:
        return Version(importlib.metadata.version("dbt-core"))

    def _initialize_dbt_core_adapter(self, args: Sequence[str]) -> None:  # type: ignore[override]
        """None stands for no adapter."""


def dbt_resource() -> DbtCliResource:
    """The dbt of this environment, whether or not the environment is activated."""
    folder, executable = str(DBT_DIR), str(Path(sys.executable).with_name("dbt"))
    return Dbt(project_dir=folder, profiles_dir=folder, dbt_executable=executable)


class Translator(DagsterDbtTranslator):
    """Groups, owners and column schemas of the dbt models."""

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """The schema that the model is built in."""
        return str(dbt_resource_props["config"].get("schema") or "staging")

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> list[str]:  # noqa: ARG002
        """One team owns all."""
        return OWNERS

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """The grain."""
        contract = MART_TABLES.get(name := dbt_resource_props["name"].removeprefix("stg_")) or LAKE_TABLES[name]
        return contract.grain

    def get_metadata(self, dbt_resource_props: Mapping[str, Any]) -> Mapping[str, Any]:
        """The contract's columns."""
        contract = MART_TABLES.get(dbt_resource_props["name"])
        metadata = super().get_metadata(dbt_resource_props)
        return metadata if contract is None else {**metadata, "dagster/column_schema": column_schema(contract)}


def manifest() -> Path:
    """The dbt manifest, parsed anew where a file of the project is newer."""
    path = Path(PROJECT.manifest_path)
    with FileLock(DBT_DIR / ".parse.lock"):
        if not path.exists() or path.stat().st_mtime < _newest_source():
            _parse(path)
    return path


def _newest_source() -> float:
    sources = [DBT_DIR / "dbt_project.yml", DBT_DIR / "profiles.yml"]
    for folder in ("models", "tests", "macros"):
        sources += [DBT_DIR / folder, *(DBT_DIR / folder).rglob("*")]
    return max(file.stat().st_mtime for file in sources if file.exists())


def _parse(path: Path) -> None:
    """Parse aside, then move the manifest in whole: a parse that is killed leaves no half of one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as aside:
        invocation = dbt_resource().cli(["parse", "--quiet"], raise_on_error=False, target_path=Path(aside)).wait()
        if not invocation.is_successful():
            raise TurretError(f"dbt cannot parse {DBT_DIR}: {invocation.get_error() or 'see its log'}")
        (Path(aside) / path.name).replace(path)


@contextmanager
def environment(**variables: str) -> Iterator[None]:
    """Variables for a process that is started inside."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value


def make_marts() -> dg.AssetsDefinition:
    """The dbt models as assets, their tests as checks."""

    @dbt_assets(
        manifest=manifest(),
        project=PROJECT,
        name="dbt_marts",
        dagster_dbt_translator=Translator(DagsterDbtTranslatorSettings(enable_source_tests_as_checks=True)),
    )
    def dbt_marts(
        context: dg.AssetExecutionContext, dbt: DbtCliResource, workspace: dg.ResourceParam[Workspace]
    ) -> Iterator[Any]:
        # One name for the file that dbt writes, so that it need not parse the project anew in every run; the run's own
        # name says that it is built, and for whom.
        unfinished, target = workspace.build.with_name("build-unfinished.duckdb"), workspace.root / "dbt"
        unfinished.parent.mkdir(parents=True, exist_ok=True)
        remove(unfinished)
        with environment(DBT_LAKE_DIR=escape_sql_path(workspace.lake.root), DBT_WAREHOUSE_FILE=str(unfinished)):
            command = ["build", "--exclude-resource-type", "unit_test"]
            invocation = dbt.cli(command, context=context, target_path=target, raise_on_error=False)
        with workspace.progress.during("Building and testing tables"):
            events = list(invocation.stream())  # rows are counted when dbt has let go of the file
        counts = _row_counts(unfinished)
        yield from (_counted(event, counts) for event in events)
        if not invocation.is_successful():
            raise dg.Failure(f"The built tables failed dbt: {'; '.join(_failures(target / 'run_results.json'))}.")
        unfinished.replace(workspace.build)

    return dbt_marts


def _row_counts(file: Path) -> dict[str, int]:
    """Rows of each built table, by name."""
    if not file.exists():
        return {}
    with open_to_read(file) as connection:
        tables = "select table_name from duckdb_tables() where schema_name = 'marts'"
        names = [name for (name,) in connection.execute(tables).fetchall()]
        return {name: connection.execute(f"select count(*) from marts.{name}").fetchall()[0][0] for name in names}


def _counted(event: object, counts: Mapping[str, int]) -> object:
    """The event of dbt, with the row count where it is a table that was built."""
    if not isinstance(event, dg.Output):
        return event
    name = str(event.metadata["unique_id"].value).rsplit(".", 1)[-1]
    return event.with_metadata({**event.metadata, "dagster/row_count": counts[name]}) if name in counts else event


def _failures(run_results: Path) -> list[str]:
    """What went wrong in a dbt run: name of the model or test, and dbt's message."""
    if not run_results.exists():
        return ["dbt stopped before it built anything; its log is in the run's dbt folder"]
    results = json.loads(run_results.read_text())["results"]
    wrong = [result for result in results if result["status"] in {"error", "fail"}]
    return [f"{result['unique_id'].split('.')[2]}: {str(result['message']).splitlines()[0]}" for result in wrong]
