"""Erasure from files that were read as they grew: each content has only the rows that were new."""

import json
from pathlib import Path

import pytest

from turret_pipeline.erasure.erase import erase
from turret_pipeline.ingest.part_damage import find_damaged_parts
from turret_pipeline.ingest.parts import Ingestion, PartStore
from turret_pipeline.storage.data_dir import DataDir
from turret_pipeline_tests.erasure.byte_search import find_values
from turret_pipeline_tests.erasure.folders import event, forget, list_events, read, settings_of
from turret_pipeline_tests.ingest.imports import READ_AT

LINES = [
    json.dumps(row)
    for row in (
        event("event-1", "ana", "s1"),
        event("event-2", "bob", "s2"),
        event("event-3", "ana", "s3"),
        event("event-4", "bob", "s4"),
        event("event-5", "ana", "s5"),
    )
]


def write(folder: Path, text: str) -> None:
    path = folder / "landing" / "a.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize("end", ["\n", ""], ids=["whole last line", "last line without its end"])
def test_a_user_goes_from_all_contents_of_a_file_that_grew(tmp_path: Path, end: str) -> None:
    settings = settings_of(tmp_path)
    for count in (1, 3, 5):
        write(tmp_path, "\n".join(LINES[:count]) + end)
        read(settings)
    forget(settings, ["ana"])
    assert list_events(settings) == ["event-2", "event-4"]
    assert find_values(tmp_path, ["ana", "event-1", "event-3", "event-5"]) == []


def test_a_file_goes_on_growing_after_an_erasure(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    for count in (1, 3):
        write(tmp_path, "".join(f"{line}\n" for line in LINES[:count]))
        read(settings)
    forget(settings, ["ana"])
    with (tmp_path / "landing" / "a.jsonl").open("a") as file:
        file.write("".join(f"{line}\n" for line in LINES[3:]))
    erase(read(settings), settings, "later")
    assert list_events(settings) == ["event-2", "event-4"]
    assert find_values(tmp_path, ["ana"]) == []
    parts = PartStore(DataDir(tmp_path).parts)
    assert parts.source_files()["row_count"].sum() == len(LINES)


def test_an_erasure_is_no_damage(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    for count in (2, 5):
        write(tmp_path, "".join(f"{line}\n" for line in LINES[:count]))
        read(settings)
    forget(settings, ["ana"])
    parts = PartStore(DataDir(tmp_path).parts)

    def refuse(path: object) -> object:
        raise AssertionError(path)

    assert [*find_damaged_parts(parts, refuse, Ingestion(READ_AT))] == []  # type: ignore[arg-type]
