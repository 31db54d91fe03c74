"""Liveness, readiness and metrics, for monitoring."""

import asyncio
import time

from starlette.requests import Request
from starlette.responses import Response

from turret_pipeline.collector import metrics
from turret_pipeline.collector.api_errors import STORAGE_UNAVAILABLE, ApiError
from turret_pipeline.collector.group_commit import Committer
from turret_pipeline.collector.responses import json_response

_PROBE_SECONDS = 1.0


class Health:
    """Endpoints for monitoring."""

    def __init__(self, committer: Committer) -> None:
        self._committer = committer
        self._lock = asyncio.Lock()
        self._probed_at = -_PROBE_SECONDS
        self._failure: str | None = None

    async def health(self, _: Request) -> Response:
        """Respond that the process is alive."""
        return json_response({"status": "ok"})

    async def ready(self, _: Request) -> Response:
        """Respond that events can be stored, after a test write at most a second ago."""
        async with self._lock:
            if time.monotonic() - self._probed_at >= _PROBE_SECONDS:
                self._failure = await self._committer.probe()
                self._probed_at = time.monotonic()
        if self._failure is not None:
            raise ApiError(STORAGE_UNAVAILABLE, self._failure, retry_after=5)
        return json_response({"status": "ready"})

    async def metrics(self, _: Request) -> Response:
        """Respond with the metrics in the format of Prometheus."""
        return Response(metrics.render(), headers={"content-type": metrics.CONTENT_TYPE})
