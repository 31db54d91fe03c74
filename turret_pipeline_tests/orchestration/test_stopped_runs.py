"""Runs that a failed check, or another run, stops: the published file stays as it was."""

import shutil
from pathlib import Path

import polars as pl
import pytest
from filelock import FileLock

from turret_pipeline_tests.commands import turret, warehouse
from turret_pipeline_tests.orchestration.continued_folders import add_new_file, forget_checksums


@pytest.fixture
def data(small_job: Path, tmp_path: Path) -> Path:
    """A data folder with one published run, and a new file that the run has not read."""
    return add_new_file(shutil.copytree(small_job, tmp_path / "data"))


def run_in_vain(data: Path) -> str:
    """What a run says that must not publish, after files were changed."""
    before = warehouse(data).read_bytes()
    forget_checksums(data)
    done = turret("run", "--data-dir", data)
    assert done.returncode == 1
    assert warehouse(data).read_bytes() == before
    return done.stderr


def test_a_failing_blocking_check_keeps_the_published_file_and_is_named(data: Path) -> None:
    file = next((data / "lake" / "parts").glob("*/file.parquet"))
    pl.read_parquet(file).with_columns(pl.col("row_count") + 1).write_parquet(file)  # a row that is nowhere
    said = run_in_vain(data)
    assert "assert_rows_are_accounted_for" in said
    assert "Nothing was published" in said


def test_a_table_that_breaks_its_contract_is_not_published(data: Path) -> None:
    part = next((data / "lake" / "parts").glob("*/events-00000.parquet"))
    damaged = pl.when(pl.col("line_number") == 1).then(None).otherwise("metadata").alias("metadata")
    pl.read_parquet(part).with_columns(damaged).write_parquet(part)
    said = run_in_vain(data)
    assert "contract of table events failed" in said
    assert "metadata is null in 1 row" in said


def test_only_one_run_works_in_a_folder(data: Path) -> None:
    with FileLock(data / ".run.lock"):
        done = turret("run", "--data-dir", data)
    assert done.returncode == 1
    assert "Another run is using the data folder" in " ".join(done.stderr.split())
