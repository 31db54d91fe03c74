"""The contract check names the column, and what is wrong with it."""

import duckdb
import pytest

from turret_pipeline.quality.contracts import find_breaches
from turret_pipeline.tables import MART_TABLES

SESSIONS = MART_TABLES["sessions"]


def breaches(change: str) -> list[str]:
    """Breaches of an empty table of sessions after a change."""
    with duckdb.connect() as connection:
        connection.register("empty", SESSIONS.empty().to_arrow())
        connection.execute("set timezone = 'UTC'; create schema marts; create table marts.sessions as from empty")
        connection.execute(change)
        return find_breaches(connection, SESSIONS)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("select 1", []),
        ("drop table marts.sessions", ["The table marts.sessions is missing."]),
        ("alter table marts.sessions drop user_id", ["Column user_id is missing instead of VARCHAR."]),
        (
            "alter table marts.sessions alter event_count type double",
            ["Column event_count is DOUBLE instead of BIGINT."],
        ),
        (
            "insert into marts.sessions values (null, null, now(), now(), 0, null, false), "
            "('s', 'u', now(), now(), 0, null, false)",
            ["Column session_id is null in 1 row.", "Column event_count is null in 2 rows."],
        ),
    ],
)
def test_a_table_that_breaks_its_contract_is_described(change: str, expected: list[str]) -> None:
    assert breaches(change) == expected
