"""Throughput, latency and memory of the collector on loopback, compared with the same server with an empty handler.

    python -m turret_pipeline_tests.benchmarks.collector [--seconds 8] [--workers 1] [--events 2000000]

One process generates the load on the same machine. Events are synced to disk before they are acknowledged. Exit code 1
if a figure misses its target.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from turret_pipeline_tests.benchmarks.http_load import Load, build_post, send_load
from turret_pipeline_tests.collector.servers import Server, start_server

EMPTY = "turret_pipeline_tests.benchmarks.empty_collector"
ROUNDS = 3
SINGLE_CONNECTIONS, BATCH_CONNECTIONS = 256, 8
BATCH_EVENTS = 100
WARM_EVENTS = 300_000
TEXT = "How do I get my money back for the broken kettle that came on Friday?"
MIN_SHARE, MIN_EVENTS_PER_SECOND, MAX_P99_MS, MAX_MEMORY_GROWTH = 0.5, 20_000, 50, 0.1


def track_body() -> bytes:
    """Body of a typical event."""
    metadata = {"prompt": TEXT, "plan": "free", "tokens": 12, "latency": 0.83}
    return json.dumps({"name": "prompt_sent", "metadata": metadata, "session_id": "s_1234", "user_id": "u_77"}).encode()


def trubrics_body() -> bytes:
    """Body of a batch of 100 events; its ######## is replaced by a number, so that all batches differ."""
    at = "2026-05-01T10:00:00.123456+00:00"
    properties = {"$text": TEXT, "plan": "free", "$thread_id": "t_########"}
    return json.dumps(
        [{"user_id": f"u{n}", "event": "e", "timestamp": at, "properties": properties} for n in range(BATCH_EVENTS)]
    ).encode()


def v1_body() -> bytes:
    """Body of the same events for /v1/events."""
    event = {"name": "e", "timestamp": "2026-05-01T10:00:00.123456+00:00", "session_id": "t_########", "user_id": "u"}
    return json.dumps(
        [
            {**event, "event_id": f"########-{n}", "metadata": {"text": TEXT, "plan": "free"}}
            for n in range(BATCH_EVENTS)
        ]
    ).encode()


def request_builder(path: str, key: str, body: bytes) -> Callable[[int], bytes]:
    """Function that builds the n-th request; all requests have the same length."""
    post = build_post(path, key, body)
    return lambda number: post.replace(b"########", b"%08d" % number)


def print_row(name: str, load: Load, events: int = 1) -> None:
    """Print one row of the table; ``events`` is the number of events in a request."""
    quantiles = " | ".join(f"{load.quantile(share):.1f} ms" for share in (0.5, 0.95, 0.99))
    print(f"| {name} | {load.rate:,.0f} | {load.rate * events:,.0f} | {quantiles} | {load.failed} |", flush=True)


def measure_memory(server: Server) -> float:
    """Resident memory of all processes of a server, in MB."""
    group = server.process.pid
    sizes = []
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
            if Path(f"/proc/{fields['Pid'].strip()}/stat").read_text().rsplit(") ", 1)[1].split()[2] == str(group):
                sizes.append(int(fields["VmRSS"].split()[0]) / 1000)
        except (OSError, KeyError):
            continue
    return sum(sizes)


def measure_single_events(folder: Path, seconds: float, workers: int) -> tuple[float, float]:
    """Rate as a share of the rate of the empty handler, and p99 in milliseconds at half of the rate."""
    empty = start_server(folder / "empty", {"workers": workers}, app=EMPTY)
    real = start_server(folder / "real", {"workers": workers})
    rates: dict[str, list[float]] = {"empty handler": [], "/track": []}
    for _ in range(ROUNDS):  # alternate, because other load on the machine varies
        for name, server in (("empty handler", empty), ("/track", real)):
            post = build_post("/track", server.key, track_body())
            load = send_load(server.port, lambda _, post=post: post, seconds=seconds, connections=SINGLE_CONNECTIONS)  # type: ignore[misc]
            print_row(name, load)
            rates[name].append(load.rate)
    post = build_post("/track", real.key, track_body())
    half = send_load(
        real.port, lambda _: post, seconds=seconds, connections=SINGLE_CONNECTIONS, rate=median(rates["/track"]) / 2
    )
    print_row("/track at half of its rate", half)
    empty.stop()
    real.stop()
    return median(rates["/track"]) / median(rates["empty handler"]), half.quantile(0.99)


def measure_batches(folder: Path, seconds: float, workers: int, events: int) -> tuple[float, float]:
    """Lowest rate of events per second in batches, and the relative growth of memory over ``events`` events."""
    server = start_server(folder / "batches", {"workers": workers})
    rates = []
    for path, body in (("/publish_events", trubrics_body()), ("/v1/events", v1_body())):
        load = send_load(
            server.port, request_builder(path, server.key, body), seconds=seconds, connections=BATCH_CONNECTIONS
        )
        print_row(f"{path}, {BATCH_EVENTS} events each", load, BATCH_EVENTS)
        rates.append(load.rate * BATCH_EVENTS)
    server.stop()
    server = start_server(folder / "memory", {"workers": workers})
    build_request = request_builder("/publish_events", server.key, trubrics_body())
    send_load(
        server.port, build_request, seconds=600, connections=BATCH_CONNECTIONS, max_requests=WARM_EVENTS // BATCH_EVENTS
    )
    warm = measure_memory(server)
    rest = send_load(
        server.port,
        lambda number: build_request(number + WARM_EVENTS // BATCH_EVENTS),
        seconds=600,
        connections=BATCH_CONNECTIONS,
        max_requests=(events - WARM_EVENTS) // BATCH_EVENTS,
    )
    print_row(f"/publish_events, {events:,} events in all", rest, BATCH_EVENTS)
    after = measure_memory(server)
    server.stop()
    print(
        f"\nMemory of {workers} worker(s): {warm:.0f} MB after {WARM_EVENTS:,} events, {after:.0f} MB after {events:,}"
    )
    return min(rates), after / warm - 1


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table, and the figures with their targets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--events", type=int, default=2_000_000)
    options = parser.parse_args(arguments)
    print("| load | requests/s | events/s | p50 | p95 | p99 | failed |\n|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        for part in ("empty", "real", "batches", "memory"):
            (Path(name) / part).mkdir()
        share, p99 = measure_single_events(Path(name), options.seconds, options.workers)
        rate, growth = measure_batches(Path(name), options.seconds, options.workers, options.events)
    figures = [
        ("share of the empty handler's rate", share, MIN_SHARE, share >= MIN_SHARE),
        ("events per second in batches", rate, MIN_EVENTS_PER_SECOND, rate >= MIN_EVENTS_PER_SECOND),
        ("p99 at half of the rate, ms", p99, MAX_P99_MS, p99 < MAX_P99_MS),
        ("memory growth", growth, MAX_MEMORY_GROWTH, abs(growth) <= MAX_MEMORY_GROWTH),
    ]
    for name, value, target, is_met in figures:
        print(f"{name}: {value:,.2f}, target {target:,}{'' if is_met else ': MISSED'}")
    sys.exit(not all(is_met for *_, is_met in figures))


if __name__ == "__main__":
    main()
