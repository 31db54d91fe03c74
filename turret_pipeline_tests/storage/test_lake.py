"""Tables written whole or not at all."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from turret_pipeline.errors import TurretError
from turret_pipeline.storage.atomic_files import atomic_replace, remove
from turret_pipeline.storage.lake import Lake, conform
from turret_pipeline.tables import LAKE_TABLES, TEXTS

ROWS = pl.DataFrame([("prompt", "1", "Hi?", 2, "en"), ("prompt", "2", "Bye.", 1, None)], TEXTS.schema, orient="row")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != ".checksums.json")


def test_a_table_is_read_as_it_was_written(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    assert_frame_equal(lake.write("texts", ROWS), ROWS)
    assert_frame_equal(lake.read("texts"), ROWS)
    assert_frame_equal(lake.scan("texts").filter(pl.col("text_id") == "2").collect(), ROWS[1:])
    assert_frame_equal(lake.read("texts", "language", "text_id"), ROWS.select("language", "text_id"))
    assert names(tmp_path / "lake") == ["texts.parquet"]


@pytest.mark.parametrize("table", LAKE_TABLES)
def test_a_table_without_rows_is_read_as_it_was_written(tmp_path: Path, table: str) -> None:
    lake = Lake(tmp_path)
    empty = LAKE_TABLES[table].empty()
    lake.write(table, empty)
    assert_frame_equal(lake.read(table), empty)


def test_writing_again_replaces_the_table(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    lake.write("texts", ROWS)
    lake.write("texts", ROWS[:1])
    assert_frame_equal(lake.read("texts"), ROWS[:1])


def test_an_earlier_table_is_read_if_its_columns_are_the_same(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    assert_frame_equal(lake.read_previous("texts"), TEXTS.empty())
    lake.write("texts", ROWS)
    assert_frame_equal(lake.read_previous("texts"), ROWS)
    ROWS.drop("language").write_parquet(lake.path("texts"))  # of an earlier version
    assert_frame_equal(lake.read_previous("texts"), TEXTS.empty())
    with pytest.raises(TurretError, match="is of another version and lacks language: materialize the asset texts"):
        lake.read("texts")


def test_columns_come_in_the_order_of_the_contract_and_others_are_dropped(tmp_path: Path) -> None:
    mixed = ROWS.select(pl.lit(1).alias("more"), "language", "event_count", "text", "text_id", "field")
    assert_frame_equal(Lake(tmp_path).write("texts", mixed), ROWS)
    assert_frame_equal(Lake(tmp_path).read("texts"), ROWS)


def test_a_missing_column_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    lake.write("texts", ROWS)
    with pytest.raises(
        TurretError, match="Table texts lacks the columns text, event_count, language; it has field, text_id"
    ):
        lake.write("texts", ROWS.select("field", "text_id"))
    assert_frame_equal(lake.read("texts"), ROWS)


def test_a_wrong_type_is_named() -> None:
    wrong = ROWS.with_columns(pl.col("event_count").cast(pl.Int32), pl.lit(None).alias("text"))
    with pytest.raises(TurretError, match="text is Null instead of String; event_count is Int32 instead of Int64"):
        conform(TEXTS, wrong)


def test_a_table_that_no_run_has_written_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(TurretError, match=r"Table texts is missing from the lake .* materialize the asset texts first"):
        Lake(tmp_path).read("texts")


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def fail() -> None:
        with atomic_replace(path) as aside:
            aside.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert (path.read_text(), names(tmp_path)) == ("old", ["a.txt"])


def test_nothing_is_seen_in_place_before_the_write_is_done(tmp_path: Path) -> None:
    path = tmp_path / "sub" / "a.txt"
    with atomic_replace(path) as aside:
        aside.write_text("new")
        assert not path.exists()
    assert (path.read_text(), names(tmp_path / "sub")) == ("new", ["a.txt"])


def test_a_folder_appears_whole(tmp_path: Path) -> None:
    with atomic_replace(tmp_path / "parts") as aside:
        aside.mkdir()
        (aside / "1.txt").write_text("one")
    assert (names(tmp_path), (tmp_path / "parts" / "1.txt").read_text()) == (["parts"], "one")


def test_a_folder_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    for content in ("first", "second"):
        with atomic_replace(tmp_path / "parts") as aside:
            aside.mkdir()
            (aside / "1.txt").write_text(content)
    assert (names(tmp_path), (tmp_path / "parts" / "1.txt").read_text()) == (["parts"], "first")


def test_a_folder_that_fails_halfway_leaves_nothing(tmp_path: Path) -> None:
    def fail() -> None:
        with atomic_replace(tmp_path / "parts") as aside:
            aside.mkdir()
            (aside / "1.txt").write_text("one")
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        fail()
    assert names(tmp_path) == []


def test_files_folders_and_what_is_not_there_can_be_removed(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").write_text("x")
    (tmp_path / "c").write_text("x")
    for name in ("a", "c", "missing"):
        remove(tmp_path / name)
    assert names(tmp_path) == []


def test_many_threads_write_to_one_folder(tmp_path: Path) -> None:
    def write(number: int) -> None:
        with atomic_replace(tmp_path / f"{number}.txt") as aside:
            aside.write_text(str(number))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(40)))
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {f"{n}.txt": str(n) for n in range(40)}


def test_a_table_is_written_in_parts_whole_or_not_at_all(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    _write_parts(lake, ROWS[:1], ROWS[1:].select(reversed(ROWS.columns)))
    assert_frame_equal(lake.read("texts"), ROWS)
    with pytest.raises(TurretError, match="lacks the columns text_id"):
        _write_parts(lake, ROWS[:1], ROWS.drop("text_id"))
    assert_frame_equal(lake.read("texts"), ROWS)
    assert names(tmp_path) == ["texts.parquet"]
    _write_parts(lake)
    assert_frame_equal(lake.read("texts"), TEXTS.empty())


def _write_parts(lake: Lake, *parts: pl.DataFrame) -> None:
    with lake.writing("texts") as write:
        for part in parts:
            write(part)
