"""Landing files with given rows, read into a lake."""

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from turret_pipeline.events.parsing import ParseOptions
from turret_pipeline.ingest.canonical import CanonicalOptions, write_canonical
from turret_pipeline.ingest.parts import Ingestion, PartStore
from turret_pipeline.ingest.values import extract_part_values, write_values
from turret_pipeline.storage.lake import Lake

NOON = dt.datetime(2024, 5, 1, 12, tzinfo=dt.UTC)
READ_AT = dt.datetime(2024, 6, 1, tzinfo=dt.UTC)
FILE_TIME = dt.datetime(2024, 5, 31, tzinfo=dt.UTC)


def at(minutes: float) -> str:
    """The time this many minutes after noon."""
    return (NOON + dt.timedelta(minutes=minutes)).isoformat()


def row(event_id: str | None, minutes: float = 0, **given: object) -> dict[str, Any]:
    """An input row, without a session unless given."""
    return {"event_id": event_id, "name": "asked", "timestamp": at(minutes), "user_id": "u1"} | given


def write_files(folder: Path, files: Mapping[str, Sequence[object]]) -> list[Path]:
    """Write files of JSON lines, strings as they are, and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, rows in files.items():
        paths.append(folder / name)
        lines = [line if isinstance(line, str) else json.dumps(line) for line in rows]
        paths[-1].write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return paths


def read_files(
    root: Path, paths: Iterable[Path], options: ParseOptions | None = None, ingestion: Ingestion | None = None
) -> tuple[PartStore, int]:
    """The parts of the files, and the number of rows that were new."""
    parts = PartStore(root / "lake" / "parts")
    count = 0
    for path in parts.new_files(list(paths)):
        count += sum(parts.add(path, options or ParseOptions(FILE_TIME), ingestion or Ingestion(READ_AT)))
    return parts, count


def build_lake(
    root: Path, paths: Iterable[Path], options: CanonicalOptions | None = None, field_limit: int = 2000
) -> Lake:
    """The lake of these files, read in their order."""
    parts, _ = read_files(root, paths)
    lake = Lake(root / "lake")
    write_canonical(parts, lake, options or CanonicalOptions())
    sum(extract_part_values(parts))
    write_values(parts, lake, field_limit)
    return lake


def import_rows(
    root: Path,
    files: Mapping[str, Sequence[object]],
    options: CanonicalOptions | None = None,
    field_limit: int = 2000,
) -> Lake:
    """The lake of files with these rows, read in their order."""
    return build_lake(root, write_files(root / "landing", files), options, field_limit)


def row_counts(lake: Lake) -> list[tuple[Any, ...]]:
    """File name; number of rows, and of accepted, duplicate and rejected ones."""
    names = ("source_file", "row_count", "accepted_count", "duplicate_count", "rejected_count")
    files = lake.read("source_files").select(pl.col("source_file").str.split("/").list.last(), *names[1:])
    return files.rows()
