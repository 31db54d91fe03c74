"""A data folder that shares its files with other machines through an object store.

The folder stays the working copy. ``pull`` takes over what others committed, ``commit`` stores what is new here. Of a
file that changed in one place, that change counts. Of one that changed in both, lists that people or runs append to are
merged, and anything else is taken from the store. A kill between any two steps leaves a folder and a store from which
the next ``pull`` and ``commit`` continue.
"""

import hashlib
import importlib.metadata
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from turret_pipeline.errors import TurretError
from turret_pipeline.progress import Progress
from turret_pipeline.storage.data_dir import FORMAT_VERSION, DataDir
from turret_pipeline.storage.list_merges import MERGES, Merge
from turret_pipeline.storage.object_store import CHUNK_BYTES, ObjectStore, open_object_store
from turret_pipeline.storage.parallel_requests import run_requests
from turret_pipeline.storage.shared_files import KEY, PARTS, PUBLISHED, TOMBSTONES, Notes, find_unit
from turret_pipeline.storage.store_commits import Commit, CommitLog, StoredFile, find_by_content
from turret_pipeline.storage.taken_files import FileTaker

PIECES = "pieces"
"""Folder of the shards of runs on a cluster."""

PUBLISHED_COPY = "published/turret.duckdb"
"""Name of the object with the published file of the latest commit, for readers."""

ATTEMPTS = 5
"""Commits that may supersede each other, or files that may change, while one is read or stored."""

MAX_COPY_BYTES = 4 << 30
"""Larger objects are sent again, because S3 copies up to 5 GB in one request."""


class _ChangedMeanwhileError(Exception):
    """A file that people fill was changed between its hashing and its upload."""


