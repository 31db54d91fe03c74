"""HTTP load generator on loopback in one process: as fast as possible, or at a fixed rate.

At a fixed rate, the latency of a request counts from the time when it was due, not from the time when a connection was
free to send it.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import cast

import uvloop

_GRACE_SECONDS = 30
_HEAD_END, _LENGTH = b"\r\n\r\n", b"content-length: "


@dataclass
class Load:
    """Result of a load; latencies are in seconds."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    failed: int = 0
    acknowledged: set[int] = field(default_factory=set)

    @property
    def rate(self) -> float:
        """Requests per second that were answered with 200."""
        return len(self.latencies) / self.seconds

    def quantile(self, share: float) -> float:
        """Latency in milliseconds that this share of the requests did not exceed."""
        ordered = sorted(self.latencies)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def build_post(path: str, key: str, body: bytes) -> bytes:
    """POST request as bytes."""
    head = f"POST {path} HTTP/1.1\r\nhost: x\r\nx-api-key: {key}\r\ncontent-type: application/json\r\n"
    return head.encode() + b"content-length: %d\r\n\r\n" % len(body) + body


class _Connection(asyncio.Protocol):
    """Sends a request, waits for the response, sends the next."""

    transport: asyncio.Transport

    def __init__(self, run: "_LoadRun") -> None:
        self._run = run
        self._buffer = b""
        self._due = 0.0
        self._number = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's transport is not a subclass
        self._next()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head = self._buffer.find(_HEAD_END)
        if head < 0:
            return
        at = self._buffer.find(_LENGTH) + len(_LENGTH)
        end = head + len(_HEAD_END) + int(self._buffer[at : self._buffer.find(b"\r", at)])
        if len(self._buffer) < end:
            return
        self._run.record_response(self._buffer, self._number, self._due)
        self._buffer = b""
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._run.record_closed()

    def _next(self) -> None:
        now = time.perf_counter()
        due = self._run.next_due(now)
        if due is None:
            self.transport.close()
            return
        self._due = due
        if due > now:
            self._run.loop.call_later(due - now, self._send)
        else:
            self._send()

    def _send(self) -> None:
        if not self.transport.is_closing():
            self._number = next(self._run.numbers)
            self.transport.write(self._run.build_request(self._number))


class _LoadRun:
    """State that all connections share."""

    def __init__(
        self,
        build_request: Callable[[int], bytes],
        seconds: float,
        max_requests: int | None,
        rate: float | None,
        *,
        keep_numbers: bool,
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.build_request = build_request
        self.max_requests = max_requests
        self.rate = rate
        self.keep_numbers = keep_numbers
        self.numbers = count()
        self.started = time.perf_counter()
        self.deadline = self.started + seconds
        self.scheduled = 0
        self.open = 0
        self.result = Load()
        self.done = asyncio.Event()

    def next_due(self, now: float) -> float | None:
        """Time at which the next request is due; None if the load is complete."""
        due = now if self.rate is None else self.started + self.scheduled / self.rate
        self.scheduled += 1
        is_late = now > self.deadline or due > self.deadline
        is_complete = self.max_requests is not None and self.scheduled > self.max_requests
        return None if is_late or is_complete else due

    def record_response(self, response: bytes, number: int, due: float) -> None:
        if response[9:12] != b"200":
            self.result.failed += 1
            return
        self.result.latencies.append(time.perf_counter() - due)
        if self.keep_numbers:
            self.result.acknowledged.add(number)

    def record_closed(self) -> None:
        self.open -= 1
        if not self.open:
            self.done.set()


def send_load(
    port: int,
    build_request: Callable[[int], bytes],
    *,
    seconds: float,
    connections: int = 64,
    max_requests: int | None = None,
    rate: float | None = None,
    keep_numbers: bool = False,
) -> Load:
    """Send requests for some seconds, at most ``max_requests``; ``build_request`` builds the n-th.

    ``rate`` is in requests per second, None sends as fast as possible. ``keep_numbers`` keeps the numbers of
    the requests that were answered with 200.
    """

    async def run() -> Load:
        load_run = _LoadRun(build_request, seconds, max_requests, rate, keep_numbers=keep_numbers)
        load_run.open = connections
        for _ in range(connections):
            await load_run.loop.create_connection(lambda: _Connection(load_run), "127.0.0.1", port)
        async with asyncio.timeout(seconds + _GRACE_SECONDS):
            await load_run.done.wait()
        load_run.result.seconds = time.perf_counter() - load_run.started
        return load_run.result

    return uvloop.run(run())
