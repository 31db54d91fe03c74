"""Every Dagster definition, assembled once.

Belongs here: the list. Not here: any asset's work.
"""

import datetime as dt
import functools

import dagster as dg

from turret_pipeline.config.pipeline import Settings, load_settings
from turret_pipeline.errors import TurretError
from turret_pipeline.orchestration.asset_checks import table_checks
from turret_pipeline.orchestration.assets.exchanges import exchanges
from turret_pipeline.orchestration.assets.ingestion import event_values, fields, ingest
from turret_pipeline.orchestration.assets.insights import insight
from turret_pipeline.orchestration.assets.journeys import journeys
from turret_pipeline.orchestration.assets.marts import make_marts
from turret_pipeline.orchestration.assets.publish import publish
from turret_pipeline.orchestration.assets.signals import signals
from turret_pipeline.orchestration.assets.topics import continuations, embeddings, texts, topics
from turret_pipeline.orchestration.dbt import prepare_manifest
from turret_pipeline.orchestration.logs import console_logger
from turret_pipeline.orchestration.process_environment import prepare_process
from turret_pipeline.orchestration.resources import build_workspace
from turret_pipeline.orchestration.sensors import landing_sensor
from turret_pipeline.orchestration.specs import mart_key
from turret_pipeline.progress import Progress, SilentProgress
from turret_pipeline.storage.data_dir import DataDir

JOB = "turret"


def build_definitions(settings: Settings, progress: Progress | None = None) -> dg.Definitions:
    """Assets, checks, job, schedule and sensor for these settings. Raises TurretError for an invalid schedule."""
    job = dg.define_asset_job(JOB, selection=dg.AssetSelection.all(), description="Landing files to published tables.")
    try:
        daily = dg.ScheduleDefinition(
            name="daily",
            job=job,
            cron_schedule=settings.schedule_cron,
            execution_timezone=settings.schedule_timezone,
            description="The whole graph, by default once a day.",
        )
    except dg.DagsterInvalidDefinitionError:
        raise TurretError(
            f"Invalid schedule_cron {settings.schedule_cron!r} (variable TURRET_SCHEDULE_CRON): "
            "use a cron expression, for example '15 2 * * *'."
        ) from None
    manifest = prepare_manifest(DataDir(settings.data_dir))
    return dg.Definitions(
        assets=[
            ingest,
            event_values,
            fields,
            texts,
            embeddings,
            topics,
            continuations,
            exchanges,
            signals,
            insight,
            journeys,
            make_marts(manifest),
            publish.map_asset_specs(functools.partial(_with_freshness, settings)),
        ],
        asset_checks=[table_checks],
        jobs=[job],
        schedules=[daily],
        sensors=[landing_sensor(settings, JOB)],
        resources={"workspace": build_workspace(settings, progress or SilentProgress())},
        executor=dg.in_process_executor,
        loggers={"console": console_logger},
    )


def _with_freshness(settings: Settings, spec: dg.AssetSpec) -> dg.AssetSpec:
    """The spec; the UI shows pipeline_runs as stale if no run has published for the hours that a setting allows."""
    if spec.key != mart_key("pipeline_runs"):
        return spec
    policy = dg.FreshnessPolicy.time_window(fail_window=dt.timedelta(hours=settings.freshness_hours))
    return spec.replace_attributes(freshness_policy=policy)


@dg.definitions
def defs() -> dg.Definitions:
    """The definitions that `dagster dev` and `dagster asset materialize` load, with the settings of the environment."""
    prepare_process()
    return build_definitions(load_settings())
