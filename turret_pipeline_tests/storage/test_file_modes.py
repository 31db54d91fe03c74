"""Only the owner can read what is in the data folder, except the published file and exports."""

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from turret_pipeline.collector.event_store import Storage, Submission
from turret_pipeline.collector.keys import KeyFile
from turret_pipeline.config.collector import CollectorSettings
from turret_pipeline.private_files import follow_umask, keeping_files_private
from turret_pipeline.storage.atomic_files import atomic_replace
from turret_pipeline.storage.dashboard_views import View
from turret_pipeline.storage.data_dir import DataDir
from turret_pipeline_tests.commands import installed_turret

INPUT = "landing"


@pytest.fixture
def open_umask() -> Iterator[None]:
    """The umask that most systems have."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def list_open(folder: Path) -> dict[str, str]:
    """Modes of what others can reach below a folder, by path, without the input."""
    paths = [path for path in (folder, *folder.rglob("*")) if INPUT not in path.relative_to(folder).parts[:1]]
    modes = {str(path.relative_to(folder)): stat.S_IMODE(path.stat().st_mode) for path in paths}
    return {name: oct(mode) for name, mode in modes.items() if mode & 0o077}


def is_published(name: str) -> bool:
    return name == "warehouse/turret.duckdb" or name.startswith("warehouse/generations/")


@pytest.mark.usefixtures("open_umask")
def test_a_run_leaves_only_the_published_file_readable(small_job: Path) -> None:
    found = list_open(small_job)
    assert {name for name in found if not is_published(name)} == set()
    assert {*found.values()} <= {"0o644"}  # the umask of the process that made the fixture may have been another


@pytest.mark.usefixtures("open_umask")
def test_what_collector_and_dashboard_write_is_private(tmp_path: Path) -> None:
    root = tmp_path / "data"
    settings = CollectorSettings(data_dir=root, min_free_mb=0)
    KeyFile(settings.folder).create("shop")
    storage = Storage(settings)
    storage.write([Submission("shop", (), 1, lambda _: b"{}\n")])
    storage.admit([Submission("shop", (), 1, lambda _: b"{}\n", b"1")])
    assert storage.probe() is None
    assert list_open(root) == {}
    storage.close()
    data = DataDir(root)
    data.dashboard_views.save(View("a", "topics", "", "2026-01-01"))
    data.topic_edits.add("lock", "prompt-1", "2026-01-01")
    with data.lock():
        pass
    assert list_open(root) == {}
    assert len([path for path in root.rglob("*") if path.is_file()]) >= 9


@pytest.mark.usefixtures("open_umask")
def test_a_folder_of_an_earlier_version_is_closed_once(small_job: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(small_job, tmp_path / "data"))
    for path in (root, *root.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o664)
    data = DataDir(root)
    with data.lock():
        pass
    assert {name for name in list_open(root) if not is_published(name)} == set()
    (root / "warehouse").chmod(0o755)  # a person lets others read it
    with data.lock():
        pass
    assert list_open(root)["warehouse"] == "0o755"
    assert stat.S_IMODE((root / "landing" / "a.jsonl").stat().st_mode) == 0o664


@pytest.mark.usefixtures("open_umask")
def test_a_folder_that_holds_other_things_keeps_its_own_mode(tmp_path: Path) -> None:
    root = tmp_path / "home"
    root.mkdir(mode=0o755)
    (root / "notes.txt").write_text("mine")
    with DataDir(root).lock():
        pass
    assert list_open(root) == {".": "0o755", "notes.txt": "0o644"}


@pytest.mark.parametrize("umask", [0o022, 0o027])
def test_exports_follow_the_umask(small_job: Path, tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        done = installed_turret(
            "journeys", "export", "--output", tmp_path / "graph.dot", "--format", "dot", "--data-dir", small_job
        )
    finally:
        os.umask(before)
    assert done.returncode == 0, done.stderr
    assert stat.S_IMODE((tmp_path / "graph.dot").stat().st_mode) == 0o666 & ~umask


@pytest.mark.usefixtures("open_umask")
def test_new_files_are_private_and_exports_are_not(tmp_path: Path) -> None:
    for name, is_export in (("private", False), ("export", True)):
        with atomic_replace(tmp_path / "new" / "folder" / name, is_export=is_export) as temp:
            temp.write_text("x")
    with keeping_files_private():
        (tmp_path / "new" / "other").write_text("x")
        (tmp_path / "new" / "published").write_text("x")
        follow_umask(tmp_path / "new" / "published")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "new").rglob("*")}
    assert modes == {"folder": 0o700, "private": 0o600, "export": 0o644, "other": 0o600, "published": 0o644}
