"""Kills the collector under load, again and again, and counts what a pipeline run finds of what it had acknowledged.

    python -m turret_pipeline_tests.benchmarks.collector_crash [--kills 50] [--workers 2] [--seed 0]

Half of the requests are single events of /track, half are batches of Trubrics, which are sent again with the same bytes
when the answer did not come, as Trubrics' SDK does. Exit code 1 if an acknowledged event is missing or is there twice.
"""

import argparse
import json
import random
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

from turret_pipeline.collector.keys import KeyFile
from turret_pipeline_tests.benchmarks.http_load import drive, request
from turret_pipeline_tests.collector.servers import Server, start
from turret_pipeline_tests.commands import installed_turret, reading

BATCH = 5
A_ROUND = 10_000  # numbers of requests that a round may use
RATE = 300  # requests a second: what is lost at a kill does not depend on it, how long the run takes does
LOAD_SECONDS = 20


def path_and_body(number: int) -> tuple[str, bytes]:
    """The n-th request; each of its events has a mark of its own."""
    if number % 2:
        event = {
            "name": "tracked",
            "metadata": {"mark": f"t{number}"},
            "session_id": f"s{number}",
            "user_id": f"u{number % 97}",
        }
        return "/track", json.dumps(event).encode()
    at = "2026-05-01T10:00:00Z"
    events = [
        {"user_id": "u", "event": "published", "timestamp": at, "properties": {"mark": mark}} for mark in marks(number)
    ]
    return "/publish_events", json.dumps(events).encode()


def marks(number: int) -> list[str]:
    """The marks of the events of the n-th request."""
    return [f"t{number}"] if number % 2 else [f"b{number}-{place}" for place in range(BATCH)]


def crash(data_dir: Path, kills: int, workers: int) -> tuple[set[int], int]:
    """Load, kill, start again. The requests that were acknowledged, and how many were sent a second time."""
    acknowledged: set[int] = set()
    waiting: list[int] = []
    repeated = 0
    key = KeyFile(data_dir / "collector").create("demo")[0]
    for kill in range(kills):
        server = start(data_dir, {"workers": workers, "file_max_seconds": 2}, key=key)
        for number in waiting:
            if server.post(*path_and_body(number)).status_code == 200:
                acknowledged.add(number)
        repeated += len(waiting)
        done, sent = load_and_kill(server, kill * A_ROUND)
        acknowledged |= done
        waiting = [number for number in sent if number % 2 == 0 and number not in done]
    start(data_dir, {"workers": workers}, key=key).stop()
    return acknowledged, repeated


def load_and_kill(server: Server, first: int) -> tuple[set[int], range]:
    """The requests that were acknowledged before the kill, and all that were sent."""
    sent = 0

    def make(number: int) -> bytes:
        nonlocal sent
        sent = number + 1
        path, body = path_and_body(first + number)
        return request(path, server.key, body)

    killer = threading.Timer(random.uniform(0.05, 1.0), server.kill)
    killer.start()
    load = drive(server.port, make, seconds=LOAD_SECONDS, connections=32, rate=RATE, keep=True)
    killer.join()
    return {first + number for number in load.acknowledged}, range(first, first + sent)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    random.seed(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        acknowledged, repeated = crash(Path(folder), options.kills, options.workers)
        torn = (Path(folder) / "log.txt").read_text().count("removed an incomplete last line")
        data_dir = Path(folder) / "projects" / "demo"
        done = installed_turret("run", "--data-dir", data_dir)
        if done.returncode:
            sys.exit(done.stdout + done.stderr)
        with reading(data_dir) as connection:
            query = "select metadata ->> '$.mark', count(*) from marts.events group by all"
            found = dict(connection.execute(query).fetchall())
            query = "select sum(row_count), sum(duplicate_count) from marts.source_files"
            rows, duplicates = connection.execute(query).fetchall()[0]
    wanted = {mark for number in acknowledged for mark in marks(number)}
    missing = sum(mark not in found for mark in wanted)
    twice = sum(times > 1 for times in found.values())
    print(f"{options.kills} kills of {options.workers} workers under load; {torn} torn lines cut")
    print(f"{len(acknowledged):,} requests with {len(wanted):,} events acknowledged, {repeated:,} batches sent again")
    print(f"landed: {rows:,} rows, {duplicates:,} of them known by their id; in the lake: {len(found):,} events")
    print(f"acknowledged and missing: {missing}; in the lake more than once: {twice}")
    sys.exit(bool(missing or twice))


if __name__ == "__main__":
    main()
