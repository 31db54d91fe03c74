"""Parts of landing files, once for each content."""

import gzip
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import polars as pl
import pytest
from upath import UPath

from turret_pipeline.errors import TurretError
from turret_pipeline.events.parsing import ParseOptions
from turret_pipeline.ingest.parts import Ingestion, PartStore
from turret_pipeline.ingest.reading import BLOCK_BYTES, BLOCK_RECORDS
from turret_pipeline.ingest.source_files import modification_time
from turret_pipeline_tests.ingest.imports import FILE_TIME, READ_AT, read_files, row, write_files


def read_events(parts: PartStore) -> pl.DataFrame:
    return pl.concat([pl.read_parquet(file) for file in parts.part_files("events")])


def test_a_content_is_read_once_whatever_its_name(tmp_path: Path) -> None:
    rows = [row("e1"), row("e2")]
    paths = write_files(tmp_path, {"a.jsonl": rows, "b.jsonl": rows})
    parts, count = read_files(tmp_path, paths)
    assert (count, len(parts.content_hashes())) == (4, 1)
    assert read_files(tmp_path, paths)[1] == 0
    assert parts.source_files()["source_file"].to_list() == [str(paths[0])]


def test_an_unchanged_file_is_not_read_again(tmp_path: Path) -> None:
    (path,) = write_files(tmp_path, {"a.jsonl": [row("e1")]})
    parts, _ = read_files(tmp_path, [path])
    assert parts.new_files([path]) == []
    path.chmod(0o600)
    assert parts.new_files([path]) == []
    os.utime(path, ns=(1, 1))
    assert parts.new_files([path]) == []
    assert parts.find_hash(path) == parts.content_hashes()[0]


def test_a_file_of_the_same_size_is_new_unless_it_has_the_same_bytes(tmp_path: Path) -> None:
    one, same, other = write_files(tmp_path, {"a.jsonl": [row("e1")], "b.jsonl": [row("e1")], "c.jsonl": [row("e2")]})
    assert one.stat().st_size == other.stat().st_size
    parts, _ = read_files(tmp_path, [one])
    assert parts.new_files([one, same, other]) == [other]


def test_a_changed_file_is_read_as_a_new_content(tmp_path: Path) -> None:
    (path,) = write_files(tmp_path, {"a.jsonl": [row("e1")]})
    read_files(tmp_path, [path])
    with path.open("a") as file:
        file.write(json.dumps(row("e2")) + "\n")
    parts, count = read_files(tmp_path, [path])
    assert (count, len(parts.content_hashes())) == (1, 2)


def test_a_content_removed_from_the_lake_is_read_again(tmp_path: Path) -> None:
    (path,) = write_files(tmp_path, {"a.jsonl": [row("e1")]})
    parts, _ = read_files(tmp_path, [path])
    shutil.rmtree(parts.folder(parts.content_hashes()[0]))
    assert read_files(tmp_path, [path])[1] == 1


def test_a_file_whose_signature_was_cut_off_is_read_once_more(tmp_path: Path) -> None:
    (path,) = write_files(tmp_path, {"a.jsonl": [row("e1")]})
    parts, _ = read_files(tmp_path, [path])
    signatures = parts.root / "seen.jsonl"
    signatures.write_text(signatures.read_text()[:-10])
    assert parts.new_files([path]) == [path]
    assert read_files(tmp_path, [path])[1] == 1
    assert len(parts.content_hashes()) == 1
    assert parts.new_files([path]) == []


