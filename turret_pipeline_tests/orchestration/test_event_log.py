"""Dagster's log of a run whose files are held open: the same files as Dagster's own log, for its UI to read."""

import shutil
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster import DagsterEventType

from turret_pipeline.errors import FaultError
from turret_pipeline.orchestration.dagster_home import create_dagster_home, open_history
from turret_pipeline.orchestration.event_log import HeldEventLog
from turret_pipeline.storage.data_dir import DataDir


@dg.asset
def number() -> int:
    return 1


@dg.asset_check(asset=number)
def is_one() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=True)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return create_dagster_home(DataDir(tmp_path))


def materialize(home: Path) -> tuple[str, list[DagsterEventType | None]]:
    """Id of a run, and its events while their files are held open."""
    with open_history(home) as instance:
        run_id = dg.materialize([number, is_one], instance=instance).run_id
        return run_id, list_events(instance, run_id)


def list_events(instance: dg.DagsterInstance, run_id: str) -> list[DagsterEventType | None]:
    logs = instance.all_logs(run_id)
    return [line.dagster_event.event_type if line.dagster_event else None for line in logs]


def read_with_dagsters_own_log(home: Path, run_id: str) -> list[DagsterEventType | None]:
    with dg.DagsterInstance.from_config(str(home)) as instance:
        assert not isinstance(instance.event_log_storage, HeldEventLog)
        materialization = instance.get_latest_materialization_event(number.key)
        assert materialization is not None
        assert materialization.run_id == run_id
        (check,) = instance.event_log_storage.get_latest_asset_check_execution_by_key(list(is_one.check_keys)).values()
        assert check.run_id == run_id
        return list_events(instance, run_id)


def test_dagsters_own_log_reads_every_event_of_two_runs(home: Path) -> None:
    for _ in range(2):
        run_id, held = materialize(home)
        assert DagsterEventType.ASSET_CHECK_EVALUATION in held
        assert read_with_dagsters_own_log(home, run_id) == held
    assert not list(home.rglob("*.db-wal")), "all files are closed"


def test_a_copy_made_in_the_middle_of_a_run_has_the_events_until_then(home: Path, tmp_path: Path) -> None:
    """As a killed process leaves the files."""
    with open_history(home) as instance:
        run_id = dg.materialize([number, is_one], instance=instance).run_id
        held = list_events(instance, run_id)
        killed = shutil.copytree(home, tmp_path / "killed")
    assert read_with_dagsters_own_log(killed, run_id) == held


def test_a_deleted_run_leaves_no_file_behind(home: Path) -> None:
    run_id, _ = materialize(home)
    with open_history(home) as instance:
        instance.delete_run(run_id)
        (home / "history" / "runs" / f"{run_id}.db").unlink()
        assert not list(home.rglob(f"{run_id}.db*"))


def test_a_log_that_a_person_put_elsewhere_stays_there(home: Path, tmp_path: Path) -> None:
    storage = {"sqlite": {"base_dir": str(tmp_path / "elsewhere")}}
    (home / "dagster.yaml").write_text(yaml.safe_dump({"storage": storage}))
    run_id, _ = materialize(home)
    assert list((tmp_path / "elsewhere").rglob(f"{run_id}.db"))
    assert not list(home.rglob(f"{run_id}.db"))


def test_wrong_settings_are_named(home: Path) -> None:
    (home / "dagster.yaml").write_text("event_log_storage: {module: nowhere}\n")
    with pytest.raises(FaultError, match=r"settings of Dagster in .* are invalid"):
        open_history(home)
