"""The sessions behind the figures: as many as each figure says."""

from collections.abc import Iterator

import duckdb
import pytest

from turret_pipeline.errors import TurretError
from turret_pipeline.reports.journey_matrix import read_matrix
from turret_pipeline.reports.journey_patterns import read_paths
from turret_pipeline.reports.journey_sequences import (
    select_at_step,
    select_followers,
    select_movers,
    select_visitors,
)
from turret_pipeline.reports.journey_transitions import read_transitions
from turret_pipeline_tests.reports.test_journey_sql import draw_visits, load


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'; create schema marts")
        load(connection, draw_visits(8))
        yield connection


def count(connection: duckdb.DuckDBPyConnection, selected: str) -> int:
    return len(set(connection.sql(selected).fetchall()))


def test_each_transition_leads_to_its_sessions(connection: duckdb.DuckDBPyConnection) -> None:
    edges = read_transitions(connection)
    assert edges.height > 20
    for source, target, sessions in edges.select("from_node_id", "to_node_id", "session_count").iter_rows():
        assert count(connection, select_movers(source, target)) == sessions


def test_each_path_leads_to_its_sessions(connection: duckdb.DuckDBPyConnection) -> None:
    for length in (None, 2, 3, 5):
        for path, sessions in read_paths(connection, length).head(40).select("path", "session_count").iter_rows():
            assert count(connection, select_followers(path, is_whole_session=length is None)) == sessions
    visitors = count(connection, select_visitors("a"))
    assert count(connection, select_followers(["a"], is_whole_session=False)) == visitors
    with pytest.raises(TurretError, match="empty"):
        select_followers([], is_whole_session=False)


def test_each_cell_of_the_matrix_leads_to_its_sessions(connection: duckdb.DuckDBPyConnection) -> None:
    cells = read_matrix(connection, 5, 3)
    named = [node for node in cells["node_id"].unique() if not node.startswith("(")]
    for step, node, sessions in cells.select("step_number", "node_id", "session_count").iter_rows():
        assert count(connection, select_at_step(step, node, named)) == sessions


def test_a_node_with_quotes_is_a_name(connection: duckdb.DuckDBPyConnection) -> None:
    assert count(connection, select_visitors("'; drop table marts.sessions; --")) == 0
    assert count(connection, select_visitors("a")) > 0
