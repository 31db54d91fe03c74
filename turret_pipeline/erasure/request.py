"""Requests to erase: what they would remove, before anything is changed."""

import datetime as dt
import tempfile
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from turret_pipeline.config.pipeline import Settings
from turret_pipeline.erasure.erase import Counts, add_tombstones, canonical_options
from turret_pipeline.erasure.matching import MentionTest, build_mention_test, find_match
from turret_pipeline.erasure.removal import list_landing_files
from turret_pipeline.errors import TurretError, display_path
from turret_pipeline.ingest.hashing import hash_file
from turret_pipeline.ingest.parts import PartStore
from turret_pipeline.storage.data_dir import DataDir
from turret_pipeline.storage.tombstones import FILE, SESSION, USER, Tombstones

KINDS = (USER, SESSION, FILE)
POLL_SECONDS = 0.5


@dataclass(frozen=True)
class Request:
    """Ids of users and sessions, paths of files, and a time, to erase everything of or before."""

    users: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    before: dt.datetime | None = None

    def is_empty(self) -> bool:
        """True if nothing is asked for."""
        return not (self.users or self.sessions or self.files or self.before)

    def joined_by(self, other: "Request") -> "Request":
        """Both requests as one."""
        before = max((time for time in (self.before, other.before) if time is not None), default=None)
        return Request(self.users + other.users, self.sessions + other.sessions, self.files + other.files, before)


@dataclass(frozen=True)
class Preview:
    """Everything that a request would remove: counts, landing files to rewrite, and other input files, which stay."""

    counts: Counts
    landing_files: list[Path]
    outside_files: list[str]


def read_request_list(file: Path) -> Request:
    """The request in a list with a line for each: `user ID`, `session ID` or `file PATH`.

    Raises TurretError that names a line of another form.
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise TurretError(f"The list {display_path(file)} cannot be read: {error}. Check the path.") from None
    found: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for number, line in enumerate(lines, start=1):
        kind, _, value = line.strip().partition(" ")
        if not line.strip():
            continue
        if kind not in found or not value.strip():
            raise TurretError(
                f"Line {number} of {display_path(file)} names nothing to erase: write user ID, session ID or file PATH."
            )
        found[kind].append(value.strip())
    return Request(tuple(found[USER]), tuple(found[SESSION]), tuple(found[FILE]))


def list_values(data: DataDir, request: Request) -> dict[str, Collection[str]]:
    """The ids of a request by kind; those of files are the hashes of their contents. Raises TurretError for others."""
    files = PartStore(data.parts).source_files() if data.parts.is_dir() else pl.DataFrame()
    hashes = [sha for name in request.files for sha in _hash_contents(files, name)]
    return {USER: request.users, SESSION: request.sessions, FILE: hashes}


def _hash_contents(files: pl.DataFrame, name: str) -> list[str]:
    """Hashes of all contents that were read from a file, and of the one that it has now."""
    names = {name, str(Path(name).absolute()), str(Path(name).resolve())}
    read: Collection[str] = (
        [] if files.is_empty() else files.filter(pl.col("source_file").is_in(list(names)))["content_sha256"]
    )
    hashes = {*read, *([hash_file(Path(name))] if Path(name).is_file() else [])}
    if not hashes:
        raise TurretError(f"The file {name!r} was never read and does not exist: check the path.")
    return sorted(hashes)


def preview(data: DataDir, settings: Settings, request: Request) -> Preview:
    """Everything that a request would remove, of what was read so far. Needs the lock of the folder."""
    parts = PartStore(data.parts)
    with tempfile.TemporaryDirectory(prefix="turret-") as folder:
        tombstones = Tombstones(Path(folder) / "forgotten")
        add_tombstones(tombstones, settings, list_values(data, request), request.before)
        match = find_match(parts, data.lake, canonical_options(settings), tombstones, request.before)
    contents = {*match.rows["content_sha256"], *match.rejected["content_sha256"], *match.links["content_sha256"]}
    inside = list_landing_files(parts, data.landing, contents)
    in_landing = {parts.find_hash(path) or hash_file(path) for path in inside}
    read = parts.source_files().filter(pl.col("content_sha256").is_in(list(contents - in_landing)))
    outside = sorted(file for file in read["source_file"] if not _is_below(file, data.landing))
    return Preview(Counts.of(match), inside, outside)


def _is_below(file: str, folder: Path) -> bool:
    return "://" not in file and Path(file).resolve().is_relative_to(folder.resolve())


def list_open_files(data: DataDir) -> list[Path]:
    """Landing files that a collector is still writing and that name an erased id."""
    is_mentioned = build_mention_test(data.tombstones)
    return [] if is_mentioned is None else [file for file in _open_files(data) if _is_mentioned_in(file, is_mentioned)]


def wait_for_open_files(data: DataDir, seconds: float) -> list[Path]:
    """Wait until collectors finished the files that name an erased id; return those that they did not finish."""
    deadline, waiting = time.monotonic() + seconds, list_open_files(data)
    while waiting and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
        waiting = [file for file in waiting if file.exists()]
    return waiting


def _open_files(data: DataDir) -> Iterator[Path]:
    return data.landing.glob("*/.*.jsonl.open")


def _is_mentioned_in(file: Path, is_mentioned: MentionTest) -> bool:
    try:
        with file.open(encoding="utf-8", errors="replace") as lines:
            return any(map(is_mentioned, lines))
    except FileNotFoundError:  # finished in the meantime
        return False
