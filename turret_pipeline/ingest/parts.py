"""Storage of what was read from landing files. Each content is read once, whatever the name of its file.

The parts of a file are Parquet files in a folder named by the hash of the file's bytes. The folder appears by one
rename once the file was read to its end.
"""

import datetime as dt
import functools
import hashlib
import io
import itertools
import shutil
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from upath import UPath

from turret_pipeline.events.parsing import EVENT_PART_SCHEMA, ParseOptions
from turret_pipeline.ingest.blocks import BlockCounts, list_part_shards
from turret_pipeline.ingest.growing_files import LineCounts, describe_growth, read_rest
from turret_pipeline.ingest.hashing import HashedFile
from turret_pipeline.ingest.part_notes import Replays, Signatures
from turret_pipeline.ingest.reading import is_appendable
from turret_pipeline.ingest.source_files import file_signature, hash_content, open_binary
from turret_pipeline.shards.local import LOCAL
from turret_pipeline.shards.shard import Engine
from turret_pipeline.storage.atomic_files import atomic_replace, commit, remove, temp_path
from turret_pipeline.storage.checksums import CHECKSUMS, find_changed, read_checksums, write_checksums
from turret_pipeline.tables import POLARS_TYPES

FILE_ROW = "file.parquet"
PRIVACY_STAMP = "privacy.txt"
"""File in the folder of a content, with the stamp of the privacy settings by which it was read."""
FILE_SCHEMA = pl.Schema(
    {
        "source_file": pl.String(),
        "content_sha256": pl.String(),
        "row_count": pl.Int64(),
        "repaired_count": pl.Int64(),
        "ingested_at": POLARS_TYPES["timestamp"],
        "published_until": POLARS_TYPES["timestamp"],
        "ingestion_number": pl.Int64(),
        "rewritten_from": pl.String(),
        "byte_count": pl.Int64(),
        "complete_bytes": pl.Int64(),
        "complete_lines": pl.Int64(),
        "open_row_count": pl.Int64(),
        "continued_sha256": pl.String(),
        "first_line": pl.Int64(),
    }
)
"""A file that was read; ``published_until`` is the time of the latest event published by then.

``ingestion_number`` is its position among all contents that were read; null if an earlier version read it. Of JSON
lines to which more may be appended, ``complete_bytes`` and ``complete_lines`` are those up to the last line end, and
``open_row_count`` is 1 if a row follows it. A content that begins with another one, ``continued_sha256``, has only the
rows from ``first_line`` on, and takes the place of the open row of the other.
``rewritten_from`` is the hash of the content from which an erasure removed rows, if any.
"""

FORGOTTEN, ERASED = "forgotten", "erased"
"""Kinds of parts with the positions of forgotten rows. Their file still has rows of the first kind, if it is a landing
file, and has lost those of the second."""

FORGOTTEN_PART_SCHEMA = pl.Schema({"line_number": pl.Int64(), "row_in_line": pl.Int64()})
"""A row that was forgotten. Rejected rows, which have no number in their line, have negative ones."""

_TIMES = ("ingested_at", "published_until")
_FIRST = (*_TIMES, "ingestion_number")
_FIRST_SCHEMA = pl.Schema({name: FILE_SCHEMA[name] for name in _FIRST})
_READ_SCHEMA = pl.Schema({name: kind for name, kind in FILE_SCHEMA.items() if name not in {*_FIRST, "rewritten_from"}})


@dataclass(frozen=True)
class Ingestion:
    """The time at which a file is read, and the time of the latest event published by then."""

    ingested_at: dt.datetime
    published_until: dt.datetime | None = None


