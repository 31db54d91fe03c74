"""Results of figures that are kept in memory, for pages that are opened again with the same filters."""

import io
import threading
import time
from collections.abc import Callable, Hashable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Protocol, TypeVar, cast, runtime_checkable

import polars as pl

T = TypeVar("T")
Turn = Callable[[], AbstractContextManager[None]]

BYTES_KEPT = 25_000_000
"""Memory of the results that are kept, in all."""

BYTES_OF_ENTRY = 2_000
"""Memory that any result needs at least, with its key."""

BYTES_UNPACKED = 200_000
"""Larger tables are kept compressed: opening one takes milliseconds, and computing it half a second."""


@runtime_checkable
class Sized(Protocol):
    """A result that knows about how many bytes of memory it needs."""

    @property
    def size(self) -> int:
        """Bytes."""


@dataclass
class _Kept:
    result: Any
    size: int
    worth: float
    """Seconds per byte that it saves."""
    priority: float
    """The one with the lowest is removed first."""


class Results:
    """Results by key. If they need more than ``limit`` bytes, those go that save the fewest seconds per byte.

    GreedyDual-Size (Cao and Irani, Cost-aware WWW proxy caching algorithms, 1997): one large table does not remove
    hundreds of small figures that took as long, and what nobody asks for any more goes in time. A result that needs
    more than the limit alone is not kept.
    """

    def __init__(self, limit: int = BYTES_KEPT) -> None:
        self._limit = limit
        self._kept: dict[Hashable, _Kept] = {}
        self._size = 0
        self._age = 0.0
        self._computing: dict[Hashable, threading.Lock] = {}
        self._lock = threading.Lock()

    def remember(self, key: Hashable, compute: Callable[[], T], turn: Turn = nullcontext) -> T:
        """The result of ``compute``, which is called once per key, also if several requests ask at the same time.

        It is called in a ``turn``, which is waited for before other requests of the key have to wait.
        """
        with self._lock:
            if (kept := self._find(key)) is not None:
                return cast("T", _unpack(kept.result))
            computing = self._computing.setdefault(key, threading.Lock())
        with turn(), computing:
            with self._lock:
                if (kept := self._find(key)) is not None:
                    return cast("T", _unpack(kept.result))
            started = time.perf_counter()
            try:
                result = compute()
                self._keep(key, result, time.perf_counter() - started)
            finally:
                with self._lock:
                    self._computing.pop(key, None)
        return result

    def _find(self, key: Hashable) -> _Kept | None:
        kept = self._kept.get(key)
        if kept is not None:
            kept.priority = self._age + kept.worth
        return kept

    def _keep(self, key: Hashable, result: object, seconds: float) -> None:
        removed = []  # freed outside the lock: that of a selection drops its table
        packed = _pack(result)
        size = BYTES_OF_ENTRY + measure_bytes(packed)
        if size > self._limit:
            return
        with self._lock:
            if (replaced := self._kept.pop(key, None)) is not None:
                removed.append(replaced)
                self._size -= replaced.size
            while self._kept and self._size + size > self._limit:
                oldest = min(self._kept, key=lambda one: self._kept[one].priority)
                removed.append(self._kept.pop(oldest))
                self._size -= removed[-1].size
                self._age = removed[-1].priority
            worth = seconds / size
            self._kept[key] = _Kept(packed, size, worth, self._age + worth)
            self._size += size


@dataclass(frozen=True)
class _Packed:
    """A table as a compressed Arrow file."""

    content: bytes

    @property
    def size(self) -> int:
        return len(self.content)


def _pack(result: object) -> object:
    if not isinstance(result, pl.DataFrame) or result.estimated_size() <= BYTES_UNPACKED:
        return result
    file = io.BytesIO()
    result.write_ipc(file, compression="zstd")
    return _Packed(file.getvalue())


def _unpack(result: object) -> object:
    return pl.read_ipc(result.content) if isinstance(result, _Packed) else result


def measure_bytes(result: object) -> int:
    """About the memory of a result: that of its frames and selections, wherever they are in it."""
    if isinstance(result, pl.DataFrame):
        return int(result.estimated_size())
    if isinstance(result, Sized):
        return result.size
    if isinstance(result, Mapping):
        return sum(map(measure_bytes, result.values()))
    if isinstance(result, (tuple, list)):
        return sum(map(measure_bytes, result))
    parts = (getattr(result, one.name) for one in fields(result)) if is_dataclass(result) else ()
    return sum(map(measure_bytes, parts))
