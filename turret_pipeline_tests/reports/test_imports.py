"""Commands that only read the published file load no more than they need."""

import subprocess
import sys
from collections.abc import Sequence

import pytest

HEAVY = ("dagster", "dbt", "great_expectations", "hdbscan", "matplotlib", "requests", "scipy", "sklearn", "torch")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "heavy"),
    [("turret_pipeline.cli", (*HEAVY, "numpy")), ("turret_pipeline.reports.published_tables", HEAVY)],
)
def test_heavy_libraries_are_not_loaded(module: str, heavy: Sequence[str]) -> None:
    code = f"import sys, {module}; print(sorted(set({heavy}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
