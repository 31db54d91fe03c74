"""Shards on a Ray cluster. No result depends on Ray: what it does not do in time is done by this process.

Ray is known to hang when workers die often, and its retries have limits, so none of them is used. A shard whose worker
is lost, or that takes far longer than the others, is given to another worker, and after ATTEMPTS is run here. If the
cluster gives no sign of life, all that is left is run here.
"""

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

from turret_pipeline.errors import FaultError, TurretError
from turret_pipeline.shards.local import LOCAL
from turret_pipeline.shards.pieces import Pieces
from turret_pipeline.shards.ray_process import RayProcess, Report
from turret_pipeline.shards.shard import Shard
from turret_pipeline.storage.object_store import open_object_store

T = TypeVar("T")

ATTEMPTS = 3
"""Workers that are given a shard before it is run here."""

MAX_HERE = 5
"""Shards that are run here, one after the other, before the cluster is given up: then all cores here are used."""

RESTARTS = 2
"""Times that a lost connection is opened anew in a run."""

QUEUED_PER_WORKER = 2
FACTOR = 10


@dataclass(frozen=True)
class Patience:
    """Limits in seconds.

    ``shard``: of the first shards, then ``FACTOR`` times the longest one, but at least ``least``. ``start``: until
    some worker starts a shard, if none is busy. ``silence``: of the whole cluster.
    """

    shard: float = 900
    least: float = 60
    start: float = 120
    silence: float = 60


@dataclass
class _Waiting:
    """A shard that was sent. ``started_at`` is when a worker began, and ``sent_at`` when it was last sent."""

    shard: Shard[Any]
    sent_at: float
    attempts: int = 1
    started_at: float | None = None


