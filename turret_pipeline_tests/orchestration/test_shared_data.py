"""Whole runs of several machines that share their files through an object store."""

import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from polars.testing import assert_frame_equal

from turret_pipeline.progress import SilentProgress
from turret_pipeline.storage.data_dir import DataDir
from turret_pipeline.storage.object_store import open_object_store
from turret_pipeline.storage.remote_data import PUBLISHED_COPY, open_remote_data
from turret_pipeline.storage.store_commits import CommitLog
from turret_pipeline_tests.commands import (
    PROJECT,
    RUN_COLUMNS,
    count,
    environment,
    open_published,
    published_tables,
    run_job,
    turret,
    warehouse,
)
from turret_pipeline_tests.fork_server import start_turret
from turret_pipeline_tests.object_server import Proxy
from turret_pipeline_tests.orchestration.continued_folders import add_new_file

pytestmark = pytest.mark.slow


@pytest.fixture
def variables(proxy: Proxy, tmp_path: Path) -> dict[str, str]:
    """The setting and the variables of an empty store, for commands."""
    names = ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    assert proxy
    return {"TURRET_OBJECT_STORE": f"s3://tests/{tmp_path.name}", **{name: os.environ[name] for name in names}}


def kill_when(reached: Callable[[], bool], data: Path, variables: dict[str, str], folder: Path) -> None:
    """Kill a run once a point is reached."""
    process = start_turret(["run", "--data-dir", str(data)], environment(variables), PROJECT, folder)
    assert process.pid is not None
    deadline = time.monotonic() + 120
    while not reached():
        assert process.is_alive(), (folder / "stderr").read_text()
        assert time.monotonic() < deadline
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGKILL)
    process.join()


def count_embedded(data: Path) -> int:
    """Number of files with vectors."""
    return len(list((data / "lake" / "embeddings").rglob("*.parquet")))


def pull_alone(folder: Path, variables: dict[str, str]) -> Path:
    """A new data folder with what the store has."""
    data = DataDir(folder)
    remote = open_remote_data(variables["TURRET_OBJECT_STORE"], data, SilentProgress())
    assert remote is not None
    with data.lock():
        remote.pull()
    return folder


def test_an_empty_machine_continues_where_another_stopped_and_erasures_reach_both(
    small_job: Path, tmp_path: Path, variables: dict[str, str], proxy: Proxy
) -> None:
    one, two = shutil.copytree(small_job, tmp_path / "one"), tmp_path / "two"
    run_job(one, extra=variables)
    shutil.copytree(one / "landing", two / "landing")
    os.utime(two / "landing" / "a.jsonl")  # files are known by their bytes
    before, vectors = published_tables(one), count_embedded(one)
    run_job(two, extra=variables)
    assert count_embedded(two) == vectors
    assert len((two / "lake" / "parts" / "seen.jsonl").read_text().splitlines()) > 2
    after = published_tables(two)
    assert after["pipeline_runs"]["run_number"].to_list() == [1, 2]
    for name in set(before) - {*RUN_COLUMNS, "quality_checks", "report_lines"}:
        assert_frame_equal(after[name], before[name], check_exact=True)

    proxy.requests.clear()
    assert "Nothing new" in run_job(one, extra=variables)
    assert proxy.count("PUT") == 0
    store = open_object_store(variables["TURRET_OBJECT_STORE"])
    assert store.read(PUBLISHED_COPY) == warehouse(one).read_bytes() == warehouse(two).read_bytes()
    proxy.requests.clear()
    assert "Nothing new" in run_job(one, extra=variables)
    assert len(proxy.requests) == 1

    refused = turret("forget", "--user", "u1", "--yes", "--data-dir", one, extra=variables)
    assert refused.returncode != 0
    assert "run turret run --full-refresh first" in " ".join(refused.stderr.split())
    done = turret("forget", "--user", "u1", "--yes", "--data-dir", two, extra=variables)
    assert done.returncode == 0, done.stdout + done.stderr
    log = CommitLog(store)
    last = log.read(max(log.list_versions(0)))
    assert set(store.list_names("objects")) == {stored.name for stored in last.files.values()}
    run_job(one, extra=variables)
    for data in (one, two):
        assert '"u1"' not in (data / "landing" / "a.jsonl").read_text()
        with open_published(data) as connection:
            rows = connection.execute("select count(*) from marts.events where user_id = 'u1'").fetchall()
        assert rows == [(0,)]


def test_a_run_killed_at_an_upload_is_completed_by_the_next(
    small_job: Path, tmp_path: Path, variables: dict[str, str], proxy: Proxy
) -> None:
    data = add_new_file(shutil.copytree(small_job, tmp_path / "data"))
    proxy.delay = 0.05
    kill_when(lambda: proxy.count("PUT", "/objects/") > 5, data, variables, tmp_path)
    proxy.requests.clear()
    kill_when(lambda: proxy.count("PUT", "/published/") > 0, data, variables, tmp_path)
    proxy.delay = 0
    assert "Nothing new" in run_job(data, extra=variables)
    other = pull_alone(tmp_path / "other", variables)
    assert warehouse(other).read_bytes() == warehouse(data).read_bytes()
    assert count(other, "events") == 72 + 24 + 12
    assert count_embedded(other) == count_embedded(data)


def test_a_store_that_cannot_be_reached_stops_a_run_before_it_works(
    small_job: Path, tmp_path: Path, variables: dict[str, str]
) -> None:
    data = add_new_file(shutil.copytree(small_job, tmp_path / "data"))
    wrong = variables | {"AWS_SECRET_ACCESS_KEY": "wrong"}
    done = turret("run", "--data-dir", data, extra=wrong)
    assert done.returncode == 1
    said = " ".join(done.stderr.split())
    assert "credentials are wrong" in said
    assert "Nothing was published" in said
    assert len(list((data / "lake" / "parts").glob("[0-9a-f]*"))) == 1
