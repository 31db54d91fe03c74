"""The data folder: the paths of all stores, the format version, and the lock of the run that writes it."""

import errno
import functools
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from turret_pipeline.errors import FaultError, TurretError, display_path
from turret_pipeline.private_files import follow_umask, keeping_files_private, make_private, make_private_folder
from turret_pipeline.storage.atomic_files import atomic_replace, list_leftovers, remove
from turret_pipeline.storage.lake import Lake
from turret_pipeline.storage.upgrades import UPGRADES
from turret_pipeline.storage.warehouse import Warehouse
from turret_pipeline.topics.embedding.model_names import CASCADE

if TYPE_CHECKING:
    from turret_pipeline.storage.dashboard_views import DashboardViewsFile
    from turret_pipeline.storage.field_overrides import FieldOverridesFile
    from turret_pipeline.storage.signal_marks import SignalMarksFile
    from turret_pipeline.storage.tombstones import Tombstones
    from turret_pipeline.storage.topic_edits import TopicEditsFile
    from turret_pipeline.storage.topic_state import TopicStateStore
    from turret_pipeline.storage.vectors import VectorStore

FORMAT_VERSION = len(UPGRADES)
"""The version of the layout and the files that this code reads and writes; 0 has no version file."""

LOCK_SECONDS = 5
_OURS = {
    *(
        "lake",
        "state",
        "warehouse",
        "figures",
        "report",
        "quality",
        "dbt",
        "dagster",
        "projects",
        "collector",
        "dashboard",
        "format.json",
    ),
    *("signal_marks.jsonl", "dashboard_views.jsonl", "topic_edits.jsonl", "field_types.jsonl"),
}
"""Names in the data folder that this package gives."""


