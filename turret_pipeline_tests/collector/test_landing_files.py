"""Acknowledged events are on disk: landing files, crashes, full disks."""

import json
import os
import resource
import signal
import threading
import time
from pathlib import Path

import pytest

from turret_pipeline.collector.event_store import Storage, Submission
from turret_pipeline.collector.landing_files import LandingFile, recover_open_files
from turret_pipeline.config.collector import CollectorSettings
from turret_pipeline.ingest.discovery import discover
from turret_pipeline_tests.collector.servers import (
    TIMEOUT_SECONDS,
    Server,
    list_landing_files,
    make_event,
    read_records,
    run_server,
    start_server,
)

TRACK = {"name": "n", "metadata": {}}


def landing(folder: Path) -> Path:
    return folder / "projects" / "demo" / "landing"


def test_a_file_is_hidden_until_it_is_finished(tmp_path: Path) -> None:
    file = LandingFile(landing(tmp_path))
    file.append(b'{"a": 1}\n')
    file.sync()
    (hidden,) = list_landing_files(tmp_path)
    assert hidden.name.startswith(".")
    assert recover_open_files(tmp_path / "projects") == []  # it is being written
    file.finish()
    (visible,) = list_landing_files(tmp_path)
    assert visible.read_bytes() == b'{"a": 1}\n'
    assert discover([str(landing(tmp_path))]) == [visible]


def test_a_file_without_lines_is_removed(tmp_path: Path) -> None:
    LandingFile(landing(tmp_path)).finish()
    assert list_landing_files(tmp_path) == []


def test_unsynced_data_is_cut_off_after_an_error(tmp_path: Path) -> None:
    file = LandingFile(landing(tmp_path))
    file.append(b"safe\n")
    file.sync()
    file.append(b"not synced\nand to")
    file.truncate_and_finish()
    assert [path.read_bytes() for path in list_landing_files(tmp_path)] == [b"safe\n"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [(b"a\nb\n", b"a\nb\n"), (b'a\n{"torn', b"a\n"), (b"torn", None), (b"", None), (b"a\n" + b"x" * 200_000, b"a\n")],
)
def test_files_of_a_crashed_process_are_finished_without_an_incomplete_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes, expected: bytes | None
) -> None:
    folder = landing(tmp_path) / "2026-05-01"
    folder.mkdir(parents=True)
    (folder / ".101500-1-abc.jsonl.open").write_bytes(content)
    finished = recover_open_files(tmp_path / "projects")
    assert [path.read_bytes() for path in list_landing_files(tmp_path)] == ([] if expected is None else [expected])
    assert finished == ([] if expected is None else [folder / "101500-1-abc.jsonl"])
    assert ("removed an incomplete last line" in caplog.text) == (content != (expected or b""))


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    folder = landing(tmp_path) / "2026-05-01"
    folder.mkdir(parents=True)
    target = tmp_path / "precious"
    target.write_bytes(b"do not cut")
    (folder / ".x.jsonl.open").symlink_to(target)
    with pytest.raises(OSError, match="symbolic"):
        recover_open_files(tmp_path / "projects")
    assert target.read_bytes() == b"do not cut"


def test_a_group_of_two_projects_is_stored_and_its_duplicate_batch_once(tmp_path: Path) -> None:
    storage = Storage(CollectorSettings(data_dir=tmp_path))
    group = [
        Submission("one", (), 1, lambda _: b"1\n"),
        Submission("two", (), 1, lambda _: b"2\n", b"same"),
        Submission("two", (), 1, lambda _: b"2\n", b"same"),
    ]
    admitted = storage.admit(group)
    storage.write(admitted)
    storage.record_results(group, admitted)
    storage.close()
    assert [submission.error for submission in group] == [None] * 3
    assert [submission.is_duplicate for submission in group] == [False, False, True]
    paths = [path for project in ("one", "two") for path in list_landing_files(tmp_path, project)]
    assert [path.read_bytes() for path in paths] == [b"1\n", b"2\n"]


def test_files_are_finished_when_full_and_when_old(tmp_path: Path) -> None:
    with run_server(tmp_path, {"file_max_mb": 0.01, "file_max_seconds": 0.5}) as server:
        server.post("/track", {"name": "n", "metadata": {"a": "x" * 9000}})
        assert [path.name[0] for path in list_landing_files(tmp_path)] == ["."]
        server.post("/track", {"name": "n", "metadata": {"a": "x" * 9000}})
        assert [path.name[0] == "." for path in list_landing_files(tmp_path)] == [False]
        server.post("/track", TRACK)
        wait_until_finished(server, 2)


