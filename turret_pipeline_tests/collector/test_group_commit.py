"""Commits: nobody waits for ever, whatever is slow, busy or broken."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from turret_pipeline.collector.api_errors import STORAGE_UNAVAILABLE, ApiError
from turret_pipeline.collector.group_commit import Committer
from turret_pipeline.collector.storage import Storage, Submission
from turret_pipeline.config.collector import CollectorSettings
from turret_pipeline_tests.collector.servers import landed, running

TRACK = {"name": "n", "metadata": {}}


def submission() -> Submission:
    """One event."""
    return Submission("demo", (), 1, lambda _: b"{}\n")


def test_a_busy_ledger_delays_what_is_stored_and_nothing_else(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        other = sqlite3.connect(tmp_path / "collector" / "ledger.sqlite", isolation_level=None)
        other.execute("begin immediate")
        statuses: list[int] = []
        posting = threading.Thread(target=lambda: statuses.append(server.post("/track", TRACK).status_code))
        posting.start()
        time.sleep(0.3)
        assert server.speak(b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").startswith(b"HTTP/1.1 200")
        assert statuses == []
        other.execute("rollback")
        posting.join()
        assert statuses == [200]
    assert len(landed(tmp_path)) == 1


def test_a_fault_in_a_commit_is_told_and_the_next_is_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write, faults = Storage.write, [RuntimeError("a fault")]

    def faulty(storage: Storage, admitted: Sequence[Submission]) -> None:
        if admitted and faults:
            raise faults.pop()
        write(storage, admitted)

    async def store_two() -> str:
        committer = Committer(CollectorSettings(data_dir=tmp_path))
        await committer.start()
        with pytest.raises(ApiError) as caught:
            await committer.store(submission())
        await committer.store(submission())
        await committer.close()
        return caught.value.code

    monkeypatch.setattr(Storage, "write", faulty)
    assert asyncio.run(store_two()) == STORAGE_UNAVAILABLE
    assert len(landed(tmp_path)) == 1


def test_what_waits_at_the_end_is_stored_and_what_comes_later_is_refused(tmp_path: Path) -> None:
    async def store_and_close() -> None:
        committer = Committer(CollectorSettings(data_dir=tmp_path))
        await committer.start()
        waiting = [asyncio.create_task(committer.store(submission())) for _ in range(50)]
        await asyncio.sleep(0)
        await committer.close()
        await asyncio.gather(*waiting)
        with pytest.raises(ApiError):
            await committer.store(submission())

    asyncio.run(store_and_close())
    assert len(landed(tmp_path)) == 50
