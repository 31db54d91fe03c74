"""Assets of groups staging and marts: dbt builds the run's own DuckDB file from the lake, and tests it."""

import importlib.metadata
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from dagster_dbt import (
    DagsterDbtTranslator,
    DbtCliResource,
    DbtProject,
)
from filelock import FileLock
from packaging.version import Version

from turret_pipeline.errors import TurretError
from turret_pipeline.orchestration.fingerprint import DBT_DIR
from turret_pipeline.orchestration.specs import OWNERS, column_schema
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
