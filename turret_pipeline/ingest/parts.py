"""Landing files to event parts in the lake: each content is read once, whatever its name.

A file's parts lie in a folder named by the hash of its bytes, which appears by one rename when the file is read whole.
"""

import datetime as dt
import hashlib
import io
import json
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import polars as pl
from upath import UPath

from turret_pipeline.errors import TurretError
from turret_pipeline.events.parsing import EVENT_PART_SCHEMA, ParseOptions
from turret_pipeline.ingest.blocks import keep_blocks
from turret_pipeline.ingest.hashing import HashedFile
from turret_pipeline.ingest.reading import read_blocks
from turret_pipeline.ingest.workers import in_parallel
from turret_pipeline.storage.atomic_files import commit, remove, temp_path
from turret_pipeline.tables import POLARS_TYPES

READ_BUFFER = 1 << 20
FILE_SCHEMA = pl.Schema(
    {
        "source_file": pl.String(),
        "content_sha256": pl.String(),
        "row_count": pl.Int64(),
        "ingested_at": POLARS_TYPES["timestamp"],
        "published_until": POLARS_TYPES["timestamp"],
    }
)
"""A file that was read; ``published_until`` is the latest event that had been published by then."""

MENDED_SCHEMA = pl.Schema({"content_sha256": pl.String(), "line_number": pl.Int64()})


@dataclass(frozen=True)
class Arrival:
    """When a file is read, and how far events had been published by then."""

    read_at: dt.datetime
    published_until: dt.datetime | None = None


