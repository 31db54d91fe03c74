"""The checks of built tables in Dagster, on a built file with planted faults."""

import uuid
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from turret_pipeline.config.pipeline import load_settings
from turret_pipeline.orchestration.asset_checks import table_checks
from turret_pipeline.orchestration.resources import build_workspace
from turret_pipeline.orchestration.specs import mart_key
from turret_pipeline.progress import SilentProgress
from turret_pipeline.quality.contracts import BUILT_TABLES
from turret_pipeline.storage.data_dir import DataDir
from turret_pipeline_tests.benchmarks.quality import write_tables


def check(data_dir: Path, faults: str, selection: dg.AssetSelection) -> dict[tuple[str, str], dg.AssetCheckEvaluation]:
    """The evaluations of the selected checks, on a built file after SQL that plants faults."""
    run_id = str(uuid.uuid4())
    build = DataDir(data_dir).warehouse.build_path(run_id)
    build.parent.mkdir(parents=True, exist_ok=True)
    write_tables(build, rows=20)
    with duckdb.connect(str(build)) as connection:
        connection.execute(faults)
    definitions = dg.Definitions(
        asset_checks=[table_checks],
        resources={"workspace": build_workspace(load_settings(data_dir=data_dir), SilentProgress())},
        jobs=[dg.define_asset_job("checks", selection=selection)],
    )
    job = definitions.resolve_job_def("checks")
    result = job.execute_in_process(run_id=run_id, raise_on_error=False)
    return {(found.asset_key.path[-1], found.check_name): found for found in result.get_asset_check_evaluations()}


FAULTS = """
update marts.topics set event_share = 1.5 where topic_id = 'topic_id-3';
update marts.sessions set event_count = null where session_id = 'session_id-1';
delete from marts.rejected_events;
update marts.source_files set row_count = 10, textless_exchange_count = 0
"""


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_faults_are_found_blocked_and_shown_on_the_page(tmp_path: Path) -> None:
    found = check(tmp_path, FAULTS, dg.AssetSelection.all_asset_checks())
    assert len(found) == 2 * len(BUILT_TABLES) + 2  # source_files has two that warn
    failed = {key: evaluation.description for key, evaluation in found.items() if not evaluation.passed}
    assert failed == {
        ("topics", "expectations"): r"event\_share is between 0 and 1: violated in 1 of 1,000 rows (values: 0 to 1.5).",
        ("sessions", "contract"): r"Column event\_count is null in 1 row.",
        ("sessions", "expectations"): "The values were not checked, because the table breaks its contract.",
    }
    assert all(found[key].blocking for key in failed)
    page = (tmp_path / "quality" / "index.html").read_text()
    assert "3 failed, 0 warnings" in page
    assert "<td>event_share is between 0 and 1</td>" in page
    assert "<td>violated in 1 of 1,000 rows (values: 0 to 1.5)</td>" in page


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_many_rejected_rows_are_a_warning_and_only_selected_checks_run(tmp_path: Path) -> None:
    reject = (
        "update marts.rejected_events set is_mended = false; update marts.source_files set row_count = 10, "
        "textless_exchange_count = if(source_file = 'source_file-3', 1, 0)"
    )
    found = check(tmp_path, reject, dg.AssetSelection.checks_for_assets(mart_key("source_files")))
    names = ("contract", "expectations", "few_rows_are_rejected", "few_exchanges_lack_text")
    assert found.keys() == {("source_files", name) for name in names}
    warning = found["source_files", "few_rows_are_rejected"]
    assert (warning.passed, warning.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert warning.description == "10.0% of the rows were rejected; table rejected\\_events lists the reasons."
    textless = found["source_files", "few_exchanges_lack_text"]
    assert (textless.passed, textless.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert textless.description == "5.0% of the events are exchanges without text, most of them in source\\_file-3."
    assert not (tmp_path / "quality" / "index.html").exists(), "a partial run keeps the report of the published file"
