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


def test_a_failing_blocking_check_keeps_the_published_file_and_is_named(data: Path) -> None:
    before = warehouse(data).read_bytes()
    file = next((data / "lake" / "parts").glob("*/file.parquet"))
    pl.read_parquet(file).with_columns(pl.col("row_count") + 1).write_parquet(file)  # a row that is nowhere
    forget_checksums(data)
    done = turret("run", "--data-dir", data)
    assert done.returncode == 1
    assert "assert_rows_are_accounted_for" in done.stderr
    assert "Nothing was published" in done.stderr
    assert warehouse(data).read_bytes() == before


def test_a_table_that_breaks_its_contract_is_not_published(data: Path) -> None:
    before = warehouse(data).read_bytes()
    part = next((data / "lake" / "parts").glob("*/events-00000.parquet"))
    damaged = pl.when(pl.col("line_number") == 1).then(None).otherwise("metadata").alias("metadata")
    pl.read_parquet(part).with_columns(damaged).write_parquet(part)
    forget_checksums(data)
    done = turret("run", "--data-dir", data)
    assert done.returncode == 1
    assert "contract of table events failed" in done.stderr
    assert "metadata is null in 1 row" in done.stderr
    assert warehouse(data).read_bytes() == before


def test_only_one_run_works_in_a_folder(data: Path) -> None:
    with FileLock(data / ".run.lock"):
        done = turret("run", "--data-dir", data)
    assert done.returncode == 1
    assert "Another run is using the data folder" in " ".join(done.stderr.split())
