"""Growth of the time that each decoder and parser takes on worst-case input.

    python -m turret_pipeline_tests.benchmarks.complexity [--bytes 131072] [--all]

The cases are found from the registries: every function of the pure packages that takes one text or one body, every
input format, every kind of file, and the parsers of the collector. Each takes inputs of growing size, from which the
exponent of processor time over size follows: 1 is linear, 2 quadratic. A case that seems to exceed MAX_EXPONENT is
measured again, because the machine may be busy. Prints the highest exponents (--all: all cases). Exit code 1 if one
exceeds the limit.
"""

import argparse
import gc
import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from turret_pipeline_tests.benchmarks.complexity_cases import list_cases
from turret_pipeline_tests.benchmarks.complexity_inputs import Case

MAX_EXPONENT = 1.2
STEP = 8
LEAST_SECONDS = 0.004
"""Shorter times say nothing about growth, because the constant part of the work prevails."""
ATTEMPTS = 4


@dataclass(frozen=True)
class Growth:
    """The exponent of a case, and the size and seconds of its largest input."""

    case: Case
    exponent: float
    size: int
    seconds: float

    @property
    def is_steep(self) -> bool:
        """True if the time grows faster than MAX_EXPONENT allows."""
        return self.exponent > MAX_EXPONENT


def measure_seconds(work: Callable[[], object]) -> float:
    """Processor seconds of one call. An error is a result too."""
    gc.disable()
    try:
        started = time.process_time()
        with suppress(Exception):
            work()
        return time.process_time() - started
    finally:
        gc.enable()


def measure_growth(case: Case, max_bytes: int) -> Growth:
    """Exponent between an eighth of ``max_bytes`` and ``max_bytes``, or smaller sizes if they take long enough.

    It is 0 if even the largest input takes no LEAST_SECONDS, however the time grows.
    """
    before = (0, 0.0)
    for size in (max_bytes // STEP**2, max_bytes // STEP, max_bytes):
        given = case.make_input(size)
        taken = measure_seconds(lambda: case.work(given))  # noqa: B023 - called at once
        if before[1] > 0 and taken >= LEAST_SECONDS:
            exponent = math.log(taken / before[1], size / before[0])
            if exponent > MAX_EXPONENT or size == max_bytes:
                return Growth(case, exponent, size, taken)
        before = size, taken
    return Growth(case, 0.0, *before)


def measure_steadily(case: Case, max_bytes: int) -> Growth:
    """The lowest exponent of several attempts, which end as soon as one is not steep."""
    best = measure_growth(case, max_bytes)
    for _ in range(ATTEMPTS - 1):
        if not best.is_steep:
            break
        best = min(best, measure_growth(case, max_bytes), key=lambda growth: growth.exponent)
    return best


def measure_all(max_bytes: int) -> Iterator[Growth]:
    """Growth of every case."""
    return (measure_steadily(case, max_bytes) for case in list_cases())


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bytes", type=int, default=131_072, help="size of the largest input")
    parser.add_argument("--all", action="store_true", help="print all cases")
    options = parser.parse_args(arguments)
    growths = sorted(measure_all(options.bytes), key=lambda growth: -growth.exponent)
    shown = [growth for number, growth in enumerate(growths) if options.all or growth.is_steep or number < 20]
    print("| case | exponent | largest input | seconds |\n|---|---|---|---|")
    for growth in shown:
        print(f"| {growth.case.name} | {growth.exponent:.2f} | {growth.size:,} | {growth.seconds:.4f} |")
    steep = sum(growth.is_steep for growth in growths)
    print(f"\n{len(growths):,} cases, {steep} above {MAX_EXPONENT}; highest {growths[0].exponent:.2f}")
    return 1 if steep else 0


if __name__ == "__main__":
    sys.exit(main())
