"""Several requests at a time, with their progress."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TypeVar

CONCURRENT = 8
"""Requests at a time: small files take a round trip each, and little else."""

Item = TypeVar("Item")


def run_requests(request: Callable[[Item], object], items: Sequence[Item]) -> Iterator[int]:
    """Call ``request`` for each item, several at a time, yielding 1 after each. An error stops the others."""
    with ThreadPoolExecutor(CONCURRENT) as pool:
        started = [pool.submit(request, item) for item in items]
        try:
            for done in as_completed(started):
                done.result()
                yield 1
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
