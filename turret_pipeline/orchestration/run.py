"""Runs of the whole graph in this process, and their outcome as sentences."""

import contextlib
import itertools
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg
from dagster_shared.error import SerializableErrorInfo

from turret_pipeline.config.pipeline import Settings
from turret_pipeline.errors import FaultError, TurretError
from turret_pipeline.escaping import unescape_markdown
from turret_pipeline.faults import describe_fault
from turret_pipeline.orchestration.dagster_home import create_dagster_home, find_damaged_history, open_history
from turret_pipeline.orchestration.definitions import JOB, build_definitions
from turret_pipeline.orchestration.logs import drop_output
from turret_pipeline.private_files import keeping_files_private
from turret_pipeline.progress import Progress, SilentProgress
from turret_pipeline.storage.damage import find_folders_in_place_of_files, repair_all
from turret_pipeline.storage.data_dir import DataDir

_MESSAGES = {TurretError.__name__, FaultError.__name__}
"""Classes of errors whose message is for people."""


@dataclass(frozen=True)
class Outcome:
    """Outcome of a run. ``problems`` has one sentence for each thing that stopped it."""

    is_success: bool
    is_published: bool
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def run_whole_graph(
    settings: Settings, progress: Progress, *, full_refresh: bool, refit: bool = False, log_level: str = "CRITICAL"
) -> Outcome:
    """Materialize all assets; the run is recorded in the data folder's Dagster home, where the UI finds it.

    ``full_refresh`` rebuilds every table even if nothing is new; ``refit`` finds all topics from scratch.
    """
    with keeping_files_private(), progress.during("Loading the graph"):
        home = prepare_dagster_home(settings, progress)
        definitions = build_definitions(settings, progress)
    with keeping_files_private(), open_history(home) as instance, _silence_output(log_level):
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


def prepare_dagster_home(settings: Settings, progress: Progress | None = None) -> Path:
    """Dagster's home in the data folder, created if needed, so that the UI also shows runs of the command line.

    A damaged history begins anew, with a warning.
    """
    data = DataDir(settings.data_dir)
    data.read_format_version()
    data.make_folder(data.dagster_home)
    home = data.dagster_home
    damage = itertools.chain(find_folders_in_place_of_files(home), find_damaged_history(home))
    repair_all(damage, lambda sentence: (progress or SilentProgress()).say(f"Warning: {sentence}"))
    return create_dagster_home(data)


@contextlib.contextmanager
def _silence_output(log_level: str) -> Iterator[None]:
    """Hide dbt's own output, unless the person asked for the log."""
    if log_level != "CRITICAL":
        yield
        return
    # if nothing is new, the checks are skipped with their tables, and Dagster warns about each check without a result
    logging.getLogger("dagster._core.execution.plan.active").setLevel(logging.ERROR)
    with drop_output():
        yield


def _distinct(sentences: Iterator[str]) -> list[str]:
    return list(dict.fromkeys(sentences))


def _problems(result: dg.ExecuteInProcessResult) -> Iterator[str]:
    for check in result.get_asset_check_evaluations():
        if not check.passed and check.severity == dg.AssetCheckSeverity.ERROR:
            yield _describe_failed_check(check)
    for event in result.all_events:
        error = _innermost_error(event)
        if error is not None and error.cls_name != "DagsterAssetCheckFailedError":
            yield _describe_error(error)


def _warnings(result: dg.ExecuteInProcessResult) -> Iterator[str]:
    for check in result.get_asset_check_evaluations():
        if not check.passed and check.severity != dg.AssetCheckSeverity.ERROR:
            yield _describe_failed_check(check)


def _describe_failed_check(check: dg.AssetCheckEvaluation) -> str:
    description = unescape_markdown(check.description or "")
    return f"Check {check.check_name} of table {check.asset_key.path[-1]} failed. {description}".strip()


def _innermost_error(event: dg.DagsterEvent) -> SerializableErrorInfo | None:
    """The innermost error of a failure event; None for other events."""
    if event.is_step_failure:
        error = event.step_failure_data.error
    elif event.is_failure and event.event_type == dg.DagsterEventType.PIPELINE_FAILURE:
        error = event.job_failure_data.error
    else:
        error = event.engine_event_data.error if event.is_engine_event else None
    while error is not None and error.cause is not None and error.cls_name not in _MESSAGES:
        error = error.cause
    return error


def _describe_error(error: SerializableErrorInfo) -> str:
    """The message of a TurretError; for any other error its class, message and place in the code."""
    message = error.message.strip()
    if error.cls_name == "DagsterExecutionInterruptedError":
        return "The run was interrupted. The next run continues from there."
    if error.cls_name in {*_MESSAGES, "Failure"}:
        return message.split(": ", 1)[-1]
    if sentence := describe_fault(error.cls_name or "", message):
        return sentence
    return f"{message}\n{''.join(error.stack[-3:])}"
