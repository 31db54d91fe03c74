"""The projects of the dashboard: their data folders, and the published file of each as it is now."""

import itertools
import threading
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import duckdb

from turret_pipeline.config.dashboard import DashboardSettings
from turret_pipeline.config.pipeline import Settings, load_settings
from turret_pipeline.dashboard.results import Results
from turret_pipeline.dashboard.turns import Turns
from turret_pipeline.errors import TurretError
from turret_pipeline.reports.published_tables import PublishedTables, select_segment_sessions
from turret_pipeline.reports.scope import Scope
from turret_pipeline.storage.data_dir import DataDir

T = TypeVar("T")

TURNS = Turns()
"""One figure of any file is computed at a time, with all threads: two would need the memory of both, and not end
earlier."""

_NUMBERS = itertools.count()
"""Numbers of selections: snapshots of one file share what is in memory."""


class UnknownProjectError(TurretError):
    """The project of a URL is not listed, or the person may not open it."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Unknown project {name!r}: choose one from the list of projects.")


class Selection:
    """A table of selected sessions, which is dropped when no request and no memory of results needs it any more."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, name: str, size: int) -> None:
        self._connection, self.name, self.size = connection, name, size

    def __del__(self) -> None:
        with suppress(duckdb.Error):  # the file is closed, and the table gone
            self._connection.cursor().execute(f"drop table {self.name}")


class Snapshot(PublishedTables):
    """The published file as it was at one moment: requests that began with it end with it.

    One DuckDB instance serves all requests, each with a cursor of its own.
    """

    def __init__(self, data: DataDir, min_users: int, options: DashboardSettings) -> None:
        super().__init__(data, min_users)
        self.identity = data.warehouse.identity()
        self._memory_mb = options.memory_mb
        self._stack = ExitStack()
        self._connection = self._stack.enter_context(super().open())
        self._connection.execute(f"set threads = {options.threads}; set memory_limit = '{options.memory_mb}MB'")
        self._connection.execute("attach if not exists ':memory:' as selections (read_write)")
        self.results = Results()

    @property
    def path(self) -> Path:
        """The file that is open."""
        return Path(
            self._connection.sql(
                "select path from duckdb_databases() where not internal and path is not null"
            ).fetchall()[0][0]
        )

    @contextmanager
    def open(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor of the open file."""
        with TURNS.take():
            cursor = self._connection.cursor()
            try:
                cursor.execute("set timezone = 'UTC'")
                with self.explain_other_version(), self._explain_memory():
                    yield cursor
            finally:
                cursor.close()

    @contextmanager
    def _explain_memory(self) -> Iterator[None]:
        try:
            yield
        except duckdb.OutOfMemoryException:
            raise TurretError(
                f"A figure of this page needs more than the {self._memory_mb} MB that queries may use: set a higher "
                "memory_mb in the table [dashboard] of turret.toml, or choose a shorter period."
            ) from None

    @contextmanager
    def select_segments(self, connection: duckdb.DuckDBPyConnection, scope: Scope) -> Iterator[str]:
        """The table of the sessions in all segments of a scope, which is made once for all requests."""
        if not scope.segments:
            yield ""
            return

        def select() -> Selection:
            name = f"selections.sessions_{next(_NUMBERS)}"
            connection.execute(f"create table {name} as {select_segment_sessions(scope)}")
            count: int = connection.execute(f"select count(*) from {name}").fetchall()[0][0]
            return Selection(self._connection, name, 12 * count)

        selection = self.remember(("selection", frozenset(scope.segments)), select)
        yield selection.name

    def remember(self, key: Hashable, compute: Callable[[], T]) -> T:
        """The result of ``compute``, which is called once per key as long as its result is kept."""
        return self.results.remember(key, compute, TURNS.take)

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

    @property
    def is_open(self) -> bool:
        """True if a page of the project was asked for."""
        return self._snapshot is not None

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
