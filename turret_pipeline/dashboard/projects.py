"""The projects of the dashboard: their data folders, and the published file of each as it is now."""

import itertools
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

import duckdb
import polars as pl

from turret_pipeline.config.dashboard import DashboardSettings
from turret_pipeline.config.pipeline import Settings, load_settings
from turret_pipeline.errors import TurretError
from turret_pipeline.reports.published_tables import PublishedTables, select_segment_sessions
from turret_pipeline.reports.scope import Scope
from turret_pipeline.storage.data_dir import DataDir

T = TypeVar("T")
RESULTS_KEPT = 300
"""Results of figures that are kept in memory, for pages that are opened again with the same filters."""

BYTES_KEPT = 25_000_000
"""Memory of the results that are kept, in all."""

_COMPUTING = threading.BoundedSemaphore(1)
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
        self._stack = ExitStack()
        self._connection = self._stack.enter_context(super().open())
        self._connection.execute(f"set threads = {options.threads}; set memory_limit = '{options.memory_mb}MB'")
        self._connection.execute("attach if not exists ':memory:' as selections (read_write)")
        self._slot = threading.local()
        self._results: OrderedDict[Hashable, Any] = OrderedDict()
        self._bytes_kept = 0
        self._computing: dict[Hashable, threading.Lock] = {}
        self._lock = threading.Lock()

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
        with self._take_slot():
            cursor = self._connection.cursor()
            try:
                cursor.execute("set timezone = 'UTC'")
                with self.explain_other_version():
                    yield cursor
            finally:
                cursor.close()

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

    @contextmanager
    def _take_slot(self) -> Iterator[None]:
        """Wait until nothing else is computed; a thread that has the slot needs no other."""
        if getattr(self._slot, "is_taken", False):
            yield
            return
        with _COMPUTING:
            self._slot.is_taken = True
            try:
                yield
            finally:
                self._slot.is_taken = False

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
        removed = []
        with self._lock:
            self._results[key] = result
            self._bytes_kept += measure_bytes(result)
            while len(self._results) > 1 and (len(self._results) > RESULTS_KEPT or self._bytes_kept > BYTES_KEPT):
                removed.append(self._results.popitem(last=False)[1])
                self._bytes_kept -= measure_bytes(removed[-1])

    def __del__(self) -> None:
        if hasattr(self, "_stack"):
            self._stack.close()


def measure_bytes(result: object) -> int:
    """About the memory of a result: that of its frames and selections, wherever they are in it."""
    if isinstance(result, pl.DataFrame):
        return int(result.estimated_size())
    if isinstance(result, Selection):
        return result.size
    if isinstance(result, Mapping):
        return sum(map(measure_bytes, result.values()))
    if isinstance(result, (tuple, list)):
        return sum(map(measure_bytes, result))
    parts = (getattr(result, one.name) for one in fields(result)) if is_dataclass(result) else ()
    return sum(map(measure_bytes, parts))


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
