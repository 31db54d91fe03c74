"""Runs after an event, or after a run, whose clock was wrong."""

import shutil
from pathlib import Path

import duckdb
import polars as pl
from polars.testing import assert_frame_equal
from typer.testing import CliRunner

from turret_pipeline.cli import app
from turret_pipeline.storage.data_dir import DataDir
from turret_pipeline_tests.commands import conversations, published_tables, run_job, warehouse, write_events
from turret_pipeline_tests.orchestration.continued_folders import add_new_file, forget_checksums

RUN_TIMES = (("topic_runs", "started_at"), ("topic_lineage", "changed_at"))


def test_one_event_of_a_wrong_clock_changes_no_latest_day(small_job: Path, tmp_path: Path) -> None:
    data = shutil.copytree(small_job, tmp_path / "data")
    before, last_days = published_tables(data), ask_for_the_last_days(data)
    event = conversations(36, 1)[0]
    ahead = [event | {"event_id": "ahead", "timestamp": "2099-01-01T00:00:00Z", "session_id": "s-ahead"}]
    write_events(data / "landing" / "b.jsonl", ahead)
    printed = run_job(data)
    after = published_tables(data)
    assert after["events"].filter("is_time_ahead")["event_id"].to_list() == ["ahead"]
    assert "2026-03-01 to 2026-03-28" in printed
    trends = ["topic_id", "growth", "is_emerging", "emerging_q_value", "last_event_at"]
    assert_frame_equal(
        after["topics"].select(trends).sort("topic_id"), before["topics"].select(trends).sort("topic_id")
    )
    assert before["topics"]["growth"].null_count() < before["topics"].height
    assert ask_for_the_last_days(data) == last_days
    write_events(data / "landing" / "c.jsonl", conversations(55, 1))
    run_job(data)
    late = published_tables(data)["source_files"].select(pl.col("source_file").str.tail(7), "late_count")
    assert dict(late.iter_rows()) == {"a.jsonl": 0, "b.jsonl": 0, "c.jsonl": 0}


def ask_for_the_last_days(data: Path) -> str:
    done = CliRunner().invoke(app, ["journeys", "compare", "--period", "7d", "--data-dir", str(data)])
    assert done.exit_code == 0, done.output
    return done.output


def put_times_ahead(data_dir: Path, days: int) -> None:
    """Make a data folder one whose last run had a clock that was ahead."""
    ahead = f"interval {days} days"
    with duckdb.connect(str(warehouse(data_dir))) as connection:
        for table, column in (("pipeline_runs", "started_at"), ("pipeline_runs", "published_at"), *RUN_TIMES):
            connection.execute(f"update marts.{table} set {column} = {column} + {ahead}")
    for table, column in RUN_TIMES:
        for file in (data_dir / "lake" / f"{table}.parquet", *(data_dir / "state").glob(f"*/{table}.parquet")):
            later = pl.read_parquet(file, glob=False).with_columns(pl.col(column) + pl.duration(days=days))
            later.write_parquet(file)


def test_a_clock_that_was_ahead_in_one_run_does_not_stop_later_ones(small_job: Path, tmp_path: Path) -> None:
    data = add_new_file(shutil.copytree(small_job, tmp_path / "data"))
    folder = DataDir(data)
    before = published_tables(data)["topics"]["topic_id"].to_list()
    put_times_ahead(data, 10)
    forget_checksums(data)
    printed = run_job(data)
    runs = folder.warehouse.runs()
    assert runs is not None
    assert runs["run_number"].to_list() == [1, 2]
    assert not runs["published_at"].is_sorted()
    assert folder.topic_states.read(runs["topic_state_id"][-1]).topic_runs["run_number"].max() == 2
    assert published_tables(data)["topics"]["topic_id"].to_list()[: len(before)] == before
    assert "In the last run: 1 born" in printed
