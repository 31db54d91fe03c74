"""Of a file that grows, only the new rows are read, and a line that was cut off is read once it is whole."""

import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from turret_pipeline.events.parsing import ParseOptions
from turret_pipeline.ingest.part_damage import find_damaged_parts
from turret_pipeline.ingest.parts import Ingestion, PartStore
from turret_pipeline.progress import SilentProgress
from turret_pipeline.storage.damage import repair_all
from turret_pipeline.storage.lake import Lake
from turret_pipeline_tests.benchmarks.damage import truncate
from turret_pipeline_tests.ingest.imports import FILE_TIME, READ_AT, build_lake, row

OPTIONS = ParseOptions(FILE_TIME)
COUNTS = ["row_count", "accepted_count", "duplicate_count", "rejected_count"]


def grow(root: Path, states: Sequence[str | bytes], name: str = "a.jsonl") -> Lake:
    """The lake after a run at each state of one file."""
    root.mkdir(exist_ok=True)
    path = root / name
    for state in states:
        path.write_bytes(state if isinstance(state, bytes) else state.encode())
        lake = build_lake(root, [path])
    return lake


def lines(*rows: object) -> str:
    return "".join(f"{one if isinstance(one, str) else json.dumps(one)}\n" for one in rows)


def totals(lake: Lake) -> tuple[int, ...]:
    """Number of contents, and sums of their rows, accepted, duplicate and rejected."""
    files = lake.read("source_files")
    return (files.height, *(int(files[name].sum()) for name in COUNTS))


def comparable(lake: Lake) -> pl.DataFrame:
    return lake.read("events").drop("content_sha256", "source_file")


ROWS = [row(f"e{number}", number % 3, metadata={"n": number % 2}) for number in range(12)]
WITHOUT_IDS = [row(None, number % 3, metadata={"n": number % 2}) for number in range(12)]
BROKEN = ["{broken", *ROWS[:3], "[1]", *ROWS[3:5], '{"name": ""}', *ROWS[5:]]


@pytest.mark.parametrize("rows", [ROWS, WITHOUT_IDS, BROKEN], ids=["ids", "no ids", "rejected"])
@pytest.mark.parametrize("step", [1, 5])
def test_a_file_read_as_it_grows_gives_the_events_of_the_whole_file(
    tmp_path: Path, rows: list[object], step: int
) -> None:
    ends = range(1, len(rows) + 1, step)
    lake = grow(tmp_path / "growing", [*(lines(*rows[:end]) for end in ends), lines(*rows)])
    whole = grow(tmp_path / "whole", [lines(*rows)])
    assert_frame_equal(comparable(lake), comparable(whole))
    assert totals(lake)[1:] == totals(whole)[1:]
    assert totals(whole)[3] == 0
    rejected = ("line_number", "reason_code", "raw_text")
    assert sorted(lake.read("rejected_events").select(rejected).rows()) == sorted(
        whole.read("rejected_events").select(rejected).rows()
    )


@pytest.mark.parametrize("cut", [1, 5, 40, 70])
def test_a_line_that_was_cut_off_is_no_rejected_row_once_it_is_whole(tmp_path: Path, cut: int) -> None:
    whole = lines(*ROWS[:6])
    begin = lines(*ROWS[:3])
    lake = grow(tmp_path, [whole[: len(begin) + cut], whole])
    assert totals(lake) == (2, 6, 6, 0, 0)
    assert lake.read("events").height == 6
    assert lake.read("rejected_events").is_empty()


def test_a_file_that_began_with_half_a_line(tmp_path: Path) -> None:
    lake = grow(tmp_path, ['{"event_id"', lines(*ROWS[:1])[:-5], lines(*ROWS[:2])])
    assert totals(lake) == (3, 2, 2, 0, 0)


def test_a_line_that_stays_cut_off_is_a_rejected_row(tmp_path: Path) -> None:
    lake = grow(tmp_path, [lines(*ROWS[:2]) + '{"event_id": "x'])
    assert totals(lake) == (1, 3, 2, 0, 1)


def test_a_last_row_without_a_line_end_counts_once(tmp_path: Path) -> None:
    lake = grow(tmp_path, [lines(*WITHOUT_IDS[:3])[:-1], lines(*WITHOUT_IDS[:3]), lines(*WITHOUT_IDS[:5])])
    assert totals(lake)[1:] == (5, 5, 0, 0)
    assert lake.read("events").height == 5


def test_a_file_whose_begin_changed_is_read_whole(tmp_path: Path) -> None:
    lake = grow(tmp_path, [lines(*ROWS[:3]), lines(ROWS[5], *ROWS[1:5])])
    assert totals(lake) == (2, 8, 6, 2, 0)


def test_compressed_files_and_other_formats_are_read_whole(tmp_path: Path) -> None:
    packed = [gzip.compress(lines(*ROWS[:end]).encode()) for end in (3, 5)]
    assert totals(grow(tmp_path / "gzip", packed, "a.jsonl.gz")) == (2, 8, 5, 3, 0)
    documents = [json.dumps(ROWS[:end]) for end in (3, 5)]
    assert totals(grow(tmp_path / "json", documents, "a.json")) == (2, 8, 5, 3, 0)


def test_a_daily_append_keeps_no_duplicate_row(tmp_path: Path) -> None:
    rows = [row(f"e{number}", number) for number in range(300)]
    lake = grow(tmp_path, [lines(*rows[: 10 * day]) for day in range(1, 31)])
    assert totals(lake) == (30, 300, 300, 0, 0)


def test_damaged_parts_of_a_file_that_has_grown_since_are_read_again(tmp_path: Path) -> None:
    lake = grow(tmp_path, [lines(*WITHOUT_IDS[:3]), lines(*WITHOUT_IDS[:7]), lines(*WITHOUT_IDS)])
    before, parts = lake.read("events"), PartStore(tmp_path / "lake" / "parts")
    for file in parts.part_files("events"):
        truncate(Path(file))
        found = find_damaged_parts(parts, lambda _: OPTIONS, Ingestion(READ_AT))
        assert repair_all(found, SilentProgress().say) >= 1
        again = build_lake(tmp_path, [tmp_path / "a.jsonl"])
        assert_frame_equal(again.read("events").drop("content_sha256"), before.drop("content_sha256"))
        assert again.read("rejected_events").is_empty()
        counts = again.read("source_files").select(COUNTS).sum().row(0)
        assert counts[0] == counts[1] + counts[2] + counts[3]


def test_a_growing_file_may_be_read_again_whole(tmp_path: Path) -> None:
    lake = grow(tmp_path, [lines(*ROWS[:6])[: len(lines(*ROWS[:2])) + 9], lines(*ROWS[:6])])
    parts = PartStore(lake.root / "parts")
    sum(parts.add(tmp_path / "a.jsonl", OPTIONS, Ingestion(READ_AT), replace=True))
    again = grow(tmp_path, [lines(*ROWS[:6]), lines(*ROWS)])
    assert again.read("events").height == len(ROWS)
    assert again.read("rejected_events").is_empty()
    assert totals(again)[1:] == (14, 12, 2, 0)
