"""Results of jobs run in several processes."""

import functools
import os
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest

from turret_pipeline.errors import TurretError
from turret_pipeline.ingest.workers import IDLE_SECONDS, run_in_parallel


def double(number: int) -> int:
    return 2 * number


def fail(number: int) -> int:
    raise ValueError(f"{number} is bad")


def die() -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


@pytest.mark.parametrize("count", [0, 1, 2, 50])
def test_every_job_runs_once(count: int) -> None:
    jobs = (functools.partial(double, number) for number in range(count))
    assert sorted(run_in_parallel(jobs)) == [2 * number for number in range(count)]


def test_errors_of_jobs_are_raised() -> None:
    with pytest.raises(ValueError, match="1 is bad"):
        list(run_in_parallel([functools.partial(double, 0), functools.partial(fail, 1)]))


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="with one core this process does every job")
def test_a_killed_worker_is_an_error() -> None:
    jobs: list[Callable[[], int]] = [
        functools.partial(double, 0),
        die,
        *[functools.partial(double, n) for n in range(4)],
    ]
    with pytest.raises(TurretError, match="was killed, probably because memory ran out"):
        list(run_in_parallel(jobs))
    assert list(run_in_parallel([functools.partial(double, n) for n in range(2)])) != []


COMMAND = """
import functools
from turret_pipeline.cli import _exit
from turret_pipeline.ingest.workers import IDLE_SECONDS, run_in_parallel
list(run_in_parallel(functools.partial(abs, number) for number in range(4)))
_exit(3)
"""


def test_a_command_does_not_wait_for_idle_workers_when_it_ends() -> None:
    done = subprocess.run([sys.executable, "-c", COMMAND], timeout=IDLE_SECONDS / 2, check=False)
    assert done.returncode == 3
