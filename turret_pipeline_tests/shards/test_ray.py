"""Shards on a real Ray cluster, whose workers, nodes and head are killed."""

import functools
import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from turret_pipeline.errors import TurretError
from turret_pipeline.shards.pieces import Pieces
from turret_pipeline.shards.ray_engine import MAX_HERE, Patience, RayEngine
from turret_pipeline.shards.shard import Shard
from turret_pipeline.storage.object_store import open_object_store
from turret_pipeline_tests.shards.ray_cluster import RayCluster, running_cluster
from turret_pipeline_tests.shards.work import (
    count_bytes,
    die_on_ray,
    double,
    double_slowly,
    fail,
    hang_once,
    wait_for,
)

pytestmark = pytest.mark.slow

QUICK = Patience(shard=8, least=3, start=30, silence=15)


@pytest.fixture(scope="module")
def cluster() -> Iterator[RayCluster]:
    with tempfile.TemporaryDirectory(prefix="ray-") as folder, running_cluster(Path(folder)) as running:
        yield running


@dataclass
class Job:
    """An engine whose store and output are in a folder."""

    folder: Path
    address: str
    patience: Patience = QUICK
    said: list[str] = field(default_factory=list)

    @functools.cached_property
    def engine(self) -> RayEngine:
        pieces = Pieces(open_object_store(str(self.folder / "store")))
        return RayEngine(pieces, self.address, self.said.append, self.patience)

    def run(self, shards: Sequence[Shard[int]]) -> tuple[list[int], dict[str, str]]:
        """The values in order, and the files with their content."""
        (self.folder / "out").mkdir(exist_ok=True)
        values = sorted(self.engine.run(shards, self.folder / "out"))
        return values, {file.name: file.read_text(encoding="utf-8") for file in (self.folder / "out").iterdir()}

    def stored(self) -> list[str]:
        return self.engine.pieces.store.list_names()


@pytest.fixture
def start(tmp_path: Path, cluster: RayCluster) -> Iterator[Callable[..., Job]]:
    jobs = []

    def start_job(patience: Patience = QUICK) -> Job:
        jobs.append(Job(tmp_path, cluster.address, patience))
        return jobs[-1]

    yield start_job
    for job in jobs:
        job.engine.close()


def expected(count: int) -> tuple[list[int], dict[str, str]]:
    return [2 * n for n in range(count)], {f"{n}.txt": str(2 * n) for n in range(count)}


def test_workers_run_every_shard_once_and_leave_nothing_behind(start: Callable[..., Job]) -> None:
    job = start()
    assert job.run([Shard(double, (number,)) for number in range(30)]) == expected(30)
    text = job.folder / "text"
    text.write_bytes(b"four")
    assert job.run([Shard(count_bytes, files={"text": text})] * 1)[0] == [4]
    assert job.run([])[0] == []
    assert job.stored() == []
    assert job.said == []


def test_an_error_of_the_work_is_raised_as_it_is(start: Callable[..., Job]) -> None:
    with pytest.raises(ValueError, match="1 is bad"):
        start().run([Shard(double, (0,)), Shard(fail, (1,))])


def test_work_that_kills_its_workers_is_done_by_the_run_itself(start: Callable[..., Job]) -> None:
    job = start()
    shards = [Shard(double, (0,)), Shard(die_on_ray, (1,)), *(Shard(double, (n,)) for n in range(2, 6))]
    assert job.run(shards) == expected(6)
    assert len(job.said) == 1
    assert job.said[0].startswith("Warning: 3 workers of the cluster failed at the same work (lost: ")


def test_a_cluster_that_fails_again_and_again_is_given_up(start: Callable[..., Job]) -> None:
    job = start()
    assert job.run([Shard(die_on_ray, (number,)) for number in range(8)]) == expected(8)
    assert len(job.said) == MAX_HERE
    assert "fails at its work (lost: " in job.said[-1]


def test_a_quick_stage_does_not_make_the_next_one_late(start: Callable[..., Job]) -> None:
    job = start()
    assert job.run([Shard(double, (number,)) for number in range(4)])[0] == [0, 2, 4, 6]
    slow = [Shard(double_slowly, (QUICK.least + 2, number)) for number in range(2)]
    assert job.run(slow)[0] == [0, 2]
    assert job.said == []


def test_work_that_hangs_is_given_to_another_worker(start: Callable[..., Job]) -> None:
    job = start()
    shards = [Shard(double, (0,)), Shard(hang_once, (str(job.folder / "mark"), 1)), Shard(double, (2,))]
    assert job.run(shards) == expected(3)
    assert job.said == []


def wait_for_workers(folder: Path, count: int) -> list[int]:
    deadline = time.monotonic() + 60
    while len(found := [*folder.iterdir()]) < count:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return [int(file.name) for file in found]


def run_beside(job: Job, count: int) -> tuple[threading.Thread, list[tuple[list[int], dict[str, str]]], Path]:
    """Start shards that wait; returns their thread, where its result will be, and the file that they wait for."""
    mark, started, found = job.folder / "mark", job.folder / "started", list[tuple[list[int], dict[str, str]]]()
    started.mkdir()
    shards = [Shard(wait_for, (str(mark), str(started), number)) for number in range(count)]
    thread = threading.Thread(target=lambda: found.append(job.run(shards)))
    thread.start()
    return thread, found, mark


def test_a_killed_worker_costs_nothing(start: Callable[..., Job]) -> None:
    job = start(Patience())
    thread, found, mark = run_beside(job, 6)
    os.kill(wait_for_workers(job.folder / "started", 2)[0], signal.SIGKILL)
    mark.touch()
    thread.join(120)
    assert found == [expected(6)]
    assert job.said == []


def test_a_node_that_dies_costs_nothing(start: Callable[..., Job], cluster: RayCluster) -> None:
    job = start(Patience())
    thread, found, mark = run_beside(job, 6)
    wait_for_workers(job.folder / "started", 2)
    cluster.kill("second")
    mark.touch()
    thread.join(120)
    assert found == [expected(6)]


def test_without_its_cluster_a_run_goes_on_here(start: Callable[..., Job], cluster: RayCluster) -> None:
    job = start(QUICK)
    thread, found, mark = run_beside(job, 6)
    wait_for_workers(job.folder / "started", 1)
    for node in [*cluster.nodes]:
        cluster.kill(node)
    mark.touch()
    thread.join(180)
    assert found == [expected(6)]
    assert len(job.said) == 1
    assert job.said[0].startswith(f"Warning: The Ray cluster at {cluster.address} ")
    assert job.said[0].endswith(": the rest of the work is done here.")


def test_without_a_cluster_the_error_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(TurretError, match=r"No Ray cluster at 127.0.0.1:1 .*start one with `ray start --head`"):
        Job(tmp_path, "127.0.0.1:1").run([Shard(double, (1,))])
