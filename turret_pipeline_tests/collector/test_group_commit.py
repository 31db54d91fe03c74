"""Group commit: no request waits forever, even if the ledger is busy or a commit fails."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from turret_pipeline.collector.api_errors import STORAGE_UNAVAILABLE, ApiError
from turret_pipeline.collector.event_store import Storage, Submission
from turret_pipeline.collector.group_commit import Committer
from turret_pipeline.config.collector import CollectorSettings
from turret_pipeline_tests.collector.servers import read_records, run_server

TRACK = {"name": "n", "metadata": {}}


def make_submission() -> Submission:
    """Submission of one event."""
    return Submission("demo", (), 1, lambda _: b"{}\n")


def test_a_busy_ledger_delays_only_requests_that_store_events(tmp_path: Path) -> None:
    with run_server(tmp_path) as server:
        other = sqlite3.connect(tmp_path / "collector" / "ledger.sqlite", isolation_level=None)
        other.execute("begin immediate")
        statuses: list[int] = []
        posting = threading.Thread(target=lambda: statuses.append(server.post("/track", TRACK).status_code))
        posting.start()
        time.sleep(0.3)
        answer = server.send_raw(b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200")
        assert statuses == []
        other.execute("rollback")
        posting.join()
        assert statuses == [200]
    assert len(read_records(tmp_path)) == 1


def test_a_failed_commit_is_reported_and_the_next_one_is_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, failures = Storage.write, [RuntimeError("failure")]

    def fail_once(storage: Storage, admitted: Sequence[Submission]) -> None:
        if admitted and failures:
            raise failures.pop()
        write(storage, admitted)

    async def store_two() -> str:
        committer = Committer(CollectorSettings(data_dir=tmp_path))
        await committer.start()
        with pytest.raises(ApiError) as caught:
            await committer.store(make_submission())
        await committer.store(make_submission())
        await committer.close()
        return caught.value.code

    monkeypatch.setattr(Storage, "write", fail_once)
    assert asyncio.run(store_two()) == STORAGE_UNAVAILABLE
    assert len(read_records(tmp_path)) == 1


def test_waiting_submissions_are_stored_at_shutdown_and_later_ones_rejected(tmp_path: Path) -> None:
    async def store_and_close() -> None:
        committer = Committer(CollectorSettings(data_dir=tmp_path))
        await committer.start()
        waiting = [asyncio.create_task(committer.store(make_submission())) for _ in range(50)]
        await asyncio.sleep(0)
        await committer.close()
        await asyncio.gather(*waiting)
        with pytest.raises(ApiError):
            await committer.store(make_submission())

    asyncio.run(store_and_close())
    assert len(read_records(tmp_path)) == 50
