"""The fingerprint of a run: equal fingerprints mean that a run would publish the same tables again."""

import functools
import hashlib
import importlib.metadata
import json
from collections.abc import Collection, Mapping
from pathlib import Path

from turret_pipeline.config.pipeline import Settings
from turret_pipeline.ingest.parts import PartStore
from turret_pipeline.packaged_files import DBT_DIR, hash_files, hash_package
from turret_pipeline.topics.edits import Edits


def compute_fingerprint(
    settings: Settings,
    field_types: Mapping[str, str],
    edits: Edits,
    wrong_signals: Collection[tuple[str, ...]],
    parts: PartStore,
) -> dict[str, str]:
    """Hashes of what decides the published tables, as columns of ``pipeline_runs``: input, settings and edits, code.

    ``wrong_signals`` are the exchange_id and signal of those that a person marked as wrong.
    """
    types, wrong = json.dumps(field_types, sort_keys=True), json.dumps(sorted(wrong_signals)) if wrong_signals else ""
    decided = settings.sha256() + types + ";".join(edits.lines()) + wrong
    return {
        "input_sha256": parts.fingerprint(),
        "settings_sha256": hashlib.sha256(decided.encode()).hexdigest(),
        "code_sha256": hash_code(),
    }


@functools.cache
def hash_code() -> str:
    """Hash of this package and of the dbt project: others may publish other numbers."""
    return hashlib.sha256(f"{hash_package()} {hash_files(_list_dbt_files())}".encode()).hexdigest()


@functools.cache
def hash_dbt_project() -> str:
    """Hash of the dbt project and of the versions of dbt: another project has another manifest."""
    versions = [importlib.metadata.version(package) for package in ("dbt-core", "dbt-adapters", "dbt-duckdb")]
    return hashlib.sha256("\n".join([hash_files(_list_dbt_files()), *versions]).encode()).hexdigest()


def _list_dbt_files() -> list[Path]:
    folders = (DBT_DIR / "models", DBT_DIR / "macros", DBT_DIR / "tests")
    return [*sorted(DBT_DIR.glob("*.yml")), *sorted(file for folder in folders for file in folder.rglob("*.*"))]
