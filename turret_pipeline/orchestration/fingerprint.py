"""The fingerprint of a run: equal fingerprints mean that a run would publish the same tables again."""

import functools
import hashlib
import importlib.metadata
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from turret_pipeline.config.pipeline import Settings
from turret_pipeline.ingest.parts import PartStore
from turret_pipeline.packaged_files import DBT_DIR, PACKAGE_DIR
from turret_pipeline.topics.edits import Edits


def compute_fingerprint(
    settings: Settings, field_types: Mapping[str, str], edits: Edits, parts: PartStore
) -> dict[str, str]:
    """Hashes of what decides the published tables, as columns of ``pipeline_runs``: input, settings and edits, code."""
    types = json.dumps(field_types, sort_keys=True)
    decided = settings.sha256() + types + ";".join(edits.lines())
    return {
        "input_sha256": parts.fingerprint(),
        "settings_sha256": hashlib.sha256(decided.encode()).hexdigest(),
        "code_sha256": hash_code(),
    }


@functools.cache
def hash_code() -> str:
    """Hash of this package's code and of the dbt project: other code may publish other numbers."""
    return _hash_files([*sorted(PACKAGE_DIR.rglob("*.py")), *_list_dbt_files()])


@functools.cache
def hash_dbt_project() -> str:
    """Hash of the dbt project and of the versions of dbt: another project has another manifest."""
    versions = [importlib.metadata.version(package) for package in ("dbt-core", "dbt-adapters", "dbt-duckdb")]
    return hashlib.sha256("\n".join([_hash_files(_list_dbt_files()), *versions]).encode()).hexdigest()


def _list_dbt_files() -> list[Path]:
    folders = (DBT_DIR / "models", DBT_DIR / "macros", DBT_DIR / "tests")
    return [*sorted(DBT_DIR.glob("*.yml")), *sorted(file for folder in folders for file in folder.rglob("*.*"))]


def _hash_files(files: Iterable[Path]) -> str:
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
