"""Compressed bodies that are made to take long: work is bounded, shared fairly, and given up when the client leaves."""

import asyncio
import gzip
import threading
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.types import Message

from turret_pipeline.collector.api_errors import INVALID_REQUEST, OVERLOADED, REQUEST_TOO_LARGE, ApiError
from turret_pipeline.collector.body_worker import BodyWorker
from turret_pipeline.collector.endpoints import Endpoints
from turret_pipeline.collector.event_store import Submission
from turret_pipeline.collector.gzip_bodies import MAX_MEMBERS, decompress_gzip
from turret_pipeline.collector.keys import Key, KeyFile
from turret_pipeline.collector.ledger import Limit
from turret_pipeline.collector.shared_budget import SharedBudget
from turret_pipeline.config.collector import CollectorSettings
from turret_pipeline_tests.collector import held_bodies
from turret_pipeline_tests.collector.servers import TIMEOUT_SECONDS, gzip_body, run_server

EMPTY_MEMBER = gzip.compress(b"", mtime=0)
LIMIT = 1_000_000
ATTACKERS = 10
MEMORY = ("bytes", "max_pending_mb")


class CountedBody(bytearray):
    """Body that counts the bytes that are read from it."""

    read_bytes = 0

    def __getitem__(self, key: Any) -> Any:  # noqa: ANN401 - the signature of bytearray
        part = super().__getitem__(key)
        self.read_bytes += len(part)
        return part


def decompress(raw: bytes) -> tuple[bytes, int]:
    """Decompressed body, and the number of bytes that were read for it."""
    body = CountedBody(raw)
    steps = decompress_gzip(body, LIMIT)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value, body.read_bytes


def connect(*, is_gone: bool = False) -> Request:
    async def receive() -> Message:
        if not is_gone:
            await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    return Request({"type": "http"}, receive)


@pytest.mark.parametrize(
    "parts",
    [
        [b"one"],
        [b"one", b"", b"two", b""],
        [bytes(200_000), b"x", bytes(1000)],
        [str(number).encode() * number for number in range(500)],
        [b""] * MAX_MEMBERS,
    ],
)
def test_all_members_are_decompressed_and_little_is_read_twice(parts: list[bytes]) -> None:
    raw = b"".join(gzip.compress(part, mtime=0) for part in parts)
    content, read_bytes = decompress(raw)
    assert content == b"".join(parts)
    assert read_bytes <= 2 * len(raw) + 512 * len(parts)


@pytest.mark.parametrize(
    ("raw", "code", "message"),
    [
        (EMPTY_MEMBER * (MAX_MEMBERS + 1), INVALID_REQUEST, "more than 10000 members"),
        (gzip.compress(bytes(LIMIT + 1)), REQUEST_TOO_LARGE, "larger than 1000000 bytes"),
        (gzip.compress(bytes(LIMIT)) + gzip.compress(b"x", mtime=0), REQUEST_TOO_LARGE, "larger than 1000000 bytes"),
        (gzip.compress(bytes(100_000_000)), REQUEST_TOO_LARGE, "larger than 1000000 bytes"),
        (gzip.compress(b"text", mtime=0)[:-9], INVALID_REQUEST, "ends too early"),
        (gzip.compress(b"text", mtime=0) + EMPTY_MEMBER[:5], INVALID_REQUEST, "ends too early"),
        (gzip.compress(b"text", mtime=0) + b"more", INVALID_REQUEST, "not gzip"),
        (b"[]", INVALID_REQUEST, "not gzip"),
    ],
)
def test_a_body_that_is_too_large_or_damaged_is_rejected(raw: bytes, code: str, message: str) -> None:
    with pytest.raises(ApiError, match=message) as rejected:
        decompress(raw)
    assert rejected.value.code == code


def test_projects_take_turns() -> None:
    is_other_done = threading.Event()

    def work_until_the_other_is_done() -> Generator[None, None, str]:
        while not is_other_done.is_set():
            yield
        return "slow"

    def work_briefly() -> Generator[None, None, str]:
        yield
        is_other_done.set()
        return "quick"

    async def run() -> list[str]:
        worker = BodyWorker(SharedBudget(100, *MEMORY))
        slow = [worker.run(connect(), "slow", work_until_the_other_is_done(), 1) for _ in range(3)]
        return list(await asyncio.gather(*slow, worker.run(connect(), "quick", work_briefly(), 1)))

    assert asyncio.run(run()) == ["slow", "slow", "slow", "quick"]


def test_bodies_of_a_project_are_worked_on_one_after_the_other() -> None:
    order: list[int] = []

    def work(number: int) -> Generator[None, None, None]:
        for _ in range(3):
            order.append(number)
            yield

    async def run() -> None:
        worker = BodyWorker(SharedBudget(100, *MEMORY))
        await asyncio.gather(*(worker.run(connect(), "one", work(number), 1) for number in range(3)))

    asyncio.run(run())
    assert order == [0, 0, 0, 1, 1, 1, 2, 2, 2]


