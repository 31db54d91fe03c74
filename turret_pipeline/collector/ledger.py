"""What all workers must agree on and a restart must not forget: events counted against limits, batches stored.

One SQLite file beside the keys, used by the thread of each worker that commits. It is not what makes events durable
(the landing files are), so its own writes are not synced: a power cut may forget the last counts, a killed process
forgets nothing.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_TABLES = """
create table if not exists usage (
    owner text, period text, used integer not null, primary key (owner, period)
) without rowid;
create table if not exists deliveries (
    fingerprint blob primary key, first_at real not null, is_stored integer not null
) without rowid;
create index if not exists deliveries_first_at on deliveries (first_at);
"""
_OPENING_SECONDS = 5
_PURGE_SECONDS, _PURGED, _KEPT_SECONDS = 1, 5_000, 60
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


class LedgerBusyError(Exception):
    """Another worker has the ledger, for a moment; nothing has happened."""


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``most`` events of an owner in a period (None: just count); else come back in ``retry_after`` seconds.

    Where ``may_overfill``, a request larger than the whole limit is let in when nothing was before it.
    """

    owner: str
    period: str
    most: int | None
    retry_after: int
    may_overfill: bool = False


class Ledger:
    """Counts and deliveries. Never waits for others; raises sqlite3.Error where the file cannot be used."""

    def __init__(self, folder: Path, window_seconds: float) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._window = window_seconds
        self._purged_at = 0.0
        self._counts: dict[tuple[str, str], int] = {}
        self._connection = sqlite3.connect(
            folder / "ledger.sqlite", timeout=_OPENING_SECONDS, isolation_level=None, check_same_thread=False
        )
        self._connection.execute("pragma journal_mode = wal")
        self._connection.execute("pragma synchronous = normal")
        self._connection.executescript(_TABLES)
        self._connection.execute("pragma busy_timeout = 0")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, one worker at a time; counts are read once and written once in it.

        Raises LedgerBusyError.
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
            self._connection.executemany(query, [(*place, used) for place, used in self._counts.items()])
        except BaseException:
            self._connection.execute("rollback")
            raise
        self._connection.execute("commit")

    def reserve(self, limits: tuple[Limit, ...], count: int) -> Limit | None:
        """Count events against limits, all or none; the limit that refuses them, if one does."""
        for limit in limits:
            used = self._count(limit)
            if limit.most is not None and used + count > limit.most and not (limit.may_overfill and used == 0):
                return limit
        for limit in limits:
            self._counts[limit.owner, limit.period] += count
        return None

    def give_back(self, limits: tuple[Limit, ...], count: int) -> None:
        """Events that were reserved and could not be stored do not count."""
        for limit in limits:
            self._counts[limit.owner, limit.period] = self._count(limit) - count

    def used(self, owner: str, period: str) -> int:
        """Events counted for an owner in a period."""
        query = "select used from usage where owner = ? and period = ?"
        row = self._connection.execute(query, (owner, period)).fetchone()
        return int(row[0]) if row else 0

    def delivery(self, fingerprint: bytes, now: float) -> tuple[float, bool]:
        """When this batch first came within the window, and whether it has been stored since."""
        query = "select first_at, is_stored from deliveries where fingerprint = ?"
        row = self._connection.execute(query, (fingerprint,)).fetchone()
        if row and row[0] > now - self._window:
            return float(row[0]), bool(row[1])
        self._connection.execute("insert or replace into deliveries values (?, ?, 0)", (fingerprint, now))
        return now, False

    def mark_stored(self, fingerprints: list[bytes]) -> None:
        """These batches are on disk: sent again, they are not stored again."""
        query = "update deliveries set is_stored = 1 where fingerprint = ?"
        self._connection.executemany(query, [(fingerprint,) for fingerprint in fingerprints])

    def purge(self, now: float) -> None:
        """Forget, now and then and not too many at a time, deliveries and seconds that are over."""
        if now - self._purged_at < _PURGE_SECONDS:
            return
        self._purged_at = now
        over = "select fingerprint from deliveries where first_at < ? limit ?"
        query = f"delete from deliveries where fingerprint in ({over})"
        self._connection.execute(query, (now - self._window, _PURGED))
        # periods of a second are Unix times; months have a dash in them
        query = "delete from usage where period not like '%-%' and cast(period as integer) between 1 and ?"
        self._connection.execute(query, (int(now) - _KEPT_SECONDS,))

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _count(self, limit: Limit) -> int:
        place = limit.owner, limit.period
        if place not in self._counts:
            self._counts[place] = self.used(*place)
        return self._counts[place]
