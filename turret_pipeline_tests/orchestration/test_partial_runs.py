"""Runs of some assets: they work or say what is missing, and never publish."""

import shutil
from pathlib import Path

import dagster as dg
import pytest

from turret_pipeline.config.pipeline import load_settings
from turret_pipeline.orchestration.definitions import JOB, build_definitions
from turret_pipeline.quality.contracts import BUILT_TABLES
from turret_pipeline_tests.commands import conversations, prepare_data_dir, warehouse, write_events

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of dagster-dbt and Great Expectations
    pytest.mark.filterwarnings("ignore::dagster.BetaWarning"),  # of the selection of a group
]


@pytest.fixture(scope="module")
def folder(small_job: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of a published folder."""
    return shutil.copytree(small_job, tmp_path_factory.mktemp("partial") / "data")


def materialize(data_dir: Path, selection: str) -> dg.ExecuteInProcessResult:
    """The result of a run of what `dagster asset materialize --select` would select."""
    prepare_data_dir(data_dir)
    definitions = build_definitions(load_settings(data_dir=data_dir))
    selected = dg.AssetSelection.from_string(selection).resolve(definitions.resolve_asset_graph())
    return definitions.resolve_job_def(JOB).execute_in_process(
        asset_selection=list(selected),
        raise_on_error=False,
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
    )


def materialized(result: dg.ExecuteInProcessResult) -> set[str]:
    return {event.asset_key.to_user_string() for event in result.get_asset_materialization_events() if event.asset_key}


def failure(result: dg.ExecuteInProcessResult) -> str:
    (event,) = (event for event in result.all_events if event.is_step_failure)
    error = event.step_failure_data.error
    while error is not None and error.cause is not None:
        error = error.cause
    assert error is not None
    return error.message


@pytest.mark.parametrize(
    ("selection", "written"),
    [
        ("lake/fields", {"fields", "field_type_changes"}),
        ("lake/topic_definitions", {"topic_definitions", "text_topics", "topic_runs", "topic_lineage"}),
    ],
)
def test_one_table_of_a_stage_is_written_with_its_siblings(folder: Path, selection: str, written: set[str]) -> None:
    published = warehouse(folder).read_bytes()
    result = materialize(folder, selection)
    assert result.success
    assert materialized(result) == {f"lake/{name}" for name in written}
    assert warehouse(folder).read_bytes() == published


def test_events_are_read_without_the_rest(tmp_path: Path) -> None:
    write_events(tmp_path / "data" / "landing" / "a.jsonl", conversations())
    result = materialize(tmp_path / "data", "lake/events")
    assert result.success
    assert materialized(result) == {
        f"lake/{name}" for name in ("events", "identities", "rejected_events", "scrubbed_values", "source_files")
    }


def test_a_group_of_marts_is_built_and_checked_but_not_published(folder: Path) -> None:
    published = warehouse(folder).read_bytes()
    result = materialize(folder, "group:marts")
    assert result.success
    assert materialized(result) == {f"marts/{table.name}" for table in BUILT_TABLES}
    assert warehouse(folder).read_bytes() == published


def test_one_mart_is_built_and_checked_but_not_published(folder: Path) -> None:
    published = warehouse(folder).read_bytes()
    result = materialize(folder, "marts/event_topics")
    assert result.success
    assert materialized(result) == {"marts/event_topics"}
    checks = {check.check_name for check in result.get_asset_check_evaluations() if check.passed}
    assert {"contract", "expectations", "key_of_event_topics"} <= checks
    assert warehouse(folder).read_bytes() == published


def test_a_run_that_left_tables_out_publishes_nothing_and_says_so(folder: Path) -> None:
    published = warehouse(folder).read_bytes()
    result = materialize(folder, "marts/pipeline_runs")
    assert not result.success
    assert "Nothing is published: a run must make and check all tables" in failure(result)
    assert "Materialize all assets, with `--select '*'` on the command line." in failure(result)
    assert warehouse(folder).read_bytes() == published


def test_a_mart_without_a_lake_says_what_to_materialize_first(tmp_path: Path) -> None:
    assert "Materialize the lake first" in failure(materialize(tmp_path / "data", "marts/topics"))


def test_a_stage_without_its_input_names_the_missing_table(tmp_path: Path) -> None:
    assert "materialize the asset fields first" in failure(materialize(tmp_path / "data", "lake/texts"))
