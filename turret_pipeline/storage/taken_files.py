"""Files of a commit that are put in place in a data folder, unit by unit, each as a whole."""

import functools
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from turret_pipeline.errors import FaultError, TurretError
from turret_pipeline.storage.atomic_files import atomic_replace, commit, lock_file, remove, temp_path
from turret_pipeline.storage.checksums import hash_file
from turret_pipeline.storage.data_dir import DataDir
from turret_pipeline.storage.list_merges import Merge
from turret_pipeline.storage.object_store import ObjectStore
from turret_pipeline.storage.shared_files import PUBLISHED, find_unit
from turret_pipeline.storage.store_commits import Commit, StoredFile
from turret_pipeline.storage.warehouse import open_read_only


@dataclass(frozen=True)
class FileTaker:
    """The files of a commit, and the data folder that takes them. ``base`` has the hashes before, by path.

    Each method raises FileNotFoundError if a later commit superseded this one, and FaultError if an object is damaged.
    """

    data: DataDir
    store: ObjectStore
    commit: Commit
    merges: Mapping[str, Merge]
    base: Mapping[str, str]

    @functools.cached_property
    def _units(self) -> dict[str, dict[str, StoredFile]]:
        """The files of the commit, by unit."""
        found: dict[str, dict[str, StoredFile]] = {}
        for name, stored in self.commit.files.items():
            found.setdefault(find_unit(name), {})[name] = stored
        return found

    def take(self, unit: str) -> None:
        """Replace a file or folder by that of the commit, merge it if it is a list, or remove it."""
        files = self._units.get(unit, {})
        path = self.data.root / unit
        if unit in self.merges:
            self._take_list(unit, path, files.get(unit))
        elif not files:
            remove(path)
        elif unit in files:
            self._fetch(files[unit], path)
        else:
            self._take_folder(path, files)

    def take_published(self) -> None:
        """Publish the file of the commit here, as a run does; readers keep the one before until they open it again."""
        stored = self.commit.files.get(PUBLISHED)
        warehouse = self.data.warehouse
        if stored is None:
            remove(warehouse.published)
            return
        build = temp_path(warehouse.folder / "pulled.duckdb")
        try:
            self._fetch(stored, build)
            with open_read_only(build) as connection:
                rows = connection.execute(
                    "select run_number, run_id from marts.pipeline_runs order by run_number desc limit 1"
                ).fetchall()
            ((number, run_id),) = rows
            warehouse.publish(build, number, run_id)
        finally:
            remove(build)

    def _take_folder(self, path: Path, files: Mapping[str, StoredFile]) -> None:
        """Replace a folder. Files that it has already are not fetched again."""
        fresh, before = temp_path(path), temp_path(path)
        try:
            for name, stored in files.items():
                old = self.data.root / name
                target = fresh / old.relative_to(path)
                target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                if old.is_file() and hash_file(old) == stored.sha256:
                    _link(old, target)
                else:
                    self._fetch(stored, target)
            if path.exists():
                path.replace(before)
            commit(fresh, path)
        finally:
            remove(fresh)
            remove(before)

    def _take_list(self, name: str, path: Path, stored: StoredFile | None) -> None:
        """Replace a list, or merge it if it was changed here. No other command changes it meanwhile."""
        remote = b"" if stored is None else self.store.read(stored.name)
        with lock_file(path):
            is_changed = path.exists() and hash_file(path) != self.base.get(name)
            if not is_changed and stored is None:
                remove(path)
                return
            try:
                content = self.merges[name](remote, path.read_bytes()) if is_changed else remote
            except (ValueError, KeyError, TypeError):
                raise TurretError(
                    f"{path} was changed here and at {self.store.url}, and cannot be merged, because a line of one of "
                    "them has another form: correct it here, or move the file elsewhere to take the other."
                ) from None
            with atomic_replace(path) as temp:
                temp.write_bytes(content)

    def _fetch(self, stored: StoredFile, path: Path) -> None:
        """Write the content of an object to a file, whole, and check it."""
        with atomic_replace(path) as temp:
            self.store.download(stored.name, temp)
            if hash_file(temp) != stored.sha256:
                raise FaultError(
                    f"The object {stored.name} at {self.store.url} is damaged: restore it there from a copy, or set "
                    "object_store to another prefix, to which the next run stores what this data folder has."
                )


def _link(old: Path, new: Path) -> None:
    """Give a file a second name; a copy where the file system has no hard links."""
    try:
        os.link(old, new)
    except OSError:
        shutil.copy2(old, new)
