"""Who may send, and how much."""

import datetime as dt
import logging
import time

from starlette.requests import Request

from turret_pipeline.collector.api_errors import INVALID_API_KEY, ApiError
from turret_pipeline.collector.keys import Key, KeyRing
from turret_pipeline.collector.ledger import Limit

logger = logging.getLogger(__name__)

_HEADER = b"x-api-key"


class Admission:
    """Keys and the limits that go with them."""

    def __init__(self, ring: KeyRing, burst_per_second: int) -> None:
        self._ring = ring
        self._burst = burst_per_second
        self._second = 0
        self._limits: dict[str, tuple[Limit, ...]] = {}

    def key(self, request: Request) -> Key:
        """The live key of a request. Raises the same ApiError for none, a wrong one, a revoked one and several."""
        presented = [value for name, value in request.scope["headers"] if name == _HEADER]
        text = presented[0].decode("latin-1") if len(presented) == 1 else ""
        key = self._ring.current().owner(text)
        if key is None and text:  # it may have been made a moment ago
            if complaint := self._ring.refresh():
                logger.warning(complaint)
            key = self._ring.current().owner(text)
        if key is None:
            raise ApiError(INVALID_API_KEY, "Invalid or missing API key")
        return key

    def limits(self, key: Key) -> tuple[Limit, ...]:
        """What holds for this key in this second."""
        second = int(time.time())
        if second != self._second:
            self._second = second
            self._limits.clear()
        limits = self._limits.get(key.key_id)
        if limits is None:
            limits = self._limits[key.key_id] = self._limits_at(key, second)
        return limits

    def _limits_at(self, key: Key, second: int) -> tuple[Limit, ...]:
        now = dt.datetime.fromtimestamp(second, dt.UTC)
        plan = self._ring.current().plan(key.project)
        quota = Limit(key.project, plan.period(now), plan.limit, plan.seconds_to_next(now))
        if not self._burst:
            return (quota,)
        return (Limit(f"key {key.key_id}", str(second), self._burst, 1, may_overfill=True), quota)