def test_work_is_given_up_when_the_client_leaves() -> None:
    def work_forever() -> Generator[None, None, None]:
        while True:
            yield

    async def run() -> None:
        await BodyWorker(SharedBudget(100, *MEMORY)).run(connect(is_gone=True), "one", work_forever(), 1)

    with pytest.raises(ApiError, match="The connection ended"):
        asyncio.run(run())


def test_a_project_takes_no_more_memory_than_it_leaves_free() -> None:
    budget = SharedBudget(100, *MEMORY)
    budget.take("one", 50)
    with pytest.raises(ApiError) as rejected:
        budget.take("one", 1)
    assert rejected.value.code == OVERLOADED
    budget.take("two", 25)
    with pytest.raises(ApiError):
        budget.take("two", 1)
    budget.give_back("one", 50)
    budget.take("two", 25)


class OneProjectEach:
    """Access control and committer for requests that are never stored before they are released."""

    def __init__(self) -> None:
        self.released = asyncio.Event()

    def authenticate(self, request: Request) -> Key:
        return Key("k", request.scope["project"], "", "")

    def limits(self, key: Key) -> tuple[Limit, ...]:  # noqa: ARG002 - as AccessControl has it
        return ()

    async def store(self, submission: Submission) -> None:  # noqa: ARG002 - as Committer has it
        await self.released.wait()


def post_event(project: str) -> Request:
    async def receive() -> Message:
        return {"type": "http.request", "body": b'{"name":"n","metadata":{}}'}

    return Request({"type": "http", "headers": [(b"content-type", b"application/json")], "project": project}, receive)


def test_requests_of_one_project_leave_places_for_others() -> None:
    async def run() -> None:
        both: Any = OneProjectEach()
        endpoints = Endpoints(CollectorSettings(max_connections=1), both, both)
        stored = [asyncio.create_task(endpoints.track(post_event(project))) for project in ("one", "one", "two")]
        await asyncio.sleep(0.01)
        message = r"of this project hold 2 places, and it may take 0 more \(setting max_connections\); this one needs 1"
        with pytest.raises(ApiError, match=message) as rejected:
            await endpoints.track(post_event("one"))
        assert rejected.value.code == OVERLOADED
        assert not any(task.done() for task in stored)
        both.released.set()
        assert [(await task).status_code for task in stored] == [200] * 3
        assert (await endpoints.track(post_event("one"))).status_code == 200

    asyncio.run(run())


def test_bodies_that_wait_for_their_turn_hold_memory() -> None:
    is_first_free = threading.Event()

    def work_until_freed() -> Generator[None, None, str]:
        while not is_first_free.wait(0.001):
            yield
        return "done"

    async def run() -> list[str]:
        worker = BodyWorker(SharedBudget(100, *MEMORY))
        accepted = [asyncio.create_task(worker.run(connect(), "one", work_until_freed(), 25)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(ApiError) as rejected:
            await worker.run(connect(), "one", work_until_freed(), 25)
        assert rejected.value.code == OVERLOADED
        is_first_free.set()
        return [*await asyncio.gather(*accepted), await worker.run(connect(), "one", work_until_freed(), 50)]

    assert asyncio.run(run()) == ["done"] * 3


def test_hostile_bodies_of_one_project_do_not_block_others(tmp_path: Path) -> None:
    hostile = EMPTY_MEMBER * MAX_MEMBERS + gzip_body([])
    honest = gzip_body([{"name": "n", "event_id": "e"}])
    statuses: list[int] = []
    with run_server(tmp_path, app=held_bodies.__name__) as server, ThreadPoolExecutor(ATTACKERS) as attackers:
        other = KeyFile(tmp_path / "collector").create("other", None)[0]

        def attack() -> None:
            answer = server.post("/v1/events", hostile, content_encoding="gzip", connection="close")
            statuses.append(answer.status_code)

        try:
            attacks = [attackers.submit(attack) for _ in range(ATTACKERS)]
            wait_for_bodies(tmp_path, ATTACKERS)
            assert [server.get(path).status_code for path in ("/health", "/ready")] == [200, 200]
            answer = server.post("/v1/events", honest, key=other, content_encoding="gzip")
            assert (answer.status_code, answer.json()["accepted"]) == (200, 1)
            assert statuses == [], "a hostile body was answered first"
        finally:
            held_bodies.release(tmp_path).touch()
        for done in attacks:
            done.result()
        assert statuses == [400] * ATTACKERS


def wait_for_bodies(data_dir: Path, count: int) -> None:
    """Wait until so many gzip bodies have arrived."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    arrivals = held_bodies.arrivals(data_dir)
    while not (arrivals.exists() and arrivals.stat().st_size == count):
        assert time.monotonic() < deadline, "the bodies did not arrive"
        time.sleep(0.01)
