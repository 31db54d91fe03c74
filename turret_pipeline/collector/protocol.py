"""HTTP/1.1 as uvicorn speaks it with httptools, within limits that uvicorn has no settings for.

Headers have a size, headers and bodies a time to arrive, a worker holds so many connections, and what is refused
before there is a request is answered with the same error object as everything else.
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
from turret_pipeline.config.collector import CollectorSettings, load_collector_settings


class BoundedProtocol(HttpToolsProtocol):
    """One connection."""

    _timer: TimerHandle | None = None
    _is_in_headers = True
    _seen_bytes = 0

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        settings = _settings()
        self._header_bytes = int(settings.max_header_kb * 1000)
        self._header_seconds = settings.header_seconds
        self._body_seconds = settings.body_seconds
        self._max_connections = settings.max_connections

    def connection_made(self, transport: BaseTransport) -> None:
        """Start to wait for the headers of a first request."""
        super().connection_made(cast("Any", transport))
        if len(self.connections) > self._max_connections:
            self._refuse(ApiError(OVERLOADED, "There are too many connections: come back later.", retry_after=1))
            return
        self._wait_for_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Feed the parser; while headers are incomplete, count."""
        if self.transport.is_closing():
            return
        if self._is_in_headers:
            self._seen_bytes += len(data)
        super().data_received(data)
        if not self._is_in_headers and self._timer is None and not self.transport.is_closing():
            self._timer = self.loop.call_later(self._body_seconds, self._too_slow, "body", self._body_seconds)
        if self._is_in_headers and self._seen_bytes > self._header_bytes and not self.transport.is_closing():
            self._refuse_headers()

    def on_message_begin(self) -> None:
        """A request begins; its headers have a time to arrive."""
        super().on_message_begin()
        if self._timer is None:
            self._wait_for_headers()

    def on_headers_complete(self) -> None:
        """A request is there, if its headers are not too large."""
        self._stop_waiting()
        self._is_in_headers = False
        if len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers) > self._header_bytes:
            self._refuse_headers()
            return
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of a body, unless the request was refused."""
        if not self.transport.is_closing():
            super().on_body(body)

    def on_message_complete(self) -> None:
        """The next request on this connection may begin."""
        self._stop_waiting()
        self._is_in_headers = True
        self._seen_bytes = 0
        if not self.transport.is_closing():
            super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP."""
        self._refuse(ApiError(INVALID_REQUEST, msg))

    def _wait_for_headers(self) -> None:
        self._timer = self.loop.call_later(self._header_seconds, self._too_slow, "headers", self._header_seconds)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_slow(self, what: str, seconds: float) -> None:
        self._timer = None
        if self.transport.is_closing():
            return
        if self.cycle is not None and self.cycle.response_started and not self._is_in_headers:
            self.transport.close()  # it was answered without its body, which nobody waits for
        else:
            self._refuse(ApiError(REQUEST_TIMEOUT, f"The {what} did not arrive within {seconds:g} seconds."))

    def _refuse_headers(self) -> None:
        self._refuse(ApiError(HEADERS_TOO_LARGE, f"The headers are larger than {self._header_bytes} bytes."))

    def _refuse(self, error: ApiError) -> None:
        self._stop_waiting()
        body = orjson.dumps(error.body())
        head = b"content-type: application/json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(body)
        self.transport.write(STATUS_LINE[STATUS[error.code]] + head + body)
        self.transport.close()


@cache
def _settings() -> CollectorSettings:
    """The settings of this worker, which uvicorn hands to no protocol."""
    return load_collector_settings()
