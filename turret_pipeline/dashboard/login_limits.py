"""Limits of logins that fail, per name and per address, in the memory of the server."""

import hashlib
import ipaddress
import math
import time
from collections import OrderedDict, deque
from collections.abc import Callable

FAILURES_PER_NAME, FAILURES_PER_ADDRESS, WINDOW_SECONDS = 5, 20, 900
"""A person mistypes a password a few times, and an office shares one address; a program gets 480 guesses a day."""

KEYS_KEPT = 10_000
"""Names and addresses that are remembered; the oldest is forgotten first, so that no sender can fill the memory."""


class LoginLimits:
    """Times of the failures of each name and address."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()

    def begin(self, name: str, address: str) -> int:
        """Count a login as failed until ``succeed`` is called. Return the seconds to wait, or 0 if it may be tried.

        A login that must wait is not counted. Counting first lets no parallel logins pass together.
        """
        now = self._clock()
        places = _list_places(name, address)
        waits = [self._wait(key, limit, now) for key, limit in places]
        if any(waits):
            return max(waits)
        for key, limit in places:
            self._failures.setdefault(key, deque(maxlen=limit)).append(now)
            self._failures.move_to_end(key)
        while len(self._failures) > KEYS_KEPT:
            self._failures.popitem(last=False)
        return 0

    def succeed(self, name: str, address: str) -> None:
        """Forget the failures of the name, and this login in those of the address."""
        (by_name, _), (by_address, _) = _list_places(name, address)
        self._failures.pop(by_name, None)
        if times := self._failures.get(by_address):
            times.pop()

    def _wait(self, key: str, limit: int, now: float) -> int:
        """Seconds until one more failure is allowed."""
        times = self._failures.get(key, deque())
        while times and now - times[0] >= WINDOW_SECONDS:
            times.popleft()
        return math.ceil(times[0] + WINDOW_SECONDS - now) if len(times) >= limit else 0


def _list_places(name: str, address: str) -> list[tuple[str, int]]:
    """The name and the address of a login, each with its limit. Names of any length are kept as hashes."""
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    return [(f"name {digest}", FAILURES_PER_NAME), (f"address {_widen(address)}", FAILURES_PER_ADDRESS)]


def _widen(address: str) -> str:
    """The address, or the network of an IPv6 address: a person has all addresses of one."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    return str(ipaddress.ip_network((parsed.packed, 64), strict=False)) if parsed.version == 6 else address
