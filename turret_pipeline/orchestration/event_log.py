"""Dagster's log of events in SQLite, as one run writes it: each of its files is opened once and held open.

Dagster opens and closes a file of it twice for each event, and each time waits for the disk. A run has a thousand
events, most of them of checks. The files are those that Dagster's UI reads.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as db
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._serdes import ConfigurableClassData
from sqlalchemy.pool import NullPool, StaticPool


class HeldEventLog(SqliteEventLogStorage):
    """The log with its files held open until ``dispose``.

    Killed processes lose nothing of it. A power failure can lose the latest events, but damages no file.
    """

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: dict[str, db.Engine] = {}
        self._tables: set[str] = set()
        super().__init__(base_dir, inst_data)

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> "HeldEventLog":  # noqa: ANN401
        """The log in the folder that the configuration names."""
        return cls(inst_data=inst_data, **config_value)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[db.Connection]:
        with self._db_lock, self._open(shard).begin() as connection:
            yield connection

    def _open(self, shard: str) -> db.Engine:
        if shard not in self._engines:
            address, arguments = self.conn_string_for_shard(shard), {"timeout": SQLITE_BUSY_TIMEOUT_SECONDS}
            self._initdb(db.create_engine(address, poolclass=NullPool, connect_args=arguments))
            held = {**arguments, "check_same_thread": False}  # the lock of the log keeps threads apart
            engine = db.create_engine(address, poolclass=StaticPool, connect_args=held)
            with engine.connect() as connection:
                connection.execute(db.text("pragma synchronous = normal"))
            self._engines[shard] = engine
        return self._engines[shard]

    def has_table(self, table_name: str) -> bool:
        """True if the table is there; tables are never removed."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    def delete_events(self, run_id: str) -> None:
        """Delete the events of a run, and close its file, which can then be removed."""
        super().delete_events(run_id)
        with self._db_lock:
            self._close(run_id)

    def dispose(self) -> None:
        """Close all files."""
        super().dispose()
        with self._db_lock:
            for shard in list(self._engines):
                self._close(shard)

    def _close(self, shard: str) -> None:
        if shard in self._engines:
            self._engines.pop(shard).dispose()


def configure_held_log(home: Path) -> dict[str, object]:
    """The setting of Dagster that makes a run write the log of this home with its files held open."""
    return {
        "event_log_storage": {
            "module": HeldEventLog.__module__,
            "class": HeldEventLog.__name__,
            "config": {"base_dir": str(home / "history" / "runs")},
        }
    }
