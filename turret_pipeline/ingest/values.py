"""Metadata values of all events: extracted once per part, then joined with the events of the lake."""

import functools
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl

from turret_pipeline.fields.values import metadata_values
from turret_pipeline.ingest.parts import PartStore
from turret_pipeline.ingest.scratch_database import open_scratch_database, read_parquet_sql
from turret_pipeline.ingest.workers import run_in_parallel
from turret_pipeline.storage.atomic_files import atomic_replace
from turret_pipeline.storage.lake import Lake
from turret_pipeline.tables import EVENT_VALUES

_POSITION = ["line_number", "item_number"]


def extract_part_values(parts: PartStore) -> Iterator[int]:
    """Write the values of every part that lacks them, and yield the number of events of each such part."""
    return run_in_parallel(_extraction_jobs(parts))


def _extraction_jobs(parts: PartStore) -> Iterator[Callable[[], int]]:
    for file in map(Path, parts.part_files("events")):
        values = file.with_name(file.name.replace("events", "values"))
        if not values.exists():
            yield functools.partial(_extract_values, file, values)


def _extract_values(events: Path, values: Path) -> int:
    part = pl.read_parquet(events, columns=[*_POSITION, "metadata"], glob=False)
    positions = part.select(_POSITION).with_row_index("row")
    found = metadata_values(part["metadata"]).join(positions, on="row", how="left", maintain_order="left").drop("row")
    with atomic_replace(values) as aside:
        found.write_parquet(aside, compression="lz4")
    return part.height


def write_values(parts: PartStore, lake: Lake) -> None:
    """Write the table ``event_values``: the values of all events in the lake, by field and event."""
    files = parts.part_files("values")
    if not files:
        lake.write("event_values", EVENT_VALUES.empty())
        return
    with open_scratch_database(lake) as connection:
        lake.copy(
            connection,
            "event_values",
            f"""
            select events.event_id, part.field, part.json_type, part.value, part.number
            from {read_parquet_sql(files, "filename")} as part
            join {read_parquet_sql([str(lake.path("events"))], "file_row_number")} as events
                on events.content_sha256 = parse_path(part.filename)[-2]
                and events.line_number = part.line_number and events.item_number = part.item_number
            order by part.field, events.file_row_number""",
        )
