"""A whole run on a real Ray cluster and an object store, both of which fail in the middle of it."""

import os
import shutil
import tempfile
import threading
from pathlib import Path

import pytest
from polars.testing import assert_frame_equal

from turret_pipeline_tests.commands import published_tables, turret
from turret_pipeline_tests.object_server import Proxy
from turret_pipeline_tests.shards.failures import fail_once, kill_workers
from turret_pipeline_tests.shards.ray_cluster import running_cluster

pytestmark = pytest.mark.slow


def test_a_run_on_ray_with_a_killed_worker_and_an_outage_of_the_store_publishes_the_same_tables(
    small_job: Path, tmp_path: Path, proxy: Proxy
) -> None:
    data = tmp_path / "data"
    shutil.copytree(small_job / "landing", data / "landing")
    settings = {name: os.environ[name] for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    with tempfile.TemporaryDirectory(prefix="ray-") as folder, running_cluster(Path(folder), settings) as cluster:
        settings |= {"TURRET_ENGINE": "ray", "TURRET_RAY_ADDRESS": cluster.address}
        settings["TURRET_OBJECT_STORE"] = f"s3://tests/{tmp_path.name}"
        killed, outages, done = list[int](), list[float](), threading.Event()
        threads = [
            threading.Thread(target=kill_workers, args=(cluster, killed, 1, done)),
            threading.Thread(target=fail_once, args=(proxy, "/pieces/results/", done, outages)),
        ]
        for thread in threads:
            thread.start()
        try:
            ran = turret("run", "--data-dir", data, extra=settings)
        finally:
            done.set()
            for thread in threads:
                thread.join()
    assert ran.returncode == 0, ran.stderr
    assert "Warning" not in ran.stderr
    assert (len(killed), len(outages)) == (1, 1)
    assert proxy.count("PUT", "/pieces/shards/") >= 3
    expected, found = published_tables(small_job), published_tables(data)
    for name in expected:
        columns = [column for column in expected[name].columns if column not in {"source_file", "code_sha256"}]
        assert_frame_equal(found[name].select(columns), expected[name].select(columns), check_exact=True)


def test_a_run_without_its_cluster_says_what_to_do(small_job: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(small_job / "landing", data / "landing")
    done = turret("run", "--data-dir", data, extra={"TURRET_ENGINE": "ray", "TURRET_RAY_ADDRESS": "127.0.0.1:1"})
    assert done.returncode == 1
    assert "No Ray cluster at 127.0.0.1:1 (nothing listens there): start one with `ray start --head`" in " ".join(
        done.stderr.split()
    )
