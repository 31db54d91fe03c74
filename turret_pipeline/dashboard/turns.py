"""Turns of requests that compute: one at a time, in the order in which their pages were asked for."""

import heapq
import itertools
import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """A queue. A page of many figures that came first does not wait for a later page at each of them."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._waiting: list[tuple[float, int]] = []
        self._tickets = itertools.count()
        self._is_busy = False
        self._thread = threading.local()

    @property
    def waiting(self) -> int:
        """Number of threads that wait for their turn."""
        return len(self._waiting)

    @contextmanager
    def queue_as(self, position: float) -> Iterator[None]:
        """Give what this thread computes meanwhile a position: that with the lowest is next. Others come last."""
        self._thread.position = position
        try:
            yield
        finally:
            del self._thread.position

    @contextmanager
    def take(self) -> Iterator[None]:
        """Wait until nothing else is computed. A thread whose turn it is needs no other."""
        if getattr(self._thread, "has_turn", False):
            yield
            return
        ticket = (getattr(self._thread, "position", math.inf), next(self._tickets))
        with self._condition:
            heapq.heappush(self._waiting, ticket)
            self._condition.wait_for(lambda: not self._is_busy and self._waiting[0] == ticket)
            heapq.heappop(self._waiting)
            self._is_busy = True
        self._thread.has_turn = True
        try:
            yield
        finally:
            self._thread.has_turn = False
            with self._condition:
                self._is_busy = False
                self._condition.notify_all()
