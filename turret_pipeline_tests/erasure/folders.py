"""Small data folders, read and erased without a run."""

import datetime as dt
import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import polars as pl

from turret_pipeline.config.pipeline import Settings
from turret_pipeline.erasure.erase import add_tombstones, canonical_options, erase
from turret_pipeline.ingest.canonical import write_canonical
from turret_pipeline.ingest.new_files import read_new_files
from turret_pipeline.ingest.parts import PartStore
from turret_pipeline.progress import SilentProgress
from turret_pipeline.storage.data_dir import DataDir

COUNTS = ("row_count", "accepted_count", "duplicate_count", "rejected_count", "forgotten_count")


def event(name: str, user: str | None, session: str | None = None, day: int = 1) -> dict[str, object]:
    """A row of the own format, without the ids that are None."""
    row: dict[str, object] = {"event_id": name, "name": "seen", "timestamp": f"2026-03-{day:02}T10:00:00Z"}
    if user is not None:
        row["user_id"] = user
    if session is not None:
        row["session_id"] = session
    return row


def settings_of(folder: Path, **values: object) -> Settings:
    """Settings of a data folder."""
    return Settings.model_validate({"data_dir": folder, **values})


def read(settings: Settings) -> DataDir:
    """The data folder after the input was read."""
    data = DataDir(settings.data_dir)
    data.parts.mkdir(parents=True, exist_ok=True)
    read_new_files(settings, data, SilentProgress(), lambda _: None)
    return data


def forget(
    settings: Settings,
    users: Collection[str] = (),
    sessions: Collection[str] = (),
    files: Collection[str] = (),
    before: dt.datetime | None = None,
) -> DataDir:
    """The data folder after an erasure."""
    data = read(settings)
    add_tombstones(data.tombstones, settings, {"user": users, "session": sessions, "file": files}, before)
    erase(data, settings, "run")
    data.tombstones.finish()
    return data


def list_events(settings: Settings) -> list[str]:
    """Ids of the events that are left, after a check that all rows are accounted for."""
    data = DataDir(settings.data_dir)
    write_canonical(PartStore(data.parts), data.lake, canonical_options(settings))
    files = data.lake.read("source_files")
    assert (files["row_count"] == files.select(pl.sum_horizontal(*COUNTS[1:])).to_series()).all(), files
    return sorted(data.lake.read("events")["event_id"])


def sums(settings: Settings) -> tuple[int, ...]:
    """Sums of COUNTS over all files."""
    files = DataDir(settings.data_dir).lake.read("source_files")
    return files.select(pl.sum(*COUNTS)).row(0)


def write_lines(path: Path, lines: Sequence[str | Mapping[str, object]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return path
