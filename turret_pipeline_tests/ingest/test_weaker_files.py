"""Privacy settings that become stricter after files were read."""

from pathlib import Path

import polars as pl
import pytest

from turret_pipeline.config.pipeline import Settings, load_settings
from turret_pipeline.errors import TurretError
from turret_pipeline.ingest.canonical import CanonicalOptions, write_canonical
from turret_pipeline.ingest.new_files import read_new_files
from turret_pipeline.ingest.parts import PartStore
from turret_pipeline.ingest.values import extract_part_values, write_values
from turret_pipeline.progress import SilentProgress
from turret_pipeline.storage.data_dir import DataDir
from turret_pipeline_tests.ingest.imports import row, write_files

ROWS = [
    row(
        "e1", user_id="ada-1815", metadata={"prompt": "I am ada-1815, call +41 44 668 18 00", "distinct_id": "ada-1815"}
    ),
    row("e2", user_id="bob-1912", metadata={"prompt": "hello", "nested": {"owner": ["bob-1912"]}}),
    '{"name": "broken", "user_id": "ada-1815"',
]
NAMES = ("ada-1815", "bob-1912")


def run(root: Path, **changed: object) -> DataDir:
    settings: Settings = load_settings(data_dir=root / "data", inputs=[str(root / "in")], **changed)
    data = DataDir(settings.data_dir)
    data.parts.mkdir(parents=True, exist_ok=True)
    read_new_files(settings, data, SilentProgress(), lambda _: None)
    parts = PartStore(data.parts)
    write_canonical(parts, data.lake, CanonicalOptions())
    sum(extract_part_values(parts))
    write_values(parts, data.lake, 2000)
    return data


def content(data: DataDir) -> str:
    """Content of all files of the data folder, Parquet files as rows."""
    files = [file for file in sorted(data.root.rglob("*")) if file.is_file()]
    return "".join(
        pl.read_parquet(file, glob=False).write_json() if file.suffix == ".parquet" else file.read_text()
        for file in files
    )


def users(data: DataDir) -> int:
    return data.lake.read("events")["user_id"].n_unique()


def test_a_salt_that_is_set_or_changed_later_leaves_no_id_and_adds_no_users(tmp_path: Path) -> None:
    write_files(tmp_path / "in", {"a.jsonl": ROWS})
    before = run(tmp_path)
    assert all(name in content(before) for name in NAMES)
    salted = run(tmp_path, user_id_salt="a long salt")
    assert users(salted) == 2
    found = content(salted)
    assert [name for name in (*NAMES, "a long salt") if name in found] == []
    first = set(salted.lake.read("events")["user_id"])
    again = run(tmp_path, user_id_salt="another salt")
    assert users(again) == 2
    assert not first & set(again.lake.read("events")["user_id"])
    assert users(run(tmp_path)) == 2


def test_a_kind_that_is_replaced_later_leaves_no_value_of_it(tmp_path: Path) -> None:
    write_files(tmp_path / "in", {"a.jsonl": ROWS})
    assert "668 18 00" in content(run(tmp_path, scrub_phones=False))
    data = run(tmp_path)
    assert "668 18 00" not in content(data)
    assert data.is_stricter
    time = (PartStore(data.parts).folder(PartStore(data.parts).content_hashes()[0]) / "file.parquet").stat().st_mtime_ns
    assert "<PHONE>" in content(run(tmp_path, scrub_phones=False))  # weaker settings hold for new files only
    again = (
        (PartStore(data.parts).folder(PartStore(data.parts).content_hashes()[0]) / "file.parquet").stat().st_mtime_ns
    )
    assert again == time


@pytest.mark.parametrize("change", ["remove", "overwrite"])
def test_a_file_that_is_gone_stops_the_run_before_anything_changes(tmp_path: Path, change: str) -> None:
    paths = write_files(tmp_path / "in", {"a.jsonl": ROWS, "b.jsonl": [row("e9", user_id="cy")]})
    before = content(run(tmp_path))
    paths[0].unlink() if change == "remove" else paths[0].write_text("{}\n")
    with pytest.raises(
        TurretError, match=r"1 of the files .* gone or changed, the first is .*a.jsonl: restore them, erase"
    ):
        run(tmp_path, user_id_salt="a long salt")
    assert content(DataDir(tmp_path / "data")) == before


def test_a_copy_of_the_file_is_enough(tmp_path: Path) -> None:
    paths = write_files(tmp_path / "in", {"a.jsonl": ROWS})
    run(tmp_path)
    paths[0].touch()
    assert users(run(tmp_path, user_id_salt="a long salt")) == 2


def test_parts_of_an_earlier_version_are_read_again_unless_their_ids_are_hashes(tmp_path: Path) -> None:
    write_files(tmp_path / "in", {"a.jsonl": ROWS})
    data = run(tmp_path)
    for salt, _ in (("a long salt", 1), ("another salt", 2)):
        for stamp in data.parts.rglob("privacy.txt"):
            stamp.unlink()
        assert users(run(tmp_path, user_id_salt=salt)) == 2
        assert "ada-1815" not in content(data)


def test_files_are_found_where_a_moved_folder_has_them(tmp_path: Path) -> None:
    write_files(tmp_path / "old" / "in", {"a.jsonl": ROWS})
    run(tmp_path / "old")
    (tmp_path / "old").rename(tmp_path / "new")
    assert users(run(tmp_path / "new", user_id_salt="a long salt")) == 2


def test_a_file_that_grew_is_read_again_content_by_content(tmp_path: Path) -> None:
    for count in (1, 2, 3):
        write_files(tmp_path / "in", {"a.jsonl": ROWS[:count]})
        before = run(tmp_path)
    events = before.lake.read("events")["event_id"].sort()
    salted = run(tmp_path, user_id_salt="a long salt")
    assert salted.lake.read("events")["event_id"].sort().equals(events)
    assert [name for name in NAMES if name in content(salted)] == []
    assert users(salted) == 2
