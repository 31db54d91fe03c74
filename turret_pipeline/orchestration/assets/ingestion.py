"""Assets of groups ingestion and fields: landing files to canonical events and typed metadata."""

from collections.abc import Iterator

import dagster as dg
import polars as pl

from turret_pipeline.clock import now
from turret_pipeline.erasure.erase import canonical_options, erase, needs_erasure
from turret_pipeline.fields.changes import PublishedFields, build_type_changes
from turret_pipeline.fields.describe import describe_fields
from turret_pipeline.ingest.canonical import write_canonical
from turret_pipeline.ingest.new_files import read_new_files
from turret_pipeline.ingest.values import extract_part_values, write_values
from turret_pipeline.orchestration.resources import Workspace
from turret_pipeline.orchestration.run_history import erase_run_history
from turret_pipeline.orchestration.specs import lake_spec, result
from turret_pipeline.orchestration.subsets import stage_assets
from turret_pipeline.storage.lake import Lake
from turret_pipeline.tables import FIELD_TYPE_CHANGES, FIELDS

INGESTED = ("source_files", "rejected_events", "events", "identities", "scrubbed_values")
FILES_SHOWN = 50
"""Number of files whose counts a run shows, latest first."""


class IngestConfig(dg.Config):
    """Options of a run for its input."""

    full_refresh: bool = False
    """Rebuild everything, even if no landing file, setting or code changed."""


@stage_assets("ingest", [lake_spec(table, "ingestion", skippable=True) for table in INGESTED])
def ingest(
    context: dg.AssetExecutionContext, config: IngestConfig, workspace: Workspace
) -> Iterator[dg.MaterializeResult[None]]:
    """Read new landing files and combine all parts. If nothing is new, the assets downstream are skipped."""
    settings, progress = workspace.settings, workspace.progress
    is_repaired = read_new_files(settings, workspace.data, progress, context.log.info, workspace.shard_engine)
    _erase(context, workspace)
    if workspace.is_up_to_date() and not (config.full_refresh or is_repaired or workspace.was_repaired):
        context.log.info("Nothing is new since the last published run: the published file stays unchanged.")
        workspace.share(is_final=True)
        return
    workspace.share()
    lake = workspace.lake
    with workspace.progress.during("Putting events in order"):
        write_canonical(workspace.parts, lake, canonical_options(workspace.settings))
    files = lake.read("source_files")
    yield result("source_files", files.height, **_facts_of_files(files))
    yield result("rejected_events", _height(lake, "rejected_events"), reasons=_reasons(lake))
    yield result("scrubbed_values", _height(lake, "scrubbed_values"), values=_scrubbed(lake))
    yield result("identities", _height(lake, "identities"))
    yield result("events", _height(lake, "events"), **_facts_of_events(lake.scan("events"), files))


def _erase(context: dg.AssetExecutionContext, workspace: Workspace) -> None:
    """Erase what tombstones and retention are about, and the history of earlier runs, which may quote it."""
    data, settings = workspace.data, workspace.settings
    if not needs_erasure(data, settings):
        return
    with workspace.progress.during("Erasing"):
        counts = erase(data, settings, context.run.run_id)
        if counts is None:
            return
        erase_run_history(data.dagster_home, context.run.run_id)
    context.log.info(f"Erased {counts.event_count:,} events and {counts.row_count:,} rows of files.")


def _height(lake: Lake, table: str) -> int:
    height: int = lake.scan(table).select(pl.len()).collect().item()
    return height


def _facts_of_files(files: pl.DataFrame) -> dict[str, object]:
    counts = ("row_count", "accepted_count", "duplicate_count", "superseded_count", "rejected_count", "late_count")
    latest = files.sort("ingested_at", "source_file", descending=[True, False]).head(FILES_SHOWN)
    return {
        "rows_read": int(files["row_count"].sum()),
        "rows_rejected": int(files["rejected_count"].sum()),
        "files": latest.select("source_file", "source_format", *counts, "first_event_at", "last_event_at"),
    }


def _reasons(lake: Lake) -> pl.DataFrame:
    rejected = lake.scan("rejected_events").group_by("reason_code").len("rows")
    return rejected.sort("rows", "reason_code", descending=[True, False]).collect()


def _scrubbed(lake: Lake) -> pl.DataFrame:
    """Number of scrubbed values by field and kind."""
    counts = lake.scan("scrubbed_values").group_by("field", "kind").agg(pl.col("value_count").sum())
    return counts.sort("value_count", "field", "kind", descending=[True, False, False]).collect()


def _facts_of_events(events: pl.LazyFrame, files: pl.DataFrame) -> dict[str, object]:
    rows = max(int(files["row_count"].sum()), 1)
    facts = events.select(
        pl.col("session_id").n_unique().alias("sessions"),
        pl.col("user_id").drop_nulls().n_unique().alias("users"),
        pl.col("event_at").min().cast(pl.String).alias("first_event_at"),
        pl.col("event_at").filter(~pl.col("is_time_ahead")).max().cast(pl.String).alias("last_event_at"),
        *(pl.col(name).mean().fill_null(0).alias(name.replace("is_", "") + "_share") for name in _MARKS),
        (pl.lit(int(files["late_count"].sum())) / pl.len()).fill_nan(0).alias("late_share"),
    )
    names = events.group_by("event_name").len("events").sort("events", "event_name", descending=[True, False]).head(20)
    return {
        **facts.collect().row(0, named=True),
        "rejected_share": int(files["rejected_count"].sum()) / rows,
        "duplicate_share": int(files["duplicate_count"].sum()) / rows,
        "event_names": names.collect(),
    }


_MARKS = ("is_time_assumed", "is_zone_assumed", "is_time_ahead", "is_session_derived")


@dg.multi_asset(specs=[lake_spec("event_values", "fields", ["events"])], name="event_values")
def event_values(context: dg.AssetExecutionContext, workspace: Workspace) -> dg.MaterializeResult[None]:
    """Extract the values of new parts, and combine those of all events."""
    workspace.progress.track("Reading metadata", None, extract_part_values(workspace.parts))
    with workspace.progress.during("Putting metadata in order"):
        sentence = write_values(workspace.parts, workspace.lake, workspace.settings.field_limit)
    if sentence:
        context.log.info(sentence)
        workspace.progress.say(sentence)
    return result("event_values", _height(workspace.lake, "event_values"))


@stage_assets(
    "fields", [lake_spec(table, "fields", ["events", "event_values"]) for table in ("fields", "field_type_changes")]
)
def fields(context: dg.AssetExecutionContext, workspace: Workspace) -> Iterator[dg.MaterializeResult[None]]:
    """Detect the type of every metadata field, and record types that changed since the last published run."""
    lake = workspace.lake
    values, events = lake.scan("event_values"), lake.read("events", "event_id", "event_at")
    before = PublishedFields(
        workspace.data.warehouse.read_table(FIELDS), workspace.data.warehouse.read_table(FIELD_TYPE_CHANGES)
    )
    frame = lake.write("fields", describe_fields(values, events, workspace.overridden_types, before.detected_types))
    changes = build_type_changes(before, frame, values, events, context.run.run_id, now())
    lake.write("field_type_changes", changes)
    yield result("fields", frame, types=frame.select("field", "type", "reason"))
    of_this_run = changes.filter(pl.col("run_id") == context.run.run_id)
    yield result("field_type_changes", changes, changes_of_this_run=of_this_run.drop("run_id", "changed_at"))
