"""Damaged parts are read again from the input, or named with the remedy."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from turret_pipeline.errors import FaultError
from turret_pipeline.events.parsing import ParseOptions
from turret_pipeline.ingest.canonical import CanonicalOptions, write_canonical
from turret_pipeline.ingest.part_damage import find_damaged_parts
from turret_pipeline.ingest.parts import Ingestion, PartStore
from turret_pipeline.ingest.values import extract_part_values, write_values
from turret_pipeline.progress import SilentProgress
from turret_pipeline.storage.damage import Finding, repair_all
from turret_pipeline.storage.lake import Lake
from turret_pipeline_tests.benchmarks.damage import DAMAGES, empty, flip_bits, kind_of, truncate
from turret_pipeline_tests.ingest.imports import FILE_TIME, READ_AT, build_lake, row, write_files

TABLES = ("events", "rejected_events", "source_files", "scrubbed_values", "event_values", "identities")
LATER = Ingestion(READ_AT.replace(year=2025))


def make_lake(root: Path) -> Path:
    """A lake of two files, one with a rejected row and a row that is a duplicate."""
    rows: dict[str, list[object]] = {
        "a.jsonl": [row("e1", metadata={"plan": "free"}), row("e2"), "{broken"],
        "b.jsonl": [row("e2"), row("e3", metadata={"plan": "team"})],
    }
    build_lake(root, write_files(root / "landing", rows))
    return root / "lake"


def list_damage(folder: Path) -> list[Finding]:
    return list(find_damaged_parts(PartStore(folder / "parts"), lambda _: ParseOptions(FILE_TIME), LATER))


def read_tables(folder: Path) -> dict[str, pl.DataFrame]:
    return {table: Lake(folder).read(table) for table in TABLES}


def build_again(folder: Path) -> dict[str, pl.DataFrame]:
    parts = PartStore(folder / "parts")
    write_canonical(parts, Lake(folder), CanonicalOptions())
    sum(extract_part_values(parts))
    write_values(parts, Lake(folder), 2000)
    return read_tables(folder)


@pytest.mark.parametrize("harm", DAMAGES)
def test_damage_of_any_part_is_repaired_from_the_input(tmp_path: Path, harm: Callable[[Path], None]) -> None:
    folder = make_lake(tmp_path)
    before = read_tables(folder)
    kinds = {
        kind_of(str(path.relative_to(folder))): path for path in sorted(folder.rglob("parts/*/*")) if path.is_file()
    }
    assert len(kinds) == 6, kinds
    for path in kinds.values():
        if path.exists():  # values are named by their content
            harm(path)
        if path.is_dir():
            path.rmdir()  # by the check of folders in place of files
        repair_count = repair_all(list_damage(folder), SilentProgress().say)
        is_made_anyway = path.name == "checksums.json" or path.name.startswith("values-")
        assert repair_count > 0 or is_made_anyway
        PartStore(folder / "parts").write_missing_checksums()
        assert list_damage(folder) == []
        for table, frame in build_again(folder).items():
            assert_frame_equal(frame, before[table])


def test_parts_whose_input_is_gone_are_named_with_the_remedy(tmp_path: Path) -> None:
    folder = make_lake(tmp_path)
    truncate(next(iter(sorted(folder.rglob("events-*.parquet")))))
    for source in (tmp_path / "landing").iterdir():
        source.unlink()
    with pytest.raises(
        FaultError, match=r"is damaged \(events-00000.parquet\): put .*\.jsonl back as it was .* backup"
    ):
        repair_all(list_damage(folder), SilentProgress().say)


def test_the_row_of_a_file_is_written_again_without_its_input(tmp_path: Path) -> None:
    folder = make_lake(tmp_path)
    before = PartStore(folder / "parts").source_files()
    for source in (tmp_path / "landing").iterdir():
        source.unlink()
    for file in folder.rglob("file.parquet"):
        empty(file)
    warnings: list[str] = []
    assert repair_all(list_damage(folder), warnings.append) == 2
    assert all("file.parquet is damaged: it is written again from its copy." in sentence for sentence in warnings)
    assert_frame_equal(PartStore(folder / "parts").source_files(), before)


@pytest.mark.parametrize("harm", [harm for harm in DAMAGES if harm.__name__ != "replace_by_folder"])
def test_files_are_read_once_more_if_their_signatures_are_damaged(tmp_path: Path, harm: Callable[[Path], None]) -> None:
    folder = make_lake(tmp_path)
    before, parts = read_tables(folder), PartStore(folder / "parts")
    harm(parts.signatures.file)
    repair_all(list_damage(folder), SilentProgress().say)
    paths = sorted((tmp_path / "landing").iterdir())
    for path in parts.new_files(paths):
        sum(parts.add(path, ParseOptions(FILE_TIME), LATER))
    assert parts.new_files(paths) == []
    for table, frame in build_again(folder).items():
        assert_frame_equal(frame, before[table])


@pytest.mark.parametrize("harm", [flip_bits, truncate, empty])
def test_a_damaged_list_of_replays_is_never_read_as_another(tmp_path: Path, harm: Callable[[Path], None]) -> None:
    parts = PartStore(make_lake(tmp_path) / "parts")
    shas = parts.content_hashes()
    for sha in shas:
        parts.replays.record(sha, [3], READ_AT)
    assert parts.replays.fixed_lines().rows() == [(sha, 3) for sha in shas]
    harm(parts.replays.file)
    with pytest.raises(FaultError, match=r"replays.jsonl is damaged.*restore it from a backup, or remove it and run"):
        parts.replays.fixed_lines()
    assert [finding.path for finding in list_damage(tmp_path / "lake")] == [parts.replays.file]


def test_a_list_of_replays_that_is_gone_is_written_again_from_the_table(tmp_path: Path) -> None:
    folder = make_lake(tmp_path)
    parts, (rejected, *_) = PartStore(folder / "parts"), Lake(folder).read("rejected_events")["content_sha256"]
    assert list_damage(folder) == []
    parts.replays.record(rejected, [3], READ_AT)
    before = build_again(folder)
    assert before["rejected_events"]["is_mended"].to_list() == [True]
    parts.replays.file.unlink()
    (finding,) = list_damage(folder)
    assert "replays.jsonl is missing; it says which rejected rows were fixed (1 of them): it is" in finding.sentence()
    repair_all([finding], SilentProgress().say)
    assert list_damage(folder) == []
    for table, frame in build_again(folder).items():
        assert_frame_equal(frame, before[table])


def test_replays_of_an_earlier_version_are_read_up_to_a_line_that_was_cut_off(tmp_path: Path) -> None:
    parts = PartStore(make_lake(tmp_path) / "parts")
    line = '\n{"content_sha256": "a", "mended_lines": [1], "replayed_at": "2026-01-01T00:00:00+00:00"}'
    parts.replays.file.write_text(line + line.replace('"a"', '"b"')[:-3])
    assert parts.replays.fixed_lines().rows() == [("a", 1)]
    parts.replays.record("c", [2], READ_AT)
    assert parts.replays.fixed_lines().rows() == [("a", 1), ("c", 2)]
