"""Storage of what was read from landing files. Each content is read once, whatever the name of its file.

The parts of a file are Parquet files in a folder named by the hash of the file's bytes. The folder appears by one
rename once the file was read to its end.
"""

import datetime as dt
import functools
import hashlib
import io
import itertools
import json
import shutil
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import polars as pl
from upath import UPath

from turret_pipeline.errors import FaultError, TurretError
from turret_pipeline.events.parsing import EVENT_PART_SCHEMA, ParseOptions
from turret_pipeline.events.rows import Block, Lines
from turret_pipeline.ingest.blocks import BlockCounts, part_writing_jobs
from turret_pipeline.ingest.hashing import HashedFile
from turret_pipeline.ingest.reading import is_appendable, read_blocks, read_lines_from
from turret_pipeline.ingest.workers import run_in_parallel
from turret_pipeline.private_files import open_private
from turret_pipeline.storage.atomic_files import atomic_replace, commit, remove, temp_path
from turret_pipeline.storage.checksums import CHECKSUMS, find_changed, read_checksums, write_checksums
from turret_pipeline.tables import POLARS_TYPES

READ_BUFFER = 1 << 20
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

FIXED_LINES_SCHEMA = pl.Schema({"content_sha256": pl.String(), "line_number": pl.Int64()})


@dataclass(frozen=True)
class Ingestion:
    """The time at which a file is read, and the time of the latest event published by then."""

    ingested_at: dt.datetime
    published_until: dt.datetime | None = None


@dataclass(frozen=True)
class PartStore:
    """The parts of all landing files that were read."""

    root: Path

    def content_hashes(self) -> list[str]:
        """Hashes of all contents that were read, sorted."""
        return sorted(folder.name for folder in self.root.glob("*") if folder.is_dir() and folder.name[0] != ".")

    def folder(self, content_sha256: str) -> Path:
        """The folder with the parts of a content."""
        return self.root / content_sha256

    def new_files(self, paths: Sequence[Path | UPath]) -> list[Path | UPath]:
        """The files that were not read yet or have changed since. Raises TurretError if one is not accessible."""
        known, hashes = set(self.content_hashes()), self._hashes_by_signature()
        return [path for path in paths if hashes.get(file_signature(path)) not in known]

    def find_hash(self, path: Path | UPath) -> str | None:
        """Hash of the content of a file if it was read and has not changed since; None if that is not known."""
        return self._hashes_by_signature().get(file_signature(path))

    def content_hash(self, path: Path | UPath) -> str:
        """Hash of the content of a file that was read and has not changed since."""
        return self._hashes_by_signature()[file_signature(path)]

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
        signature, counts = file_signature(path), _Counts()
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
                for block in run_in_parallel(part_writing_jobs(_read(file, path, before, counts), options, aside)):
                    counts.rows += block.row_count
                    counts.repaired += block.repaired_count
                    yield block.row_count
                sha = file.sha256()
            (aside / PRIVACY_STAMP).write_text(options.privacy.stamp, encoding="utf-8")
            growth = _describe_growth(file, counts, before) if is_growing else {}
            self._write_file_row(aside, str(path), sha, BlockCounts(counts.rows, counts.repaired), ingestion, growth)
            if replace and self.folder(sha).exists():
                self.folder(sha).replace(replaced)
            commit(aside, self.folder(sha))
        finally:
            remove(aside)
            remove(replaced)
        if repaired_sha256 is None:
            self.remember(signature, sha)

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

    def remember(self, signature: str, content_sha256: str) -> None:
        """Record the content of a file, so that it is not hashed again while its signature is the same."""
        _append_json_line(self.signatures_file, [signature, content_sha256])

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
        seen = [key.rsplit(" ", 2)[0] for key, sha in self._hashes_by_signature().items() if sha == content_sha256]
        return list(dict.fromkeys([*first, *seen]))

    def record_replay(self, content_sha256: str, fixed_lines: Iterable[int], replayed_at: dt.datetime) -> None:
        """Record that a content was read again, and the rejected lines of it that were accepted from elsewhere."""
        replay = {
            "content_sha256": content_sha256,
            "mended_lines": sorted(fixed_lines),
            "replayed_at": replayed_at.isoformat(),
        }
        replays = [*self._read_replays(), replay]
        body = "".join(f"{json.dumps(one)}\n" for one in replays)
        with atomic_replace(self.replays_file) as temp:
            temp.write_text(f'{body}{{"sha256": "{_hash_text(body)}"}}\n', encoding="utf-8")

    def fixed_lines(self) -> pl.DataFrame:
        """FIXED_LINES_SCHEMA of the rejected lines that were accepted from elsewhere."""
        replays = self._read_replays()
        lines = {(replay["content_sha256"], line) for replay in replays for line in replay["mended_lines"]}
        return pl.DataFrame(sorted(lines), FIXED_LINES_SCHEMA, orient="row")

    def _read_replays(self) -> list[dict[str, Any]]:
        """The replays, oldest first. Raises FaultError if their file is damaged.

        The last line is the checksum of the others. Files of earlier versions start with an empty line and have none.
        """
        if not self.replays_file.exists():
            return []
        content = self.replays_file.read_bytes()
        if content.startswith(b"\n"):
            return [value for value in _read_json_lines(self.replays_file) if isinstance(value, dict)]
        *lines, check = content.rstrip(b"\n").rsplit(b"\n", 1)
        body = b"".join(line + b"\n" for line in lines)
        if check != f'{{"sha256": "{_hash_text(body.decode(errors="replace"))}"}}'.encode():
            raise FaultError(
                f"{self.replays_file} is damaged; it says which rejected rows were fixed: restore it from a backup, or "
                "remove it and run turret replay."
            )
        return [json.loads(line) for line in body.splitlines()]

    def describe_damaged_replays(self) -> str | None:
        """What is wrong with the file of the replays; None if nothing is."""
        try:
            self._read_replays()
        except (TurretError, ValueError, OSError):
            return "is damaged; it says which rejected rows were fixed"
        return None

    def count_damaged_signatures(self) -> int:
        """Lines of the file of signatures that are damaged or cut off."""
        if not self.signatures_file.is_file():
            return 0
        lines = [line for line in self.signatures_file.read_bytes().split(b"\n") if line.strip()]
        return len(lines) - len([value for value in _read_json_lines(self.signatures_file) if _is_signature(value)])

    def drop_damaged_signatures(self) -> None:
        """Write the file of the signatures without damaged lines."""
        kept = filter(_is_signature, _read_json_lines(self.signatures_file))
        with atomic_replace(self.signatures_file) as temp:
            temp.write_text("".join(f"\n{json.dumps(value)}" for value in kept), encoding="utf-8")

    def fingerprint(self) -> str:
        """A hash that changes with the contents that were read, with every replay, and with forgotten rows."""
        replays = self.replays_file.read_bytes() if self.replays_file.exists() else b""
        forgotten = [file.removeprefix(str(self.root)) for file in self.part_files(FORGOTTEN)]
        return hashlib.sha256("".join([*self.content_hashes(), *forgotten]).encode() + replays).hexdigest()

    def _hashes_by_signature(self) -> dict[str, str]:
        return dict(filter(_is_signature, _read_json_lines(self.signatures_file)))

    @property
    def signatures_file(self) -> Path:
        """The hashes of files by their signature."""
        return self.root / "seen.jsonl"

    @property
    def replays_file(self) -> Path:
        """The replays of rejected rows."""
        return self.root / "replays.jsonl"