@dataclass
class RemoteData:
    """A data folder and its store. Both methods need the lock of the folder."""

    data: DataDir
    store: ObjectStore
    progress: Progress
    merges: Mapping[str, Merge] = field(default_factory=lambda: MERGES)

    def __post_init__(self) -> None:
        self._log = CommitLog(self.store)

    def pull(self) -> bool:
        """Take over what other machines committed; False if this folder had it. Needs one request then, mostly.

        Raises TurretError if a newer version committed, or erasures here and there have different keys, and FaultError
        if the store does not answer.
        """
        notes = Notes.read(self.data, self.store.url)
        for _ in range(ATTEMPTS):
            try:
                commit = self._find_news(notes)
                if commit is None:
                    return False
                self._take_over(commit, notes)
                return True
            except FileNotFoundError:  # another commit superseded it, and its objects are gone
                continue
        raise TurretError(f"Other runs commit to {self.store.url} all the time: wait for them, and run again.")

    def commit(self, run_id: str, *, is_final: bool = False) -> bool:
        """Store what is new here; False if nothing is.

        ``is_final`` also gives readers the published file, and deletes what is no longer shared. Raises TurretError if
        another machine committed since the last pull.
        """
        notes = Notes.read(self.data, self.store.url)
        for _ in range(ATTEMPTS):
            files = self._plan_files(notes)
            if files == notes.commit.files:
                return is_final and notes.is_unfinished and self._finish(notes)
            notes.write(self.data)  # so that a run that is killed now has hashed its files
            try:
                self._upload(files, notes.commit)
                break
            except _ChangedMeanwhileError:
                continue
        else:
            raise TurretError(f"Files in {self.data.root} change all the time: wait, and run again.")
        before = notes.commit.number
        notes.commit, notes.commit_version = self._add_commit(files, notes.commit, run_id), None
        notes.is_unfinished = True
        notes.write(self.data)
        if before:
            self._log.empty(before)
        return self._finish(notes) if is_final else True

    def require_own_tables(self) -> None:
        """Raise TurretError unless the tables here are those of the published file: an erasure finds its traces so."""
        last = self.data.warehouse.last_run()
        if last is not None and not self.data.topic_states.is_shown(str(last["topic_state_id"])):
            raise TurretError(
                f"Another machine published the file in {self.data.root}, so that the tables here are older: run "
                "turret run --full-refresh first, then this command again. Nothing was erased yet."
            )

    def _find_news(self, notes: Notes) -> Commit | None:
        """The latest commit if this folder lacks it. Forgets in ``notes`` what is known of a store that was emptied."""
        known = notes.commit.number
        versions = self._log.list_versions(known)
        if not versions:
            notes.commit, notes.commit_version = Commit(), None
            notes.write(self.data)
            return None
        latest = max(versions)
        if latest == known and versions[known] == notes.commit_version:
            return None
        commit = self._log.read(latest)
        if commit.token == notes.commit.token:
            notes.commit_version = versions[latest]
            notes.write(self.data)
            return None
        if commit.store_id != notes.commit.store_id:
            notes.commit = Commit()
        notes.commit_version = versions[latest]
        return commit

    def _take_over(self, commit: Commit, notes: Notes) -> None:
        self._check_version(commit)
        here = notes.hash_shared_files(self.data)
        if not any(name.startswith(f"{PARTS}/") for name in here):
            notes.commit = Commit()  # the folder was emptied: it continues from the store, which keeps what it has
        base = {name: one.sha256 for name, one in notes.commit.files.items()}
        there = {name: one.sha256 for name, one in commit.files.items()}
        if KEY in here and KEY in there and here[KEY] != there[KEY]:
            raise TurretError(
                f"The erasures in {self.data.root} and those at {self.store.url} have different keys, so that neither "
                "can be carried out in the other: use an empty data folder, or another prefix in object_store."
            )
        taker = FileTaker(self.data, self.store, commit, self.merges, base)
        units = sorted(_list_changed_units(base, here, there))
        steps = run_requests(taker.take, [unit for unit in units if unit != PUBLISHED])
        self.progress.track(f"Downloading from {self.store.url}", len(units), steps)
        if PUBLISHED in units:
            taker.take_published()
        if here and here.get(TOMBSTONES) != there.get(TOMBSTONES):
            from turret_pipeline.clock import now

            self.data.tombstones.request("another machine", 0, now())
        self.data.upgrade_again(commit.format_version)
        notes.commit, notes.is_unfinished = commit, False
        notes.hash_shared_files(self.data)
        notes.write(self.data)

    def _check_version(self, commit: Commit) -> None:
        if commit.format_version > FORMAT_VERSION:
            raise TurretError(
                f"The files at {self.store.url} have format {commit.format_version}, written by turret-pipeline "
                f"{commit.package_version}; this version reads formats up to {FORMAT_VERSION}. Install turret-pipeline "
                f"{commit.package_version} or later."
            )

    def _plan_files(self, notes: Notes) -> dict[str, StoredFile]:
        """The files of the next commit. Contents that the last one has keep their objects."""
        here, last = notes.hash_shared_files(self.data), notes.commit
        stored = find_by_content(last.files.values())
        files = dict[str, StoredFile]()
        for name, sha in here.items():
            new = StoredFile(sha, notes.hashes[name][0], last.number)
            known = last.files.get(name)
            files[name] = known if known is not None and known.sha256 == sha else stored.get(sha, new)
        return files

    def _upload(self, files: Mapping[str, StoredFile], last: Commit) -> None:
        known = {one.name for one in last.files.values()}
        new = {one.name: (name, one) for name, one in files.items() if one.name not in known}
        steps = run_requests(lambda item: self._upload_one(*item), sorted(new.values(), key=lambda item: item[0]))
        if new:
            self.progress.track(f"Uploading to {self.store.url}", len(new), steps)

    def _upload_one(self, name: str, one: StoredFile) -> None:
        path = self.data.root / name
        if one.size > CHUNK_BYTES:
            self.store.put_content(one.name, path)
            return
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            raise _ChangedMeanwhileError from None
        if hashlib.sha256(content).hexdigest() != one.sha256:
            raise _ChangedMeanwhileError
        self.store.put_new(one.name, content)

    def _add_commit(self, files: dict[str, StoredFile], last: Commit, run_id: str) -> Commit:
        commit = Commit(
            last.number + 1,
            files,
            last.store_id or secrets.token_hex(16),
            run_id,
            importlib.metadata.version("turret-pipeline"),
            FORMAT_VERSION,
            secrets.token_hex(16),
        )
        if not self._log.add(commit):
            raise TurretError(f"Another run committed to {self.store.url} meanwhile: run again. Nothing is lost.")
        return commit

    def _finish(self, notes: Notes) -> bool:
        """Give readers the published file, delete what no commit can name any more, and return True."""
        published = notes.commit.files.get(PUBLISHED)
        try:
            if published is not None and published.size > MAX_COPY_BYTES:
                self.store.put(PUBLISHED_COPY, self.data.root / PUBLISHED)
            elif published is not None:
                self.store.copy(published.name, PUBLISHED_COPY)
            self._log.remove_unused(notes.commit)
            self.store.remove(self.store.list_names(PIECES))  # which hold rows, and only killed runs leave them
        except FileNotFoundError:  # a later commit superseded this one, and whoever stored it does the same
            pass
        notes.is_unfinished = False
        notes.write(self.data)
        return True


def open_remote_data(
    url: str, data: DataDir, progress: Progress, merges: Mapping[str, Merge] | None = None
) -> RemoteData | None:
    """The data folder with its store; None for an empty address. ``merges`` are further lists than those of storage.

    Raises TurretError for an invalid address, or if the libraries of the extra s3 are missing.
    """
    if not url:
        return None
    return RemoteData(data, open_object_store(url), progress, {**MERGES, **(merges or {})})


def _list_changed_units(base: Mapping[str, str], here: Mapping[str, str], there: Mapping[str, str]) -> Iterator[str]:
    """The units that differ between the folder and the store, and that the store changed since the ``base`` of both."""
    of_base, of_here, of_there = (_group(files) for files in (base, here, there))
    for unit in of_base.keys() | of_there.keys():
        remote = of_there.get(unit)
        if remote not in (of_here.get(unit), of_base.get(unit)):
            yield unit


def _group(files: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Hashes by unit and path."""
    found: dict[str, dict[str, str]] = {}
    for name, sha in files.items():
        found.setdefault(find_unit(name), {})[name] = sha
    return found
