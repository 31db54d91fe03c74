"""What is kept in memory for the requests of one published file."""

from pathlib import Path

import polars as pl
import pytest

from turret_pipeline.config.dashboard import DashboardSettings
from turret_pipeline.dashboard.projects import Snapshot
from turret_pipeline.dashboard.results import Results, measure_bytes
from turret_pipeline.errors import TurretError
from turret_pipeline.reports.scope import parse_scope
from turret_pipeline.reports.scoped_tables import open_scope
from turret_pipeline.storage.data_dir import DataDir
from turret_pipeline_tests.benchmarks.published_lake import Size, write_published

SEGMENTS = ("plan=free", "locale=en", "locale=de")


def open_snapshot(folder: Path) -> Snapshot:
    write_published(folder, Size(sessions=60, users=20, topics=5))
    return Snapshot(DataDir(folder), 1, DashboardSettings())


def test_sessions_of_segments_are_selected_once(tmp_path: Path) -> None:
    snapshot, scope = open_snapshot(tmp_path), parse_scope(None, None, SEGMENTS)

    with open_scope(snapshot, scope) as one, open_scope(snapshot, scope) as other:
        found = [one.sql("select session_id from scoped_sessions order by all").fetchall(), other.sql("""
            select distinct session_id from scoped_exchanges order by all
        """).fetchall()]  # fmt: skip
    tables = snapshot.query("from duckdb_tables() where database_name = 'selections'")

    assert tables.height == 1
    assert found[0] == found[1] == sorted(snapshot.sessions(scope).select("session_id").rows())
    assert found[0]


def test_a_selection_ends_with_the_memory_of_results(tmp_path: Path) -> None:
    snapshot = open_snapshot(tmp_path)
    with open_scope(snapshot, parse_scope(None, None, SEGMENTS)):
        pass

    snapshot.results = Results()

    assert snapshot.query("from duckdb_tables() where database_name = 'selections'").is_empty()


def test_the_memory_of_frames_is_counted_wherever_they_are() -> None:
    frame = pl.DataFrame({"a": [1, 2, 3]})

    assert measure_bytes(frame) == 24
    assert measure_bytes({"one": (frame, [frame]), "two": "text"}) == 48
    assert measure_bytes(None) == 0


def test_a_query_that_needs_more_memory_than_allowed_says_which_setting_to_raise(tmp_path: Path) -> None:
    snapshot = open_snapshot(tmp_path)
    snapshot.query("set memory_limit = '1MB'")

    with pytest.raises(TurretError, match="needs more than the 120 MB that queries may use"):
        snapshot.query("select list(range) from range(10_000_000)")
