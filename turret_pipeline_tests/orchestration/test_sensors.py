"""The sensor of landing files."""

import datetime as dt
import json
import os
import time
from pathlib import Path

import dagster as dg
import pytest
from dagster import DagsterRunStatus

from turret_pipeline.config.pipeline import load_settings
from turret_pipeline.orchestration.definitions import JOB
from turret_pipeline.orchestration.sensors import QUIET_TIME, landing_sensor
from turret_pipeline_tests.ingest.imports import read_files, row


def landed(folder: Path, name: str, age: dt.timedelta = 2 * QUIET_TIME) -> Path:
    path = folder / "landing" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(row(name)))
    changed = time.time() - age.total_seconds()
    os.utime(path, (changed, changed))
    return path


def asked(folder: Path, instance: dg.DagsterInstance | None = None) -> str:
    """The key of the run that the sensor asks for, or why it asks for none."""
    sensor = landing_sensor(load_settings(data_dir=folder), JOB)
    with dg.build_sensor_context(instance=instance or dg.DagsterInstance.ephemeral()) as context:
        answer = sensor(context)
    assert isinstance(answer, dg.RunRequest | dg.SkipReason)
    return str(answer.run_key if isinstance(answer, dg.RunRequest) else answer.skip_message)


def test_no_files_ask_for_no_run(tmp_path: Path) -> None:
    assert asked(tmp_path) == "No new files."


def test_new_files_ask_for_a_run_once(tmp_path: Path) -> None:
    path = landed(tmp_path, "a.jsonl")
    key = asked(tmp_path)
    assert len(key) == 24
    assert asked(tmp_path) == key
    read_files(tmp_path, [path])
    assert asked(tmp_path) == "No new files."
    landed(tmp_path, "b.jsonl")
    assert asked(tmp_path) not in {key, "No new files."}


def test_a_file_that_is_being_written_is_waited_for(tmp_path: Path) -> None:
    landed(tmp_path, "b.jsonl", dt.timedelta())
    assert asked(tmp_path).endswith("b.jsonl changed a moment ago: waiting until it is complete.")
    landed(tmp_path, "a.jsonl")
    assert len(asked(tmp_path)) == 24  # one that is always written to does not hold the others up


def test_files_whose_run_failed_are_asked_for_once_more(tmp_path: Path) -> None:
    landed(tmp_path, "a.jsonl")
    with dg.DagsterInstance.ephemeral() as instance:
        key = asked(tmp_path, instance)
        instance.add_run(dg.DagsterRun(job_name=JOB, status=DagsterRunStatus.FAILURE))
        second = asked(tmp_path, instance)
        assert second != key
        assert asked(tmp_path, instance) == second


def test_an_input_that_is_not_there_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TURRET_INPUTS", str(tmp_path / "gone.jsonl"))
    assert "does not exist: check the path" in asked(tmp_path)


@pytest.mark.parametrize("status", [DagsterRunStatus.STARTING, DagsterRunStatus.STARTED])
def test_a_run_at_work_is_waited_for(tmp_path: Path, status: DagsterRunStatus) -> None:
    landed(tmp_path, "a.jsonl")
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_run(dg.DagsterRun(job_name=JOB, status=status))
        assert asked(tmp_path, instance) == "A run is in progress: new files wait for the next run."
