"""The memory of results, and what leaves it first."""

import threading
import time

import numpy as np
import polars as pl

from turret_pipeline.dashboard.results import Results


def slow(value: object, seconds: float = 0.01) -> object:
    time.sleep(seconds)
    return value


def table(rows: int) -> pl.DataFrame:
    """A table that does not get smaller by compression."""
    return pl.DataFrame({"a": np.random.default_rng(0).random(rows)})


def test_large_tables_are_kept_compressed() -> None:
    results, large = Results(limit=1_000_000), pl.DataFrame({"a": pl.zeros(1_000_000, eager=True)})
    results.remember("small", lambda: slow(1))

    results.remember("large", lambda: slow(large))

    found = results.remember("large", lambda: None)
    assert isinstance(found, pl.DataFrame)
    assert found.equals(large)
    assert results.remember("small", lambda: "again") == 1


def test_large_tables_do_not_remove_small_figures_that_took_as_long() -> None:
    results = Results(limit=1_000_000)
    for number in range(50):
        results.remember(number, lambda: slow("small"))

    for number in range(10):
        results.remember(("large", number), lambda: slow(table(100_000)))

    assert all(results.remember(number, lambda: "again") == "small" for number in range(50))
    assert results.remember(("large", 0), lambda: "again") == "again"


def test_results_that_nobody_asks_for_go_in_time() -> None:
    results = Results(limit=50_000)
    results.remember("forgotten", lambda: slow("costly"))

    for number in range(1_000):
        results.remember("used", lambda: slow("first"))
        results.remember(number, lambda: slow(None, 0.0005))

    assert results.remember("used", lambda: "again") == "first"
    assert results.remember("forgotten", lambda: "again") == "again"


def test_a_result_is_computed_once_for_requests_at_the_same_time() -> None:
    results, calls = Results(), []
    threads = [threading.Thread(target=lambda: results.remember("key", lambda: calls.append(slow(1)))) for _ in "12345"]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert calls == [1]


def test_a_result_that_needs_more_than_all_memory_removes_nothing() -> None:
    results = Results(limit=10_000)
    results.remember("small", lambda: slow("small"))

    assert isinstance(results.remember("large", lambda: table(10_000)), pl.DataFrame)

    assert results.remember("small", lambda: "again") == "small"
    assert results.remember("large", lambda: "again") == "again"


def test_an_error_is_not_kept() -> None:
    results = Results()

    def fail() -> None:
        raise ValueError

    for _ in range(2):
        try:
            results.remember("key", fail)
        except ValueError:
            continue
        raise AssertionError

    assert results.remember("key", lambda: 1) == 1