@dataclass(frozen=True)
class PartStore:
    """The parts of all landing files that were read, and the engine that reads more."""

    root: Path
    engine: Engine = LOCAL

    def content_hashes(self) -> list[str]:
        """Hashes of all contents that were read, sorted."""
        return sorted(folder.name for folder in self.root.glob("*") if folder.is_dir() and folder.name[0] != ".")

    def folder(self, content_sha256: str) -> Path:
        """The folder with the parts of a content."""
        return self.root / content_sha256

    def new_files(self, paths: Sequence[Path | UPath], *, by_content: bool = True) -> list[Path | UPath]:
        """The files that were not read yet or have changed since. Raises TurretError if one is not accessible.

        ``by_content``: a file on this machine that another machine read, or that was moved, is known by its content,
        and from then on by its signature.
        """
        known, hashes = set(self.content_hashes()), self.signatures.hashes()
        sizes = {signature.rsplit(" ", 2)[1] for signature, sha in hashes.items() if sha in known}
        unknown = [path for path in paths if hashes.get(file_signature(path)) not in known]
        if not by_content:
            return unknown
        return [path for path in unknown if not self._is_known_content(path, sizes, known)]

    def _is_known_content(self, path: Path | UPath, sizes: Collection[str], known: Collection[str]) -> bool:
        """True, from then on by its signature, if a local file has the size and the content of one that was read."""
        if not isinstance(path, Path) or isinstance(path, UPath) or str(path.stat().st_size) not in sizes:
            return False
        signature, sha = file_signature(path), hash_content(path)
        if sha not in known:
            return False
        self.signatures.remember(signature, str(sha))
        return True

    def find_hash(self, path: Path | UPath) -> str | None:
        """Hash of the content of a file if it was read and has not changed since; None if that is not known."""
        return self.signatures.hashes().get(file_signature(path))

    def content_hash(self, path: Path | UPath) -> str:
        """Hash of the content of a file that was read and has not changed since."""
        return self.signatures.hashes()[file_signature(path)]

    def add(
        self,
        path: Path | UPath,
        options: ParseOptions,
        ingestion: Ingestion,
        *,
        replace: bool = False,
        repaired_sha256: str | None = None,
    ) -> Generator[int, None, None]:
        """Read a file, yielding the number of rows of each block, and keep its parts once exhausted.

        Of a file that was read before and has grown since, only the new rows are read. Existing parts of the same
        content stay as they are, unless ``replace`` is set: then the whole file is read again, or what the
        parts of ``repaired_sha256`` had of it. Raises TurretError if the file cannot be read.
        """
        signature, counts = file_signature(path), LineCounts()
        aside, replaced = temp_path(self.root / "reading"), temp_path(self.root / "before")
        aside.mkdir(mode=0o700)
        try:
            with open_binary(path) as raw:
                is_growing = is_appendable(io.BufferedReader(HashedFile(raw)), path.name)
            with open_binary(path) as raw:
                limit, before = self._read_extent(repaired_sha256)
                file = HashedFile(raw, limit)
                if is_growing and not replace:
                    before = self._find_begin(file, path)
                shards = list_part_shards(read_rest(file, path, before, counts), options)
                for row_count, repaired_count in self.engine.run(shards, aside):
                    counts.rows += row_count
                    counts.repaired += repaired_count
                    yield row_count
                sha = file.sha256()
            (aside / PRIVACY_STAMP).write_text(options.privacy.stamp, encoding="utf-8")
            growth = describe_growth(file, counts, before) if is_growing else {}
            self._write_file_row(aside, str(path), sha, BlockCounts(counts.rows, counts.repaired), ingestion, growth)
            if replace and self.folder(sha).exists():
                self.folder(sha).replace(replaced)
            commit(aside, self.folder(sha))
        finally:
            remove(aside)
            remove(replaced)
        if repaired_sha256 is None:
            self.signatures.remember(signature, sha)

    def _read_extent(self, sha: str | None) -> tuple[int | None, dict[str, Any] | None]:
        """Number of bytes of a content, and FILE_SCHEMA of the content that it continued; None for all of a file."""
        row = None if sha is None else self.read_row(sha)
        if row is None or "byte_count" not in row.columns:
            return None, None
        found = row.row(0, named=True)
        continued = self.read_row(found["continued_sha256"]) if (found["first_line"] or 1) > 1 else None
        return found["byte_count"], None if continued is None else continued.row(0, named=True)

    def _find_begin(self, file: HashedFile, path: Path | UPath) -> dict[str, Any] | None:
        """FILE_SCHEMA of the longest content with which a file begins, among those read under the same name."""
        is_shorter = pl.col("byte_count") < path.stat().st_size
        known = self.source_files().filter((pl.col("source_file") == str(path)) & is_shorter)
        found = None
        for row in known.sort("byte_count", "content_sha256").iter_rows(named=True):
            if file.sha256_until(row["byte_count"]) == row["content_sha256"]:
                found = row
        return found

    def _write_file_row(
        self,
        folder: Path,
        source_file: str,
        sha: str,
        counts: BlockCounts,
        ingestion: Ingestion,
        growth: Mapping[str, Any],
    ) -> None:
        """Write ``file.parquet``, and an empty events part if there is none, so that every content has one."""
        if not any(folder.glob("events-*.parquet")):
            pl.DataFrame(schema=EVENT_PART_SCHEMA).write_parquet(folder / "events-00000.parquet")
        known = self.read_row(sha)
        if known is not None:  # reading a content again makes its events neither late nor newer
            first = known.select(pl.selectors.by_name(*_FIRST, require_all=False))
            if growth and "continued_sha256" in known.columns:
                growth = {**growth, "continued_sha256": growth["continued_sha256"] or known["continued_sha256"].item()}
        else:
            times = (ingestion.ingested_at, ingestion.published_until)
            first = pl.DataFrame([(*times, next(self._numbers))], _FIRST_SCHEMA, orient="row")
        read = {"source_file": source_file, "content_sha256": sha, **counts._asdict(), **growth}
        row = pl.DataFrame([{name: read.get(name) for name in _READ_SCHEMA}], _READ_SCHEMA)
        self._write_row(folder, pl.concat([pl.DataFrame(schema=FILE_SCHEMA), row.hstack(first)], how="diagonal"))

    def _write_row(self, folder: Path, file: pl.DataFrame) -> None:
        """Write the row of a content, with a copy beside the checksums of all its parts."""
        file.write_parquet(folder / FILE_ROW)
        write_checksums(folder, {name: _to_json_value(value) for name, value in file.row(0, named=True).items()})

    @functools.cached_property
    def _numbers(self) -> Iterator[int]:
        """Numbers for contents in the order in which they are read."""
        last = self.source_files()["ingestion_number"].max()
        return itertools.count(1 + (last if isinstance(last, int) else 0))

    def read_privacy_stamp(self, content_sha256: str) -> str | None:
        """The stamp of the privacy settings by which a content was read; None if an earlier version read it."""
        file = self.folder(content_sha256) / PRIVACY_STAMP
        return file.read_text(encoding="utf-8") if file.exists() else None

    def line_numbers(self, kind: str, content_sha256: str) -> set[int]:
        """Numbers of the lines of a content that have parts of a kind."""
        files = [file for file in self.part_files(kind) if Path(file).parent.name == content_sha256]
        return set(pl.scan_parquet(files, glob=False).collect()["line_number"]) if files else set()

    def part_files(self, kind: str) -> list[str]:
        """All part files of a kind: events, rejected, scrubbed, identities, values, forgotten or erased."""
        return [
            str(file) for sha in self.content_hashes() for file in sorted(self.folder(sha).glob(f"{kind}-*.parquet"))
        ]

    def source_files(self) -> pl.DataFrame:
        """FILE_SCHEMA of all contents that were read. Those of earlier versions have no repaired rows."""
        rows = [pl.read_parquet(self.folder(sha) / FILE_ROW, glob=False) for sha in self.content_hashes()]
        files = pl.concat([pl.DataFrame(schema=FILE_SCHEMA), *rows], how="diagonal")
        return files.with_columns(pl.col("repaired_count").fill_null(0))

    def copy_rewritten(self, old_sha: str, new_sha: str, source_file: str, extent: Mapping[str, int]) -> None:
        """Give a file from which rows were removed the parts of its old content, which stay too.

        ``extent`` has byte_count and complete_bytes of the new content, if more may be appended to it.
        """
        with atomic_replace(self.folder(new_sha)) as folder:
            shutil.copytree(self.folder(old_sha), folder)
            for file in folder.glob(f"{FORGOTTEN}-*.parquet"):
                file.rename(file.with_name(file.name.replace(FORGOTTEN, ERASED)))
            row = pl.read_parquet(folder / FILE_ROW, glob=False)
            known = {"source_file": source_file, "content_sha256": new_sha, "rewritten_from": old_sha, **extent}
            changed = [pl.lit(value, FILE_SCHEMA[name]).alias(name) for name, value in known.items()]
            self._write_row(folder, row.with_columns(changed))

    def list_begins(self, content_sha256: str) -> list[str]:
        """The contents that a content continues, the latest first: a file that grew has the rows of all of them."""
        rows = self.source_files().filter(pl.col("first_line") > 1)
        before = dict(rows.select("content_sha256", "continued_sha256").iter_rows())
        found, sha = list[str](), content_sha256
        while (sha := before.get(sha, "")) and sha not in found:
            found.append(sha)
        return [sha for sha in found if self.folder(sha).is_dir()]

    def list_reread_lines(self) -> dict[str, int]:
        """The last line that counts of each content that another one continues: the rest was read again there."""
        files = self.source_files()
        is_continued = pl.col("content_sha256").is_in(files["continued_sha256"].drop_nulls().implode())
        return dict(files.filter(is_continued).select("content_sha256", "complete_lines").drop_nulls().iter_rows())

    def is_rewritten(self, content_sha256: str) -> bool:
        """True if rows were removed from the file of this content, and it has another content now."""
        return content_sha256 in self.source_files()["rewritten_from"]

    def read_row(self, content_sha256: str) -> pl.DataFrame | None:
        """FILE_SCHEMA of a content, or fewer columns if an earlier version wrote it; None if it is unknown or lost."""
        folder = self.folder(content_sha256)
        if FILE_ROW not in find_changed(folder):
            with suppress(pl.exceptions.PolarsError, OSError):
                return pl.read_parquet(folder / FILE_ROW, glob=False)
        known = read_checksums(folder)
        if known is None or "source_file" not in known[1]:
            return None
        note = {name: known[1].get(name) for name in FILE_SCHEMA}
        times = pl.DataFrame([note], {**FILE_SCHEMA, **dict.fromkeys(_TIMES, pl.String)})
        return times.with_columns(pl.col(_TIMES).str.to_datetime(time_unit="us", time_zone="UTC"))

    def restore_row(self, content_sha256: str) -> None:
        """Write the row of a content again, from its copy beside the checksums."""
        row = self.read_row(content_sha256)
        if row is not None:
            self._write_row(self.folder(content_sha256), row)

    def write_missing_checksums(self) -> None:
        """Write the checksums of contents that an earlier version read, or whose checksums were removed."""
        for sha in self.content_hashes():
            if not (self.folder(sha) / CHECKSUMS).exists():
                self.restore_row(sha)

    def paths_of(self, content_sha256: str) -> list[str]:
        """Paths at which a content was read, the first one first."""
        row = self.read_row(content_sha256)
        first = [] if row is None else [str(row["source_file"].item())]
        return list(dict.fromkeys([*first, *self.signatures.paths().get(content_sha256, [])]))

    def fingerprint(self) -> str:
        """A hash that changes with the contents that were read, with every replay, and with forgotten rows."""
        replays = self.replays.file.read_bytes() if self.replays.file.exists() else b""
        forgotten = [file.removeprefix(str(self.root)) for file in self.part_files(FORGOTTEN)]
        return hashlib.sha256("".join([*self.content_hashes(), *forgotten]).encode() + replays).hexdigest()

    @property
    def signatures(self) -> Signatures:
        """The hashes of files by their signature."""
        return Signatures(self.root / "seen.jsonl")

    @property
    def replays(self) -> Replays:
        """The replays of rejected rows."""
        return Replays(self.root / "replays.jsonl")


def _to_json_value(value: object) -> object:
    return value.isoformat() if isinstance(value, dt.datetime) else value