@dataclass(frozen=True)
class Sources:
    """The event parts of every landing file that was ever read."""

    root: Path

    def known(self) -> list[str]:
        """Hashes of the contents that were read, sorted."""
        return sorted(folder.name for folder in self.root.glob("*") if folder.is_dir() and folder.name[0] != ".")

    def folder(self, sha: str) -> Path:
        """Where the parts of a content lie."""
        return self.root / sha

    def unseen(self, paths: Sequence[Path | UPath]) -> list[Path | UPath]:
        """Files that were not read yet, or have changed since. TurretError where one cannot be looked at."""
        known, seen = set(self.known()), self._seen()
        return [path for path in paths if seen.get(file_signature(path)) not in known]

    def content(self, path: Path | UPath) -> str:
        """Hash of the content that a file, which has not changed since, was read as."""
        return self._seen()[file_signature(path)]

    def add(
        self, path: Path | UPath, reading: ParseOptions, arrival: Arrival, *, again: bool = False
    ) -> Generator[int, None, None]:
        """Read a file and keep its parts once exhausted; yields how many rows each block had.

        Parts of the same content stay as they are, unless it is read ``again``. TurretError where the file cannot be
        read.
        """
        looked, row_count = file_signature(path), 0
        aside, before = temp_path(self.root / "reading"), temp_path(self.root / "before")
        aside.mkdir()
        try:
            with _opened(path) as raw:
                file = HashedFile(raw)
                blocks = read_blocks(io.BufferedReader(file, READ_BUFFER), path.name)
                for rows in in_parallel(keep_blocks(blocks, reading, aside)):
                    row_count += rows
                    yield rows
                sha = file.sha256()
            if not any(aside.glob("events-*.parquet")):  # so that whoever reads all parts finds one
                pl.DataFrame(schema=EVENT_PART_SCHEMA).write_parquet(aside / "events-00000.parquet")
            came = self._arrival(sha) or arrival
            facts = (str(path), sha, row_count, came.read_at, came.published_until)
            pl.DataFrame([facts], FILE_SCHEMA, orient="row").write_parquet(aside / "file.parquet")
            if again and self.folder(sha).exists():
                self.folder(sha).replace(before)
            commit(aside, self.folder(sha))
        finally:
            remove(aside)
            remove(before)
        self._note(looked, sha)

    def _arrival(self, sha: str) -> Arrival | None:
        """When a content was read first; reading it again does not make it late."""
        file = self.folder(sha) / "file.parquet"
        if not file.exists():
            return None
        row = pl.read_parquet(file, glob=False).row(0, named=True)
        return Arrival(row["ingested_at"], row["published_until"])

    def lines(self, kind: str, sha: str) -> set[int]:
        """The numbers of the lines of a content that have parts of a kind."""
        files = [file for file in self.part_files(kind) if Path(file).parent.name == sha]
        return set(pl.scan_parquet(files, glob=False).collect()["line_number"]) if files else set()

    def part_files(self, kind: str) -> list[str]:
        """The files of one kind of parts: events, values or rejected."""
        return [str(file) for sha in self.known() for file in sorted(self.folder(sha).glob(f"{kind}-*.parquet"))]

    def files(self) -> pl.DataFrame:
        """FILE_SCHEMA of everything that was read."""
        found = [pl.read_parquet(self.folder(sha) / "file.parquet", glob=False) for sha in self.known()]
        return pl.concat(found) if found else pl.DataFrame(schema=FILE_SCHEMA)

    def note_replay(self, sha: str, lines: Iterable[int], replayed_at: dt.datetime) -> None:
        """Note that a content was read again, and which of its refused lines are accepted elsewhere since."""
        note = {"content_sha256": sha, "mended_lines": sorted(lines), "replayed_at": replayed_at.isoformat()}
        with self._replays.open("a", encoding="utf-8") as file:
            file.write("\n" + json.dumps(note))

    def mended(self) -> pl.DataFrame:
        """MENDED_SCHEMA of the refused lines that are accepted elsewhere."""
        notes = _json_lines(self._replays)
        found = {(note["content_sha256"], line) for note in notes for line in note["mended_lines"]}
        return pl.DataFrame(sorted(found), MENDED_SCHEMA, orient="row")

    def fingerprint(self) -> str:
        """What changes where other contents are known, or one was read again."""
        replays = self._replays.read_bytes() if self._replays.exists() else b""
        return hashlib.sha256("".join(self.known()).encode() + replays).hexdigest()

    def _seen(self) -> dict[str, str]:
        """Hash of the content by what was looked at."""
        return dict(_json_lines(self._notes))

    def _note(self, looked: str, sha: str) -> None:
        with self._notes.open("a", encoding="utf-8") as file:
            file.write("\n" + json.dumps([looked, sha]))

    @property
    def _notes(self) -> Path:
        return self.root / "seen.jsonl"

    @property
    def _replays(self) -> Path:
        return self.root / "replays.jsonl"


def _json_lines(path: Path) -> list[Any]:
    """The values in a file; a line that its writer was killed at says nothing."""
    found = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        with suppress(ValueError):
            found.append(json.loads(line))
    return found


def file_signature(path: Path | UPath) -> str:
    """What tells without reading that a file is still the same: its path, size and time of change."""
    try:
        stat = path.stat()
    except OSError as error:
        raise _unreadable(path, error) from None
    changed = getattr(stat, "st_mtime_ns", None) or stat.st_mtime
    return f"{path} {stat.st_size} {changed}"


def changed_at(path: Path | UPath) -> dt.datetime:
    """When a file was last changed, where its store says so; else now. In UTC."""
    try:
        stat = path.stat()
    except OSError as error:
        raise _unreadable(path, error) from None
    return dt.datetime.fromtimestamp(stat.st_mtime, dt.UTC)


@contextmanager
def _opened(path: Path | UPath) -> Iterator[IO[bytes]]:
    try:
        file = path.open("rb", buffering=0) if isinstance(path, Path) else path.open("rb")
    except OSError as error:
        raise _unreadable(path, error) from None
    with file:
        yield file


def _unreadable(path: Path | UPath, error: OSError) -> TurretError:
    return TurretError(f"The input {path} cannot be read: {error.strerror or error}. Check its permissions.")
