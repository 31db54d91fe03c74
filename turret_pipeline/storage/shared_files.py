"""The files of a data folder that machines share through an object store, and what is known about them here.

Shared are parts, vectors, answers of the LLM, erasures, the files that people fill, the published file, and the topic
state that it names. Everything else a run makes again, or belongs to this machine.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from turret_pipeline.errors import TurretError
from turret_pipeline.storage.atomic_files import atomic_replace
from turret_pipeline.storage.checksums import hash_file
from turret_pipeline.storage.data_dir import DataDir
from turret_pipeline.storage.store_commits import Commit

PARTS, STATES, PUBLISHED = "lake/parts", "state", "warehouse/turret.duckdb"
KEY, TOMBSTONES = "forgotten/key", "forgotten/tombstones.parquet"
_FOLDERS = (PARTS, "lake/embeddings", "lake/llm_names")
_FILES = (
    *("topic_edits.jsonl", "field_types.jsonl", "signal_marks.jsonl", "dashboard_views.jsonl"),
    *(KEY, TOMBSTONES, "forgotten/erasures.jsonl", PUBLISHED),
)
_NOTES = ".object_store.json"


@dataclass
class Notes:
    """Notes of a data folder: the last commit that it has taken over or stored, and the hashes of its files.

    A file with the size and time of ``hashes`` is not read again.
    """

    url: str
    commit: Commit = field(default_factory=Commit)
    commit_version: str | None = None
    is_unfinished: bool = False
    """True if this folder stored the commit, and has not yet deleted what it superseded."""
    hashes: dict[str, tuple[int, int, str]] = field(default_factory=dict)

    @classmethod
    def read(cls, data: DataDir, url: str) -> "Notes":
        """The notes in a data folder; empty ones if there are none, they are damaged, or they are of another store."""
        try:
            found = json.loads((data.root / _NOTES).read_bytes())
            hashes = {path: (int(size), int(time), str(sha)) for path, (size, time, sha) in found["hashes"].items()}
            if found["url"] != url:
                return cls(url, hashes=hashes)
            return cls(url, Commit.from_json(found["commit"]), found["commit_version"], found["is_unfinished"], hashes)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return cls(url)

    def write(self, data: DataDir) -> None:
        """Replace the notes in a data folder."""
        found = {**vars(self), "commit": self.commit.to_json().decode()}
        with atomic_replace(data.root / _NOTES) as temp:
            temp.write_text(json.dumps(found), encoding="utf-8")

    def hash_shared_files(self, data: DataDir) -> dict[str, str]:
        """Hashes of the shared files of a folder, by path. Those of unchanged files are known from before."""
        found: dict[str, tuple[int, int, str]] = {}
        for path in list_shared_files(data):
            name = str(path.relative_to(data.root))
            with suppress(FileNotFoundError):  # a person's file that was removed meanwhile
                stat = path.stat()
                known = self.hashes.get(name)
                is_known = known is not None and known[:2] == (stat.st_size, stat.st_mtime_ns)
                sha = known[2] if known is not None and is_known else hash_file(path)
                found[name] = (stat.st_size, stat.st_mtime_ns, sha)
        self.hashes = found
        return {name: sha for name, (_, _, sha) in found.items()}


def list_shared_files(data: DataDir) -> Iterator[Path]:
    """The shared files of a data folder."""
    for name in _FILES:
        if (path := data.root / name).is_file():
            yield path
    for folder in (*(data.root / name for name in _FOLDERS), *_list_published_states(data)):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not any(part.startswith(".") for part in path.relative_to(data.root).parts):
                yield path


def find_unit(name: str) -> str:
    """The folder of a shared file that appears as a whole, with all files of one machine; else the file itself."""
    parts = name.split("/")
    if name.startswith(f"{PARTS}/") and len(parts) > 3:
        return "/".join(parts[:3])
    if parts[0] == STATES and len(parts) > 2:
        return "/".join(parts[:2])
    return name


def _list_published_states(data: DataDir) -> list[Path]:
    """The folder of the topic state that the published file names; none if that is missing or damaged."""
    try:
        last = data.warehouse.last_run()
    except (TurretError, duckdb.Error, OSError):
        return []
    return [] if last is None else [data.topic_states.root / str(last["topic_state_id"])]
