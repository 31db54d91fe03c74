"""The sensor that starts the job when landing files arrive."""

import datetime as dt
import hashlib
from pathlib import Path

import dagster as dg
from dagster import DagsterRunStatus, RunsFilter
from upath import UPath

from turret_pipeline.clock import now
from turret_pipeline.config.pipeline import Settings
from turret_pipeline.errors import TurretError
from turret_pipeline.ingest.discovery import discover, event_files
from turret_pipeline.ingest.parts import PartStore
from turret_pipeline.ingest.source_files import file_signature, modification_time
from turret_pipeline.storage.data_dir import DataDir

INTERVAL_SECONDS = 30
QUIET_TIME = dt.timedelta(seconds=10)
"""A file that changed more recently is probably still being written."""

_FAILED = [DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED]
"""After a failed run, the same files are requested once more."""

_RUNNING = [DagsterRunStatus.QUEUED, DagsterRunStatus.STARTING, DagsterRunStatus.STARTED]


def landing_sensor(settings: Settings, job_name: str) -> dg.SensorDefinition:
    """A sensor that requests a run for files that no run has read, once for the same files."""

    @dg.sensor(
        name="new_landing_files",
        job_name=job_name,
        minimum_interval_seconds=INTERVAL_SECONDS,
        description="Starts the job when files arrive in the inputs.",
    )
    def new_landing_files(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        try:
            waiting = _find_new_files(settings)
        except TurretError as error:
            return dg.SkipReason(str(error))
        files = [path for path in waiting if now() - modification_time(path) >= QUIET_TIME]
        if not files:
            writing = f"{waiting[0]} changed a moment ago: waiting until it is complete." if waiting else ""
            return dg.SkipReason(writing or "No new files.")
        if context.instance.get_run_ids(RunsFilter(job_name=job_name, statuses=_RUNNING), limit=1):
            return dg.SkipReason("A run is in progress: new files wait for the next run.")
        failed = context.instance.get_run_records(RunsFilter(job_name=job_name, statuses=_FAILED), limit=1)
        asked = [*sorted(map(file_signature, files)), *(record.dagster_run.run_id for record in failed)]
        key = hashlib.sha256("\n".join(asked).encode()).hexdigest()[:24]
        return dg.RunRequest(run_key=key, tags={"new_files": str(len(files))})

    return new_landing_files


def _find_new_files(settings: Settings) -> list[Path | UPath]:
    """Input files that were not read yet; none if the landing folder is empty."""
    if not settings.inputs and not any(event_files(Path(settings.input_patterns[0]))):
        return []
    data = DataDir(settings.data_dir)
    data.read_format_version()
    return PartStore(data.parts).new_files(discover(settings.input_patterns), by_content=False)
