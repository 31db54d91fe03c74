"""Folders of shared metrics: one for each running collector, used again after a crash."""

from pathlib import Path

import pytest

from turret_pipeline.collector.metrics_folder import lock_metrics_folder
from turret_pipeline_tests.collector.servers import run_server, start_server


def test_each_running_collector_has_a_folder_of_its_own(tmp_path: Path) -> None:
    with lock_metrics_folder(tmp_path) as first, lock_metrics_folder(tmp_path) as second:
        assert first != second
    with lock_metrics_folder(tmp_path) as third:
        assert third == first
        (third / "counter_1.db").write_bytes(b"x")
    assert list(third.glob("*.db")) == []


@pytest.mark.slow
def test_a_killed_collector_leaves_nothing_behind_that_the_next_one_does_not_use(tmp_path: Path) -> None:
    settings = {"workers": 2}
    folder = tmp_path / "collector" / "metrics"
    killed = start_server(tmp_path, settings)
    killed.post("/track", {"name": "n", "metadata": {}})
    killed.kill()
    old = set(folder.glob("0/*.db"))
    assert old
    with run_server(tmp_path, settings) as server:
        assert 'turret_collector_requests_total{path="/track",status="200"} 0.0' in server.get("/metrics").text
        assert not old & set(folder.glob("0/*.db"))
    assert [path.name for path in folder.rglob("*")] == ["0", "lock"]
