"""Counts requests and their time, outside of everything else."""

import time
from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from turret_pipeline.collector import metrics

_OTHER = "other"


class Measured:
    """The application, measured; paths that it does not have count as one."""

    def __init__(self, app: ASGIApp, paths: Iterable[str]) -> None:
        self._app = app
        self._seconds = {path: metrics.REQUEST_SECONDS.labels(path) for path in (*paths, _OTHER)}
        self._requests = {(path, 200): metrics.REQUESTS.labels(path, 200) for path in self._seconds}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve, then count."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"] if scope["path"] in self._seconds else _OTHER
        status = 500
        started = time.perf_counter()

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            self._seconds[path].observe(time.perf_counter() - started)
            counter = self._requests.get((path, status))
            if counter is None:
                counter = self._requests[path, status] = metrics.REQUESTS.labels(path, status)
            counter.inc()
