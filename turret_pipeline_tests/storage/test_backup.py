"""`turret backup` and `turret restore`."""

import shutil
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path

import pytest

from turret_pipeline.clock import now
from turret_pipeline.collector.landing_files import LandingFile
from turret_pipeline.errors import TurretError
from turret_pipeline.storage.backup import back_up, restore
from turret_pipeline.storage.data_dir import DataDir
from turret_pipeline_tests.commands import published_tables, run_job, turret


def make_folder(root: Path) -> DataDir:
    """A data folder before its first run, with a landing file and a key."""
    (root / "landing").mkdir(parents=True)
    (root / "landing" / "a.jsonl").write_text("{}\n")
    (root / "collector").mkdir()
    with closing(sqlite3.connect(root / "collector" / "ledger.sqlite")) as ledger:
        ledger.execute("pragma journal_mode = wal")
        ledger.execute("create table usage (owner text)")
        ledger.execute("insert into usage values ('shop')")
        ledger.commit()
    return DataDir(root)


def names_in(archive: Path) -> set[str]:
    with tarfile.open(archive) as tar:
        return {name.removeprefix("turret-data/") for name in tar.getnames()}


def test_a_backup_has_complete_lines_of_the_file_that_a_collector_is_writing(tmp_path: Path) -> None:
    data = make_folder(tmp_path / "data")
    file = LandingFile(data.root / "projects" / "shop" / "landing")
    file.append(b'{"n": 1}\n{"n": 2')
    file.sync()
    archive = tmp_path / "backup.tar.gz"
    back_up(data, archive)
    assert archive.stat().st_mode & 0o777 == 0o600
    restored = DataDir(tmp_path / "restored")
    assert restore(archive, restored, is_forced=False) == []
    (landed,) = (restored.root / "projects" / "shop" / "landing").rglob("*.jsonl")
    assert landed.read_text() == '{"n": 1}\n'
    assert landed.name[0] != "."
    with closing(sqlite3.connect(restored.root / "collector" / "ledger.sqlite")) as ledger:
        assert ledger.execute("select * from usage").fetchall() == [("shop",)]
    file.finish()


def test_a_backup_needs_no_lock_and_leaves_out_what_is_half_written(tmp_path: Path) -> None:
    data = make_folder(tmp_path / "data")
    (data.parts / ".reading.0123456789abcdef0123456789abcdef.tmp").mkdir(parents=True)
    (data.parts / ".reading.0123456789abcdef0123456789abcdef.tmp" / "x").write_text("half")
    with data.lock():
        back_up(data, tmp_path / "backup.tar")
    assert names_in(tmp_path / "backup.tar") == {"collector/ledger.sqlite", "format.json", "landing/a.jsonl"}


def test_restore_refuses_to_overwrite_and_says_how(tmp_path: Path) -> None:
    data = make_folder(tmp_path / "data")
    back_up(data, tmp_path / "backup.tar")
    (data.landing / "new.jsonl").write_text("{}\n")
    with pytest.raises(TurretError, match=r"is not empty: .*--force"):
        restore(tmp_path / "backup.tar", data, is_forced=False)
    assert (data.landing / "new.jsonl").exists()
    restore(tmp_path / "backup.tar", data, is_forced=True)
    assert [path.name for path in data.landing.iterdir()] == ["a.jsonl"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backup.tar", "data"]


def test_restore_refuses_damage_other_archives_and_a_collector_at_work(tmp_path: Path) -> None:
    data = make_folder(tmp_path / "data")
    back_up(data, tmp_path / "backup.tar.gz")
    damaged = tmp_path / "damaged.tar.gz"
    damaged.write_bytes((tmp_path / "backup.tar.gz").read_bytes()[:-40])
    with pytest.raises(TurretError, match="cannot be read"):
        restore(damaged, data, is_forced=True)
    with tarfile.open(tmp_path / "other.tar", "w") as tar:
        tar.add(data.landing, "landing")
    with pytest.raises(TurretError, match="was not written by turret backup"):
        restore(tmp_path / "other.tar", data, is_forced=True)
    file = LandingFile(data.landing)
    with pytest.raises(TurretError, match="A collector is writing"):
        restore(tmp_path / "backup.tar.gz", data, is_forced=True)
    file.finish()
    assert (data.landing / "a.jsonl").read_text() == "{}\n"
    with pytest.raises(TurretError, match="is in the data folder itself"):
        back_up(data, data.root / "backup.tar")


def test_an_old_backup_does_not_bring_back_who_was_erased_since(tmp_path: Path) -> None:
    data = make_folder(tmp_path / "data")
    back_up(data, tmp_path / "backup.tar")
    data.tombstones.add("user", ["ana"])
    data.tombstones.request("user", 1, now())
    data.tombstones.finish()
    assert restore(tmp_path / "backup.tar", data, is_forced=True)
    assert data.tombstones.select("user", ["ana", "bob"]) == ["ana"]
    assert [row["kind"] for row in data.tombstones.pending()] == ["restored"]


@pytest.mark.slow
def test_the_run_after_a_restoration_publishes_the_same_tables(small_job: Path, tmp_path: Path) -> None:
    data = shutil.copytree(small_job, tmp_path / "data")
    done = turret("backup", tmp_path / "backup.tar.gz", "--data-dir", data)
    assert done.returncode == 0, done.stderr
    before = published_tables(data)
    shutil.rmtree(data)
    done = turret("restore", tmp_path / "backup.tar.gz", "--data-dir", data)
    assert done.returncode == 0, done.stderr
    assert published_tables(data)["topics"].equals(before["topics"])
    run_job(data)
    after = published_tables(data)
    run_tables = {"pipeline_runs", "topic_runs", "report_lines", "quality_checks"}
    assert [name for name in before if name not in run_tables and not after[name].equals(before[name])] == []
