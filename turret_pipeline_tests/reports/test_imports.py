"""Commands that only read the published file load no more than they need."""

import subprocess
import sys

import pytest

HEAVY = ("dagster", "dbt", "great_expectations", "hdbscan", "matplotlib", "requests", "scipy", "sklearn", "torch")


@pytest.mark.slow
@pytest.mark.parametrize("module", ["turret_pipeline.cli", "turret_pipeline.reports.published_tables"])
def test_heavy_libraries_are_not_loaded(module: str) -> None:
    code = f"import sys, {module}; print(sorted(set({HEAVY}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