@dataclass
class RayEngine:
    """Runs shards on the cluster at an address, through the store of ``pieces``; ``say`` tells a person of problems."""

    pieces: Pieces
    address: str
    say: Callable[[str], None]
    patience: Patience = Patience()
    _process: RayProcess | None = None
    _head: str = ""
    _restart_count: int = 0
    _is_given_up: bool = False
    _count_here: int = 0
    _problem: str = ""
    _longest: float = 0.0
    _heard_at: float = 0.0
    _waiting: dict[str, _Waiting] = field(default_factory=dict)
    _files: set[str] = field(default_factory=set)

    def run(self, shards: Iterable[Shard[T]], folder: Path) -> Iterator[T]:
        """The values of all shards (``Engine.run``). Raises FaultError if the store fails, and what the work raises."""
        self._forget_interrupted()
        self._longest, left = 0.0, iter(shards)
        while not self._is_given_up and (shard := next(left, None)) is not None:
            sent = self.pieces.put_shard(shard)
            assert sent.name not in self._waiting, "two shards of a run are equal"
            self._files |= sent.files
            self._waiting[sent.name] = _Waiting(shard, time.monotonic())
            self.process.run(sent.name, needs_model=shard.needs_model)
            queued = QUEUED_PER_WORKER * self.process.workers
            while len(self._waiting) >= queued:
                yield from self._advance(folder)
        while self._waiting:
            yield from self._advance(folder)
        yield from LOCAL.run(left, folder)
        self.pieces.store.remove(sorted(self._files))
        self._files.clear()

    @property
    def process(self) -> RayProcess:
        """The process that talks with the cluster. Raises TurretError if there is no cluster."""
        if self._process is None:
            self._process = RayProcess(self._head or self.address, self.pieces.store.url, self.pieces.key)
            self._head = self._process.address
            self._heard_at = time.monotonic()
        return self._process

    def close(self) -> None:
        """End the workers, and delete what this run and killed ones left on the store."""
        if self._process is not None:
            self._process.close()
            self._process = None
        with contextlib.suppress(FaultError, FileNotFoundError):  # the next run deletes it
            self.pieces.remove_all()

    def _forget_interrupted(self) -> None:
        """Stop what a caller no longer waits for."""
        for name in self._waiting:
            self.process.stop(name)
        self._waiting.clear()

    def _advance(self, folder: Path) -> Iterator[Any]:
        """Wait for the next reports, and yield the values of the shards that they end."""
        seconds = 1.0
        while not self._is_given_up and (report := self.process.next_report(seconds)) is not None:
            self._heard_at, seconds = time.monotonic(), 0.0  # read all that are there before a shard counts as late
            if report.state == "ended":
                self._restart(f"ended the connection ({self.process.read_log()})")
            else:
                yield from self._follow(report, folder)
        if not self._is_given_up:
            yield from self._look_for_silence(folder)
        if self._is_given_up:
            waiting = [waiting.shard for waiting in self._waiting.values()]
            self._waiting.clear()
            yield from LOCAL.run(waiting, folder)

    def _look_for_silence(self, folder: Path) -> Iterator[Any]:
        """Do what a person would do who sees no progress."""
        now = time.monotonic()
        if now > self._heard_at + self.patience.silence:
            self._restart("does not answer")
        elif self._starts_nothing(now):
            self._give_up(f"starts no worker ({self._problem or 'its processors are in use'})")
        elif late := self._list_late(now):  # one at a time: meanwhile others may end
            self.process.stop(late[0])
            yield from self._repeat(late[0], "too slow", folder)

    def _follow(self, report: Report, folder: Path) -> Iterator[Any]:
        waiting = self._waiting.get(report.name)
        if waiting is None:
            self._problem = report.problem or self._problem
        elif report.state == "started":
            waiting.started_at = time.monotonic()
        elif report.state in {"lost", "failed"}:
            yield from self._repeat(report.name, f"{report.state}: {report.problem}", folder)
        elif report.state == "done":
            yield from self._take(report.name, waiting, folder)

    def _take(self, name: str, waiting: _Waiting, folder: Path) -> Iterator[Any]:
        """The value of a shard that has run. Its files are deleted with the last shard, as others may share them."""
        try:
            value, files = self.pieces.take_result(name, folder)
        except FileNotFoundError:
            yield from self._repeat(name, "lost the result", folder)
            return
        self._longest = max(self._longest, time.monotonic() - (waiting.started_at or waiting.sent_at))
        self._files |= files
        del self._waiting[name]
        yield value

    def _starts_nothing(self, now: float) -> bool:
        """True if shards have waited for a worker too long, and none runs."""
        is_any_started = any(waiting.started_at is not None for waiting in self._waiting.values())
        first = min((waiting.sent_at for waiting in self._waiting.values()), default=now)
        return not is_any_started and now > first + self.patience.start

    def _list_late(self, now: float) -> list[str]:
        """The shards that take far longer than the longest so far."""
        limit = max(FACTOR * self._longest, self.patience.least) if self._longest else self.patience.shard
        started = {name: waiting.started_at for name, waiting in self._waiting.items()}
        return [name for name, at in started.items() if at is not None and now > at + limit]

    def _repeat(self, name: str, problem: str, folder: Path) -> Iterator[Any]:
        """Give a shard to another worker, or run it here after ATTEMPTS: then it ends well, or raises its own error."""
        waiting = self._waiting[name]
        if waiting.attempts < ATTEMPTS:
            waiting.attempts += 1
            self._send_again(name)
            return
        self._count_here += 1
        if self._count_here == MAX_HERE:
            self._give_up(f"fails at its work ({problem})")
            return
        self.say(f"Warning: {ATTEMPTS} workers of the cluster failed at the same work ({problem}): it is done here.")
        yield from LOCAL.run([self._waiting.pop(name).shard], folder)

    def _send_again(self, name: str) -> None:
        waiting = self._waiting[name]
        waiting.sent_at, waiting.started_at = time.monotonic(), None
        self.process.run(name, needs_model=waiting.shard.needs_model)

    def _restart(self, problem: str) -> None:
        """Connect to the cluster anew, or give it up."""
        self._restart_count += 1
        self.process.close()
        self._process = None
        try:
            if self._restart_count > RESTARTS:
                raise TurretError("")
            for name in self._waiting:
                self._send_again(name)
        except TurretError:
            self._give_up(problem)

    def _give_up(self, problem: str) -> None:
        self.say(f"Warning: The Ray cluster at {self.address} {problem}: the rest of the work is done here.")
        self._is_given_up = True
        if self._process is not None:
            self._process.close()
            self._process = None


def open_ray_engine(address: str, url: str, say: Callable[[str], None]) -> RayEngine:
    """The engine of the cluster at an address, with its shards in the store at ``url``; it connects when it is used.

    Raises TurretError if the libraries of the extra ray are missing.
    """
    if find_spec("ray") is None:
        raise TurretError("The setting engine = ray needs the library ray: pip install 'turret-pipeline[ray]'.")
    return RayEngine(Pieces(open_object_store(url)), address, say)
