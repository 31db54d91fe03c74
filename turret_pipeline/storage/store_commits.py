"""Commits on an object store: numbered lists of the files that machines share, and the objects that hold them.

A commit is stored only if its number is free, so of two machines that commit at the same time one succeeds. Numbers are
never free again: the commit before is emptied, not deleted.

The object of a file is named by its content and by the last commit before its upload. Whoever still uploads for a
number that is taken cannot commit any more, so that objects of earlier numbers that the latest commit does not name can
be deleted at any time.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from turret_pipeline.errors import FaultError
from turret_pipeline.storage.object_store import ObjectStore

COMMITS, OBJECTS = "commits", "objects"
SHARED_FOLDERS = ("lake", "state", "forgotten", "warehouse")
"""Folders of the data folder in which a commit may name files."""


@dataclass(frozen=True)
class StoredFile:
    """The content of a file: its hash and size, and the number of the last commit before it was uploaded."""

    sha256: str
    size: int
    uploaded_after: int

    @property
    def name(self) -> str:
        """Name of its object."""
        return f"{OBJECTS}/{self.uploaded_after:012}/{self.sha256}"


@dataclass(frozen=True)
class Commit:
    """The shared files by their path in the data folder. Number 0 has none, and is not stored."""

    number: int = 0
    files: dict[str, StoredFile] = field(default_factory=dict)
    store_id: str = ""
    run_id: str = ""
    package_version: str = ""
    format_version: int = 0
    token: str = ""
    """Random, so that a machine recognizes its own commit."""

    def to_json(self) -> bytes:
        """The commit as it is stored."""
        files = {path: [one.sha256, one.size, one.uploaded_after] for path, one in sorted(self.files.items())}
        return json.dumps({**vars(self), "files": files}).encode()

    @classmethod
    def from_json(cls, content: bytes) -> "Commit":
        """The commit that ``to_json`` wrote. Raises ValueError, KeyError or TypeError for anything else."""
        found = json.loads(content)
        files = {
            _check_path(path): StoredFile(_check_hash(sha), int(size), int(after))
            for path, (sha, size, after) in found["files"].items()
        }
        return cls(**{**found, "number": int(found["number"]), "files": files})


@dataclass(frozen=True)
class CommitLog:
    """The commits on a store."""

    store: ObjectStore

    def list_versions(self, from_number: int) -> dict[int, str]:
        """Versions of the stored commits from a number on."""
        before = name_commit(from_number - 1) if from_number else None
        found = self.store.list_versions(COMMITS, after=before)
        return {int(name.rpartition("/")[2].removesuffix(".json")): version for name, version in found.items()}

    def read(self, number: int) -> Commit:
        """A commit. Raises FileNotFoundError if a later one superseded it, and FaultError if it is damaged."""
        content = self.store.read(name_commit(number))
        if not content:
            raise FileNotFoundError(name_commit(number))
        try:
            return Commit.from_json(content)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise FaultError(
                f"The commit {name_commit(number)} at {self.store.url} is damaged: set object_store to another prefix; "
                "the next run stores there everything that this data folder has."
            ) from None

    def add(self, commit: Commit) -> bool:
        """Store a commit; False if its number is taken."""
        return self.store.put_new(name_commit(commit.number), commit.to_json(), is_unique=True)

    def empty(self, number: int) -> None:
        """Empty a commit that a later one supersedes. Its number stays taken."""
        self.store.put(name_commit(number), b"")

    def remove_unused(self, commit: Commit) -> int:
        """Delete the objects that neither this latest commit nor any later one can name, and return their number."""
        used = {one.name for one in commit.files.values()}
        unused = [name for name in self.store.list_names(OBJECTS) if name not in used and _number(name) < commit.number]
        self.store.remove(unused)
        self.store.remove_unfinished()
        return len(unused)


def name_commit(number: int) -> str:
    """Name of the object of a commit."""
    return f"{COMMITS}/{number:012}.json"


def find_by_content(files: Iterable[StoredFile]) -> dict[str, StoredFile]:
    """Stored files by the hash of their content."""
    return {one.sha256: one for one in files}


def _check_path(path: str) -> str:
    """A path that machines share. Raises ValueError for another one, which whoever can write to the store put there."""
    parts = path.split("/")
    is_list = len(parts) == 1 and path.endswith(".jsonl")
    if not (is_list or parts[0] in SHARED_FOLDERS) or any(not part or part[0] == "." for part in parts):
        raise ValueError(path)
    return path


def _check_hash(sha: str) -> str:
    if not re.fullmatch("[0-9a-f]{64}", sha):
        raise ValueError(sha)
    return sha


def _number(name: str) -> int:
    """The number of the last commit before the upload of an object."""
    return int(name.split("/")[1])
