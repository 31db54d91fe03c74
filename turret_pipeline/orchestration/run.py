"""The whole graph in this process, and what came of it in words."""

import contextlib
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg
from dagster_shared.error import SerializableErrorInfo

from turret_pipeline.config.pipeline import Settings
from turret_pipeline.errors import TurretError
from turret_pipeline.orchestration.definitions import JOB, build_definitions
from turret_pipeline.progress import Progress

DAGSTER_YAML = "telemetry:\n  enabled: false\nnux:\n  enabled: false\n"


@dataclass(frozen=True)
class Outcome:
    """How a run ended. ``problems`` has a sentence for everything that stopped it."""

    is_success: bool
    is_published: bool
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def run_whole_graph(
    settings: Settings, progress: Progress, *, full_refresh: bool, refit: bool = False, log_level: str = "CRITICAL"
) -> Outcome:
    """Materialize everything; the run is kept in the data folder's Dagster home, where the UI finds it.

    ``full_refresh`` rebuilds every table even if nothing is new; ``refit`` finds all topics anew.
    """
    home = dagster_home(settings)
    definitions = build_definitions(settings, progress)
    with dg.DagsterInstance.from_config(str(home)) as instance, _quiet(log_level):
        result = definitions.resolve_job_def(JOB).execute_in_process(
            instance=instance,
            raise_on_error=False,
            run_config={
                "ops": {"ingest": {"config": {"full_refresh": full_refresh}}, "topics": {"config": {"refit": refit}}},
                "loggers": {"console": {"config": {"log_level": log_level}}},
            },
        )
    materialized = {event.asset_key.path[-1] for event in result.get_asset_materialization_events() if event.asset_key}
    is_published = result.success and "pipeline_runs" in materialized
    return Outcome(result.success, is_published, _distinct(_problems(result)), _distinct(_warnings(result)))


def dagster_home(settings: Settings) -> Path:
    """Where Dagster keeps the runs of a data folder, so that the UI shows those of the command line too."""
    home = settings.data_dir / "dagster"
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TurretError(f"The data folder {settings.data_dir} cannot be written: {error.strerror}.") from None
    if not (home / "dagster.yaml").exists():
        (home / "dagster.yaml").write_text(DAGSTER_YAML)
    return home


@contextlib.contextmanager
def _quiet(log_level: str) -> Iterator[None]:
    """Without dbt's own output, unless the person asked for the log."""
    if log_level != "CRITICAL":
        yield
        return
    # where nothing is new the checks are skipped with their tables, and Dagster warns of each that gave no result
    logging.getLogger("dagster._core.execution.plan.active").setLevel(logging.ERROR)
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        yield


def _distinct(sentences: Iterator[str]) -> list[str]:
    return list(dict.fromkeys(sentences))


def _problems(result: dg.ExecuteInProcessResult) -> Iterator[str]:
    for check in result.get_asset_check_evaluations():
        if not check.passed and check.severity == dg.AssetCheckSeverity.ERROR:
            yield _failed_check(check)
    for event in result.all_events:
        error = _error(event)
        if error is not None and error.cls_name != "DagsterAssetCheckFailedError":
            yield _sentence(error)


def _warnings(result: dg.ExecuteInProcessResult) -> Iterator[str]:
    for check in result.get_asset_check_evaluations():
        if not check.passed and check.severity != dg.AssetCheckSeverity.ERROR:
            yield _failed_check(check)


def _failed_check(check: dg.AssetCheckEvaluation) -> str:
    return f"The check {check.check_name} of table {check.asset_key.path[-1]} failed. {check.description or ''}".strip()


def _error(event: dg.DagsterEvent) -> SerializableErrorInfo | None:
    """The innermost error of an event that says something failed."""
    if event.is_step_failure:
        error = event.step_failure_data.error
    elif event.is_failure and event.event_type == dg.DagsterEventType.PIPELINE_FAILURE:
        error = event.job_failure_data.error
    else:
        error = event.engine_event_data.error if event.is_engine_event else None
    while error is not None and error.cause is not None and error.cls_name != TurretError.__name__:
        error = error.cause
    return error


def _sentence(error: SerializableErrorInfo) -> str:
    """An error of ours is a sentence; of another's, its class and the place say where to look."""
    message = error.message.strip()
    if error.cls_name == "DagsterExecutionInterruptedError":
        return "The run was interrupted; the next one goes on from where it stood."
    if error.cls_name in {TurretError.__name__, "Failure"}:
        return message.split(": ", 1)[-1]
    return f"{message}\n{''.join(error.stack[-3:])}"
