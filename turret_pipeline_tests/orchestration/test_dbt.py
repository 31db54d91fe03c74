"""The dbt project says what the contracts say, and its models compute what their unit tests expect."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import jinja2
import pytest
import yaml

from turret_pipeline.events.parsing import EVENT_PART_SCHEMA
from turret_pipeline.orchestration import dbt
from turret_pipeline.quality.contracts import BUILT_TABLES
from turret_pipeline.storage.data_dir import DataDir
from turret_pipeline.tables import LAKE_TABLES, Column, Table
from turret_pipeline_tests.commands import BIN, PROJECT, environment, warehouse
from turret_pipeline_tests.conftest import Job
from turret_pipeline_tests.orchestration.mart_properties import COMMAND, FOLDER, build_files, build_properties

DBT = PROJECT / "dbt_transforms"
LAKE_MODELS = DBT / "models" / "staging" / "lake"
COMPUTED = {"events": ["event_at::date as event_date"]}
"""Columns of staging models that the lake does not have."""
VISITS = Table(
    "visits",
    "One row per user and day.",
    ("user_id", "day"),
    (Column("user_id", "text", "Id of the user"), Column("day", "date", "Day of the visit")),
)


def load(path: Path) -> Any:  # noqa: ANN401
    return yaml.safe_load(path.read_text())


def described(entry: dict[str, Any]) -> tuple[str, dict[str, str]]:
    return entry["description"], {column["name"]: column["description"] for column in entry["columns"]}


def mart(name: str) -> dict[str, Any]:
    (model,) = load(FOLDER / f"{name}.yml")["models"]
    return dict(model)


def selected_columns(model: Path) -> list[str]:
    """The columns that a model selects before its from clause."""
    listed = model.read_text().split("select\n", 1)[1].split("\nfrom ", 1)[0]
    return [line.strip().removesuffix(",") for line in listed.splitlines()]


def test_the_properties_of_marts_are_up_to_date() -> None:
    committed = {path.name: path.read_text() for path in FOLDER.glob("*.yml")}
    outdated = [name for name, text in build_files().items() if committed.pop(name, None) != text]
    assert outdated == [], f"Run `{COMMAND}`."
    assert committed.keys() == {"unit_tests.yml"}


def test_properties_of_a_new_mart_are_those_of_its_contract() -> None:
    assert build_properties(VISITS, {}) == {
        "name": "visits",
        "description": "One row per user and day.",
        "data_tests": [
            {
                "primary_key": {
                    "name": "key_of_visits",
                    "description": "No two rows have the same user_id and day, and none of these is null.",
                    "arguments": {"columns": ["user_id", "day"]},
                }
            }
        ],
        "columns": [
            {"name": "user_id", "description": "Id of the user"},
            {"name": "day", "description": "Day of the visit"},
        ],
    }


def test_generated_properties_keep_the_tests_written_by_hand() -> None:
    written = {
        "description": "Outdated",
        "data_tests": [{"primary_key": {"name": "outdated"}}, "own_test"],
        "columns": [{"name": "removed"}, {"name": "day", "description": "Outdated", "data_tests": ["own_test"]}],
    }
    expected = build_properties(VISITS, {})
    expected["data_tests"].append("own_test")
    expected["columns"][1]["data_tests"] = ["own_test"]
    assert build_properties(VISITS, written) == expected


@pytest.mark.parametrize("name", sorted(LAKE_TABLES.keys() - {"texts"}))
def test_a_table_of_the_lake_is_a_source_with_a_staging_model_of_the_same_columns(name: str) -> None:
    table = LAKE_TABLES[name]
    (source,) = (entry for entry in sources() if entry["name"] == name)
    assert described(source) == (table.grain, {column.name: column.meaning for column in table.columns})
    (model,) = (entry for entry in load(LAKE_MODELS / "staging.yml")["models"] if entry["name"] == f"stg_{name}")
    assert model["description"] == table.grain
    expected = [*(column.name for column in table.columns), *COMPUTED.get(name, [])]
    assert selected_columns(LAKE_MODELS / f"stg_{name}.sql") == expected


def sources() -> list[dict[str, Any]]:
    (source,) = load(LAKE_MODELS / "sources.yml")["sources"]
    return list(source["tables"])


def test_the_parts_of_landing_files_are_a_source_with_columns_that_parts_have() -> None:
    (parts,) = (entry for entry in sources() if entry["name"] == "event_parts")
    columns = {column["name"] for column in parts["columns"]}
    assert columns - {"filename"} <= set(EVENT_PART_SCHEMA.names())
    assert columns - {"filename"} == {"line_number", "item_number", "metadata"}


def test_no_model_reads_files_by_itself_and_only_staging_reads_sources() -> None:
    for model in (DBT / "models").rglob("*.sql"):
        text = model.read_text()
        assert "read_parquet" not in text, model
        assert ("source(" in text) == (model.parent == LAKE_MODELS), model


def test_a_mart_selects_from_one_model() -> None:
    """Joins are in models of the folder intermediate."""
    for model in FOLDER.glob("*.sql"):
        text = model.read_text()
        assert (text.count("ref("), " join " in text) == (1, False), model


def data_tests() -> Iterator[tuple[str, dict[str, Any]]]:
    """All data tests of the project by table or file, with their properties."""
    for table in BUILT_TABLES:
        model = mart(table.name)
        for owner in (model, *model["columns"]):
            for test in owner.get("data_tests", []):
                yield table.name, next(iter(test.values()))
    for test in load(DBT / "tests" / "tests.yml")["data_tests"]:
        yield test["name"], test


def test_every_data_test_has_a_description() -> None:
    tests = list(data_tests())
    assert {path.stem for path in (DBT / "tests").glob("*.sql")} <= {name for name, _ in tests}
    assert [name for name, test in tests if not test["description"].endswith(".")] == []


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ("('a', 1), ('a', 2), ('b', 1)", []),
        ("('a', 1), ('a', 2), ('a', 1)", [("a", 1, 2)]),
        ("('a', 1), (null, 1)", [(None, 1, 1)]),
        ("('a', null), ('b', 2)", [("a", None, 1)]),
    ],
)
def test_a_key_that_is_null_or_repeated_is_found(rows: str, found: list[tuple[object, ...]]) -> None:
    macro = (DBT / "tests" / "generic" / "primary_key.sql").read_text()
    body = macro.split("%}", 1)[1].split("{% endtest")[0]
    query = jinja2.Template(body).render(model="keys", columns=["word", "number"])
    with duckdb.connect() as connection:
        connection.execute(f"create table keys as from (values {rows}) as keys(word, number)")
        assert connection.execute(query).fetchall() == found


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # dbt's
def test_a_dbt_command_that_cannot_start_fails_with_its_reason(tmp_path: Path) -> None:
    outcome = dbt.run_dbt(DataDir(tmp_path), ["build", "--nonsense"], tmp_path / "target")
    assert outcome.events == []
    assert outcome.failures == ["No such option '--nonsense'"]


def run_dbt(folder: Path, *arguments: str, extra: dict[str, str]) -> subprocess.CompletedProcess[str]:
    paths = ["--target-path", str(folder / "target"), "--log-path", str(folder / "logs")]
    command = [str(BIN / "dbt"), *arguments, *paths]
    return subprocess.run(command, cwd=DBT, env=environment(extra), capture_output=True, text=True, check=False)


def test_the_unit_tests_of_the_models_pass(sample_job: Job, tmp_path: Path) -> None:
    extra = {"DBT_LAKE_DIR": str(sample_job.data_dir / "lake"), "DBT_WAREHOUSE_FILE": str(tmp_path / "unit.duckdb")}
    done = run_dbt(tmp_path, "build", "--exclude-resource-type", "test", extra=extra)
    assert done.returncode == 0, done.stdout
    assert "20 unit tests" in done.stdout


def test_dbt_describes_the_published_file_without_changing_it(sample_job: Job, tmp_path: Path) -> None:
    published = warehouse(sample_job.data_dir)
    before = published.stat()
    done = run_dbt(tmp_path, "docs", "generate", "--target", "published", extra={"DBT_WAREHOUSE_FILE": str(published)})
    assert done.returncode == 0, done.stdout
    nodes = json.loads((tmp_path / "target" / "catalog.json").read_text())["nodes"]
    found = {name.removeprefix("model.turret."): list(node["columns"]) for name, node in nodes.items()}
    assert found == {table.name: [column.name for column in table.columns] for table in BUILT_TABLES}
    assert (published.stat().st_ino, published.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
