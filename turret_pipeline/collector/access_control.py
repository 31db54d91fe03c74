"""Access control: authenticates requests by API key and finds the limits of a key."""

import datetime as dt
import logging
import time

from starlette.requests import Request

from turret_pipeline.collector.api_errors import INVALID_API_KEY, ApiError
from turret_pipeline.collector.keys import Key, KeyRing
from turret_pipeline.collector.ledger import Limit

logger = logging.getLogger(__name__)

_HEADER = b"x-api-key"


class AccessControl:
    """API keys and the limits of each."""

    def __init__(self, ring: KeyRing, burst_per_second: int) -> None:
        self._ring = ring
        self._burst_per_second = burst_per_second
        self._second = 0
        self._limits: dict[str, tuple[Limit, ...]] = {}

    def authenticate(self, request: Request) -> Key:
        """The active key of a request.

        Raises the same ApiError if there is no key, more than one, an unknown one or a revoked one.
        """
        values = [value for name, value in request.scope["headers"] if name == _HEADER]
        text = values[0].decode("latin-1") if len(values) == 1 else ""
        key = self._ring.current().authenticate(text)
        if key is None and text:  # the key may have been created a moment ago
            if warning := self._ring.refresh():
                logger.warning(warning)
            key = self._ring.current().authenticate(text)
        if key is None:
            raise ApiError(INVALID_API_KEY, "Invalid or missing API key")
        return key

    def limits(self, key: Key) -> tuple[Limit, ...]:
        """Limits that apply to a key now, cached for the current second."""
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
        if not self._burst_per_second:
            return (quota,)
        burst = Limit(f"key {key.key_id}", str(second), self._burst_per_second, 1, allows_oversized_request=True)
        return (burst, quota)
