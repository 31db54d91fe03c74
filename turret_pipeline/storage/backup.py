"""Backup of a data folder into one archive, and its restoration. Neither needs anything to stop.

What is written once and then renamed is copied as it is. The published file and its topic state belong together: if a
run publishes in between, both are copied again. SQLite files are copied by SQLite, and of a landing file that a
collector is writing, the complete lines. What the next run makes again from these is left out.
"""

import contextlib
import io
import os
import re
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

from turret_pipeline.errors import TurretError, display_path
from turret_pipeline.storage.atomic_files import atomic_replace, remove, temp_path
from turret_pipeline.storage.data_dir import DataDir

ATTEMPTS = 10
"""Publications during one backup after which it gives up."""

ROOT = "turret-data"
"""Name of the folder in the archive."""

_OPEN = re.compile(r"\.(.+\.jsonl)\.open")
_DERIVED = {"warehouse", "state", "dbt", "quality", "figures", "report"}
_SQLITE = b"SQLite format 3\0"


def back_up(data: DataDir, archive: Path) -> int:
    """Write the archive of a data folder, with its projects, and return the number of files.

    An archive named .gz or .tgz is compressed. Raises TurretError if there is no data folder, or the archive is in it.
    """
    if not data.root.is_dir():
        raise TurretError(f"The data folder {display_path(data.root)} does not exist: choose another with --data-dir.")
    if archive.resolve().is_relative_to(data.root.resolve()):
        raise TurretError(f"The archive {display_path(archive)} is in the data folder itself: choose another place.")
    data.read_format_version()
    projects = sorted(path for path in data.root.glob("projects/*") if path.is_dir())
    is_packed = archive.name.endswith((".gz", ".tgz"))
    with atomic_replace(archive) as temp, _open_private(temp) as file:
        mode = "w:gz" if is_packed else "w"
        with tarfile.open(fileobj=file, mode=mode, format=tarfile.PAX_FORMAT) as tar:  # type: ignore[call-overload]
            writer = _Writer(tar, data.root)
            for folder in (data.root, *projects):
                writer.add_data_dir(DataDir(folder))
            return writer.count


def restore(archive: Path, data: DataDir, *, is_forced: bool) -> list[str]:
    """Put an archive in place of a data folder. Returns sentences about what a person should know.

    Erasures that the folder knows and the archive does not stay in force: the next run carries them out again. Raises
    TurretError if the folder has files and ``is_forced`` is not set, if a run or collector uses it, or if the archive
    is damaged.
    """
    is_used = data.root.is_dir() and any(data.root.iterdir())
    if is_used and not is_forced:
        raise TurretError(
            f"The data folder {display_path(data.root)} is not empty: restore to another with --data-dir, or pass "
            "--force to replace everything in it."
        )
    aside = temp_path(data.root)
    try:
        _extract(archive, aside)
        if not is_used:
            remove(data.root)
            (aside / ROOT).replace(data.root)
            return []
        with data.lock():
            _refuse_open_files(data)
            sentences = _keep_tombstones(data, DataDir(aside / ROOT))
            data.root.replace(aside / "before")
            (aside / ROOT).replace(data.root)
        return sentences
    finally:
        remove(aside)


