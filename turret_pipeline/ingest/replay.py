"""Refused rows read again: from their files as they are now, or as a person mended them.

A refused row stays in the account of the file that it came with; it is marked as mended once it is accepted elsewhere.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from upath import UPath

from turret_pipeline.errors import TurretError
from turret_pipeline.events.parsing import ParseOptions, parse_records
from turret_pipeline.events.rows import Record, json_record
from turret_pipeline.ingest.parts import Arrival, Sources
from turret_pipeline.storage.atomic_files import atomic_replace

EXPORTED = ("source_file", "content_sha256", "line_number", "reason_code", "reason", "raw_text")
"""Keys of a line in a file of refused rows, in which a person mends raw_text."""


@dataclass(frozen=True)
class Replayed:
    """Rows of a file that were refused before, and those of them that are accepted now; ``refusals`` are sentences."""

    source_file: str
    refused_count: int
    accepted_count: int
    refusals: tuple[str, ...] = ()


def export_rows(rejected: pl.DataFrame, file: Path) -> None:
    """Write refused rows as JSON lines, for a person to mend."""
    with atomic_replace(file) as aside:
        rejected.select(EXPORTED).write_ndjson(aside)


def replay_file(
    sources: Sources, rejected: pl.DataFrame, reading_of: Callable[[Path | UPath], ParseOptions], arrival: Arrival
) -> Replayed:
    """Read a file again whose refused rows these are, as it is now and as rows are read now."""
    name, sha = rejected.select("source_file", "content_sha256").row(0)
    path = UPath(name)
    if not path.exists():
        remedy = (
            f"the file is gone, or is not found from {Path.cwd()}. Else export its rows (turret rejects --export "
            "FILE), mend them there, and replay FILE"
        )
        return Replayed(name, rejected.height, 0, (remedy,))
    sum(sources.add(path, reading_of(path), arrival, again=True))
    found = sources.content(path)
    still = sources.lines("rejected", found)
    mended = set(rejected["line_number"]) - still
    if found != sha:  # the old content keeps its account
        mended &= sources.lines("events", found)
        sources.note_replay(sha, mended, arrival.read_at)
    sources.note_replay(found, (), arrival.read_at)
    return Replayed(name, rejected.height, len(mended))


def replay_rows(sources: Sources, file: Path, landing: Path, reading: ParseOptions, arrival: Arrival) -> Replayed:
    """Read the rows of an exported file that a person mended; those that are accepted become a landing file.

    TurretError where the file is no such file.
    """
    rows = list(_exported(file))
    good, refusals = [], []
    for row in rows:
        record = json_record(row["line_number"], str(row["raw_text"]).encode("utf-8", "replace"))
        parsed = parse_records([record or Record(row["line_number"], None, "")], reading)
        if parsed.rejected.height:
            refusals.append(f"{row['source_file']} line {row['line_number']}: {parsed.rejected['reason'][0]}")
        else:
            good.append(row)
    if good:
        content = "".join(" ".join(str(row["raw_text"]).split("\n")) + "\n" for row in good).encode()
        path = landing / f"replayed-{hashlib.sha256(content).hexdigest()[:12]}.jsonl"
        with atomic_replace(path) as aside:
            aside.write_bytes(content)
        sum(sources.add(path, reading, arrival))
    for sha in sorted({row["content_sha256"] for row in good}):
        lines = {row["line_number"] for row in good if row["content_sha256"] == sha}
        sources.note_replay(sha, lines, arrival.read_at)
    return Replayed(str(file), len(rows), len(good), tuple(refusals))


def _exported(file: Path) -> Iterator[dict[str, Any]]:
    try:
        lines = file.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise TurretError(
            f"The file {file} cannot be read: {error}. turret rejects --export writes such a file."
        ) from None
    for number, line in enumerate(lines, start=1):
        try:
            row = json.loads(line)
            if not isinstance(row, dict) or not set(EXPORTED) <= row.keys() or type(row["line_number"]) is not int:
                raise ValueError(f"it lacks {', '.join(EXPORTED)}")
        except ValueError as error:
            raise TurretError(
                f"Line {number} of {file} is no exported row: {error}. Mend raw_text only, as JSON text, and keep the "
                "rest as turret rejects --export wrote it."
            ) from None
        yield row
