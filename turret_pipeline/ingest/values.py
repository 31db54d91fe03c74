"""The values of all events' metadata: taken from each part once, then put together for the events that count."""

import functools
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl

from turret_pipeline.fields.values import metadata_values
from turret_pipeline.ingest.parts import Sources
from turret_pipeline.ingest.spilling import parquet, spilling
from turret_pipeline.ingest.workers import in_parallel
from turret_pipeline.storage.atomic_files import atomic_replace
from turret_pipeline.storage.lake import Lake
from turret_pipeline.tables import EVENT_VALUES

_PLACE = ["line_number", "item_number"]


def take_values(sources: Sources) -> Iterator[int]:
    """Write the values of every part that has none yet; yields how many events each part has."""
    return in_parallel(_jobs(sources))


def _jobs(sources: Sources) -> Iterator[Callable[[], int]]:
    for file in map(Path, sources.part_files("events")):
        values = file.with_name(file.name.replace("events", "values"))
        if not values.exists():
            yield functools.partial(_take, file, values)


def _take(events: Path, values: Path) -> int:
    part = pl.read_parquet(events, columns=[*_PLACE, "metadata"], glob=False)
    places = part.select(_PLACE).with_row_index("row")
    found = metadata_values(part["metadata"]).join(places, on="row", how="left", maintain_order="left").drop("row")
    with atomic_replace(values) as aside:
        found.write_parquet(aside, compression="lz4")
    return part.height


def write_values(sources: Sources, lake: Lake) -> None:
    """Write the table ``event_values`` anew: of the parts' values those of the events that were kept, by field."""
    files = sources.part_files("values")
    if not files:
        lake.write("event_values", EVENT_VALUES.empty())
        return
    with spilling(lake) as connection:
        lake.copy(
            connection,
            "event_values",
            f"""
            select events.event_id, taken.field, taken.json_type, taken.value, taken.number
            from {parquet(files, "filename")} as taken
            join {parquet([str(lake.path("events"))], "file_row_number")} as events
                on events.content_sha256 = parse_path(taken.filename)[-2]
                and events.line_number = taken.line_number and events.item_number = taken.item_number
            order by taken.field, events.file_row_number""",
        )
