"""Middleware that counts requests and measures their duration. It wraps the whole application."""

import time
from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from turret_pipeline.collector import metrics

_OTHER = "other"


class MetricsMiddleware:
    """The application with metrics for each path; all unknown paths count as one."""

    def __init__(self, app: ASGIApp, paths: Iterable[str]) -> None:
        self._app = app
        self._durations = {path: metrics.REQUEST_SECONDS.labels(path) for path in (*paths, _OTHER)}
        self._requests = {(path, 200): metrics.REQUESTS.labels(path, 200) for path in self._durations}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request, then count it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"] if scope["path"] in self._durations else _OTHER
        status = 500
        started = time.perf_counter()

        async def send_and_note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_and_note_status)
        finally:
            self._durations[path].observe(time.perf_counter() - started)
            counter = self._requests.get((path, status))
            if counter is None:
                counter = self._requests[path, status] = metrics.REQUESTS.labels(path, status)
            counter.inc()
