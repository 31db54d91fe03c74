"""The tables of a run on this machine and of runs on Ray whose workers are killed and whose store fails.

    python -m turret_pipeline_tests.benchmarks.shard_failures [--events 1000000] [--runs ray killed outage]

Runs the whole job on the sample, or on simulated events: on this machine; on a Ray cluster of this machine through a
shared folder; the same with a worker killed every few seconds; and through SeaweedFS, which is cut off for seconds.
Prints seconds, and whether all published tables are equal. Exits with 1 if any differs.
"""

import argparse
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from turret_pipeline.storage.object_store import open_object_store
from turret_pipeline_tests.benchmarks.compare_tables import differences, read_tables
from turret_pipeline_tests.benchmarks.scale_events import EVENTS_PER_PROMPT, list_prompts, write_events
from turret_pipeline_tests.commands import BIN, PROJECT, SAMPLE, environment
from turret_pipeline_tests.object_server import KEYS, ObjectServer, Proxy
from turret_pipeline_tests.shards.failures import fail_once, kill_workers
from turret_pipeline_tests.shards.ray_cluster import RayCluster, running_cluster

PAUSE_SECONDS = 10.0
"""Time between two killed workers."""

DISTINCT = 0.07


def run(source: Path, data: Path, settings: Mapping[str, str]) -> float:
    """Seconds of `turret run`. Raises if it fails."""
    started = time.perf_counter()
    command = [str(BIN / "turret"), "run", "--input", str(source), "--data-dir", str(data)]
    subprocess.run(command, cwd=PROJECT, env=environment(settings), stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started


@contextmanager
def beside(*calls: Callable[[threading.Event], None]) -> Iterator[None]:
    """Run calls in threads, each with an event that is set at the end."""
    done = threading.Event()
    threads = [threading.Thread(target=call, args=(done,)) for call in calls]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        done.set()
        for thread in threads:
            thread.join()


@contextmanager
def serving(folder: Path) -> Iterator[tuple[Proxy, dict[str, str]]]:
    """A proxy before SeaweedFS, and the variables that point to it."""
    server = ObjectServer(folder / "server", volume_count=200).start()
    try:
        with Proxy(server.port) as proxy:
            variables = {**KEYS, "AWS_ENDPOINT_URL": server.endpoint}
            os.environ.update(variables)
            open_object_store("s3://tests").put("first", b"")  # creates the bucket
            yield proxy, {**variables, "AWS_ENDPOINT_URL": proxy.endpoint}
    finally:
        server.remove()


def run_on_ray(source: Path, data: Path, cluster: RayCluster, settings: Mapping[str, str]) -> float:
    """Seconds of a run on the cluster."""
    return run(source, data, {"TURRET_ENGINE": "ray", "TURRET_RAY_ADDRESS": cluster.address, **settings})


def run_variant(name: str, source: Path, data: Path, folder: Path) -> tuple[float, str]:
    """Seconds of a run on Ray, and what failed meanwhile."""
    if name == "outage":
        with serving(folder) as (proxy, variables), running_cluster(make(folder / name), variables) as cluster:
            settings = {**variables, "TURRET_OBJECT_STORE": "s3://tests/data"}
            outages = list[float]()
            with beside(lambda done: fail_once(proxy, "/pieces/results/", done, outages)):
                seconds = run_on_ray(source, data, cluster, settings)
            return seconds, f"{len(outages)} outage of {sum(outages):.0f} s, {len(proxy.requests):,} requests"
    killed = list[int]()
    with running_cluster(make(folder / name)) as cluster:
        if name == "ray":
            return run_on_ray(source, data, cluster, {}), "nothing"
        with beside(lambda done: kill_workers(cluster, killed, 1000, done, PAUSE_SECONDS)):
            seconds = run_on_ray(source, data, cluster, {})
    return seconds, f"{len(killed)} workers killed"


def make(folder: Path) -> Path:
    """The folder, created."""
    folder.mkdir()
    return folder


def main() -> int:
    """Print the table; 1 if any table differs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--events", type=int, default=0, help="simulated events; 0: the sample")
    parser.add_argument("--runs", nargs="+", choices=("ray", "killed", "outage"), default=["ray", "killed", "outage"])
    options = parser.parse_args()
    found = 0
    with tempfile.TemporaryDirectory(prefix="r-") as name:
        folder, source = Path(name), SAMPLE
        if options.events:
            source = make(folder / "input")
            prompts = list_prompts(max(round(DISTINCT * options.events / EVENTS_PER_PROMPT), 1))
            write_events(source / "events.jsonl", options.events, prompts)
        print("| run | s | failed | tables |\n|---|---|---|---|", flush=True)
        print(f"| local | {run(source, folder / 'local', {}):.0f} | nothing | |", flush=True)
        expected = read_tables(folder / "local")
        for each in options.runs:
            seconds, failed = run_variant(each, source, folder / f"data-{each}", folder)
            problems = list(differences(expected, read_tables(folder / f"data-{each}")))
            found += len(problems)
            equal = f"{len(expected)} equal" if not problems else "; ".join(problems)
            print(f"| {each} | {seconds:.0f} | {failed} | {equal} |", flush=True)
    return min(found, 1)


if __name__ == "__main__":
    raise SystemExit(main())