def test_several_processes_read_a_file_of_many_blocks_in_order(tmp_path: Path) -> None:
    filler = "x" * 2000
    rows = [row(f"e{number}", metadata={"text": filler}) for number in range(3 * BLOCK_BYTES // 2000)]
    rows[7] = {"name": ""}
    (path,) = write_files(tmp_path, {"a.jsonl": rows})
    parts, count = read_files(tmp_path, [path])
    assert count == len(rows)
    assert len(parts.part_files("events")) > 3
    found = read_events(parts)
    assert found["line_number"].to_list() == [number + 1 for number in range(len(rows)) if number != 7]
    assert found["event_id"].to_list() == [f"e{number}" for number in range(len(rows)) if number != 7]


@pytest.mark.slow
def test_workers_take_rows_and_rejections(tmp_path: Path) -> None:
    rows = [row(f"e{number}") for number in range(3 * BLOCK_RECORDS)]
    texts = [json.dumps(one) for one in rows]
    texts[BLOCK_RECORDS + 5] = '{"name": oops}'
    path = tmp_path / "a.json"
    path.write_text(f"[{','.join(texts)}]")
    parts, count = read_files(tmp_path, [path])
    assert count == len(rows)
    assert read_events(parts).height == len(rows) - 1
    rejected = pl.concat([pl.read_parquet(file) for file in parts.part_files("rejected")])
    assert rejected.select("line_number", "reason_code").rows() == [(BLOCK_RECORDS + 6, "invalid_json")]


def test_a_file_that_grows_while_it_is_read_is_hashed_as_read(tmp_path: Path) -> None:
    rows = [row(f"e{number}", metadata={"text": "x" * 2000}) for number in range(2 * BLOCK_BYTES // 2000)]
    (path,) = write_files(tmp_path, {"a.jsonl": rows})
    parts = PartStore(tmp_path / "lake" / "parts")
    steps = parts.add(path, ParseOptions(FILE_TIME), Ingestion(READ_AT))
    next(steps)
    stop = threading.Event()

    def grow() -> None:
        with path.open("a") as file:
            for number in range(1000):
                file.write(json.dumps(row(f"late{number}")) + "\n")
                file.flush()
                if stop.wait(0.001):
                    return

    writer = threading.Thread(target=grow)
    writer.start()
    first = 1 + sum(1 for _ in steps)
    stop.set()
    writer.join()
    assert first > 0
    read_files(tmp_path, [path])
    whole = {json.loads(line)["event_id"] for line in path.read_text().splitlines()}
    assert set(read_events(parts)["event_id"].drop_nulls()) == whole


def test_an_interrupted_read_leaves_nothing(tmp_path: Path) -> None:
    rows = [row(f"e{number}", metadata={"text": "x" * 2000}) for number in range(2 * BLOCK_BYTES // 2000)]
    (path,) = write_files(tmp_path, {"a.jsonl": rows})
    parts = PartStore(tmp_path / "lake" / "parts")
    steps = parts.add(path, ParseOptions(FILE_TIME), Ingestion(READ_AT))
    next(steps)
    steps.close()
    assert (parts.content_hashes(), list(parts.root.iterdir())) == ([], [])


@pytest.mark.slow
def test_a_killed_read_is_repeated_from_the_start(tmp_path: Path) -> None:
    rows = [row(f"e{number}", metadata={"text": "x" * 2000}) for number in range(4 * BLOCK_BYTES // 2000)]
    (path,) = write_files(tmp_path, {"a.jsonl": rows})
    code = (
        "import sys, pathlib; from turret_pipeline_tests.ingest.imports import read_files; "
        "read_files(pathlib.Path(sys.argv[1]), [pathlib.Path(sys.argv[2])])"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path), str(path)])
    root = tmp_path / "lake" / "parts"
    while process.poll() is None and not any(root.glob(".*/events-*.parquet")):
        time.sleep(0.01)
    process.kill()
    process.wait()
    parts, count = read_files(tmp_path, [path])
    assert count == len(rows)
    assert read_events(parts)["event_id"].n_unique() == len(rows)


def test_compressed_files_and_remote_objects_are_read(tmp_path: Path) -> None:
    packed = tmp_path / "a.jsonl.gz"
    packed.write_bytes(gzip.compress(json.dumps(row("e1")).encode()))
    remote = UPath("memory://landing-bucket/b.jsonl")
    remote.write_bytes(json.dumps(row("e2")).encode())
    parts = PartStore(tmp_path / "parts")
    for path in (packed, remote):
        assert parts.new_files([path]) == [path]
        assert sum(parts.add(path, ParseOptions(FILE_TIME), Ingestion(READ_AT))) == 1
        assert parts.new_files([path]) == []
    assert sorted(read_events(parts)["event_id"]) == ["e1", "e2"]
    assert parts.source_files()["source_file"].to_list() != []


def test_an_unreadable_file_is_an_error(tmp_path: Path) -> None:
    parts = PartStore(tmp_path / "parts")
    with pytest.raises(TurretError, match=r"gone.jsonl does not exist: check the path"):
        parts.new_files([tmp_path / "gone.jsonl"])
    with pytest.raises(TurretError, match=r"cannot be read.*Check its permissions"):
        list(parts.add(tmp_path, ParseOptions(FILE_TIME), Ingestion(READ_AT)))
    with pytest.raises(TurretError, match=r"does not exist"):
        modification_time(tmp_path / "gone.jsonl")


def test_signatures_of_a_file_that_changes_often_do_not_pile_up(tmp_path: Path) -> None:
    other, path = write_files(tmp_path, {"a.jsonl": [row("e0")], "b.jsonl": [row("e1")]})
    parts, _ = read_files(tmp_path, [other, path])
    for number in range(2, 6):
        with path.open("a") as file:
            file.write(json.dumps(row(f"e{number}")) + "\n")
        parts, _ = read_files(tmp_path, [other, path])
    hashes = parts.signatures.hashes()
    assert len(hashes) == 6
    parts.signatures.drop_superseded()
    assert parts.signatures.hashes() == {list(hashes)[at]: list(hashes.values())[at] for at in (0, 5)}
    assert parts.new_files([other, path]) == []
    assert parts.paths_of(parts.content_hash(other)) == [str(other)]
    before = parts.signatures.file.read_bytes()
    parts.signatures.drop_superseded()
    assert parts.signatures.file.read_bytes() == before
