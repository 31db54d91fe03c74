"""Quality: checks, rejected rows by reason, files and runs, as the tables have them."""

from pathlib import Path

import duckdb
import pytest
from playwright.sync_api import expect

from turret_pipeline_tests.commands import warehouse
from turret_pipeline_tests.dashboard.published import get_page
from turret_pipeline_tests.dashboard.visits import Visitor


def count(folder: Path, query: str) -> int:
    """A number by SQL."""
    with duckdb.connect(str(warehouse(folder)), read_only=True) as connection:
        return int(connection.execute(query).fetchall()[0][0])


def test_the_accounts_are_those_of_the_files(visitor: Visitor, sample_folder: Path) -> None:
    visitor.visit("quality")

    sums = [
        count(sample_folder, f"select sum({name}_count) from marts.source_files")
        for name in ("row", "accepted", "duplicate", "rejected")
    ]
    words = "{:,} rows were read: {:,} accepted, {:,} duplicate, {:,} rejected.".format(*sums)
    expect(visitor.page.get_by_text(words)).to_be_visible()
    checks = count(sample_folder, "select count(*) from marts.quality_checks")
    expect(visitor.page.get_by_text(f"All {checks} checks of the published tables passed.")).to_be_visible()


@pytest.mark.parametrize("reason", ["invalid_json", "missing_timestamp"])
def test_the_number_of_a_reason_leads_to_exactly_these_rows(visitor: Visitor, sample_folder: Path, reason: str) -> None:
    visitor.visit("quality")
    rejected = count(sample_folder, f"select count(*) from marts.rejected_events where reason_code = '{reason}'")
    row = visitor.page.get_by_role("row").filter(has=visitor.page.get_by_text(reason, exact=True))
    row.get_by_role("link", name=str(rejected)).click()

    assert visitor.count(".downloads") == rejected
    assert visitor.page.locator("tbody tr").count() == rejected


def test_an_unknown_reason_is_rejected_with_a_fix(dashboard: str) -> None:
    answer = get_page(f"{dashboard}/sample/quality/rejected?reason=nope")

    assert answer.status_code == 400
    assert "choose one on the page Quality" in answer.text
