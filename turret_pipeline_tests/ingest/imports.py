"""Files of literal rows, read into a lake."""

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from turret_pipeline.events.parsing import ParseOptions
from turret_pipeline.ingest.canonical import Rules, write_canonical
from turret_pipeline.ingest.parts import Arrival, Sources
from turret_pipeline.ingest.values import take_values, write_values
from turret_pipeline.storage.lake import Lake

NOON = dt.datetime(2024, 5, 1, 12, tzinfo=dt.UTC)
READ_AT = dt.datetime(2024, 6, 1, tzinfo=dt.UTC)
FILE_TIME = dt.datetime(2024, 5, 31, tzinfo=dt.UTC)


def at(minutes: float) -> str:
    """A time so many minutes from noon."""
    return (NOON + dt.timedelta(minutes=minutes)).isoformat()


def row(event_id: str | None, minutes: float = 0, **given: object) -> dict[str, Any]:
    """An input row; the session is missing unless given."""
    return {"event_id": event_id, "name": "asked", "timestamp": at(minutes), "user_id": "u1"} | given


def written(folder: Path, files: Mapping[str, Sequence[object]]) -> list[Path]:
    """Files of JSON lines; text is written as it is."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, rows in files.items():
        paths.append(folder / name)
        lines = [line if isinstance(line, str) else json.dumps(line) for line in rows]
        paths[-1].write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return paths


def read(
    root: Path, paths: Iterable[Path], reading: ParseOptions | None = None, arrival: Arrival | None = None
) -> tuple[Sources, int]:
    """The sources with these files read, and how many rows were new."""
    sources = Sources(root / "lake" / "parts")
    count = 0
    for path in sources.unseen(list(paths)):
        count += sum(sources.add(path, reading or ParseOptions(FILE_TIME), arrival or Arrival(READ_AT)))
    return sources, count


def lake_of(root: Path, paths: Iterable[Path], rules: Rules | None = None) -> Lake:
    """The lake of these files, read in their order."""
    sources, _ = read(root, paths)
    lake = Lake(root / "lake")
    write_canonical(sources, lake, rules or Rules())
    sum(take_values(sources))
    write_values(sources, lake)
    return lake


def imported(root: Path, files: Mapping[str, Sequence[object]], rules: Rules | None = None) -> Lake:
    """The lake of files of these rows, read in their order."""
    return lake_of(root, written(root / "landing", files), rules)


def counts(lake: Lake) -> list[tuple[Any, ...]]:
    """File; rows, accepted, duplicate, rejected."""
    names = ("source_file", "row_count", "accepted_count", "duplicate_count", "rejected_count")
    files = lake.read("source_files").select(pl.col("source_file").str.split("/").list.last(), *names[1:])
    return files.rows()