class _Writer:
    """An archive that is being written."""

    def __init__(self, tar: tarfile.TarFile, root: Path) -> None:
        self._tar, self._root = tar, root
        self.count = 0

    def add_data_dir(self, data: DataDir) -> None:
        """Add the files of one data folder, without its projects."""
        self._add_published(data)
        for path in data.landing.rglob(".*.jsonl.open"):
            self._add_open_file(path)
        for path in _list_files(data.root):
            with contextlib.suppress(FileNotFoundError):  # removed meanwhile, as superseded
                self._add(path, self._name(path))

    def _add_published(self, data: DataDir) -> None:
        """Add the published file with the topic state that the next run continues from."""
        for _ in range(ATTEMPTS):
            if not data.warehouse.published.exists():
                return
            with tempfile.TemporaryDirectory(prefix="turret-") as folder:
                try:
                    published = Path(shutil.copyfile(data.warehouse.published, f"{folder}/published"))
                    state = _read_state_id(published)
                    copy = shutil.copytree(data.root / "state" / state, f"{folder}/state") if state else None
                except (FileNotFoundError, shutil.Error):  # another run published
                    continue
                self._add(published, self._name(data.warehouse.published))
                for path in sorted(Path(copy).iterdir()) if copy else ():
                    self._add(path, self._name(data.root / "state" / str(state) / path.name))
                return
        raise TurretError("Runs publish all the time, so that no backup is possible: pause the schedule and try again.")

    def _add_open_file(self, path: Path) -> None:
        """Add the complete lines of a file that is being written, under the name that it gets when it is finished."""
        with contextlib.suppress(FileNotFoundError):
            content = path.read_bytes()
            content = content[: content.rfind(b"\n") + 1]
            found = _OPEN.fullmatch(path.name)
            if content and found:
                self._add_bytes(self._name(path.with_name(found[1])), content, path.stat().st_mtime)

    def _add(self, path: Path, name: str) -> None:
        with path.open("rb") as file:
            is_sqlite = file.read(len(_SQLITE)) == _SQLITE
            file.seek(0)
            if is_sqlite:
                self._add_bytes(name, _copy_sqlite(path), path.stat().st_mtime)
                return
            member = self._tar.gettarinfo(arcname=name, fileobj=file)
            self._tar.addfile(member, file)
            self.count += 1

    def _add_bytes(self, name: str, content: bytes, changed_at: float) -> None:
        member = tarfile.TarInfo(name)
        member.size, member.mtime, member.mode = len(content), changed_at, 0o600
        self._tar.addfile(member, io.BytesIO(content))
        self.count += 1

    def _name(self, path: Path) -> str:
        return f"{ROOT}/{path.relative_to(self._root)}"


def _list_files(root: Path) -> Iterator[Path]:
    """The files of a data folder, except projects, hidden ones, and what a run makes again or may be writing."""
    for folder, names, files in os.walk(root):
        is_root = Path(folder) == root
        skipped = {"projects", *_DERIVED} if is_root else {"spill"}
        names[:] = sorted(name for name in names if name not in skipped and not name.startswith("."))
        for file in sorted(files):
            path = Path(folder, file)
            is_lake_table = path.parent == root / "lake"
            if not (file.startswith(".") or is_lake_table or file.endswith((".lock", "-wal", "-shm", "-journal"))):
                yield path


def _read_state_id(published: Path) -> str | None:
    """The topic state that a published file names."""
    import duckdb

    with duckdb.connect(str(published), read_only=True) as connection:
        rows = connection.execute(
            "select topic_state_id from marts.pipeline_runs order by rowid desc limit 1"
        ).fetchall()
    return str(rows[0][0]) if rows else None


def _copy_sqlite(path: Path) -> bytes:
    """The content of a SQLite file at one moment, with what is in its log."""
    with tempfile.TemporaryDirectory(prefix="turret-") as folder:
        target = Path(folder, "copy.sqlite")
        with (
            contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as source,
            contextlib.closing(sqlite3.connect(target)) as copy,
        ):
            source.backup(copy)
        return target.read_bytes()


@contextlib.contextmanager
def _open_private(path: Path) -> Iterator[io.BufferedWriter]:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        yield file


def _extract(archive: Path, folder: Path) -> None:
    """Extract an archive into a new folder. Raises TurretError if it is none of ours, or damaged."""
    folder.mkdir(mode=0o700, parents=True)
    try:
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
    except (OSError, EOFError, tarfile.TarError) as error:
        raise TurretError(
            f"The backup {display_path(archive)} cannot be read: {error}. Nothing was changed; use another backup."
        ) from None
    if not (folder / ROOT).is_dir():
        raise TurretError(f"The file {display_path(archive)} was not written by turret backup: choose another.")
    DataDir(folder / ROOT).read_format_version()


def _refuse_open_files(data: DataDir) -> None:
    """Raise TurretError if a collector may be writing to the folder."""
    landings = (data.landing, *data.root.glob("projects/*/landing"))
    if any(file for landing in landings for file in landing.glob("*/.*.jsonl.open")):
        raise TurretError(
            f"A collector is writing to {display_path(data.root)}: stop it, so that its events are not lost, and "
            "restore again."
        )


def _keep_tombstones(data: DataDir, restored: DataDir) -> list[str]:
    """Give a restored folder the erasures that only the folder before knows."""
    if data.tombstones.is_empty():
        return []
    remove(restored.tombstones.folder)
    shutil.copytree(data.tombstones.folder, restored.tombstones.folder)
    from turret_pipeline.clock import now

    restored.tombstones.request("restored", 0, now())
    return ["Erasures stay in force: the next turret run, or turret forget, carries them out in the restored folder."]
