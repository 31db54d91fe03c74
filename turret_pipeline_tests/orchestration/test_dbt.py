"""The dbt project says what the contracts say, and its models compute what their unit tests expect."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from turret_pipeline.tables import LAKE_TABLES, MART_TABLES
from turret_pipeline_tests.commands import BIN, PROJECT, environment
from turret_pipeline_tests.conftest import Job

DBT = PROJECT / "dbt_transforms"


def described(entry: dict[str, Any]) -> tuple[str, dict[str, str]]:
    return entry["description"], {column["name"]: column["description"] for column in entry["columns"]}


@pytest.mark.parametrize("name", sorted(set(MART_TABLES) - {"pipeline_runs", "quality_checks"}))
def test_a_mart_is_described_as_in_its_contract(name: str) -> None:
    table = MART_TABLES[name]
    (model,) = yaml.safe_load((DBT / "models" / "marts" / f"{name}.yml").read_text())["models"]
    assert described(model) == (table.grain, {column.name: column.meaning for column in table.columns})


def test_the_sources_are_described_as_in_their_contracts() -> None:
    (source,) = yaml.safe_load((DBT / "models" / "staging" / "sources.yml").read_text())["sources"]
    for entry in source["tables"]:
        table = LAKE_TABLES[entry["name"]]
        assert described(entry) == (table.grain, {column.name: column.meaning for column in table.columns})


def test_the_unit_tests_of_the_models_pass(sample_job: Job, tmp_path: Path) -> None:
    extra = {"DBT_LAKE_DIR": str(sample_job.data_dir / "lake"), "DBT_WAREHOUSE_FILE": str(tmp_path / "unit.duckdb")}
    command = [str(BIN / "dbt"), "build", "--exclude-resource-type", "test", "--target-path", str(tmp_path / "target")]
    done = subprocess.run(
        [*command, "--log-path", str(tmp_path)],
        cwd=DBT,
        env=environment(extra),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "5 unit tests" in done.stdout
