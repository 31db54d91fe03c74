"""The fingerprint of a run: equal fingerprints mean that a run would publish the same tables again."""

import functools
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from turret_pipeline.config.pipeline import Settings
from turret_pipeline.ingest.parts import PartStore
from turret_pipeline.topics.edits import Edits

PROJECT_DIR = Path(__file__).resolve().parents[2]
DBT_DIR = PROJECT_DIR / "dbt_transforms"


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
    """Hash of this package's code and of the dbt models: other code may publish other numbers."""
    package = sorted((PROJECT_DIR / "turret_pipeline").rglob("*.py"))
    folders = (DBT_DIR / "models", DBT_DIR / "macros", DBT_DIR / "tests")
    models = [*sorted(DBT_DIR.glob("*.yml")), *sorted(file for folder in folders for file in folder.rglob("*.*"))]
    return hashlib.sha256(b"".join(file.read_bytes() for file in (*package, *models))).hexdigest()
