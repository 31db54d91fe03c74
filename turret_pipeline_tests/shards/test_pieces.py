"""Shards and results on an object store."""

import pickle
from pathlib import Path

import pytest

from turret_pipeline.errors import TurretError
from turret_pipeline.shards import pieces as pieces_module
from turret_pipeline.shards.pieces import Pieces
from turret_pipeline.shards.ray_engine import RayEngine
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
    value, objects = pieces.fetch_result(sent.name, tmp_path)
    assert value == 8
    assert (tmp_path / "4.txt").read_text(encoding="utf-8") == "8"
    assert {*pieces.store.list_names()} == sent.objects | objects


def test_names_follow_work_arguments_and_the_content_of_files(pieces: Pieces, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(b"abc")
    two.write_bytes(b"abd")
    shards = [Shard(double, (1,)), Shard(double, (2,)), Shard(fail, (1,))]
    shards += [Shard(count_bytes, files={"text": one}), Shard(count_bytes, files={"text": two})]
    assert len({pieces.put_shard(shard).name for shard in shards}) == len(shards)
    two.write_bytes(b"abc")
    assert pieces.put_shard(shards[3]).name == pieces.put_shard(shards[4]).name


def test_a_changed_shard_is_not_run(pieces: Pieces) -> None:
    name = pieces.put_shard(Shard(double, (4,))).name
    pieces.store.put(f"shards/{name}", pickle.dumps(("other", double, (5,), {})))
    with pytest.raises(TurretError, match="was changed since the run stored it"):
        pieces.run_shard(name)


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


def test_results_of_a_killed_run_are_used(pieces: Pieces, tmp_path: Path) -> None:
    shards = [Shard(double, (number,)) for number in range(3)]
    for shard in shards:
        pieces.run_shard(pieces.put_shard(shard).name)
    (tmp_path / "out").mkdir()
    engine = RayEngine(pieces, "127.0.0.1:1", print)  # there is no cluster, and none is needed
    assert sorted(engine.run(shards, tmp_path / "out")) == [0, 2, 4]
    assert len([*(tmp_path / "out").iterdir()]) == 3
    assert pieces.store.list_names() == []
