"""Results of batches that several threads work on."""

import os
import time
from collections.abc import Iterator

import pytest

from turret_pipeline.signals.threads import map_batches


def test_results_come_in_the_order_of_the_batches() -> None:
    def wait(number: int) -> int:
        time.sleep(0.01 if number == 0 else 0)
        return 10 * number

    assert list(map_batches(wait, range(7))) == [0, 10, 20, 30, 40, 50, 60]
    assert list(map_batches(wait, [])) == []


def test_few_batches_are_held_at_a_time() -> None:
    read = []

    def batches() -> Iterator[int]:
        for number in range(1000):
            read.append(number)
            yield number

    results = map_batches(str, batches())
    assert next(results) == "0"
    assert len(read) <= (os.cpu_count() or 1) + 2


def test_an_error_of_a_batch_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        list(map_batches(lambda number: 1 // number, [2, 1, 0]))
