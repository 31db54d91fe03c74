"""Answers to honest clients while thousands of slow connections are held open.

    python -m turret_pipeline_tests.benchmarks.slow_sockets [--sockets 4000] [--honest 100]

Each way of being slow is tried on a collector of its own with the default settings. A connection that is closed is
opened again at once. All connections come from one address. Exit code 1 if an honest client is not answered with 200.
"""

import argparse
import asyncio
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from turret_pipeline_tests.benchmarks.http_load import build_post
from turret_pipeline_tests.collector.servers import Server, run_server

BODY = b'{"name":"n","metadata":{}}'
DRIBBLE_SECONDS = 1
READ_SECONDS = 20

Dribble = tuple[bytes, bytes]
"""What a slow connection sends first, and then again and again."""


def list_ways(key: str) -> dict[str, Dribble]:
    """What slow connections send, by the name of the way."""
    post = build_post("/track", key, b" " * 5000)
    return {
        "silent": (b"", b""),
        "headers": (b"POST /track HTTP/1.1\r\nhost: x\r\n", b"x-a: b\r\n"),
        "body without a key": (build_post("/track", "none", b" " * 5000)[:-5000], b" "),
        "body with a key": (post[:-5000], b" "),
        "idle": (b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n", b""),
        "unread answers": (b"GET /docs HTTP/1.1\r\nhost: x\r\n\r\n" * 100, b""),
    }


async def hold_slow_connection(port: int, dribble: Dribble, pause: float) -> None:
    """Hold a slow connection open, and open it again when it is closed."""
    while True:
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1)
            try:
                await _send_slowly(writer, dribble, pause)
            finally:
                writer.close()
        await asyncio.sleep(0.1)


async def _send_slowly(writer: asyncio.StreamWriter, dribble: Dribble, pause: float) -> None:
    writer.write(dribble[0])
    while not writer.transport.is_closing():
        await asyncio.sleep(pause)
        writer.write(dribble[1])


async def ask_honestly(port: int, key: str) -> tuple[int, float]:
    """Status of a new client's request, 0 if it was closed without one, and the seconds until its answer."""
    started = time.perf_counter()
    status = 0
    with suppress(OSError, TimeoutError, IndexError, ValueError):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(build_post("/track", key, BODY))
        line = await asyncio.wait_for(reader.readline(), READ_SECONDS)
        writer.close()
        status = int(line.split()[1])
    return status, time.perf_counter() - started


async def measure(
    server: Server, dribble: Dribble, sockets: int, honest: int, pause: float = DRIBBLE_SECONDS
) -> list[tuple[int, float]]:
    """Answers to honest clients, one after the other, while the slow connections are open."""
    held = [asyncio.create_task(hold_slow_connection(server.port, dribble, pause)) for _ in range(sockets)]
    try:
        await asyncio.sleep(2 * pause)
        return [await ask_honestly(server.port, server.key) for _ in range(honest)]
    finally:
        for task in held:
            task.cancel()
        await asyncio.gather(*held, return_exceptions=True)


def print_table(sockets: int, honest: int) -> int:
    """Print a row for each way of being slow. Return the number of honest clients without status 200."""
    failures = 0
    print(f"| {sockets:,} slow connections | honest clients | answered with 200 | median | slowest |")
    print("|---|---|---|---|---|")
    for name in list_ways(""):
        with tempfile.TemporaryDirectory() as folder, run_server(Path(folder)) as server:
            answers = asyncio.run(measure(server, list_ways(server.key)[name], sockets, honest))
        answered = sum(status == 200 for status, _ in answers)
        failures += honest - answered
        seconds = sorted(taken for _, taken in answers)
        print(f"| {name} | {honest} | {answered} | {seconds[honest // 2]:.3f} s | {seconds[-1]:.3f} s |")
    return failures


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sockets", type=int, default=4000)
    parser.add_argument("--honest", type=int, default=100)
    options = parser.parse_args(arguments)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return 1 if print_table(options.sockets, options.honest) else 0


if __name__ == "__main__":
    sys.exit(main())
