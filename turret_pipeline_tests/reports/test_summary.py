"""A published file in; what a person reads after a run."""

import datetime as dt
from collections.abc import Sequence

import duckdb
import pytest

from turret_pipeline.reports.summary import followed_edits

EARLY, LATE = dt.datetime(2024, 5, 1, tzinfo=dt.UTC), dt.datetime(2024, 5, 2, tzinfo=dt.UTC)
SEVEN = [f"edit-{number}: lock prompt-{number}" for number in range(1, 8)]


@pytest.mark.parametrize(
    ("edits", "told"),
    [
        (None, ""),
        ([], ""),
        (SEVEN[:1], "Edits followed: 1\n- edit-1: lock prompt-1"),
        (SEVEN[:5], "\n- ".join(["Edits followed: 5", *SEVEN[:5]])),
        (SEVEN, "\n- ".join(["Edits followed: 7", *SEVEN[:5], "and 2 more, which turret topics edits tells"])),
    ],
)
def test_the_edits_that_the_last_run_followed_are_told(edits: Sequence[str] | None, told: str) -> None:
    with duckdb.connect() as connection:
        connection.execute("create schema marts")
        connection.execute("create table marts.pipeline_runs (run_id text, published_at timestamptz, edits text[])")
        rows = [("b", EARLY, ["edit-9: lock prompt-9"]), ("a", LATE, edits)]
        connection.executemany("insert into marts.pipeline_runs values (?, ?, ?)", rows)
        assert followed_edits(connection) == told