@dataclass
class _Counts:
    """Rows of a file, those of them that were repaired, its last line, and the rows of a last line without an end."""

    rows: int = 0
    repaired: int = 0
    last_line: int = 0


def _read(file: HashedFile, path: Path | UPath, before: Mapping[str, Any] | None, counts: _Counts) -> Iterator[Block]:
    """The blocks of a file, or of what follows the content with which it begins; counts its lines."""
    buffered = io.BufferedReader(file, READ_BUFFER)
    if before is None:
        buffered.seek(0)
        blocks = read_blocks(buffered, path.name)
    else:
        counts.last_line = before["complete_lines"]
        blocks = read_lines_from(buffered, before["complete_bytes"], before["complete_lines"] + 1)
    for block in blocks:
        if isinstance(block, Lines):
            counts.last_line = block.first_line + block.count - 1
        elif block.rows:
            counts.last_line = block.rows[-1].line_number
        yield block


def _describe_growth(file: HashedFile, counts: _Counts, before: Mapping[str, Any] | None) -> dict[str, Any]:
    """The columns of FILE_SCHEMA by which the next reading of a file that has grown continues."""
    is_open = file.line_end < file.hashed_bytes
    return {
        "byte_count": file.hashed_bytes,
        "complete_bytes": file.line_end,
        "complete_lines": counts.last_line - is_open,
        "open_row_count": int(is_open),
        "continued_sha256": before and before["content_sha256"],
        "first_line": before["complete_lines"] + 1 if before else 1,
    }


def _to_json_value(value: object) -> object:
    return value.isoformat() if isinstance(value, dt.datetime) else value


def _hash_text(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _is_signature(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(isinstance(part, str) for part in value)


def _append_json_line(path: Path, value: object) -> None:
    """Append a line, after a line end of its own: the last line may have been cut off."""
    with open(path, "a", encoding="utf-8", opener=open_private) as file:
        file.write("\n" + json.dumps(value))


def _read_json_lines(path: Path) -> list[Any]:
    """The values in a file, without lines that are damaged, or cut off because their writer was killed."""
    values = []
    for line in path.read_bytes().split(b"\n") if path.exists() else ():
        with suppress(ValueError):
            values.append(json.loads(line))
    return values


def hash_content(path: Path | UPath, byte_limit: int | None = None) -> str | None:
    """Hash of the content of a file, or of its first bytes; None if it cannot be read."""
    try:
        with open_binary(path) as raw:
            return HashedFile(raw, byte_limit).sha256()
    except (TurretError, OSError):
        return None


def file_signature(path: Path | UPath) -> str:
    """Path, size and modification time of a file: if they are the same, so is the content."""
    try:
        stat = path.stat()
    except OSError as error:
        raise _unreadable_error(path, error) from None
    changed = getattr(stat, "st_mtime_ns", None) or stat.st_mtime
    return f"{path} {stat.st_size} {changed}"


def modification_time(path: Path | UPath) -> dt.datetime:
    """Modification time of a file in UTC. Raises TurretError if it is not accessible."""
    try:
        stat = path.stat()
    except OSError as error:
        raise _unreadable_error(path, error) from None
    return dt.datetime.fromtimestamp(stat.st_mtime, dt.UTC)


@contextmanager
def open_binary(path: Path | UPath) -> Iterator[IO[bytes]]:
    """The open file. Raises TurretError if it cannot be read."""
    try:
        file = path.open("rb", buffering=0) if isinstance(path, Path) else path.open("rb")
    except OSError as error:
        raise _unreadable_error(path, error) from None
    with file:
        yield file


def _unreadable_error(path: Path | UPath, error: OSError) -> TurretError:
    if isinstance(error, FileNotFoundError):
        return TurretError(f"The input {path} does not exist: check the path.")
    return TurretError(f"The input {path} cannot be read: {error.strerror or error}. Check its permissions.")
