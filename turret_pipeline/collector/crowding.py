"""Connections of a worker above its limit: those that have waited longest make room for new ones.

A connection waits until its request is complete. An honest client sends its request at once, and one that sends a byte
now and then waits all the time; so new clients get an answer while thousands of slow connections are held open.
"""

import ipaddress
import resource
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from functools import cache
from typing import Protocol

GRACE_SECONDS = 0.1
"""Time over the limit, so that requests that have already arrived are read before connections are chosen."""
_MOST_TIMES_LIMIT = 4
_OPEN_FILE_SHARE = 0.75  # the rest is for landing files


class Connection(Protocol):
    """A connection as this module needs it."""

    address: str
    """Network address of the client."""
    waiting_since: float | None
    """Time at which it began to wait for a request, None while a request is answered."""

    def shed(self) -> None:
        """Close the connection."""


class ConnectionLimiter:
    """Keeps the connections of a worker at a limit, which they may exceed for GRACE_SECONDS."""

    def __init__(self, max_connections: int, open_files: int) -> None:
        most = max(1, int(open_files * _OPEN_FILE_SHARE))
        self.limit = min(max_connections, most)
        self.most = min(_MOST_TIMES_LIMIT * self.limit, most)
        """Connections that a burst may open."""
        self._is_scheduled = False

    def admit(self, connections: Collection[Connection], call_later: Callable[..., object]) -> bool:
        """Return if a connection, which is counted already, may stay. Above the limit, the slowest soon go."""
        if len(connections) <= self.limit:
            return True
        if not self._is_scheduled:
            self._is_scheduled = True
            call_later(GRACE_SECONDS, self._shed_surplus, connections)
        return len(connections) <= self.most

    def _shed_surplus(self, connections: Collection[Connection]) -> None:
        self._is_scheduled = False
        for connection in choose_slowest(connections, len(connections) - self.limit):
            connection.shed()


def choose_slowest(connections: Iterable[Connection], count: int) -> list[Connection]:
    """At most ``count`` waiting connections: those of the network with the most first, then the longest waiting."""
    known = [(connection.waiting_since, connection) for connection in connections]
    waiting = [(since, connection) for since, connection in known if since is not None]
    newer, ranked = Counter[str](), list[tuple[int, float, Connection]]()
    for since, connection in sorted(waiting, key=lambda each: -each[0]):
        network = find_network(connection.address)
        ranked.append((-newer[network], since, connection))
        newer[network] += 1
    ranked.sort(key=lambda each: each[:2])
    return [connection for _, _, connection in ranked[: max(0, count)]]


@cache
def find_open_file_limit() -> int:
    """The number of files that this process may have open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return soft


def find_network(address: str) -> str:
    """An IPv4 address, or the network of an IPv6 address: one client has all addresses of a /64 network."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if parsed.version == 4:
        return address
    mapped = parsed.ipv4_mapped
    return str(mapped) if mapped else parsed.exploded[:19]
