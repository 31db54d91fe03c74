"""Damaged parts: those that the input still has are read again, and values are extracted again."""

import datetime as dt
import functools
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
from upath import UPath

from turret_pipeline.events.parsing import ParseOptions
from turret_pipeline.ingest.part_notes import FIXED_LINES_SCHEMA
from turret_pipeline.ingest.parts import FILE_ROW, Ingestion, PartStore
from turret_pipeline.ingest.source_files import hash_content
from turret_pipeline.storage.atomic_files import remove
from turret_pipeline.storage.checksums import CHECKSUMS, find_changed, has_hash_in_name, is_as_named, read_checksums
from turret_pipeline.storage.damage import Finding
from turret_pipeline.storage.lake import Lake, is_readable

OptionsOf = Callable[[Path | UPath], ParseOptions]


def find_damaged_parts(parts: PartStore, options_of: OptionsOf, ingestion: Ingestion) -> Iterator[Finding]:
    """Damage of the parts of all files. To repair it, ``options_of`` gives the options for reading a file again."""
    yield from _check_notes(parts, ingestion)
    for sha in parts.content_hashes():
        yield from _check_values(parts, sha)
        changed = find_changed(parts.folder(sha)) if read_checksums(parts.folder(sha)) else _find_unreadable(parts, sha)
        if changed == [FILE_ROW] and parts.read_row(sha) is not None:
            repair = functools.partial(parts.restore_row, sha)
            yield Finding(parts.folder(sha) / FILE_ROW, "is damaged", "it is written again from its copy", repair)
        elif not changed and (parts.folder(sha) / CHECKSUMS).is_file() and read_checksums(parts.folder(sha)) is None:
            repair = functools.partial(parts.restore_row, sha)
            yield Finding(parts.folder(sha) / CHECKSUMS, "is damaged", "it is written again", repair)
        elif changed:
            yield _describe_loss(parts, sha, changed, options_of, ingestion)


def _check_notes(parts: PartStore, ingestion: Ingestion) -> Iterator[Finding]:
    """Damaged lines of what is noted about contents."""
    if number := parts.signatures.count_damaged():
        remedy = "they are removed, and their files are hashed again"
        yield Finding(parts.signatures.file, f"has {number:,} damaged lines", remedy, parts.signatures.drop_damaged)
    if not parts.replays.file.exists() and (fixed := _find_fixed_rows(parts)).height:
        loss = f"is missing; it says which rejected rows were fixed ({fixed.height:,} of them)"
        repair = functools.partial(_record_fixed, parts, fixed, ingestion.ingested_at)
        yield Finding(parts.replays.file, loss, "it is written again from the table rejected_events", repair)
    if problem := parts.replays.describe_damage():
        remedy = "restore it from a backup, or remove it and run turret replay"
        yield Finding(parts.replays.file, problem, remedy)


def _find_fixed_rows(parts: PartStore) -> pl.DataFrame:
    """FIXED_LINES_SCHEMA of the rejected rows that were fixed by the table of the last run; empty without one."""
    lake = Lake(parts.root.parent)
    if not lake.path("rejected_events").is_file() or not is_readable(lake.path("rejected_events")):
        return FIXED_LINES_SCHEMA.to_frame()
    return lake.scan("rejected_events").filter("is_mended").select(FIXED_LINES_SCHEMA.names()).collect()


def _record_fixed(parts: PartStore, fixed: pl.DataFrame, replayed_at: dt.datetime) -> None:
    for (sha,), rows in fixed.group_by("content_sha256", maintain_order=True):
        parts.replays.record(str(sha), rows["line_number"], replayed_at)


def _check_values(parts: PartStore, sha: str) -> Iterator[Finding]:
    for path in sorted(parts.folder(sha).glob("values-*.parquet")):
        if path.is_file() and not (is_as_named(path) if has_hash_in_name(path) else is_readable(path)):
            yield Finding(path, "is damaged", "its values are extracted again", functools.partial(remove, path))


def _find_unreadable(parts: PartStore, sha: str) -> list[str]:
    """Names of unreadable files of a content that an earlier version read, which wrote no checksums."""
    files = [path for path in sorted(parts.folder(sha).glob("*.parquet")) if not path.name.startswith("values-")]
    missing = [] if any(path.name == FILE_ROW for path in files) else [FILE_ROW]
    return missing + [path.name for path in files if not is_readable(path)]


def _describe_loss(
    parts: PartStore, sha: str, changed: list[str], options_of: OptionsOf, ingestion: Ingestion
) -> Finding:
    """The finding of a content whose events are damaged, with its repair if a file still has the same content."""
    folder, names = parts.folder(sha), ", ".join(changed)
    sources = [UPath(name) for name in parts.paths_of(sha)]
    row = parts.read_row(sha)
    size = None if row is None or "byte_count" not in row.columns else row["byte_count"].item()
    for source in sources:
        if hash_content(source, size) == sha:  # it may have grown since
            repair = functools.partial(_read_again, parts, source, options_of, ingestion, sha)
            return Finding(folder, f"is damaged ({names})", f"{source} is read again", repair)
    where = f"put {sources[0]} back as it was when it was read, or restore" if sources else "restore"
    return Finding(folder, f"is damaged ({names})", f"{where} this folder from a backup")


def _read_again(parts: PartStore, source: UPath, options_of: OptionsOf, ingestion: Ingestion, sha: str) -> None:
    sum(parts.add(source, options_of(source), ingestion, replace=True, repaired_sha256=sha))
