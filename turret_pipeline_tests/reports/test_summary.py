"""The summary of a published file."""

from collections.abc import Sequence

import duckdb
import pytest

from turret_pipeline.reports.summary import list_applied_edits

SEVEN = [f"edit-{number}: lock prompt-{number}" for number in range(1, 8)]


@pytest.mark.parametrize(
    ("edits", "listed"),
    [
        (None, []),
        ([], []),
        (SEVEN[:1], ["Edits applied: 1", "- edit-1: lock prompt-1"]),
        (SEVEN[:5], ["Edits applied: 5", *(f"- {edit}" for edit in SEVEN[:5])]),
        (SEVEN, ["Edits applied: 7", *(f"- {edit}" for edit in SEVEN[:5]), "- and 2 more (turret topics edits)"]),
    ],
)
def test_the_edits_of_the_last_run_are_listed(edits: Sequence[str] | None, listed: list[str]) -> None:
    with duckdb.connect() as connection:
        connection.execute("create schema marts")
        connection.execute("create table marts.pipeline_runs (run_id text, run_number bigint, edits text[])")
        rows = [("b", 1, ["edit-9: lock prompt-9"]), ("a", 2, edits)]
        connection.executemany("insert into marts.pipeline_runs values (?, ?, ?)", rows)
        assert list_applied_edits(connection) == listed
