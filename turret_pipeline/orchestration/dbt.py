"""dbt in Dagster: the project, its manifest, and the metadata of its assets."""

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
    """dbt in one process.

    dagster-dbt would start a second process for dbt's version and load dbt in this one for row counts, which takes
    four seconds per run. The version is known, and we count rows ourselves.
    """

    @cached_property
    def _cli_version(self) -> Version:
        return Version(importlib.metadata.version("dbt-core"))

    def _initialize_dbt_core_adapter(self, args: Sequence[str]) -> None:  # type: ignore[override]
        """Load no adapter."""


def dbt_resource() -> DbtCliResource:
    """The dbt of this Python environment, activated or not."""
    folder, executable = str(DBT_DIR), str(Path(sys.executable).with_name("dbt"))
    return Dbt(project_dir=folder, profiles_dir=folder, dbt_executable=executable)


class Translator(DagsterDbtTranslator):
    """Groups, owners and column schemas of the dbt models."""

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """The schema that the model is built in."""
        return str(dbt_resource_props["config"].get("schema") or "staging")

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> list[str]:  # noqa: ARG002
        """The same team for every model."""
        return OWNERS

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """The grain of the table."""
        contract = MART_TABLES.get(name := dbt_resource_props["name"].removeprefix("stg_")) or LAKE_TABLES[name]
        return contract.grain

    def get_metadata(self, dbt_resource_props: Mapping[str, Any]) -> Mapping[str, Any]:
        """Metadata with the columns of the contract."""
        contract = MART_TABLES.get(dbt_resource_props["name"])
        metadata = super().get_metadata(dbt_resource_props)
        return metadata if contract is None else {**metadata, "dagster/column_schema": column_schema(contract)}


def prepare_manifest() -> Path:
    """Path of the dbt manifest, parsed again if a file of the project is newer."""
    path = Path(PROJECT.manifest_path)
    with FileLock(DBT_DIR / ".parse.lock"):
        if not path.exists() or path.stat().st_mtime < _latest_change():
            _parse(path)
    return path


def _latest_change() -> float:
    sources = [DBT_DIR / "dbt_project.yml", DBT_DIR / "profiles.yml"]
    for folder in ("models", "tests", "macros"):
        sources += [DBT_DIR / folder, *(DBT_DIR / folder).rglob("*")]
    return max(file.stat().st_mtime for file in sources if file.exists())


def _parse(path: Path) -> None:
    """Write the manifest, atomically: a killed parse leaves no partial file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as target:
        invocation = dbt_resource().cli(["parse", "--quiet"], raise_on_error=False, target_path=Path(target)).wait()
        if not invocation.is_successful():
            raise TurretError(f"dbt failed to parse {DBT_DIR}: {invocation.get_error() or 'see its log'}")
        (Path(target) / path.name).replace(path)


@contextmanager
def set_environment(**variables: str) -> Iterator[None]:
    """Set environment variables for processes that are started inside the context."""
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
