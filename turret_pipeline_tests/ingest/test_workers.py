"""Jobs in, results out, from whichever process."""

import functools
import os
import signal
from collections.abc import Callable

import pytest

from turret_pipeline.errors import TurretError
from turret_pipeline.ingest.workers import in_parallel


def double(number: int) -> int:
    return 2 * number


def fail(number: int) -> int:
    raise ValueError(f"{number} is bad")


def die() -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


@pytest.mark.parametrize("count", [0, 1, 2, 50])
def test_every_job_is_done_once(count: int) -> None:
    jobs = (functools.partial(double, number) for number in range(count))
    assert sorted(in_parallel(jobs)) == [2 * number for number in range(count)]


def test_what_a_job_raises_is_raised() -> None:
    with pytest.raises(ValueError, match="1 is bad"):
        list(in_parallel([functools.partial(double, 0), functools.partial(fail, 1)]))


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="with one core this process does every job")
def test_a_worker_that_is_killed_is_told_in_a_sentence() -> None:
    jobs: list[Callable[[], int]] = [
        functools.partial(double, 0),
        die,
        *[functools.partial(double, n) for n in range(4)],
    ]
    with pytest.raises(TurretError, match="was killed, most likely for want of memory"):
        list(in_parallel(jobs))
    assert list(in_parallel([functools.partial(double, n) for n in range(2)])) != []
