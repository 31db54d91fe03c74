"""Durability of the collector: kill it under load repeatedly, and compare acknowledged events with those of a run.

    python -m turret_pipeline_tests.benchmarks.collector_crash [--kills 50] [--workers 2] [--seed 0]

Half of the requests are single events to /track, half are Trubrics batches. A batch without a response is sent again
with the same bytes, as Trubrics' SDK does. Exit code 1 if an acknowledged event is missing or duplicated.
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
from turret_pipeline_tests.benchmarks.http_load import build_post, send_load
from turret_pipeline_tests.collector.servers import Server, start_server
from turret_pipeline_tests.commands import installed_turret, open_published

BATCH = 5
ROUND_NUMBERS = 10_000  # request numbers reserved for each round
RATE = 300  # requests per second; losses at a kill do not depend on it, but the duration of the run does
LOAD_SECONDS = 20


def path_and_body(number: int) -> tuple[str, bytes]:
    """Path and body of the n-th request; each of its events has its own mark."""
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
    """Marks of the events of the n-th request."""
    return [f"t{number}"] if number % 2 else [f"b{number}-{index}" for index in range(BATCH)]


def crash_repeatedly(data_dir: Path, kills: int, workers: int) -> tuple[set[int], int]:
    """Send load, kill, restart. Return the numbers of the acknowledged requests, and the number of resent batches."""
    acknowledged: set[int] = set()
    waiting: list[int] = []
    resent = 0
    key = KeyFile(data_dir / "collector").create("demo")[0]
    for kill in range(kills):
        server = start_server(data_dir, {"workers": workers, "file_max_seconds": 2}, key=key)
        for number in waiting:
            if server.post(*path_and_body(number)).status_code == 200:
                acknowledged.add(number)
        resent += len(waiting)
        done, sent = load_and_kill(server, kill * ROUND_NUMBERS)
        acknowledged |= done
        waiting = [number for number in sent if number % 2 == 0 and number not in done]
    start_server(data_dir, {"workers": workers}, key=key).stop()
    return acknowledged, resent


def load_and_kill(server: Server, first: int) -> tuple[set[int], range]:
    """Numbers of the requests acknowledged before the kill, and of all requests sent."""
    sent = 0

    def build_request(number: int) -> bytes:
        nonlocal sent
        sent = number + 1
        path, body = path_and_body(first + number)
        return build_post(path, server.key, body)

    killer = threading.Timer(random.uniform(0.05, 1.0), server.kill)
    killer.start()
    load = send_load(server.port, build_request, seconds=LOAD_SECONDS, connections=32, rate=RATE, keep_numbers=True)
    killer.join()
    return {first + number for number in load.acknowledged}, range(first, first + sent)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the number of events acknowledged, found, missing and duplicated."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    random.seed(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        acknowledged, resent = crash_repeatedly(Path(folder), options.kills, options.workers)
        incomplete = (Path(folder) / "log.txt").read_text().count("removed an incomplete last line")
        data_dir = Path(folder) / "projects" / "demo"
        done = installed_turret("run", "--data-dir", data_dir)
        if done.returncode:
            sys.exit(done.stdout + done.stderr)
        with open_published(data_dir) as connection:
            query = "select metadata ->> '$.mark', count(*) from marts.events group by all"
            found = dict(connection.execute(query).fetchall())
            query = "select sum(row_count), sum(duplicate_count) from marts.source_files"
            rows, duplicates = connection.execute(query).fetchall()[0]
    expected = {mark for number in acknowledged for mark in marks(number)}
    missing = sum(mark not in found for mark in expected)
    duplicated = sum(occurrences > 1 for occurrences in found.values())
    print(f"{options.kills} kills of {options.workers} workers under load; {incomplete} incomplete lines removed")
    print(f"{len(acknowledged):,} requests with {len(expected):,} events acknowledged, {resent:,} batches sent again")
    print(f"landing files: {rows:,} rows, {duplicates:,} of them duplicates; published: {len(found):,} events")
    print(f"acknowledged but missing: {missing}; published more than once: {duplicated}")
    sys.exit(bool(missing or duplicated))


if __name__ == "__main__":
    main()
