"""Uvicorn's HTTP/1.1 protocol (httptools) with limits for which uvicorn has no settings.

It limits the size of headers, the time in which headers and bodies arrive and answers are read, and the connections of
a worker, of which the slowest make room for new ones. Requests that it rejects before the application sees them get the
same error object as all others.
"""

from asyncio import AbstractEventLoop, BaseTransport, TimerHandle
from functools import cache
from typing import Any, cast

import orjson
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from turret_pipeline.collector.api_errors import (
    HEADERS_TOO_LARGE,
    INVALID_REQUEST,
    OVERLOADED,
    REQUEST_TIMEOUT,
    STATUS,
    ApiError,
)
from turret_pipeline.collector.crowding import ConnectionLimiter, find_open_file_limit
from turret_pipeline.config.collector import CollectorSettings, load_collector_settings


class BoundedProtocol(HttpToolsProtocol):
    """Protocol of one connection."""

    _timer: TimerHandle | None = None
    _reading_timer: TimerHandle | None = None
    _is_in_headers = True
    _received_bytes = 0
    address = ""
    waiting_since: float | None = None

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        settings = _settings()
        self._max_header_bytes = int(settings.max_header_kb * 1000)
        self._header_seconds = settings.header_seconds
        self._body_seconds = settings.body_seconds
        self._limiter = _limiter()

    def connection_made(self, transport: BaseTransport) -> None:
        """Start to wait for the headers of the first request, unless there are too many connections."""
        super().connection_made(cast("Any", transport))
        self.address = str(self.client[0]) if self.client else ""
        self.waiting_since = self.loop.time()
        if not self._limiter.admit(cast("Any", self.connections), self.loop.call_later):
            self._reject_for_others()
            return
        self._wait_for_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the timers."""
        self._cancel_timer()
        self._cancel_reading_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Pass data to the parser, and check the size of the headers while they are incomplete."""
        if self.transport.is_closing():
            return
        if self._is_in_headers:
            self._received_bytes += len(data)
        super().data_received(data)
        if not self._is_in_headers and self._timer is None and not self.transport.is_closing():
            self._timer = self.loop.call_later(self._body_seconds, self._time_out, "body", self._body_seconds)
        if self._is_in_headers and self._received_bytes > self._max_header_bytes and not self.transport.is_closing():
            self._reject_headers()

    def on_message_begin(self) -> None:
        """Start to wait for the headers of a request."""
        super().on_message_begin()
        if self.waiting_since is not None:
            self.waiting_since = self.loop.time()
        if self._timer is None:
            self._wait_for_headers()

    def on_headers_complete(self) -> None:
        """Start the request, unless its headers are too large."""
        self._cancel_timer()
        self._is_in_headers = False
        if len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers) > self._max_header_bytes:
            self._reject_headers()
            return
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Pass a part of the body on, unless the request was rejected."""
        if not self.transport.is_closing():
            super().on_body(body)

    def on_message_complete(self) -> None:
        """End the request, so that the next one on this connection may begin."""
        self._cancel_timer()
        self._is_in_headers = True
        self._received_bytes = 0
        self.waiting_since = None
        if not self.transport.is_closing():
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """Start to wait for the next request, unless it or the rest of this one is on its way."""
        if self._is_in_headers and not self.pipeline:
            self.waiting_since = self.loop.time()
        super().on_response_complete()

    def pause_writing(self) -> None:
        """Start to wait until the client reads its answer."""
        super().pause_writing()
        self.waiting_since = self.loop.time()
        self._reading_timer = self.loop.call_later(self._body_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on with the answer."""
        super().resume_writing()
        self.waiting_since = None
        self._cancel_reading_timer()

    def shed(self) -> None:
        """Make room for other connections. One that is idle after an answer is closed as after its time."""
        if self.transport.is_closing():
            return
        is_answered = self.cycle is not None and self.cycle.response_started
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        elif is_answered and not (self._is_in_headers and self._received_bytes):
            self._cancel_timer()
            self.transport.close()
        else:
            self._reject_for_others()

    def send_400_response(self, msg: str) -> None:
        """Reject data that is not HTTP."""
        self._reject(ApiError(INVALID_REQUEST, msg))

    def _wait_for_headers(self) -> None:
        self._timer = self.loop.call_later(self._header_seconds, self._time_out, "headers", self._header_seconds)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _cancel_reading_timer(self) -> None:
        if self._reading_timer is not None:
            self._reading_timer.cancel()
            self._reading_timer = None

    def _time_out(self, part: str, seconds: float) -> None:
        self._timer = None
        if self.transport.is_closing():
            return
        if self.cycle is not None and self.cycle.response_started and not self._is_in_headers:
            self.transport.close()  # the response is sent already, and the rest of the body is not needed
        else:
            self._reject(ApiError(REQUEST_TIMEOUT, f"The {part} did not arrive within {seconds:g} seconds."))

    def _reject_for_others(self) -> None:
        limit = self._limiter.limit
        message = f"More than {limit} connections are open, and this one waited longest for a request: try again later."
        self._reject(ApiError(OVERLOADED, message, retry_after=1))

    def _reject_headers(self) -> None:
        self._reject(
            ApiError(
                HEADERS_TOO_LARGE,
                f"The headers are larger than {self._max_header_bytes} bytes (setting max_header_kb): send less.",
            )
        )

    def _reject(self, error: ApiError) -> None:
        self._cancel_timer()
        body = orjson.dumps(error.body())
        head = b"content-type: application/json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(body)
        self.transport.write(STATUS_LINE[STATUS[error.code]] + head + body)
        self.transport.close()


@cache
def _settings() -> CollectorSettings:
    """Settings of this worker; uvicorn does not pass them to the protocol."""
    return load_collector_settings()


@cache
def _limiter() -> ConnectionLimiter:
    """Limiter that all connections of this worker share."""
    return ConnectionLimiter(_settings().max_connections, find_open_file_limit())
