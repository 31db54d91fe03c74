"""The summary of a published file."""

from collections.abc import Sequence

import duckdb
import pytest

from turret_pipeline.reports.summary import list_applied_edits, list_rejections

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


def test_the_most_frequent_reasons_have_an_example_and_the_others_a_count() -> None:
    codes = ["invalid_json"] * 4 + ["missing_timestamp"] * 3 + ["invalid_name"] * 2 + ["not_an_object", "unknown_shape"]
    rows = [(code, f"{code} of line {line}", "a.jsonl", line) for line, code in enumerate(codes, start=1)]
    with duckdb.connect() as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.rejected_events (reason_code text, reason text, source_file text, line_number bigint)"
        )
        connection.executemany("insert into marts.rejected_events values (?, ?, ?, ?)", rows)
        assert list_rejections(connection)[1:] == [
            "- 4 invalid_json, for example: invalid_json of line 1",
            "- 3 missing_timestamp, for example: missing_timestamp of line 5",
            "- 2 invalid_name, for example: invalid_name of line 8",
            "- 2 more: not_an_object, unknown_shape",
        ]
