"""dbt in Dagster: its manifest, its commands, and the metadata of its assets.

The project travels with the program, which may be read-only: everything that dbt writes is in the data folder.
"""

import contextlib
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtProject
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.artifacts.schemas.run import RunExecutionResult, RunResult
from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest
from dbt_common.events.base_types import EventMsg
from dbt_common.events.functions import msg_to_dict

from turret_pipeline.errors import TurretError
from turret_pipeline.faults import describe_exception
from turret_pipeline.orchestration.fingerprint import hash_dbt_project
from turret_pipeline.orchestration.logs import is_output_dropped
from turret_pipeline.orchestration.specs import OWNERS, mart_metadata
from turret_pipeline.packaged_files import DBT_DIR
from turret_pipeline.storage.atomic_files import atomic_replace, remove
from turret_pipeline.storage.checksums import hash_file
from turret_pipeline.storage.data_dir import DataDir
from turret_pipeline.storage.lake import escape_pattern
from turret_pipeline.storage.scratch_database import limit_file_memory
from turret_pipeline.tables import MART_TABLES

PARSE_RESULTS = "partial_parse.msgpack"
RESULT_EVENTS = {"LogModelResult", "LogTestResult"}
UNEXPLAINED = "dbt stopped without a reason; its lines in the log of the run may have one"


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
    """Path of the dbt manifest in the data folder, parsed once for each version of the dbt project.

    It is parsed again if it or the parse results beside it are not as they were written.
    """
    path = data.dbt / f"manifest-{hash_dbt_project()[:16]}.json"
    if not is_manifest_sound(path):
        _parse(data, path)
    return path


def is_manifest_sound(path: Path) -> bool:
    """True if the manifest and its parse results are there, as they were written."""
    try:
        return _checksum_path(path).read_text(encoding="ascii") == _hash_manifest(path)
    except (OSError, ValueError):
        return False


def _hash_manifest(path: Path) -> str:
    return f"{hash_file(path)} {hash_file(_parsed_path(path))}\n"


def _checksum_path(manifest: Path) -> Path:
    return manifest.with_suffix(".sha256")


def _parse(data: DataDir, path: Path) -> None:
    """Write the manifest, and the parse results that save a run from parsing again. A killed parse leaves no part."""
    with tempfile.TemporaryDirectory(dir=data.make_folder(data.dbt), prefix="parse-") as folder:
        outcome = run_dbt(data, ["parse", "--log-level", "none"], target=Path(folder))
        if outcome.failures:
            raise TurretError(f"dbt failed to parse {DBT_DIR}: {outcome.failures[0]}.")
        (Path(folder) / PARSE_RESULTS).replace(_parsed_path(path))
        (Path(folder) / "manifest.json").replace(path)
        with atomic_replace(_checksum_path(path)) as temp:
            temp.write_text(_hash_manifest(path), encoding="ascii")
    for outdated in set(path.parent.glob("manifest-*")) - {path, _parsed_path(path), _checksum_path(path)}:
        remove(outdated)  # only after both are complete: another process may read the same ones


def _parsed_path(manifest: Path) -> Path:
    return manifest.with_suffix(".msgpack")


@dataclass(frozen=True)
class DbtOutcome:
    """Outcome of a dbt command.

    ``events`` are the results of models and tests as dbt logged them. ``failures`` has a sentence for each model or
    test that failed, or one for what stopped dbt.
    """

    events: list[dict[str, Any]]
    failures: list[str]


def run_dbt(
    data: DataDir,
    arguments: Sequence[str],
    target: Path,
    manifest: Path | None = None,
    variables: Mapping[str, str] | None = None,
) -> DbtOutcome:
    """Outcome of a dbt command. It runs in this process: to load dbt in another one takes longer than small tables do.

    What dbt writes goes to ``target``. With the path of a manifest, it does not parse its project. ``variables`` are
    added to the environment. Raises interrupts, and errors that are faults of the machine, such as a full disk.
    """
    events: list[dict[str, Any]] = []

    def collect(event: EventMsg) -> None:
        if event.info.name in RESULT_EVENTS:
            events.append(msg_to_dict(event))

    folders = ["--project-dir", DBT_DIR, "--profiles-dir", DBT_DIR, "--target-path", target, "--log-path", target]
    options = [*map(str, folders), "--no-use-colors", "--log-level-file", "none"]
    # with a manifest, nothing reads the files of results that dbt would write
    options += [] if manifest is None else ["--no-write-json"]
    # dbt composes each of its thousands of lines before it drops those of a lower level
    options += ["--log-level", "none"] if is_output_dropped() else []
    with _set_environment({**_list_variables(data), **(variables or {})}):
        parsed = None if manifest is None else Manifest.from_msgpack(_parsed_path(manifest).read_bytes())
        done = dbtRunner(manifest=parsed, callbacks=[collect]).invoke([*arguments, *options])
        _close_warehouse()
    if done.exception is not None and (not isinstance(done.exception, Exception) or describe_exception(done.exception)):
        raise done.exception  # dbt also catches interrupts, and faults of the machine
    results = done.result.results if isinstance(done.result, RunExecutionResult) else []
    failures = _describe_failures(results) or ([] if done.success else [_shorten(str(done.exception or UNEXPLAINED))])
    return DbtOutcome(events, failures)


def _close_warehouse() -> None:
    """Close the file that dbt built, which it would hold open until the process ends."""
    with contextlib.suppress(Exception):  # dbt stopped before it opened the file
        DuckDBConnectionManager.env().close()  # type: ignore[no-untyped-call]
    DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]


def _describe_failures(results: Sequence[RunResult]) -> list[str]:
    """Failures of models and tests: the name, and dbt's message."""
    wrong = [result for result in results if result.status in {"error", "fail"}]
    return [f"{result.node.unique_id.split('.')[2]}: {_shorten(str(result.message))}" for result in wrong]


def _shorten(message: str) -> str:
    """The kind of a failure, and what DuckDB says of it, without the query."""
    return " ".join(line.strip() for line in message.splitlines()[:2]).rstrip(".")


def _list_variables(data: DataDir) -> dict[str, str]:
    """Variables that profiles.yml reads."""
    return {
        "DBT_LAKE_DIR": escape_pattern(data.lake.root),
        "DBT_WAREHOUSE_FILE": str(data.warehouse.unfinished_build),
        "DBT_PACKAGES_DIR": str(data.dbt / "packages"),
        "DBT_MEMORY_LIMIT": limit_file_memory(),
    }


@contextlib.contextmanager
def _set_environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables inside the context."""
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
