"""Landing files in; parts in the lake out, once for each content."""

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
from turret_pipeline.ingest.parts import Arrival, Sources, changed_at
from turret_pipeline.ingest.reading import BLOCK_BYTES, BLOCK_RECORDS
from turret_pipeline_tests.ingest.imports import FILE_TIME, READ_AT, read, row, written


def events(sources: Sources) -> pl.DataFrame:
    return pl.concat([pl.read_parquet(file) for file in sources.part_files("events")])


def test_a_content_is_read_once_whatever_its_name(tmp_path: Path) -> None:
    rows = [row("e1"), row("e2")]
    paths = written(tmp_path, {"a.jsonl": rows, "b.jsonl": rows})
    sources, count = read(tmp_path, paths)
    assert (count, len(sources.known())) == (4, 1)
    assert read(tmp_path, paths)[1] == 0
    assert sources.files()["source_file"].to_list() == [str(paths[0])]


def test_a_file_that_was_read_is_looked_at_and_not_read_again(tmp_path: Path) -> None:
    (path,) = written(tmp_path, {"a.jsonl": [row("e1")]})
    sources, _ = read(tmp_path, [path])
    assert sources.unseen([path]) == []
    path.chmod(0o600)
    assert sources.unseen([path]) == []
    os.utime(path, ns=(1, 1))
    assert sources.unseen([path]) == [path]


def test_a_changed_file_is_read_as_a_content_of_its_own(tmp_path: Path) -> None:
    (path,) = written(tmp_path, {"a.jsonl": [row("e1")]})
    read(tmp_path, [path])
    with path.open("a") as file:
        file.write(json.dumps(row("e2")) + "\n")
    sources, count = read(tmp_path, [path])
    assert (count, len(sources.known())) == (2, 2)


def test_what_was_removed_from_the_lake_is_read_again(tmp_path: Path) -> None:
    (path,) = written(tmp_path, {"a.jsonl": [row("e1")]})
    sources, _ = read(tmp_path, [path])
    shutil.rmtree(sources.folder(sources.known()[0]))
    assert read(tmp_path, [path])[1] == 1


def test_a_note_that_was_cut_off_costs_one_more_reading(tmp_path: Path) -> None:
    (path,) = written(tmp_path, {"a.jsonl": [row("e1")]})
    sources, _ = read(tmp_path, [path])
    notes = sources.root / "seen.jsonl"
    notes.write_text(notes.read_text()[:-10])
    assert sources.unseen([path]) == [path]
    assert read(tmp_path, [path])[1] == 1
    assert len(sources.known()) == 1
    assert sources.unseen([path]) == []


def test_a_file_of_many_blocks_is_read_by_several_processes_in_its_order(tmp_path: Path) -> None:
    filler = "x" * 2000
    rows = [row(f"e{number}", metadata={"text": filler}) for number in range(3 * BLOCK_BYTES // 2000)]
    rows[7] = {"name": ""}
    (path,) = written(tmp_path, {"a.jsonl": rows})
    sources, count = read(tmp_path, [path])
    assert count == len(rows)
    assert len(sources.part_files("events")) > 3
    found = events(sources)
    assert found["line_number"].to_list() == [number + 1 for number in range(len(rows)) if number != 7]
    assert found["event_id"].to_list() == [f"e{number}" for number in range(len(rows)) if number != 7]


def test_rows_of_any_kind_and_refusals_go_to_workers_too(tmp_path: Path) -> None:
    rows = [row(f"e{number}") for number in range(3 * BLOCK_RECORDS)]
    texts = [json.dumps(one) for one in rows]
    texts[BLOCK_RECORDS + 5] = '{"name": NaN}'
    path = tmp_path / "a.json"
    path.write_text(f"[{','.join(texts)}]")
    sources, count = read(tmp_path, [path])
    assert count == len(rows)
    assert events(sources).height == len(rows) - 1
    refused = pl.concat([pl.read_parquet(file) for file in sources.part_files("rejected")])
    assert refused.select("line_number", "reason_code").rows() == [(BLOCK_RECORDS + 6, "invalid_json")]


def test_a_file_that_grows_while_it_is_read_is_known_by_what_was_read(tmp_path: Path) -> None:
    rows = [row(f"e{number}", metadata={"text": "x" * 2000}) for number in range(2 * BLOCK_BYTES // 2000)]
    (path,) = written(tmp_path, {"a.jsonl": rows})
    sources = Sources(tmp_path / "lake" / "parts")
    steps = sources.add(path, ParseOptions(FILE_TIME), Arrival(READ_AT))
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
    read(tmp_path, [path])
    whole = {json.loads(line)["event_id"] for line in path.read_text().splitlines()}
    assert set(events(sources)["event_id"].drop_nulls()) == whole


def test_a_reading_that_is_stopped_leaves_nothing(tmp_path: Path) -> None:
    rows = [row(f"e{number}", metadata={"text": "x" * 2000}) for number in range(2 * BLOCK_BYTES // 2000)]
    (path,) = written(tmp_path, {"a.jsonl": rows})
    sources = Sources(tmp_path / "lake" / "parts")
    steps = sources.add(path, ParseOptions(FILE_TIME), Arrival(READ_AT))
    next(steps)
    steps.close()
    assert (sources.known(), list(sources.root.iterdir())) == ([], [])


def test_a_reading_that_is_killed_is_done_again_from_the_start(tmp_path: Path) -> None:
    rows = [row(f"e{number}", metadata={"text": "x" * 2000}) for number in range(4 * BLOCK_BYTES // 2000)]
    (path,) = written(tmp_path, {"a.jsonl": rows})
    code = (
        "import sys, pathlib; from turret_pipeline_tests.ingest.imports import read; "
        "read(pathlib.Path(sys.argv[1]), [pathlib.Path(sys.argv[2])])"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path), str(path)])
    root = tmp_path / "lake" / "parts"
    while process.poll() is None and not any(root.glob(".*/events-*.parquet")):
        time.sleep(0.01)
    process.kill()
    process.wait()
    sources, count = read(tmp_path, [path])
    assert count == len(rows)
    assert events(sources)["event_id"].n_unique() == len(rows)


def test_compressed_files_and_objects_of_a_store_are_files_too(tmp_path: Path) -> None:
    packed = tmp_path / "a.jsonl.gz"
    packed.write_bytes(gzip.compress(json.dumps(row("e1")).encode()))
    remote = UPath("memory://sources-bucket/b.jsonl")
    remote.write_bytes(json.dumps(row("e2")).encode())
    sources = Sources(tmp_path / "parts")
    for path in (packed, remote):
        assert sources.unseen([path]) == [path]
        assert sum(sources.add(path, ParseOptions(FILE_TIME), Arrival(READ_AT))) == 1
        assert sources.unseen([path]) == []
    assert sorted(events(sources)["event_id"]) == ["e1", "e2"]
    assert sources.files()["source_file"].to_list() != []


def test_what_cannot_be_read_says_so(tmp_path: Path) -> None:
    sources = Sources(tmp_path / "parts")
    with pytest.raises(TurretError, match=r"gone.jsonl cannot be read.*Check its permissions"):
        sources.unseen([tmp_path / "gone.jsonl"])
    with pytest.raises(TurretError, match=r"cannot be read"):
        list(sources.add(tmp_path, ParseOptions(FILE_TIME), Arrival(READ_AT)))
    with pytest.raises(TurretError, match=r"cannot be read"):
        changed_at(tmp_path / "gone.jsonl")
