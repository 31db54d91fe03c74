"""Whether the collector lives, whether it can store, and its figures."""

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
    """The paths that machines ask."""

    def __init__(self, committer: Committer) -> None:
        self._committer = committer
        self._lock = asyncio.Lock()
        self._probed_at = -_PROBE_SECONDS
        self._complaint: str | None = None

    async def health(self, _: Request) -> Response:
        """It lives."""
        return json_response({"status": "ok"})

    async def ready(self, _: Request) -> Response:
        """It can store: a write was tried within the last second."""
        async with self._lock:
            if time.monotonic() - self._probed_at >= _PROBE_SECONDS:
                self._complaint = await self._committer.probe()
                self._probed_at = time.monotonic()
        if self._complaint is not None:
            raise ApiError(STORAGE_UNAVAILABLE, self._complaint, retry_after=5)
        return json_response({"status": "ready"})

    async def metrics(self, _: Request) -> Response:
        """Figures for Prometheus."""
        return Response(metrics.exposition(), headers={"content-type": metrics.CONTENT_TYPE})
