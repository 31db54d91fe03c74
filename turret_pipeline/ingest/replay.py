"""Replay of rejected rows: their files are read again, or rows that a person fixed are read.

A rejected row stays in the counts of its file. It is marked as fixed once it is accepted from elsewhere.
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
from turret_pipeline.ingest.parts import Ingestion, PartStore
from turret_pipeline.storage.atomic_files import atomic_replace

EXPORTED_COLUMNS = ("source_file", "content_sha256", "line_number", "reason_code", "reason", "raw_text")
"""Keys of a line in a file of exported rows. A person fixes ``raw_text`` and leaves the rest."""


@dataclass(frozen=True)
class ReplayResult:
    """Counts of the rows of a file that were rejected before and of those accepted now.

    ``problems`` are sentences about rows that were rejected again, or about a file that is gone.
    """

    source_file: str
    rejected_count: int
    accepted_count: int
    problems: tuple[str, ...] = ()


def export_rejected_rows(rejected: pl.DataFrame, file: Path) -> None:
    """Write rejected rows as JSON lines, for a person to fix."""
    with atomic_replace(file, is_export=True) as aside:
        rejected.select(EXPORTED_COLUMNS).write_ndjson(aside)


def replay_file(
    parts: PartStore,
    rejected: pl.DataFrame,
    options_of: Callable[[Path | UPath], ParseOptions],
    ingestion: Ingestion,
) -> ReplayResult:
    """Read a file again, as it is now and with the options in force; ``rejected`` are its rejected rows."""
    name, old_sha = rejected.select("source_file", "content_sha256").row(0)
    path = UPath(name)
    if not path.exists():
        problem = (
            f"The file was not found from the folder {Path.cwd()}. Restore it, or export its rows (turret rejects "
            "--export FILE), fix them in FILE, and replay FILE."
        )
        return ReplayResult(name, rejected.height, 0, (problem,))
    sum(parts.add(path, options_of(path), ingestion, replace=True))
    sha = parts.content_hash(path)
    fixed = set(rejected["line_number"]) - parts.line_numbers("rejected", sha)
    if sha != old_sha:  # the counts of the old content stay
        fixed &= parts.line_numbers("events", sha)
        parts.replays.record(old_sha, fixed, ingestion.ingested_at)
    parts.replays.record(sha, (), ingestion.ingested_at)
    return ReplayResult(name, rejected.height, len(fixed))


def replay_rows(
    parts: PartStore, file: Path, landing: Path, options: ParseOptions, ingestion: Ingestion
) -> ReplayResult:
    """Read an exported file that a person fixed, and write its accepted rows to a new landing file.

    Raises TurretError if the file was not written by ``export_rejected_rows``.
    """
    rows = list(_read_exported(file))
    accepted, problems = [], []
    for row in rows:
        record = json_record(row["line_number"], str(row["raw_text"]).encode("utf-8", "replace"))
        parsed = parse_records([record or Record(row["line_number"], None, "")], options)
        if parsed.rejected.height:
            problems.append(f"{row['source_file']} line {row['line_number']}: {parsed.rejected['reason'][0]}")
        else:
            accepted.append(row)
    if accepted:
        content = "".join(" ".join(str(row["raw_text"]).split("\n")) + "\n" for row in accepted).encode()
        path = landing / f"replayed-{hashlib.sha256(content).hexdigest()[:12]}.jsonl"
        with atomic_replace(path) as aside:
            aside.write_bytes(content)
        sum(parts.add(path, options, ingestion))
    for sha in sorted({row["content_sha256"] for row in accepted}):
        lines = {row["line_number"] for row in accepted if row["content_sha256"] == sha}
        parts.replays.record(sha, lines, ingestion.ingested_at)
    return ReplayResult(str(file), len(rows), len(accepted), tuple(problems))


def _read_exported(file: Path) -> Iterator[dict[str, Any]]:
    try:
        lines = file.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise TurretError(
            f"The file {file} cannot be read: {error}. Pass a file that turret rejects --export wrote."
        ) from None
    for number, line in enumerate(lines, start=1):
        try:
            row = json.loads(line)
            if (
                not isinstance(row, dict)
                or not set(EXPORTED_COLUMNS) <= row.keys()
                or type(row["line_number"]) is not int
            ):
                raise ValueError(f"it lacks {', '.join(EXPORTED_COLUMNS)}")
        except ValueError as error:
            raise TurretError(
                f"Line {number} of {file} is not a row of turret rejects --export: {error}. Change only raw_text, as "
                "JSON text, and leave the other keys as they were exported."
            ) from None
        yield row
