"""Shards and results on an object store."""

import os
import pickle
import subprocess
import tempfile
from pathlib import Path

import pytest

from turret_pipeline.errors import TurretError
from turret_pipeline.shards import pieces as pieces_module
from turret_pipeline.shards.pieces import Pieces
from turret_pipeline.shards.shard import Shard
from turret_pipeline.storage.object_store import open_object_store
from turret_pipeline_tests.shards.work import count_bytes, double, fail


@pytest.fixture
def pieces(tmp_path: Path) -> Pieces:
    return Pieces(open_object_store(str(tmp_path / "store")))


def test_a_shard_runs_any_number_of_times_with_one_result(pieces: Pieces, tmp_path: Path) -> None:
    sent = pieces.put_shard(Shard(double, (4,)))
    assert pieces.put_shard(Shard(double, (4,))).name == sent.name
    for _ in range(3):
        pieces.run_shard(sent.name)
    value, files = pieces.take_result(sent.name, tmp_path)
    assert value == 8
    assert (tmp_path / "4.txt").read_text(encoding="utf-8") == "8"
    assert {*pieces.store.list_names()} == sent.files | files


def test_names_follow_work_arguments_and_the_content_of_files(pieces: Pieces, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(b"abc")
    two.write_bytes(b"abd")
    shards = [Shard(double, (1,)), Shard(double, (2,)), Shard(fail, (1,))]
    shards += [Shard(count_bytes, files={"text": one}), Shard(count_bytes, files={"text": two})]
    assert len({pieces.put_shard(shard).name for shard in shards}) == len(shards)
    two.write_bytes(b"abc")
    assert pieces.put_shard(shards[3]).name == pieces.put_shard(shards[4]).name


def test_what_another_stored_is_not_run(pieces: Pieces) -> None:
    sent, other = pieces.put_shard(Shard(double, (4,))), pieces.put_shard(Shard(double, (5,)))
    right = pieces.store.read(f"shards/{sent.name}")
    forged = pickle.dumps((pieces_module.hash_code(), double, (5,), {}))
    for content in (forged, b"", right[:-1] + b"x", pieces.store.read(f"shards/{other.name}")):
        pieces.store.put(f"shards/{sent.name}", content)
        with pytest.raises(TurretError, match="was not stored by this run, or changed since"):
            pieces.run_shard(sent.name)


def test_a_reader_of_the_store_sees_no_arguments(pieces: Pieces) -> None:
    pieces.put_shard(Shard(count_bytes, ("the salt of ids",)))
    (name,) = pieces.store.list_names("shards")
    assert b"salt" not in pieces.store.read(name)
    assert b"count_bytes" not in pieces.store.read(name)
    assert pieces.key.hex() not in repr(pieces)


def test_a_shard_of_a_killed_run_is_stored_with_the_key_of_this_one(pieces: Pieces) -> None:
    sent = pieces.put_shard(Shard(double, (4,)))
    again = Pieces(pieces.store)
    assert again.put_shard(Shard(double, (4,))).name == sent.name
    again.run_shard(sent.name)


def test_a_changed_file_is_not_used(pieces: Pieces, tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(b"abc")
    sent = pieces.put_shard(Shard(count_bytes, files={"text": tmp_path / "text"}))
    (file,) = pieces.store.list_names("files")
    pieces.store.put(file, b"other")
    with pytest.raises(TurretError, match="was changed since it was stored"):
        pieces.run_shard(sent.name)


def test_other_code_does_not_run_a_shard(pieces: Pieces, monkeypatch: pytest.MonkeyPatch) -> None:
    name = pieces.put_shard(Shard(double, (4,))).name
    monkeypatch.setattr(pieces_module, "hash_code", lambda: "other")
    with pytest.raises(TurretError, match="another version of turret-pipeline or its libraries"):
        pieces.run_shard(name)


def test_folders_of_killed_workers_are_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    ended = subprocess.Popen(["true"])
    ended.wait()
    (tmp_path / f"turret-shard-{ended.pid}-abc" / "inputs").mkdir(parents=True)
    (tmp_path / f"turret-shard-{os.getpid()}-abc").mkdir()
    pieces_module.remove_stale_scratch()
    assert [folder.name for folder in tmp_path.iterdir()] == [f"turret-shard-{os.getpid()}-abc"]


def test_everything_is_deleted_at_the_end_also_what_is_half_written(pieces: Pieces, tmp_path: Path) -> None:
    pieces.put_shard(Shard(double, (4,)))
    (tmp_path / "store" / "shards" / "half#1").write_bytes(b"rows")
    pieces.remove_all()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
