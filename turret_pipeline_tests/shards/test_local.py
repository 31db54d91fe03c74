"""Values and files of shards that run in several processes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from turret_pipeline.errors import TurretError
from turret_pipeline.shards.local import IDLE_SECONDS, LOCAL
from turret_pipeline.shards.shard import Shard
from turret_pipeline_tests.shards.work import count_bytes, die, double, fail


@pytest.mark.parametrize("count", [0, 1, 2, 50])
def test_every_shard_runs_once(tmp_path: Path, count: int) -> None:
    shards = (Shard(double, (number,)) for number in range(count))
    assert sorted(LOCAL.run(shards, tmp_path)) == [2 * number for number in range(count)]
    assert {file.name: file.read_text(encoding="utf-8") for file in tmp_path.iterdir()} == {
        f"{number}.txt": str(2 * number) for number in range(count)
    }


def test_work_gets_its_files_by_name(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"four")
    shards = [Shard(count_bytes, files={"text": tmp_path / "a"}) for _ in range(3)]
    assert [*LOCAL.run(shards, tmp_path)] == [4, 4, 4]


def test_errors_of_shards_are_raised(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="1 is bad"):
        list(LOCAL.run([Shard(double, (0,)), Shard(fail, (1,))], tmp_path))


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="with one core this process does all work")
def test_a_killed_worker_is_an_error(tmp_path: Path) -> None:
    shards = [Shard(double, (0,)), Shard(die), *[Shard(double, (number,)) for number in range(4)]]
    with pytest.raises(TurretError, match="was killed, probably because memory ran out"):
        list(LOCAL.run(shards, tmp_path))
    assert list(LOCAL.run([Shard(double, (number,)) for number in range(2)], tmp_path)) != []


COMMAND = """
import os, sys
from pathlib import Path
from turret_pipeline.cli import _exit
from turret_pipeline.shards.local import LOCAL
from turret_pipeline.shards.shard import Shard
from turret_pipeline_tests.shards.work import count_bytes, die, double, fail
list(LOCAL.run((Shard(os.path.join, ("a",)) for _ in range(4)), Path(sys.argv[1])))
_exit(3)
"""


def test_a_command_does_not_wait_for_idle_workers_when_it_ends(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", COMMAND, tmp_path], timeout=IDLE_SECONDS / 2, check=False)
    assert done.returncode == 3
