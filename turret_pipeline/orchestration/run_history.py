"""The history of runs in the data folder's Dagster home, limited to the latest ones."""

from pathlib import Path

import dagster as dg
from dagster import DagsterRunStatus, RunsFilter

from turret_pipeline.storage.atomic_files import remove

FINISHED = [DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED]


def prune_run_history(instance: dg.DagsterInstance, home: Path, kept: int) -> None:
    """Delete all finished runs in ``home`` with their events and logs, except the latest ``kept``.

    Does nothing for another Dagster home, which may hold runs of other projects. Table pipeline_runs is not affected.
    """
    if Path(instance.root_directory) != home:
        return
    finished = instance.get_run_records(RunsFilter(statuses=FINISHED))  # latest first
    for run_id in (record.dagster_run.run_id for record in finished[kept:]):
        instance.delete_run(run_id)
        remove(home / "history" / "runs" / f"{run_id}.db")  # Dagster empties its tables, but leaves the file
        remove(home / "storage" / run_id)
