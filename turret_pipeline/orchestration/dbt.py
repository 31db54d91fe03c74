"""dbt in Dagster: its manifest and environment, and the metadata of its assets.

The project travels with the program, which may be read-only: everything that dbt writes is in the data folder.
"""

import importlib.metadata
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtCliResource, DbtProject
from packaging.version import Version

from turret_pipeline.errors import TurretError
from turret_pipeline.orchestration.fingerprint import hash_dbt_project
from turret_pipeline.orchestration.specs import OWNERS, mart_metadata
from turret_pipeline.packaged_files import DBT_DIR
from turret_pipeline.storage.atomic_files import remove
from turret_pipeline.storage.data_dir import DataDir
from turret_pipeline.storage.lake import escape_sql_path
from turret_pipeline.tables import MART_TABLES

PARSE_RESULTS = "partial_parse.msgpack"


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


def build_dbt_resource() -> DbtCliResource:
    """The dbt of this Python environment, activated or not."""
    folder, executable = str(DBT_DIR), str(Path(sys.executable).with_name("dbt"))
    return Dbt(project_dir=folder, profiles_dir=folder, dbt_executable=executable)


class Translator(DagsterDbtTranslator):
    """Groups, owners and column schemas of the dbt models."""

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """The schema that the model is built in."""
        schema: str | None = dbt_resource_props["config"].get("schema")
        return schema

    def get_asset_check_spec(
        self, asset_spec: dg.AssetSpec, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None
    ) -> dg.AssetCheckSpec | None:
        """The check of a dbt test, with the test's description; dagster-dbt would look for it in the test's meta."""
        spec = super().get_asset_check_spec(asset_spec, manifest, unique_id, project)
        test = self.get_resource_props(manifest, unique_id)
        return None if spec is None else spec._replace(description=test["description"])

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> list[str]:  # noqa: ARG002
        """The same team for every model."""
        return OWNERS

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """The grain of the table."""
        return str(dbt_resource_props["description"])

    def get_metadata(self, dbt_resource_props: Mapping[str, Any]) -> Mapping[str, Any]:
        """Columns of the contract, and where the published table is; dbt knows only the file that it builds."""
        metadata = super().get_metadata(dbt_resource_props)
        if dbt_resource_props["resource_type"] != "model":
            return metadata
        return {**metadata, **mart_metadata(MART_TABLES[dbt_resource_props["name"]])}


def prepare_manifest(data: DataDir) -> Path:
    """Path of the dbt manifest in the data folder, parsed once for each version of the dbt project."""
    path = data.dbt / f"manifest-{hash_dbt_project()[:16]}.json"
    if not path.exists():
        _parse(data, path)
    return path


def _parse(data: DataDir, path: Path) -> None:
    """Write the manifest, and the parse results that save a run from parsing again. A killed parse leaves no part."""
    with (
        tempfile.TemporaryDirectory(dir=data.make_folder(data.dbt), prefix="parse-") as folder,
        set_environment(dbt_environment(data)),
    ):
        invocation = (
            build_dbt_resource().cli(["parse", "--quiet"], raise_on_error=False, target_path=Path(folder)).wait()
        )
        if not invocation.is_successful():
            raise TurretError(f"dbt failed to parse {DBT_DIR}: {invocation.get_error() or 'see its log'}")
        (Path(folder) / PARSE_RESULTS).replace(path.parent / PARSE_RESULTS)
        (Path(folder) / "manifest.json").replace(path)
    for outdated in set(path.parent.glob("manifest-*.json")) - {path}:  # another process may read the same one
        remove(outdated)


def dbt_environment(data: DataDir) -> dict[str, str]:
    """Variables that profiles.yml and the models read. They are equal in all runs, or dbt would parse again in each."""
    return {
        "DBT_LAKE_DIR": escape_sql_path(data.lake.root),
        "DBT_WAREHOUSE_FILE": str(data.warehouse.unfinished_build),
        "DBT_PACKAGES_DIR": str(data.dbt / "packages"),
    }


@contextmanager
def set_environment(variables: Mapping[str, str]) -> Iterator[None]:
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
