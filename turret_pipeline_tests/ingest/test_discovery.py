"""Input files of paths, folders, globs and addresses."""

from pathlib import Path

import pytest
from upath import UPath

from turret_pipeline.errors import TurretError
from turret_pipeline.ingest.discovery import describe_skipped, discover


def create_file(folder: Path, name: str) -> Path:
    path = folder / name
    path.write_bytes(b"")
    return path


def test_a_folder_gives_its_event_files_sorted_and_not_the_hidden_ones(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    names = [
        "z.jsonl",
        "a.CSV",
        "sub/m.json.gz",
        "b.parquet",
        "d.csv.zst",
        "s.xlsx",
        "notes.txt",
        ".hidden.jsonl",
        "c.gz",
    ]
    paths = {name: create_file(tmp_path, name) for name in names}
    expected = sorted(paths[name] for name in names[:6])
    assert discover([str(tmp_path)]) == expected


def test_a_file_found_in_several_ways_is_found_once(tmp_path: Path) -> None:
    path = create_file(tmp_path, "a.jsonl")
    assert discover([str(tmp_path), str(path), str(tmp_path / "*.jsonl"), str(tmp_path / "**")]) == [path]
    assert discover([]) == []


def test_links_to_folders_and_files_are_followed_and_each_file_is_found_once(tmp_path: Path) -> None:
    landing, store = tmp_path / "landing", tmp_path / "store"
    for folder in (landing / "own", store / "deep"):
        folder.mkdir(parents=True)
    own, stored = create_file(landing / "own", "z.jsonl"), create_file(store / "deep", "a.jsonl")
    (landing / "2026").symlink_to("../store")
    assert discover([str(landing)]) == [landing / "2026" / "deep" / "a.jsonl", own]
    (landing / "a-second-way").symlink_to(store)
    (landing / "an-own-link").symlink_to("own")
    (landing / "file.jsonl").symlink_to("own/z.jsonl")
    (landing / "broken.jsonl").symlink_to("nothing")
    (store / "deep" / "up").symlink_to(landing)
    (landing / "own" / "self").symlink_to(".")
    found = discover([str(landing)])
    assert [path.resolve() for path in found] == [stored, own]
    assert len(discover([str(landing), str(store), f"{landing}/*/*.jsonl"])) == 2


def test_files_with_other_endings_are_counted_by_ending(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    names = ["a.jsonl", "b.txt", "sub/c.TXT", "d.zip", "e.log.gz", "README", ".hidden.txt", "~$book.xlsx", "book.xlsx"]
    for name in names:
        create_file(tmp_path, name)
    expected = "Skipped 5 files with endings that are not read: (none) (1), .log.gz (1), .txt (2), .zip (1)."
    assert describe_skipped([str(tmp_path), str(tmp_path / "b.txt"), str(tmp_path / "*.zip")]) == expected
    assert describe_skipped([str(tmp_path / "a.jsonl"), str(tmp_path / "none")]) == ""
    only_others = tmp_path / "only"
    only_others.mkdir()
    create_file(only_others, "b.txt")
    with pytest.raises(TurretError, match=r"has no event file.* Skipped 1 file with endings .*: \.txt \(1\)\."):
        discover([str(only_others)])


@pytest.mark.parametrize(
    ("pattern", "problem"), [("", "has no event file"), ("no.jsonl", "does not exist"), ("*.csv", "matches no file")]
)
def test_an_input_without_files_is_an_error(tmp_path: Path, pattern: str, problem: str) -> None:
    with pytest.raises(TurretError, match=problem):
        discover([str(tmp_path / pattern)])


def test_a_folder_that_is_named_like_a_file_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "odd.jsonl").mkdir()
    inside = create_file(tmp_path / "odd.jsonl", "a.jsonl")
    assert discover([str(tmp_path)]) == discover([str(tmp_path / "odd.jsonl")]) == [inside]


def test_an_object_store_is_listed_like_a_folder() -> None:
    bucket = UPath("memory://bucket/2026")
    for name in ("b.jsonl", "a.csv.gz", "notes.txt", ".open.jsonl"):
        (bucket / name).write_bytes(b"{}")
    found = [path.name for path in discover(["memory://bucket/2026"])]
    assert found == ["a.csv.gz", "b.jsonl"]
    assert describe_skipped(["memory://bucket/2026"]).endswith("not read: .txt (1).")
    assert [path.name for path in discover(["memory://bucket/2026/*.jsonl", "memory://bucket/2026/b.jsonl"])] == [
        "b.jsonl"
    ]


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("memory://bucket/none.jsonl", "matches no object"),
        ("memory://bucket/none*.jsonl", "matches no object"),
        ("nowhere://bucket/a.jsonl", "has an address that cannot be read"),
        ("s3://bucket/a.jsonl", r"needs a library that is not installed.*turret-pipeline\[s3\]"),
    ],
)
def test_an_address_without_objects_is_an_error(address: str, problem: str) -> None:
    with pytest.raises(TurretError, match=problem):
        discover([address])
