"""`python -m turret_pipeline.shards.ray_pool`: workers on a Ray cluster, told by lines of JSON which shards to run.

A process of its own, because a process that uses Ray may hang, or be ended by Ray, when the cluster fails: the run goes
on without it. Lines come in on standard input: the key of the shards in hexadecimal, then {"run": NAME, "model": true
or false} or {"stop": NAME}. Lines go out on standard output: ``Report``. The end of the input ends this process, and
Ray ends the workers with it.
"""

import contextlib
import json
import os
import queue
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TextIO

import ray

from turret_pipeline.shards.ray_worker import Worker

ALIVE_SECONDS = 2.0
"""Time between two signs of life."""

Commands = queue.Queue[dict[str, Any] | None]
"""Commands of the run, then None."""

POLL_SECONDS = 0.02
CONNECT_SECONDS = 3


@dataclass
class Pool:
    """Workers with the same resources, which are started when they are needed."""

    url: str
    key: bytes = field(repr=False)
    size: int
    resources: dict[str, float]
    waiting: deque[str] = field(default_factory=deque)
    starting: dict[Any, Any] = field(default_factory=dict)
    """Workers that no machine has started yet, by the reference to their start."""
    idle: list[Any] = field(default_factory=list)
    running: dict[Any, tuple[str, Any]] = field(default_factory=dict)
    """The shard and its worker, by the reference to the result."""
    problem: str = ""
    """The error of the last worker that did not start."""

    def assign(self) -> list[str]:
        """Give the shards that wait to idle workers, and return the names of these shards; start workers for others."""
        assigned = []
        while self.waiting and self.idle:
            name, worker = self.waiting.popleft(), self.idle.pop()
            self.running[worker.run.remote(name)] = (name, worker)
            assigned.append(name)
        while len(self.starting) < min(len(self.waiting), self.size - len(self.running)):
            started = self._start()
            self.starting[started.wait_until_ready.remote()] = started
        self._collect_started()
        return assigned

    def _start(self) -> Any:  # noqa: ANN401
        options = {"max_restarts": 0, "max_task_retries": 0, **self.resources}
        return ray.remote(Worker).options(**options).remote(self.url, self.key)

    def _collect_started(self) -> None:
        if not self.starting:
            return
        ready, _ = ray.wait([*self.starting], num_returns=len(self.starting), timeout=0)
        for reference in ready:
            worker = self.starting.pop(reference)
            try:
                ray.get(reference)
                self.idle.append(worker)
            except ray.exceptions.RayError as error:  # another one is started in its place
                self.problem = _first_line(error)

    def wait(self, seconds: float) -> bool:
        """Wait until a shard ends, but not longer than this; False, at once, if none runs."""
        if self.running:
            ray.wait([*self.running], timeout=seconds)
        return bool(self.running)

    def collect(self) -> list[dict[str, Any]]:
        """Reports of the shards that ended."""
        if not self.running:
            return []
        ready, _ = ray.wait([*self.running], num_returns=len(self.running), timeout=0)
        return [self._end(reference) for reference in ready]

    def _end(self, reference: Any) -> dict[str, Any]:  # noqa: ANN401
        name, worker = self.running.pop(reference)
        try:
            ray.get(reference)
        except ray.exceptions.RayTaskError as error:
            ray.kill(worker)  # the machine may lack something: the next one may be elsewhere
            return {"name": name, "state": "failed", "problem": _first_line(error.cause)}
        except ray.exceptions.RayError as error:
            return {"name": name, "state": "lost", "problem": _first_line(error)}
        self.idle.append(worker)
        return {"name": name, "state": "done"}

    def stop(self, name: str) -> None:
        """End the worker of a shard."""
        for reference, (running, worker) in [*self.running.items()]:
            if running == name:
                del self.running[reference]
                ray.kill(worker)
        if name in self.waiting:
            self.waiting.remove(name)


@dataclass
class Pools:
    """The pool for most shards, and the one for those that need a model: the same without GPUs."""

    plain: Pool
    of_model: Pool

    @property
    def all(self) -> list[Pool]:
        """Each pool once."""
        return [self.plain] if self.plain is self.of_model else [self.plain, self.of_model]

    def wait(self, seconds: float) -> bool:
        """Wait until a shard ends, but not longer than this; False, at once, if none runs."""
        waited = [pool.wait(seconds / len(self.all)) for pool in self.all]
        return any(waited)

    def advance(self) -> Iterator[dict[str, Any]]:
        """Reports of the shards that ended, and of those that start in their place."""
        for pool in self.all:
            yield from pool.collect()
            for name in pool.assign():
                yield {"name": name, "state": "started"}

    def follow(self, command: dict[str, Any]) -> None:
        """Do what a line of the run says."""
        if "run" in command:
            (self.of_model if command["model"] else self.plain).waiting.append(command["run"])
        if "stop" in command:
            for pool in self.all:
                pool.stop(command["stop"])


def main(address: str, url: str, lines: TextIO, out: TextIO) -> None:
    """Serve until ``lines`` ends."""

    def report(**fields: object) -> None:
        out.write(json.dumps(fields) + "\n")
        out.flush()

    if not _is_reachable(address):
        report(state="refused", problem="nothing listens there")
        return
    try:
        ray.init(address=address, log_to_driver=False, configure_logging=False)
    except (ConnectionError, ValueError, RuntimeError) as error:
        report(state="refused", problem=_first_line(error))
        return
    key = bytes.fromhex(lines.readline())
    found: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    plain = Pool(url, key, max(int(found.get("CPU", 0)), 1), {"num_cpus": 1})
    gpus = int(found.get("GPU", 0))
    of_model = Pool(url, key, gpus, {"num_cpus": 0, "num_gpus": 1}) if gpus else plain
    head = ray.get_runtime_context().gcs_address
    report(state="ready", workers=plain.size, address=head)
    _serve(Pools(plain, of_model), head, _read_in_background(lines), report)


def _first_line(error: BaseException) -> str:
    return str(error).strip().split("\n")[0] or type(error).__name__


def _is_reachable(address: str) -> bool:
    """False if nothing listens at HOST:PORT: Ray itself takes minutes to notice that."""
    host, _, port = address.rpartition(":")
    if not port.isdigit():
        return True
    try:
        socket.create_connection((host, int(port)), CONNECT_SECONDS).close()
    except OSError:
        return False
    return True


def _serve(
    pools: Pools, head: str, commands: "queue.Queue[dict[str, Any] | None]", report: Callable[..., None]
) -> None:
    alive_at = 0.0
    while True:
        is_busy = pools.wait(POLL_SECONDS)
        for found in pools.advance():
            report(**found)
        command: dict[str, Any] | None = {}
        with contextlib.suppress(queue.Empty):
            command = commands.get(timeout=0 if is_busy else POLL_SECONDS)
        if command is None:
            return
        pools.follow(command)
        if time.monotonic() > alive_at + ALIVE_SECONDS:
            if _is_reachable(head):
                report(state="alive", problem=pools.plain.problem or pools.of_model.problem)
            alive_at = time.monotonic()


def _read_in_background(lines: TextIO) -> Commands:
    """The commands as they come, then None."""
    commands = Commands()

    def read() -> None:
        for line in lines:
            commands.put(json.loads(line))
        commands.put(None)

    threading.Thread(target=read, daemon=True).start()
    return commands


if __name__ == "__main__":
    reports = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what Ray and other libraries print
    main(sys.argv[1], sys.argv[2], sys.stdin, reports)