def wait_until_finished(server: Server, count: int) -> None:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while [path.name[0] == "." for path in list_landing_files(server.data_dir)] != [False] * count:
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_when_all_processes_are_killed_under_load(tmp_path: Path) -> None:
    server = start_server(tmp_path, {"workers": 2})
    acknowledged: list[str] = []

    def send() -> None:
        for number in range(10_000):
            try:
                answer = server.post("/track", {"name": "n", "metadata": {"number": number}})
            except OSError:
                return
            acknowledged.append(answer.json()["event_id"])

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    while len(acknowledged) < 100:
        time.sleep(0.01)
    server.kill()
    for thread in threads:
        thread.join()
    assert any(path.name.startswith(".") for path in list_landing_files(tmp_path))
    with run_server(tmp_path, {"workers": 2}):
        assert all(not path.name.startswith(".") for path in list_landing_files(tmp_path))
    ids = [record["event_id"] for record in read_records(tmp_path)]
    assert set(acknowledged) <= set(ids)
    assert len(set(ids)) == len(ids)


@pytest.mark.slow
def test_a_killed_worker_is_replaced_and_its_file_finished(tmp_path: Path) -> None:
    with run_server(tmp_path, {"workers": 2, "file_max_seconds": 600}) as server:
        for _ in range(20):
            server.session.close()  # so that a new connection may reach the other worker
            server.post("/track", TRACK)
        for hidden in list_landing_files(tmp_path):
            os.kill(int(hidden.name.split("-")[1]), signal.SIGKILL)
        wait_until_finished(server, len(list_landing_files(tmp_path)))
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while server.read_log().count("startup complete") < 3:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        server.session.close()
        assert server.post("/track", TRACK).status_code == 200
        assert len(server.read_records()) == 21


@pytest.mark.slow
def test_workers_stop_when_the_process_that_started_them_is_killed(tmp_path: Path) -> None:
    server = start_server(tmp_path, {"workers": 2})
    server.post("/track", TRACK)
    server.process.kill()
    server.process.wait()
    wait_until_finished(server, 1)
    with run_server(tmp_path, {}, port=server.port):
        assert len(read_records(tmp_path)) == 1


@pytest.mark.slow
def test_a_full_disk_is_reported_and_recovers_without_a_restart(tmp_path: Path) -> None:
    with run_server(tmp_path) as server:
        assert server.post("/track", TRACK).status_code == 200
        assert server.get("/ready").json() == {"status": "ready"}
        # a process whose files may not grow sees a full disk
        unlimited = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (0, unlimited[1]))
        for path, body in (("/track", TRACK), ("/publish_events", [make_event()]), ("/v1/events", [TRACK])):
            answer = server.post(path, body)
            assert (answer.status_code, answer.json()["code"]) == (503, "STORAGE_UNAVAILABLE")
            assert int(answer.headers["retry-after"]) > 0
        time.sleep(1)
        assert server.get("/ready").status_code == 503
        assert server.get("/health").status_code == 200
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, unlimited)
        time.sleep(1)
        assert server.get("/ready").status_code == 200
        for path, body in (("/track", TRACK), ("/publish_events", [make_event()]), ("/v1/events", [TRACK])):
            assert server.post(path, body).status_code == 200
    assert len(read_records(tmp_path)) == 4
    assert all(json.dumps(record) for record in read_records(tmp_path))


@pytest.mark.slow
def test_a_folder_that_cannot_be_written_is_reported_and_recovers(tmp_path: Path) -> None:
    with run_server(tmp_path) as server:
        landing(tmp_path).parent.mkdir()
        landing(tmp_path).write_text("in the way")
        assert server.post("/track", TRACK).status_code == 503
        assert server.get("/ready").status_code == 503
        landing(tmp_path).unlink()
        time.sleep(1)
        assert server.get("/ready").status_code == 200
        assert server.post("/track", TRACK).status_code == 200
        assert len(server.read_records()) == 1


def test_too_little_free_space_counts_as_a_full_disk(tmp_path: Path) -> None:
    with run_server(tmp_path, {"min_free_mb": 1e12}) as server:
        assert server.post("/track", TRACK).status_code == 503
        assert "free" in server.get("/ready").json()["error"]
