"""Work on batches of rows by one thread for each core. Polars and numpy let other threads run meanwhile."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Given = TypeVar("Given")
Made = TypeVar("Made")


def map_batches(function: Callable[[Given], Made], batches: Iterable[Given]) -> Iterator[Made]:
    """The result of each batch, in their order. At most two batches more than there are threads are held at a time."""
    threads = os.cpu_count() or 1
    waiting: deque[Future[Made]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for batch in batches:
            if len(waiting) > threads:
                yield waiting.popleft().result()
            waiting.append(pool.submit(function, batch))
        while waiting:
            yield waiting.popleft().result()
