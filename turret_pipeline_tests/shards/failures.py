"""Failures in the middle of a run: of workers of a cluster, and of an object store."""

import contextlib
import os
import signal
import threading
import time
from pathlib import Path

from turret_pipeline_tests.object_server import Proxy
from turret_pipeline_tests.shards.ray_cluster import RayCluster, list_descendants

OUTAGE_SECONDS = 3.0
POLL_SECONDS = 0.01


def kill_workers(cluster: RayCluster, killed: list[int], count: int, done: threading.Event, pause: float = 0.0) -> None:
    """Kill workers once they run, until ``count`` are killed, with a pause between them; adds their ids to a list."""
    while len(killed) < count and not done.wait(POLL_SECONDS):
        nodes = [*cluster.nodes.values()]
        for pid in {below for node in nodes for below in list_descendants(node.pid)} - {*killed}:
            with contextlib.suppress(OSError):
                if Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"ray::Worker"):
                    os.kill(pid, signal.SIGKILL)
                    killed.append(pid)
                    done.wait(pause)
                    break


def fail_once(proxy: Proxy, path: str, done: threading.Event, outages: list[float]) -> None:
    """Cut all connections of a proxy for OUTAGE_SECONDS once an object whose name contains ``path`` is stored.

    Adds the seconds to a list.
    """
    while proxy.count("PUT", path) == 0:
        if done.wait(POLL_SECONDS):
            return
    proxy.cut_after = 0
    time.sleep(OUTAGE_SECONDS)
    proxy.cut_after, proxy.is_down = None, False
    outages.append(OUTAGE_SECONDS)
