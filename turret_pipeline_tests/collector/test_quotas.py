"""Limits of plans and bursts, counted across restarts and workers."""

import contextlib
import datetime as dt
import multiprocessing
import time
from pathlib import Path

import pytest

from turret_pipeline.collector.keys import KeyFile
from turret_pipeline.collector.ledger import Ledger, Limit
from turret_pipeline.collector.plans import Plan
from turret_pipeline_tests.collector.servers import make_event, make_llm_event, run_server, start_server

TRACK = {"name": "n", "metadata": {}}


@pytest.mark.parametrize(
    ("plan", "limit", "period", "wait"),
    [
        (Plan("trial"), 250_000, "in all", 86_400),
        (Plan("pro"), 1_000_000, "2026-02", 86_401),
        (Plan("business"), 10_000_000, "2026-02", 86_401),
        (Plan("custom", 7), 7, "2026-02", 86_401),
        (Plan(), None, "2026-02", 86_401),
    ],
)
def test_a_plan_has_a_limit_and_a_period(plan: Plan, limit: int | None, period: str, wait: int) -> None:
    now = dt.datetime(2026, 2, 28, tzinfo=dt.UTC)
    assert (plan.limit, plan.period(now), plan.seconds_to_next(now)) == (limit, period, wait)


def test_a_request_counts_completely_or_not_at_all_and_can_be_released(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, 60)
    limits = (Limit("shop", "2026-02", 10, 5),)
    with ledger.transaction():
        assert ledger.reserve(limits, 6) is None
        assert ledger.reserve(limits, 5) == limits[0]
        assert ledger.reserve(limits, 4) is None
    with ledger.transaction():
        assert ledger.reserve(limits, 1) == limits[0]
        ledger.release(limits, 4)
    assert ledger.usage("shop", "2026-02") == 6
    with contextlib.suppress(ZeroDivisionError), ledger.transaction():
        ledger.reserve(limits, 1)
        raise ZeroDivisionError
    assert ledger.usage("shop", "2026-02") == 6


def test_two_workers_count_together(tmp_path: Path) -> None:
    one, two = Ledger(tmp_path, 60), Ledger(tmp_path, 60)
    limits = (Limit("shop", "2026-02", 100, 5),)
    accepted = 0
    for _ in range(40):
        for ledger in (one, two):
            with ledger.transaction():
                accepted += 3 if ledger.reserve(limits, 3) is None else 0
    assert accepted == one.usage("shop", "2026-02") == 99


def test_a_delivery_is_remembered_within_the_window_only(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, 60)
    with ledger.transaction():
        assert ledger.record_delivery(b"x", 1000.0) == (1000.0, False)
        ledger.mark_stored([b"x"])
        assert ledger.record_delivery(b"x", 1059.0) == (1000.0, True)
        assert ledger.record_delivery(b"x", 1061.0) == (1061.0, False)
        ledger.purge(2000.0)
        assert ledger.record_delivery(b"x", 1062.0) == (1062.0, False)


@pytest.mark.slow
def test_a_used_up_plan_is_rejected_with_retry_after_even_after_a_restart(tmp_path: Path) -> None:
    settings = {"workers": 2}
    server = start_server(tmp_path, settings, plan=Plan("custom", 10))
    assert server.post("/publish_llm_events", [make_llm_event()] * 4).status_code == 200  # an LLM event counts as two
    assert server.post("/publish_events", [make_event()] * 3).status_code == 429
    assert server.post("/publish_llm_events", [make_llm_event()] * 4).status_code == 200  # a duplicate does not count
    assert [server.post("/track", TRACK).status_code for _ in range(3)] == [200, 200, 429]
    server.stop()
    server = start_server(tmp_path, settings, key=server.key)
    for path, body in (("/track", TRACK), ("/publish_events", [make_event()]), ("/v1/events", [TRACK])):
        answer = server.post(path, body)
        error = answer.json()
        assert (answer.status_code, error["code"], error["success"]) == (429, "RATE_LIMIT_EXCEEDED", False)
        assert answer.headers["retry-after"] == str(error["retry_after"])
        assert 0 < error["retry_after"] <= 31 * 86_400 + 1
    assert server.post("/publish_events", []).status_code == 200
    KeyFile(tmp_path / "collector").create("demo", Plan("pro"))  # a larger plan applies at once
    deadline = time.monotonic() + 10
    while server.post("/track", TRACK).status_code != 200:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    server.stop()
    assert sum(2 if "prompt" in record else 1 for record in server.read_records()) == 11


@pytest.mark.slow
def test_a_key_may_send_a_limited_number_of_events_per_second(tmp_path: Path) -> None:
    with run_server(tmp_path, {"burst_per_second": 5}) as server:
        # within about two seconds, each of which accepts five
        answers = [server.post("/track", TRACK) for _ in range(40)]
        statuses = [answer.status_code for answer in answers]
        rejected = answers[statuses.index(429)]
        assert (rejected.json()["retry_after"], rejected.headers["retry-after"]) == (1, "1")
        assert statuses.index(429) >= 5
        time.sleep(1)
        assert server.post("/track", TRACK).status_code == 200
        time.sleep(1)
        # over the limit, but the first of its second
        assert server.post("/publish_events", [make_event()] * 50).status_code == 200
        assert len(server.read_records()) == statuses.count(200) + 51


def open_ledger(folder: Path) -> None:
    Ledger(folder, 10).close()


@pytest.mark.slow
def test_workers_that_start_at_once_share_a_new_ledger(tmp_path: Path) -> None:
    with multiprocessing.get_context("forkserver").Pool(4) as workers:
        for number in range(30):
            workers.map(open_ledger, [tmp_path / str(number)] * 4, chunksize=1)
