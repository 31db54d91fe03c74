"""A real Ray cluster on this machine: a head, and a second node that may be killed."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

START_SECONDS = 90


@dataclass
class RayCluster:
    """Nodes with one processor each, by name. ``address`` is that of the head."""

    address: str
    folder: Path
    env: Mapping[str, str]
    nodes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def start(self, name: str, *options: str) -> None:
        """Start a node, and wait until it has joined."""
        ray = Path(sys.executable).with_name("ray")
        common = ["--block", "--num-cpus=1", "--object-store-memory=80000000", "--disable-usage-stats"]
        with (self.folder / f"{name}.log").open("wb") as log:
            self.nodes[name] = subprocess.Popen(
                [ray, "start", *common, *options], stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
                env={**os.environ, **self.env},
            )  # fmt: skip
        deadline = time.monotonic() + START_SECONDS
        while b"Ray runtime started" not in (self.folder / f"{name}.log").read_bytes():
            assert time.monotonic() < deadline, (self.folder / f"{name}.log").read_text(encoding="utf-8")
            time.sleep(0.1)

    def kill(self, name: str) -> None:
        """Kill a node with everything that runs on it."""
        node = self.nodes.pop(name)
        for process in [*list_descendants(node.pid), node.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        node.wait()


def list_descendants(pid: int) -> list[int]:
    """Ids of the processes that a process started, and that these started."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parent = int(stat.read_text(encoding="utf-8").rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(stat.parent.name))
    found = list[int]()
    waiting = [pid]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return found


@contextmanager
def running_cluster(folder: Path, env: Mapping[str, str] | None = None) -> Iterator[RayCluster]:
    """A cluster of two nodes, whose processes have the variables of ``env``; its files are in the folder."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    cluster = RayCluster(f"127.0.0.1:{port}", folder, {"RAY_TMPDIR": str(folder), **(env or {})})
    try:
        cluster.start("head", "--head", f"--port={port}", "--node-ip-address=127.0.0.1", "--include-dashboard=false")
        cluster.start("second", f"--address=127.0.0.1:{port}")
        yield cluster
    finally:
        for name in [*cluster.nodes]:
            cluster.kill(name)
