"""Rates, latencies and memory of the collector on loopback, beside the same server with an empty handler.

    python -m turret_pipeline_tests.benchmarks.collector [--seconds 8] [--workers 1] [--events 2000000]

One process makes the load; it and the collector share the machine. Events are synced to disk before they are
acknowledged. Exit code 1 where a figure is not what it is held to.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from turret_pipeline_tests.benchmarks.http_load import Load, drive, request
from turret_pipeline_tests.collector.servers import Server, start

EMPTY = "turret_pipeline_tests.benchmarks.empty_collector"
ROUNDS = 3
SINGLES, BATCHES = 256, 8  # connections
BATCH = 100
WARM_EVENTS = 300_000
TEXT = "How do I get my money back for the broken kettle that came on Friday?"
HELD = {"share of the empty rate": 0.5, "events a second": 20_000, "p99 ms at half": 50, "memory growth": 0.1}


def track_body() -> bytes:
    """A usual event."""
    metadata = {"prompt": TEXT, "plan": "free", "tokens": 12, "latency": 0.83}
    return json.dumps({"name": "prompt_sent", "metadata": metadata, "session_id": "s_1234", "user_id": "u_77"}).encode()


def trubrics_body() -> bytes:
    """A batch of a hundred events; the marks become a number that makes it another batch."""
    at = "2026-05-01T10:00:00.123456+00:00"
    properties = {"$text": TEXT, "plan": "free", "$thread_id": "t_########"}
    return json.dumps(
        [{"user_id": f"u{n}", "event": "e", "timestamp": at, "properties": properties} for n in range(BATCH)]
    ).encode()


def v1_body() -> bytes:
    """The same events for /v1/events."""
    event = {"name": "e", "timestamp": "2026-05-01T10:00:00.123456+00:00", "session_id": "t_########", "user_id": "u"}
    return json.dumps(
        [{**event, "event_id": f"########-{n}", "metadata": {"text": TEXT, "plan": "free"}} for n in range(BATCH)]
    ).encode()


def numbered(path: str, key: str, body: bytes) -> Callable[[int], bytes]:
    """Requests that differ in their number, of the same length."""
    whole = request(path, key, body)
    return lambda number: whole.replace(b"########", b"%08d" % number)


def shown(name: str, load: Load, events: int = 1) -> None:
    """One line of the table."""
    quantiles = " | ".join(f"{load.quantile(share):.1f} ms" for share in (0.5, 0.95, 0.99))
    print(f"| {name} | {load.rate:,.0f} | {load.rate * events:,.0f} | {quantiles} | {load.refused} |", flush=True)


def memory(server: Server) -> float:
    """MB of all processes of a server."""
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


def singles(folder: Path, seconds: float, workers: int) -> tuple[float, float]:
    """The share of the empty handler's rate, and p99 at half of the rate."""
    empty = start(folder / "empty", {"workers": workers}, app=EMPTY)
    real = start(folder / "real", {"workers": workers})
    rates: dict[str, list[float]] = {"empty handler": [], "/track": []}
    for _ in range(ROUNDS):  # in turns, since other work on the machine comes and goes
        for name, server in (("empty handler", empty), ("/track", real)):
            whole = request("/track", server.key, track_body())
            load = drive(server.port, lambda _, whole=whole: whole, seconds=seconds, connections=SINGLES)  # type: ignore[misc]
            shown(name, load)
            rates[name].append(load.rate)
    whole = request("/track", real.key, track_body())
    half = drive(real.port, lambda _: whole, seconds=seconds, connections=SINGLES, rate=median(rates["/track"]) / 2)
    shown("/track at half of its rate", half)
    empty.stop()
    real.stop()
    return median(rates["/track"]) / median(rates["empty handler"]), half.quantile(0.99)


def batches(folder: Path, seconds: float, workers: int, events: int) -> tuple[float, float]:
    """The lowest rate of events in batches, and how much memory grew over so many events."""
    server = start(folder / "batches", {"workers": workers})
    rates = []
    for path, body in (("/publish_events", trubrics_body()), ("/v1/events", v1_body())):
        load = drive(server.port, numbered(path, server.key, body), seconds=seconds, connections=BATCHES)
        shown(f"{path}, {BATCH} events each", load, BATCH)
        rates.append(load.rate * BATCH)
    server.stop()
    server = start(folder / "memory", {"workers": workers})
    make = numbered("/publish_events", server.key, trubrics_body())
    drive(server.port, make, seconds=600, connections=BATCHES, most=WARM_EVENTS // BATCH)
    warm = memory(server)
    rest = drive(
        server.port,
        lambda number: make(number + WARM_EVENTS // BATCH),
        seconds=600,
        connections=BATCHES,
        most=(events - WARM_EVENTS) // BATCH,
    )
    shown(f"/publish_events, {events:,} events in all", rest, BATCH)
    after = memory(server)
    server.stop()
    print(
        f"\nMemory of {workers} worker(s): {warm:.0f} MB after {WARM_EVENTS:,} events, {after:.0f} MB after {events:,}"
    )
    return min(rates), after / warm - 1


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table and the verdicts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--events", type=int, default=2_000_000)
    options = parser.parse_args(arguments)
    print("| load | requests/s | events/s | p50 | p95 | p99 | refused |\n|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        for part in ("empty", "real", "batches", "memory"):
            (Path(name) / part).mkdir()
        share, p99 = singles(Path(name), options.seconds, options.workers)
        rate, growth = batches(Path(name), options.seconds, options.workers, options.events)
    found = {"share of the empty rate": share, "events a second": rate, "p99 ms at half": p99, "memory growth": growth}
    is_kept = [share >= 0.5, rate >= HELD["events a second"], p99 < HELD["p99 ms at half"], abs(growth) <= 0.1]
    for (what, value), kept in zip(found.items(), is_kept, strict=True):
        print(f"{what}: {value:,.2f}, held to {HELD[what]:,}{'' if kept else ': NOT KEPT'}")
    sys.exit(not all(is_kept))


if __name__ == "__main__":
    main()
