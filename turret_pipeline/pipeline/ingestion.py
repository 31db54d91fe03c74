"""Assets of groups ingestion and fields: landing files to canonical events and typed metadata."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import polars as pl

from turret_pipeline.errors import TurretError
from turret_pipeline.events.reading import discover, has_event_file
from turret_pipeline.fields.changes import Before, type_changes
from turret_pipeline.fields.describe import describe_fields
from turret_pipeline.pipeline.resources import Workspace, now
from turret_pipeline.pipeline.specs import lake_spec, result
from turret_pipeline.tables import FIELD_TYPE_CHANGES, FIELDS

INGESTED = ("source_files", "rejected_events", "events", "event_values")


class IngestConfig(dg.Config):
    """How a run reads its input."""

    again: bool = False
    """Make everything anew even where no landing file, setting or code changed."""


@dg.multi_asset(specs=[lake_spec(table, "ingestion", skippable=True) for table in INGESTED], name="ingest")
def ingest(
    context: dg.AssetExecutionContext, config: IngestConfig, workspace: dg.ResourceParam[Workspace]
) -> Iterator[dg.MaterializeResult[None]]:
    """Read new landing files and join all parts; where nothing is new, everything after this is skipped."""
    read_new_files(workspace, context.log)
    if workspace.nothing_new() and not config.again:
        context.log.info("Nothing is new since the last published run: the published file stays as it is.")
        return
    tables = workspace.sources.canonical(workspace.settings.session_gap_minutes)
    frames = {table: workspace.lake.write(table, getattr(tables, table)) for table in INGESTED}
    files = frames["source_files"]
    for table, frame in frames.items():
        yield result(table, frame, **(_facts_of_events(frame, files) if table == "events" else _facts(table, frame)))


def read_new_files(workspace: Workspace, log: dg.DagsterLogManager) -> None:
    """Keep the parts of every input file that was not read yet. TurretError where there is nothing at all to read."""
    sources = workspace.sources
    new = sources.new_files(_input_files(workspace))
    log.info(f"{len(new)} new landing files, {len(sources.known())} known.")
    for sha, path in new.items():
        rows = workspace.progress.track(f"Reading {path.name}", None, sources.add(path, sha, now()))
        log.info(f"{path.name}: {rows:,} rows read.")


def _input_files(workspace: Workspace) -> list[Path]:
    settings = workspace.settings
    if settings.inputs:
        return discover(settings.inputs)
    landing = Path(settings.input_patterns[0])
    if has_event_file(landing):
        return discover([str(landing)])
    if not workspace.sources.known():
        raise TurretError(
            f"There is nothing to read: the landing folder {landing} has no event file. Put some there, or set "
            "TURRET_INPUTS (data/sample has an example)."
        )
    return []


def _facts(table: str, frame: pl.DataFrame) -> dict[str, object]:
    if table == "source_files":
        return {"rows_read": int(frame["row_count"].sum()), "rows_rejected": int(frame["rejected_count"].sum())}
    if table == "rejected_events":
        return {
            "reasons": frame.group_by("reason_code").len("rows").sort("rows", "reason_code", descending=[True, False])
        }
    return {}


def _facts_of_events(events: pl.DataFrame, files: pl.DataFrame) -> dict[str, object]:
    rows = int(files["row_count"].sum())
    return {
        "sessions": events["session_id"].n_unique(),
        "users": events["user_id"].drop_nulls().n_unique(),
        "first_event_at": str(events["event_at"].min()),
        "last_event_at": str(events["event_at"].max()),
        "rejected_share": int(files["rejected_count"].sum()) / max(rows, 1),
        "duplicate_share": int(files["duplicate_count"].sum()) / max(rows, 1),
        "event_names": events.group_by("event_name")
        .len("events")
        .sort("events", "event_name", descending=[True, False])
        .head(20),
    }


@dg.multi_asset(
    specs=[lake_spec(table, "fields", ["events", "event_values"]) for table in ("fields", "field_type_changes")],
    name="fields",
)
def fields(
    context: dg.AssetExecutionContext, workspace: dg.ResourceParam[Workspace]
) -> Iterator[dg.MaterializeResult[None]]:
    """Type every metadata field, and note which types changed since the last published run."""
    lake = workspace.lake
    values, events = lake.read("event_values"), lake.read("events")
    frame = lake.write("fields", describe_fields(values, events, workspace.field_types))
    before = Before(workspace.published_table(FIELDS), workspace.published_table(FIELD_TYPE_CHANGES))
    changes = type_changes(before, frame, values, events, context.run_id, now())
    lake.write("field_type_changes", changes)
    yield result("fields", frame, types=frame.select("field", "type", "reason"))
    of_this_run = changes.filter(pl.col("run_id") == context.run_id)
    yield result("field_type_changes", changes, changes_of_this_run=of_this_run.drop("run_id", "changed_at"))
