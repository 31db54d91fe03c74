"""Small forms of the benchmarks of growth and of faults."""

import itertools
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from turret_pipeline_tests.benchmarks.growth import load_days
from turret_pipeline_tests.benchmarks.power_loss import find_unsynced_sizes, list_unsynced_names
from turret_pipeline_tests.commands import PROJECT, environment


def test_daily_loads_of_a_growing_file_store_each_row_once(tmp_path: Path) -> None:
    loads = load_days(tmp_path, days=6, rows=20)
    assert [(load.duplicate_count, load.content_count) for load in loads] == [(0, day) for day in range(1, 7)]
    growth = [later.stored_bytes - earlier.stored_bytes for earlier, later in itertools.pairwise(loads)]
    assert max(growth) < 2 * min(growth)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("cc") is None or sys.platform != "linux", reason="needs a C compiler and LD_PRELOAD")
def test_faults_at_sampled_operations_are_sentences_and_the_next_run_is_whole() -> None:
    command = [sys.executable, "-m", "turret_pipeline_tests.benchmarks.faults", "--points", "2"]
    done = subprocess.run(command, cwd=PROJECT, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "faults: 2 points of " in done.stdout
    assert "power: 4 states at " in done.stdout


def test_what_was_not_synced_is_known_from_the_log() -> None:
    log = [
        ("W", "/d/.a.tmp", "", 0),
        ("S", "/d/.a.tmp", "", 5),
        ("R", "/d/.a.tmp", "/d/a", -1),
        ("S", "/d", "", 4096),
        ("W", "/d/a", "", 5),
        ("R", "/d/b", "/d/c", -1),
        ("U", "/d/e", "", 1),
    ]
    assert list_unsynced_names(log) == [6, 7]
    assert find_unsynced_sizes(log, loses_names=False) == {"/d/a": 5}
    assert find_unsynced_sizes(log[:3], loses_names=True) == {}