@dataclass(frozen=True)
class DataDir:
    """Everything that the pipeline writes. Nothing is read or written before a property or method is used."""

    root: Path

    @functools.cached_property
    def lake(self) -> Lake:
        """Parquet tables between the stages."""
        return Lake(self.root / "lake")

    @property
    def parts(self) -> Path:
        """Folder of the parts of the landing files that were read."""
        return self.lake.root / "parts"

    @property
    def landing(self) -> Path:
        """Default folder of new input files."""
        return self.root / "landing"

    @property
    def llm_answers(self) -> Path:
        """Answers of the LLM, so that no question is paid for twice."""
        return self.lake.root / "llm_names"

    @property
    def pieces(self) -> Path:
        """Shards on their way to other machines, if they share this folder."""
        return self.root / ".pieces"

    @property
    def figures(self) -> Path:
        """Pictures of the last run."""
        return self.root / "figures"

    @property
    def report(self) -> Path:
        """The report of the last run, as a page."""
        return self.root / "report" / "index.html"

    @property
    def quality(self) -> Path:
        """The quality report."""
        return self.root / "quality"

    @property
    def dbt(self) -> Path:
        """Target folder of dbt."""
        return self.root / "dbt"

    @property
    def dagster_home(self) -> Path:
        """Dagster's history of the runs in this folder."""
        return self.root / "dagster"

    @functools.cached_property
    def warehouse(self) -> Warehouse:
        """The DuckDB files."""
        return Warehouse(self.root / "warehouse")

    @functools.cached_property
    def topic_states(self) -> "TopicStateStore":
        """The topic states that runs continue from."""
        from turret_pipeline.storage.topic_state import TopicStateStore

        return TopicStateStore(self.root / "state", self.lake)

    @property
    def tombstones(self) -> "Tombstones":
        """Hashes of everything that was erased and may never come back."""
        from turret_pipeline.storage.tombstones import Tombstones

        return Tombstones(self.root / "forgotten")

    @property
    def signal_marks(self) -> "SignalMarksFile":
        """A person's judgements of signals."""
        from turret_pipeline.storage.signal_marks import SignalMarksFile

        return SignalMarksFile(self.root / "signal_marks.jsonl")

    @property
    def dashboard_views(self) -> "DashboardViewsFile":
        """Views of the dashboard that people saved."""
        from turret_pipeline.storage.dashboard_views import DashboardViewsFile

        return DashboardViewsFile(self.root / "dashboard_views.jsonl")

    @property
    def topic_edits(self) -> "TopicEditsFile":
        """A person's edits of topics."""
        from turret_pipeline.storage.topic_edits import TopicEditsFile

        return TopicEditsFile(self.root / "topic_edits.jsonl")

    @property
    def field_overrides(self) -> "FieldOverridesFile":
        """Field types that a person set."""
        from turret_pipeline.storage.field_overrides import FieldOverridesFile

        return FieldOverridesFile(self.root / "field_types.jsonl")

    def vectors(self, model: str, method: str = CASCADE) -> "VectorStore":
        """Vectors of the texts by one embedding model, with the prefix of its texts, or by its student."""
        from turret_pipeline.storage.vectors import VectorStore

        return VectorStore(self.lake.root / "embeddings", model, method)

    def make_folder(self, folder: Path) -> Path:
        """The folder, created if needed. Raises TurretError if the data folder cannot be written."""
        try:
            make_private_folder(folder)
        except OSError as error:
            raise FaultError(
                f"Cannot write to the data folder {display_path(self.root)}: {error.strerror}. "
                "Choose another with --data-dir (variable TURRET_DATA_DIR)."
            ) from None
        return folder

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the folder for one run, upgraded to this version. Raises TurretError if another run holds it.

        The lock ends with the process, also when that is killed.
        """
        path = self.make_folder(self.root) / ".run.lock"
        lock = FileLock(path, timeout=LOCK_SECONDS, mode=0o600)
        try:
            lock.acquire()
        except Timeout:
            raise TurretError(
                f"Another run is using the data folder {display_path(self.root)}: wait for it, "
                "or choose another folder with --data-dir."
            ) from None
        except IsADirectoryError:
            raise FaultError(f"{display_path(path)} is a folder in place of a file: remove it.") from None
        try:
            with keeping_files_private():
                self._close_to_others()
                self._upgrade()
                yield
        finally:
            lock.release()

    def _close_to_others(self) -> None:
        """Take the permissions of other people away from a folder of an earlier version, or one that is used first.

        What a person opens to others later stays open. Input files, and files in the folder that are not ours, stay.
        """
        if self._version_file.exists() and not self._version_file.stat().st_mode & 0o077:
            return
        ours = [path for path in self.root.iterdir() if path.name in _OURS or path.name.startswith(".")]
        for path in ours:
            make_private(path)
        if len(ours) + (self.landing in {*self.root.iterdir()}) == len([*self.root.iterdir()]):
            self.root.chmod(self.root.stat().st_mode & 0o700)
        for path in (self.warehouse.published, *self.warehouse.list_generations()):
            if path.exists():
                follow_umask(path)

    def prepare(self) -> None:
        """Make the folder readable by this version: upgrade it if it is older, which needs write access.

        Raises TurretError if a newer version wrote it.
        """
        if not self.root.is_dir() or (version := self.read_format_version()) == FORMAT_VERSION:
            return
        try:
            with self.lock():  # upgrades
                pass
        except OSError as error:
            if error.errno not in {errno.EROFS, errno.EACCES, errno.EPERM}:
                raise
            raise TurretError(
                f"The data folder {display_path(self.root)} has format {version} and must be upgraded to format "
                f"{FORMAT_VERSION}, which needs write access ({error.strerror}): make it writable for one command."
            ) from None

    def read_format_version(self) -> int:
        """The version of the folder's format; that of this code for a folder that is still empty.

        Raises TurretError if the version is newer than this code, or the version file is damaged.
        """
        if not self._version_file.exists():
            is_used = any((self.root / name).exists() for name in ("lake", "state", "warehouse"))
            return 0 if is_used else FORMAT_VERSION
        try:
            found = json.loads(self._version_file.read_text(encoding="utf-8"))
            version, writer = int(found["format_version"]), str(found["package_version"])
            if version < 0:
                raise ValueError("negative")
        except (OSError, ValueError, KeyError, TypeError):
            raise FaultError(
                f"Cannot read {display_path(self._version_file)}: restore it from a backup of the data folder, or, if "
                "no later version of turret-pipeline wrote the folder, remove it: the next run writes it again."
            ) from None
        if version > FORMAT_VERSION:
            raise TurretError(
                f"The data folder {display_path(self.root)} has format {version}, written by turret-pipeline {writer}; "
                f"this version reads formats up to {FORMAT_VERSION}. Install turret-pipeline {writer} or later, "
                "or choose another folder with --data-dir."
            )
        return version

    @property
    def is_stricter(self) -> bool:
        """True from when files are read again with stricter privacy settings until their tables are published."""
        return self._stricter_mark.exists()

    def mark_stricter(self) -> None:
        """Note that stored tables hold what stricter privacy settings replace."""
        self._stricter_mark.touch()

    def remove_weaker(self, run_id: str, text_ids: Iterable[str]) -> None:
        """Remove what was made with weaker privacy settings: old files, answers of the LLM, vectors of other texts."""
        from turret_pipeline.storage.vectors import remove_students, remove_vectors_of_other_texts

        self.warehouse.remove_superseded(run_id)
        remove(self.llm_answers)
        remove_vectors_of_other_texts(self.lake.root / "embeddings", text_ids)
        remove_students(self.lake.root / "embeddings")
        remove(self._stricter_mark)

    @property
    def _stricter_mark(self) -> Path:
        return self.root / ".stricter_privacy"

    def remove_leftovers(self, run_id: str) -> None:
        """Remove what killed runs left behind and what the last publication superseded. Needs the lock."""
        self.warehouse.remove_superseded(run_id)
        remove(self.pieces)
        folders = (self.lake.root, self.root / "state", self.warehouse.folder, self.quality, self.figures)
        for leftover in (path for folder in folders for path in list_leftovers(folder)):
            remove(leftover)

    @property
    def _version_file(self) -> Path:
        return self.root / "format.json"

    def upgrade_again(self, version: int) -> None:
        """Bring files of an earlier format, which were added to the folder, to this one. Needs the lock."""
        if version < FORMAT_VERSION:
            self._write_version(version)
            self._upgrade()

    def _upgrade(self) -> None:
        """Bring the folder to this version, one step at a time; a killed upgrade is repeated from its last step."""
        version = self.read_format_version()
        for number in range(version, FORMAT_VERSION):
            UPGRADES[number](self.root)
            self._write_version(number + 1)
        if not self._version_file.exists():
            self._write_version(FORMAT_VERSION)

    def _write_version(self, version: int) -> None:
        import importlib.metadata

        package_version = importlib.metadata.version("turret-pipeline")
        with atomic_replace(self._version_file) as temp:
            temp.write_text(
                json.dumps({"format_version": version, "package_version": package_version}) + "\n", encoding="utf-8"
            )
