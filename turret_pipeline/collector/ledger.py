"""Ledger that all workers share and that survives a restart: usage counted against limits, and deliveries of batches.

One SQLite file beside the keys; the event loop of each worker uses it. Events are durable in the landing
files, not here, so writes to the ledger are not synced: a power cut can lose the last counts, a killed process loses
nothing.
"""

import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from turret_pipeline.private_files import make_private_folder, open_private

_TABLES = """
create table if not exists usage (
    owner text, period text, used integer not null, primary key (owner, period)
) without rowid;
create table if not exists deliveries (
    fingerprint blob primary key, first_at real not null, is_stored integer not null
) without rowid;
create index if not exists deliveries_first_at on deliveries (first_at);
"""
logger = logging.getLogger(__name__)

_OPEN_TIMEOUT_SECONDS = 5
_PURGE_INTERVAL_SECONDS, _PURGE_BATCH, _USAGE_RETENTION_SECONDS = 1, 5_000, 60
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


class LedgerBusyError(Exception):
    """Another worker holds the ledger for a moment; nothing was written."""


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``max_events`` events of an owner in a period; None only counts.

    A rejected client should retry after ``retry_after`` seconds. With ``allows_oversized_request``, a request larger
    than the limit is accepted if it is the first of the period.
    """

    owner: str
    period: str
    max_events: int | None
    retry_after: int
    allows_oversized_request: bool = False


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_OPEN_TIMEOUT_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = normal")
        connection.executescript(_TABLES)
        if (found := connection.execute("pragma quick_check(1)").fetchone()) != ("ok",):
            raise sqlite3.DatabaseError(str(found[0]))
    except BaseException:
        connection.close()
        raise
    return connection


def _put_aside(path: Path, error: Exception) -> None:
    """Rename a damaged ledger, so that a new one can begin: no event is lost, as events are in the landing files."""
    logger.warning(
        "%s is damaged (%s) and is now %s.damaged: usage is counted anew, and a batch that was stored before is stored "
        "once more if it is sent again",
        path,
        error,
        path.name,
    )
    for ending in ("-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)
    path.replace(path.with_name(f"{path.name}.damaged"))
    os.close(open_private(str(path), os.O_WRONLY | os.O_CREAT))


class Ledger:
    """Usage and deliveries. Never waits for other workers; raises sqlite3.Error if the file cannot be used."""

    def __init__(self, folder: Path, window_seconds: float) -> None:
        make_private_folder(folder)
        # SQLite gives its other files the mode of this one
        path = folder / "ledger.sqlite"
        os.close(open_private(str(path), os.O_WRONLY | os.O_CREAT))
        self._window_seconds = window_seconds
        self._purged_at = 0.0
        self._counts: dict[tuple[str, str], int] = {}
        # SQLite does not wait for its timeout when two workers switch a new file to WAL at the same time
        with FileLock(folder / ".ledger.lock", timeout=_OPEN_TIMEOUT_SECONDS, mode=0o600):
            try:
                self._connection = _open(path)
            except sqlite3.OperationalError:
                raise  # the disk
            except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
                _put_aside(path, error)
                self._connection = _open(path)
        self._connection.execute("pragma busy_timeout = 0")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Transaction of one worker at a time; it reads and writes each count once.

        Raises LedgerBusyError if another worker is in a transaction.
        """
        try:
            self._connection.execute("begin immediate")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode in _BUSY:
                raise LedgerBusyError from None
            raise
        self._counts.clear()
        try:
            yield
            query = "insert or replace into usage values (?, ?, ?)"
            self._connection.executemany(query, [(*key, used) for key, used in self._counts.items()])
        except BaseException:
            self._connection.execute("rollback")
            raise
        self._connection.execute("commit")

    def reserve(self, limits: tuple[Limit, ...], count: int) -> Limit | None:
        """Count events against all limits, or against none and return the limit that they would exceed."""
        for limit in limits:
            used = self._count(limit)
            may_exceed = limit.allows_oversized_request and used == 0
            if limit.max_events is not None and used + count > limit.max_events and not may_exceed:
                return limit
        for limit in limits:
            self._counts[limit.owner, limit.period] += count
        return None

    def release(self, limits: tuple[Limit, ...], count: int) -> None:
        """Take back events that were reserved but not stored."""
        for limit in limits:
            self._counts[limit.owner, limit.period] = self._count(limit) - count

    def usage(self, owner: str, period: str) -> int:
        """Number of events counted for an owner in a period."""
        query = "select used from usage where owner = ? and period = ?"
        row = self._connection.execute(query, (owner, period)).fetchone()
        return int(row[0]) if row else 0

    def record_delivery(self, fingerprint: bytes, now: float) -> tuple[float, bool]:
        """Record that a batch arrived. Return when it first arrived within the window, and if it is stored already."""
        query = "select first_at, is_stored from deliveries where fingerprint = ?"
        row = self._connection.execute(query, (fingerprint,)).fetchone()
        if row and row[0] > now - self._window_seconds:
            return float(row[0]), bool(row[1])
        self._connection.execute("insert or replace into deliveries values (?, ?, 0)", (fingerprint, now))
        return now, False

    def mark_stored(self, fingerprints: list[bytes]) -> None:
        """Mark batches as stored, so that they are not stored again when they are sent again."""
        query = "update deliveries set is_stored = 1 where fingerprint = ?"
        self._connection.executemany(query, [(fingerprint,) for fingerprint in fingerprints])

    def purge(self, now: float) -> None:
        """Delete expired deliveries and per-second counts, at most once a second and in small portions."""
        if now - self._purged_at < _PURGE_INTERVAL_SECONDS:
            return
        self._purged_at = now
        expired = "select fingerprint from deliveries where first_at < ? limit ?"
        query = f"delete from deliveries where fingerprint in ({expired})"
        self._connection.execute(query, (now - self._window_seconds, _PURGE_BATCH))
        # a period of a second is a Unix time, a period of a month has a dash
        query = "delete from usage where period not like '%-%' and cast(period as integer) between 1 and ?"
        self._connection.execute(query, (int(now) - _USAGE_RETENTION_SECONDS,))

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _count(self, limit: Limit) -> int:
        """Events counted so far in this transaction and before it."""
        key = limit.owner, limit.period
        if key not in self._counts:
            self._counts[key] = self.usage(*key)
        return self._counts[key]
