"""A load of HTTP requests on loopback from one process: as fast as answers come, or at a rate.

At a rate, the time of a request counts from when it was due, not from when a busy connection let it go.
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
    """What came of a load."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    refused: int = 0
    acknowledged: set[int] = field(default_factory=set)

    @property
    def rate(self) -> float:
        """Requests answered with 200 in a second."""
        return len(self.latencies) / self.seconds

    def quantile(self, share: float) -> float:
        """Milliseconds in which this share of the requests was answered."""
        ordered = sorted(self.latencies)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def request(path: str, key: str, body: bytes) -> bytes:
    """A POST as bytes."""
    head = f"POST {path} HTTP/1.1\r\nhost: x\r\nx-api-key: {key}\r\ncontent-type: application/json\r\n"
    return head.encode() + b"content-length: %d\r\n\r\n" % len(body) + body


class _Connection(asyncio.Protocol):
    """Sends a request, waits for its answer, sends the next."""

    transport: asyncio.Transport

    def __init__(self, load: "_Running") -> None:
        self._load = load
        self._buffer = b""
        self._due = 0.0
        self._number = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is none by name
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
        self._load.answered(self._buffer, self._number, self._due)
        self._buffer = b""
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._load.ended()

    def _next(self) -> None:
        now = time.perf_counter()
        due = self._load.due(now)
        if due is None:
            self.transport.close()
            return
        self._due = due
        if due > now:
            self._load.loop.call_later(due - now, self._send)
        else:
            self._send()

    def _send(self) -> None:
        if not self.transport.is_closing():
            self._number = next(self._load.numbers)
            self.transport.write(self._load.make(self._number))


class _Running:
    def __init__(
        self, make: Callable[[int], bytes], seconds: float, most: int | None, rate: float | None, *, keep: bool
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.make, self.most, self.rate, self.keep = make, most, rate, keep
        self.numbers = count()
        self.started = time.perf_counter()
        self.until = self.started + seconds
        self.scheduled = 0
        self.open = 0
        self.result = Load()
        self.done = asyncio.Event()

    def due(self, now: float) -> float | None:
        """When the next request is due; None when there is none."""
        due = now if self.rate is None else self.started + self.scheduled / self.rate
        self.scheduled += 1
        is_over = now > self.until or due > self.until or (self.most is not None and self.scheduled > self.most)
        return None if is_over else due

    def answered(self, answer: bytes, number: int, due: float) -> None:
        if answer[9:12] != b"200":
            self.result.refused += 1
            return
        self.result.latencies.append(time.perf_counter() - due)
        if self.keep:
            self.result.acknowledged.add(number)

    def ended(self) -> None:
        self.open -= 1
        if not self.open:
            self.done.set()


def drive(
    port: int,
    make: Callable[[int], bytes],
    *,
    seconds: float,
    connections: int = 64,
    most: int | None = None,
    rate: float | None = None,
    keep: bool = False,
) -> Load:
    """Send requests (``make`` builds the n-th) for so long, at most so many; ``keep`` notes which were acknowledged."""

    async def run() -> Load:
        running = _Running(make, seconds, most, rate, keep=keep)
        running.open = connections
        for _ in range(connections):
            await running.loop.create_connection(lambda: _Connection(running), "127.0.0.1", port)
        async with asyncio.timeout(seconds + _GRACE_SECONDS):
            await running.done.wait()
        running.result.seconds = time.perf_counter() - running.started
        return running.result

    return uvloop.run(run())
