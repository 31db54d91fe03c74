"""The projects of the dashboard: their data folders, and the published file of each as it is now."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

import duckdb

from turret_pipeline.config.dashboard import DashboardSettings
from turret_pipeline.config.pipeline import Settings, load_settings
from turret_pipeline.errors import TurretError
from turret_pipeline.reports.published_tables import PublishedTables
from turret_pipeline.storage.data_dir import DataDir

T = TypeVar("T")
RESULTS_KEPT = 300
"""Results of figures that are kept in memory, for pages that are opened again with the same filters."""


class UnknownProjectError(TurretError):
    """The project of a URL is not listed, or the person may not open it."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Unknown project {name!r}: choose one from the list of projects.")


class Snapshot(PublishedTables):
    """The published file as it was at one moment: requests that began with it end with it.

    One DuckDB instance serves all requests, each with a cursor of its own.
    """

    def __init__(self, data: DataDir, min_users: int, options: DashboardSettings) -> None:
        super().__init__(data, min_users)
        self.identity = data.warehouse.identity()
        self._stack = ExitStack()
        self._connection = self._stack.enter_context(super().open())
        self._connection.execute(f"set threads = {options.threads}; set memory_limit = '{options.memory_mb}MB'")
        self._results: OrderedDict[Hashable, Any] = OrderedDict()
        self._computing: dict[Hashable, threading.Lock] = {}
        self._lock = threading.Lock()

    @property
    def path(self) -> Path:
        """The file that is open."""
        return Path(self._connection.sql("select path from duckdb_databases() where not internal").fetchall()[0][0])

    @contextmanager
    def open(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor of the open file."""
        cursor = self._connection.cursor()
        try:
            cursor.execute("set timezone = 'UTC'")
            with self.explain_other_version():
                yield cursor
        finally:
            cursor.close()

    def remember(self, key: Hashable, compute: Callable[[], T]) -> T:
        """The result of ``compute``, which is called once per key, also if several requests ask at the same time."""
        with self._lock:
            if key in self._results:
                self._results.move_to_end(key)
                return cast("T", self._results[key])
            computing = self._computing.setdefault(key, threading.Lock())
        with computing:
            with self._lock:
                if key in self._results:
                    return cast("T", self._results[key])
            try:
                result = compute()
            finally:
                with self._lock:
                    self._computing.pop(key, None)
            self._keep(key, result)
        return result

    def _keep(self, key: Hashable, result: object) -> None:
        with self._lock:
            self._results[key] = result
            while len(self._results) > RESULTS_KEPT:
                self._results.popitem(last=False)

    def __del__(self) -> None:
        if hasattr(self, "_stack"):
            self._stack.close()


class Project:
    """A data folder with its settings. ``current`` follows its publications."""

    def __init__(self, name: str, folder: Path, options: DashboardSettings) -> None:
        self.name, self.data, self._options = name, DataDir(folder), options
        self.settings: Settings = load_settings(data_dir=folder)
        self._lock = threading.Lock()
        self._snapshot: Snapshot | None = None

    def current(self) -> Snapshot:
        """The file that is published now. Raises TurretError if nothing is, or only by another version.

        The superseded snapshot is closed when the last request that uses it ends.
        """
        identity = self.data.warehouse.identity()
        with self._lock:
            if self._snapshot is None or self._snapshot.identity != identity:
                self._snapshot = Snapshot(self.data, self.settings.privacy_min_users, self._options)
            return self._snapshot


class Projects(Mapping[str, Project]):
    """All projects by name. Nothing of a folder is opened before a page of its project is asked for."""

    def __init__(self, options: DashboardSettings) -> None:
        self._projects = {name: Project(name, folder, options) for name, folder in options.folders.items()}

    def __getitem__(self, name: str) -> Project:
        try:
            return self._projects[name]
        except KeyError:
            raise UnknownProjectError(name) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._projects)

    def __len__(self) -> int:
        return len(self._projects)
