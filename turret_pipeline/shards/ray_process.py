"""The process that talks with a Ray cluster (``ray_pool``), from the side of the run."""

import contextlib
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading

import msgspec

from turret_pipeline.errors import TurretError

START_SECONDS = 90
"""Time in which the process must have connected to the cluster: Ray gives up after 60."""

STOP_SECONDS = 3


class Report(msgspec.Struct):
    """A line of the process.

    ``state`` is ready, refused, alive or ended (of the process), or started, done, failed or lost (of the shard with
    this name, lost with its worker).
    """

    state: str
    name: str = ""
    problem: str = ""
    workers: int = 0
    address: str = ""


class RayProcess:
    """A running ``ray_pool``. Raises TurretError if there is no cluster at the address.

    ``workers`` is the number of shards that the cluster runs at a time, and ``address`` that of its head.
    """

    def __init__(self, address: str, url: str, key: bytes) -> None:
        command = [sys.executable, "-m", "turret_pipeline.shards.ray_pool", address, url]
        env = {"RAY_USAGE_STATS_ENABLED": "0", **os.environ}
        self._log = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115 - until close
        self._process = subprocess.Popen(
            command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True
        )
        self._send_line(key.hex())
        self._reports = queue.Queue[Report]()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        first = self.next_report(START_SECONDS)
        if first is None or first.state != "ready":
            problem = f"no answer in {START_SECONDS} seconds" if first is None else first.problem or self.read_log()
            self.close()
            raise TurretError(
                f"No Ray cluster at {address} ({problem}): start one with `ray start --head`, set ray_address to "
                "HOST:PORT of a running one, or set engine to local."
            )
        self.workers, self.address = first.workers, first.address

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self._reports.put(msgspec.json.decode(line, type=Report))
        self._reports.put(Report("ended"))

    def next_report(self, seconds: float) -> Report | None:
        """The next line of the process, or None if there is none for this time."""
        try:
            return self._reports.get(timeout=seconds)
        except queue.Empty:
            return None

    def run(self, name: str, *, needs_model: bool) -> None:
        """Let a worker run a shard."""
        self._send({"run": name, "model": needs_model})

    def stop(self, name: str) -> None:
        """End the worker of a shard, of which nothing more is reported."""
        self._send({"stop": name})

    def _send(self, command: dict[str, object]) -> None:
        self._send_line(json.dumps(command))

    def _send_line(self, line: str) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # it has ended: then no report comes
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()

    def read_log(self) -> str:
        """The last line that the process wrote for people."""
        self._log.seek(0)
        lines = [line.strip() for line in self._log if line.strip()]
        return lines[-1] if lines else "it ended"

    def close(self) -> None:
        """End the process, and with it the workers: by itself, or else by force."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(STOP_SECONDS)
        self._log.close()
