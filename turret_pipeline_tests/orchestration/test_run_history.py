"""The history of runs is limited in the data folder's own Dagster home, and only there."""

from pathlib import Path

import dagster as dg
import pytest

from turret_pipeline.orchestration.run_history import prune_run_history


@dg.op
def work() -> None:
    """Do nothing."""


@dg.job
def job() -> None:
    """A job of one step."""
    work()


@dg.asset
def table() -> None:
    """A table with a check."""


@dg.asset_check(asset=table)
def is_whole() -> dg.AssetCheckResult:
    """A check that passes."""
    return dg.AssetCheckResult(passed=True)


def run_three_times(instance: dg.DagsterInstance) -> list[str]:
    return [job.execute_in_process(instance=instance).run_id for _ in range(3)]


@pytest.mark.slow
def test_only_the_latest_runs_stay(tmp_path: Path) -> None:
    (tmp_path / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        runs = run_three_times(instance)
        prune_run_history(instance, tmp_path, kept=2)
        assert set(instance.get_run_ids()) == set(runs[1:])
        assert {path.stem for path in (tmp_path / "history" / "runs").glob("*-*.db")} == set(runs[1:])


@pytest.mark.slow
def test_results_of_checks_stay_as_long_as_their_runs(tmp_path: Path) -> None:
    (tmp_path / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        runs = [dg.materialize([table, is_whole], instance=instance).run_id for _ in range(3)]
        prune_run_history(instance, tmp_path, kept=2)
        (key,) = is_whole.check_keys
        known = instance.event_log_storage.get_asset_check_execution_history(key, limit=10)
        assert {one.run_id for one in known} == set(runs[1:])


@pytest.mark.slow
@pytest.mark.parametrize("kept", [3, 50])
def test_a_short_history_is_complete(tmp_path: Path, kept: int) -> None:
    (tmp_path / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        runs = run_three_times(instance)
        prune_run_history(instance, tmp_path, kept)
        assert set(instance.get_run_ids()) == set(runs)


def test_the_history_of_another_dagster_home_is_not_ours(tmp_path: Path) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        runs = run_three_times(instance)
        prune_run_history(instance, tmp_path, kept=1)
        assert set(instance.get_run_ids()) == set(runs)
